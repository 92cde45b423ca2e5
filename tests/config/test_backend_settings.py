"""Backends and the breaker as they are written in the file, and what becomes of them."""

import re
from decimal import Decimal
from pathlib import Path

from pointsman.config.cards import cards_of, served_of
from pointsman.config.values import breaker_policy_of
from pointsman.fleet.breaker import BreakerPolicy

FILE = """\
providers:
  anthropic: {api_key: $ANTHROPIC_API_KEY}
  first: {dialect: openai-chat, base_url: "http://127.0.0.1:9001/v1"}
  second: {dialect: openai-chat, base_url: "http://127.0.0.1:9002/v1"}
models:
"""


def test_one_provider_is_one_backend(load_text) -> None:
    settings = load_text(FILE + "  tiny: {provider: first, id: x}\n" + OTHERS, ANTHROPIC_API_KEY="k").settings

    assert [one.backend.name for one in served_of(settings) if one.card.name == "tiny"] == ["tiny@first"]


OTHERS = "  others: {backends: [{provider: second}, {provider: anthropic, id: claude-opus-4-6}]}\n"


def test_backends_take_from_the_model_what_they_do_not_say(load_text) -> None:
    text = """\
  big:
    id: big-1
    tier: complex
    context_tokens: 8000
    usd_per_million_input: 1
    usd_per_million_output: 3
    usd_per_million_cache_read: 0.5
    backends:
      - {provider: first, weight: 3, region: eu-west-1}
      - {provider: first, id: big-2}
      - {provider: second, usd_per_million_input: 2, usd_per_million_output: 6}
"""
    served = served_of(load_text(FILE + text + OTHERS, ANTHROPIC_API_KEY="k").settings)[:3]

    assert [one.backend.name for one in served] == ["big@first/big-1", "big@first/big-2", "big@second"]
    assert [one.card.id for one in served] == ["big-1", "big-2", "big-1"]
    assert {one.card.name for one in served} == {"big"}
    assert {(one.card.tier, one.card.context_tokens) for one in served} == {("complex", 8000)}
    assert [one.backend.weight for one in served] == [3.0, 1.0, 1.0]
    assert [one.backend.region for one in served] == ["eu-west-1", None, None]
    assert [one.backend.usd_per_million for one in served] == [4, 4, 8]
    rates = served[2].card.price.rates
    assert (rates.usd_per_million_input, rates.usd_per_million_cache_read) == (2, Decimal("0.5"))


def test_price_of_a_backend_is_looked_up_at_its_own_provider(load_text) -> None:
    served = served_of(load_text(FILE + OTHERS + "  a: {provider: first}\n", ANTHROPIC_API_KEY="k").settings)

    at_second, at_anthropic = served[:2]
    assert at_second.backend.usd_per_million is None
    assert at_anthropic.backend.usd_per_million > 0
    assert (at_second.card.provider, at_anthropic.card.provider) == ("second", "anthropic")


def test_model_is_what_its_cheapest_backend_is_and_all_of_them_can(load_text) -> None:
    text = """\
  m:
    backends:
      - {provider: second, id: x}
      - {provider: anthropic, id: claude-opus-4-6}
      - {provider: first, id: y, weight: 0, usd_per_million_input: 0.1, usd_per_million_output: 0.2}
"""
    settings = load_text(FILE + text, ANTHROPIC_API_KEY="k").settings
    (card,) = cards_of(settings)
    at_anthropic = served_of(settings)[1].card

    assert (card.provider, card.id) == ("first", "y")
    assert card.context_tokens == at_anthropic.context_tokens is not None
    assert card.abilities == at_anthropic.abilities


def test_breaker_settings_reach_the_policy(load_text) -> None:
    plain = "  a: {provider: first}\n" + OTHERS

    assert breaker_policy_of(load_text(FILE + plain, ANTHROPIC_API_KEY="k").settings) == BreakerPolicy()
    text = FILE + plain + "breaker: {consecutive_failures: 5, open_s: 1.5, slow_start_s: 0}\n"
    assert breaker_policy_of(load_text(text, ANTHROPIC_API_KEY="k").settings) == BreakerPolicy(
        consecutive_failures=5, open_s=1.5, slow_start_s=0.0
    )


def test_configuration_that_the_page_about_backends_shows_is_right(load_text) -> None:
    page = (Path(__file__).parents[2] / "docs" / "backends.md").read_text("utf-8")
    shared, probed = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    keys = dict.fromkeys(("OPENAI_API_KEY", "SECOND_KEY", "AZURE_KEY"), "k" * 20)

    assert [one.backend.weight for one in served_of(load_text(shared, **keys).settings)] == [3, 1, 0]
    probe = load_text(probed + "models: {m: {provider: local}}\n").settings.providers["local"].probe
    assert (probe.path, probe.every_s) == ("/models", 10)
