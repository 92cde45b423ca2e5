from decimal import Decimal

import pytest

from pointsman.config.cards import baseline_of, cards_of
from pointsman.config.values import providers_of
from pointsman.core.ports import Deadlines

DEMO_ALL = """\
providers:
  demo:
models:
  demo-simple: {provider: demo, tier: simple}
  mine: {provider: demo, id: demo-complex, tier: complex}
"""


def model(line: str) -> str:
    return f"""\
providers:
  local: {{dialect: openai-chat, base_url: "http://127.0.0.1:9001/v1"}}
models:
  m: {{provider: local, {line}}}
"""


@pytest.mark.parametrize("written", ["0.10", "'0.10'", "1.0e-1", "0.1000"])
def test_prices_are_exact_decimals(written, load_text):
    text = model(f"usd_per_million_input: {written}, usd_per_million_output: 3")
    (card,) = cards_of(load_text(text).settings)
    assert card.price is not None
    assert card.price.rates.usd_per_million_input == Decimal("0.1")
    assert card.price.rates.usd_per_million_output == Decimal(3)


def test_price_of_zero_is_a_price(load_text):
    (card,) = cards_of(load_text(model("usd_per_million_input: 0, usd_per_million_output: 0")).settings)
    assert card.price is not None
    assert card.price.is_free


def test_given_values_win_over_bundled_ones(load_text):
    text = """\
providers:
  openai: {api_key: $OPENAI_API_KEY}
models:
  m:
    provider: openai
    id: gpt-5-mini
    usd_per_million_input: 7
    usd_per_million_output: 8
    usd_per_million_cache_read: 0.7
    usd_per_million_cache_write: 9
    context_tokens: 1234
    max_output_tokens: 55
    abilities: []
"""
    (card,) = cards_of(load_text(text, OPENAI_API_KEY="k").settings)
    assert card.price is not None
    rates = card.price.rates
    assert (rates.usd_per_million_input, rates.usd_per_million_cache_read) == (Decimal(7), Decimal("0.7"))
    assert (card.price.source, card.price.above) == ("config", ())
    assert (card.context_tokens, card.max_output_tokens, card.abilities) == (1234, 55, frozenset())


def test_what_nobody_knows_stays_unknown(load_text):
    (card,) = cards_of(load_text(model("tier: simple")).settings)
    assert (card.id, card.price, card.context_tokens, card.max_output_tokens, card.abilities) == (
        "m",
        None,
        None,
        None,
        None,
    )


def test_prices_are_found_by_address_for_a_provider_of_another_name(load_text):
    text = """\
providers:
  work: {dialect: anthropic-messages, base_url: https://api.anthropic.com/v1, api_key: $KEY}
models:
  m: {provider: work, id: claude-opus-4-6}
"""
    (card,) = cards_of(load_text(text, KEY="k").settings)
    assert card.price is not None
    assert card.price.rates.usd_per_million_input == 5


def test_demo_provider_is_embedded_and_its_models_are_known(load_text):
    settings = load_text(DEMO_ALL).settings
    assert providers_of(settings)["demo"].embedded
    simple, mine = cards_of(settings)
    assert (simple.name, mine.name, mine.id) == ("demo-simple", "mine", "demo-complex")
    assert simple.price is not None
    assert mine.price is not None
    assert simple.price.rates.usd_per_million_input < mine.price.rates.usd_per_million_input
    assert simple.context_tokens is not None


def test_baseline_is_the_dearest_or_the_named_one(load_text):
    dearest = load_text(DEMO_ALL).settings
    named = load_text(DEMO_ALL + "baseline_model: demo-simple\n").settings
    unpriced = load_text(model("tier: simple")).settings

    def name(settings):
        card = baseline_of(settings, cards_of(settings))
        return card and card.name

    assert (name(dearest), name(named), name(unpriced)) == ("mine", "demo-simple", None)


@pytest.mark.parametrize(
    ("provider", "header"),
    [
        ("{dialect: openai-chat, base_url: 'http://h/v1'}", "bearer"),
        ("{dialect: anthropic-messages, base_url: 'http://h/v1'}", "x-api-key"),
        ("{dialect: anthropic-messages, base_url: 'http://h/v1', credential_header: bearer}", "bearer"),
    ],
)
def test_credential_header_follows_the_dialect(provider, header, load_text):
    text = f"providers:\n  mine: {provider}\nmodels:\n  m: {{provider: mine}}\n"
    assert providers_of(load_text(text).settings)["mine"].credential_header == header


