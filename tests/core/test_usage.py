"""What a reply cost."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.usage import Price, Rates, Usage, cost_usd

PLAIN = Price(Rates(Decimal(3), Decimal(15)), "test")
CACHED = Price(Rates(Decimal(3), Decimal(15), Decimal("0.30"), Decimal("3.75"), Decimal(6)), "test")


def test_tokens_are_charged_at_their_rates() -> None:
    assert cost_usd(Usage(1000, 200), PLAIN) == Decimal("0.006")


def test_parts_of_the_input_are_charged_as_what_they_are() -> None:
    usage = Usage(1000, 0, cache_read_tokens=600, cache_write_tokens=300, cache_write_1h_tokens=100)
    fresh, read, write, write_1h = 100 * 3, 600 * Decimal("0.30"), 200 * Decimal("3.75"), 100 * 6
    assert cost_usd(usage, CACHED) == (fresh + read + write + write_1h) / Decimal(1_000_000)


def test_cache_without_a_rate_is_charged_as_fresh_input() -> None:
    usage = Usage(1000, 0, cache_read_tokens=600, cache_write_tokens=300, cache_write_1h_tokens=100)
    assert cost_usd(usage, PLAIN) == cost_usd(Usage(1000, 0), PLAIN)


def test_unknown_is_not_free() -> None:
    assert cost_usd(Usage(1, 1), None) is None
    assert cost_usd(Usage(None, 1), PLAIN) is None
    assert cost_usd(Usage(1, None), PLAIN) is None


def test_long_prompts_are_charged_whole_at_the_dearer_rates() -> None:
    price = Price(PLAIN.rates, "test", above=((200_000, Rates(Decimal(6), Decimal(22))),))
    assert price.rates_for(200_000) is PLAIN.rates
    assert cost_usd(Usage(200_001, 0), price) == 200_001 * Decimal(6) / Decimal(1_000_000)


def test_free_is_free() -> None:
    assert Price(Rates(Decimal(0), Decimal(0)), "test").is_free
    assert not PLAIN.is_free


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))
def test_reading_from_the_cache_never_costs_more(tokens: int, read: int, output: int) -> None:
    read = min(read, tokens)
    with_cache = cost_usd(Usage(tokens, output, cache_read_tokens=read), CACHED)
    without = cost_usd(Usage(tokens, output), CACHED)
    assert with_cache is not None
    assert without is not None
    assert with_cache <= without
