from datetime import UTC, datetime
from decimal import Decimal

import pytest
from genai_prices import Usage as TheirUsage
from genai_prices import calc_price

from pointsman.config.facts import UNKNOWN, look_up
from pointsman.core.usage import Usage, cost_usd
from pointsman.fleet.catalog import CATALOG
from pointsman.upstream.known_providers import DEMO_URL, KNOWN_PROVIDERS

AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
REAL = [model for model in CATALOG if model.provider != "demo"]


@pytest.mark.parametrize("model", REAL, ids=lambda model: f"{model.provider}/{model.id}")
def test_catalog_models_are_in_the_price_data_and_not_deprecated(model):
    known = KNOWN_PROVIDERS[model.provider]
    facts = look_up(known.prices_as, known.base_url, model.id, AT)
    assert facts.price is not None
    assert facts.context_tokens is not None
    assert facts.price.source.startswith("genai-prices ")


@pytest.mark.parametrize("provider", sorted({model.provider for model in CATALOG}))
def test_harder_tiers_are_dearer_in_the_catalog(provider):
    known = KNOWN_PROVIDERS[provider]
    order = ("simple", "medium", "complex", "reasoning")
    models = [model for model in CATALOG if model.provider == provider]
    assert [model.tier for model in models] == sorted((model.tier for model in models), key=order.index)
    prices = [model.price or look_up(known.prices_as, "", model.id, AT).price for model in models]
    inputs = [price.rates.usd_per_million_input for price in prices if price is not None]
    assert inputs == sorted(inputs)
    assert len(set(inputs)) == len(inputs) == len(models)


@pytest.mark.parametrize(
    ("provider", "model_id"),
    [
        ("anthropic", "claude-haiku-5-5"),
        ("anthropic", "claude-opus-4-6"),
        ("anthropic", "claude-opus-4-6-20260205"),
        ("anthropic", "claude-sonnet-4-5"),
        ("openai", "gpt-6-luna"),
        ("openai", "gpt-5-mini"),
        ("google", "gemini-2.5-pro"),
        ("x-ai", "grok-4.20"),
        ("minimax", "minimax-m3"),
    ],
)
@pytest.mark.parametrize(
    "input_tokens", [1000, 100_000, 100_001, 199_999, 200_000, 200_001, 272_001, 600_000]
)
def test_compiled_price_agrees_with_the_price_data(provider, model_id, input_tokens):
    price = look_up(provider, "", model_id, AT).price
    read = 500 if price is not None and price.rates.usd_per_million_cache_read is not None else 0
    ours = cost_usd(Usage(input_tokens=input_tokens, output_tokens=2000, cache_read_tokens=read), price)
    theirs = calc_price(
        TheirUsage(input_tokens=input_tokens, output_tokens=2000, cache_read_tokens=read),
        model_id,
        provider_id=provider,
        genai_request_timestamp=AT,
    )
    assert ours == theirs.total_price


def test_prices_are_those_of_the_day():
    early = look_up("google", "", "gemini-4-argon", datetime(2026, 11, 30, tzinfo=UTC)).price
    late = look_up("google", "", "gemini-4-argon", datetime(2026, 12, 1, tzinfo=UTC)).price
    assert early is not None
    assert late is not None
    assert late.rates.usd_per_million_input == 2 * early.rates.usd_per_million_input


def test_of_prices_that_change_within_a_day_the_dearest_is_taken_and_said():
    price = look_up("deepseek", "", "deepseek-v4-pro", AT).price
    assert price is not None
    assert price.source.endswith("peak hours")
    hours = [datetime(2026, 11, 20, hour, 30, tzinfo=UTC) for hour in range(24)]
    usage = Usage(input_tokens=10_000, output_tokens=1_000)
    costs = {
        calc_price(
            TheirUsage(input_tokens=10_000, output_tokens=1_000),
            "deepseek-v4-pro",
            provider_id="deepseek",
            genai_request_timestamp=hour,
        ).total_price
        for hour in hours
    }
    assert len(costs) > 1
    assert cost_usd(usage, price) == max(costs)


@pytest.mark.parametrize(
    ("prices_as", "model_id"),
    [
        ("openai", "gpt-99"),
        (
            "google",
            "gemini-3.8-flash-lite",
        ),  # the data knows gemini-3.8-flash only, and matches by beginnings
        ("openai", "whisper-1"),  # not sold by the token
        ("nobody", "gpt-5"),
        (None, "gpt-5"),
    ],
)
def test_what_the_data_does_not_hold_stays_unknown(prices_as, model_id):
    assert look_up(prices_as, "http://127.0.0.1:9001/v1", model_id, AT).price is None


def test_unknown_is_nothing_at_all():
    assert (UNKNOWN.price, UNKNOWN.context_tokens) == (None, None)


def test_provider_is_recognised_by_its_address():
    by_name = look_up("openai", "", "gpt-6-luna", AT)
    by_address = look_up(None, "https://api.openai.com/v1", "gpt-6-luna", AT)
    assert by_address == by_name


def test_what_openrouter_gives_away_is_free():
    price = look_up("openrouter", "", "openai/gpt-oss-120b:free", AT).price
    assert price is not None
    assert price.is_free


def test_prices_keep_their_decimals():
    price = look_up("openai", "", "gpt-6-luna", AT).price
    assert price is not None
    assert price.rates.usd_per_million_input == Decimal("0.1")


@pytest.mark.parametrize("name", KNOWN_PROVIDERS)
def test_known_providers_are_whole(name):
    known = KNOWN_PROVIDERS[name]
    own_machine = ("http://localhost:", "http://HOST:")
    assert known.base_url == DEMO_URL or known.base_url.startswith(("https://", *own_machine))
    assert not known.base_url.endswith("/")
    assert known.key_variables or known.base_url == DEMO_URL or known.base_url.startswith("http://localhost:")


def test_no_key_is_two_providers_kind():
    prefixes = [prefix for known in KNOWN_PROVIDERS.values() for prefix in known.caller_key_prefixes]
    for prefix in prefixes:
        assert [other for other in prefixes if prefix.startswith(other)] == [prefix]


@pytest.mark.parametrize("name", [name for name, known in KNOWN_PROVIDERS.items() if known.prices_as])
def test_known_providers_have_their_name_in_the_price_data(name):
    from genai_prices.data_snapshot import get_snapshot

    known = KNOWN_PROVIDERS[name]
    assert known.prices_as in {provider.id for provider in get_snapshot().providers}