def test_deadlines_and_the_rest_reach_the_provider(load_text):
    text = """\
providers:
  mine:
    dialect: openai-chat
    base_url: http://127.0.0.1:9001/v1/
    deadlines: {connect_s: 2.5, idle_s: 7}
    include_stream_usage: true
    pass_through_caller_key: true
    caller_key_prefixes: [mk-]
models:
  m: {provider: mine}
"""
    provider = providers_of(load_text(text).settings)["mine"]
    assert provider.deadlines == Deadlines(connect_s=2.5, idle_s=7.0)
    assert provider.base_url == "http://127.0.0.1:9001/v1"
    assert provider.caller_key_prefixes == ("mk-",)
    assert (provider.include_stream_usage, provider.pass_through_caller_key) == (True, True)


def test_price_data_is_not_loaded_when_everything_is_given(tmp_path):
    """It takes a third of a second: a start should not pay for what it does not ask."""
    import subprocess
    import sys

    path = tmp_path / "c.yaml"
    path.write_text(
        model("usd_per_million_input: 1, usd_per_million_output: 1, context_tokens: 5"), encoding="utf-8"
    )
    code = (
        "import sys; from pathlib import Path; from pointsman.config.load import load;"
        "from pointsman.config.cards import cards_of; cards_of(load(Path(sys.argv[1]), {'HOME': '/'}, {}).settings);"
        "print([name for name in ('genai_prices', 'rich', 'http.client') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def priced(line: str) -> str:
    return f"""\
providers:
  anthropic: {{api_key: $ANTHROPIC_API_KEY}}
models:
  m: {{provider: anthropic, id: claude-sonnet-5-5{line}}}
"""


def rates_of(load_text, line: str):
    (card,) = cards_of(load_text(priced(line), ANTHROPIC_API_KEY="k").settings)
    assert card.price is not None
    return card.price.rates


def base(rates) -> str:
    return (
        f", usd_per_million_input: {rates.usd_per_million_input}"
        f", usd_per_million_output: {rates.usd_per_million_output}"
    )


def test_the_known_rates_of_the_cache_go_with_the_known_base_rates(load_text):
    known = rates_of(load_text, "")
    assert known.usd_per_million_cache_read is not None
    assert known.usd_per_million_cache_write is not None
    assert rates_of(load_text, base(known)) == known
    read = rates_of(load_text, base(known) + ", usd_per_million_cache_read: 0.01")
    assert read.usd_per_million_cache_read == Decimal("0.01")
    assert read.usd_per_million_cache_write == known.usd_per_million_cache_write


def test_beside_other_base_rates_those_of_the_cache_are_unknown(load_text):
    rates = rates_of(load_text, ", usd_per_million_input: 7, usd_per_million_output: 8")
    assert (rates.usd_per_million_cache_read, rates.usd_per_million_cache_write) == (None, None)
    assert rates.usd_per_million_cache_write_1h is None


def test_a_given_rate_for_writing_holds_for_an_hour_too(load_text):
    rates = rates_of(load_text, base(rates_of(load_text, "")) + ", usd_per_million_cache_write: 5")
    assert (rates.usd_per_million_cache_write, rates.usd_per_million_cache_write_1h) == (Decimal(5), None)


def profile_of(load_text, provider: str) -> str:
    text = f"providers:\n  {provider}\nmodels:\n  m: {{provider: {provider.partition(':')[0]}}}\n"
    (card,) = cards_of(load_text(text, GROQ_API_KEY="k").settings)
    return card.profile


def test_a_provider_departs_from_its_dialect_as_its_name_says_or_its_profile(load_text):
    assert profile_of(load_text, "groq:") == "groq"
    assert profile_of(load_text, "groq: {profile: openai}") == "openai"
    here = '{dialect: openai-chat, base_url: "http://127.0.0.1:9001/v1"'
    assert profile_of(load_text, f"mine: {here}}}") == ""
    assert profile_of(load_text, f"mine: {here}, profile: vllm}}") == "vllm"
