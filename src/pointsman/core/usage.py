"""Tokens, prices and what a reply cost. Money is Decimal; a missing number is None and never becomes 0."""

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

_MILLION = Decimal(1_000_000)


class Usage(NamedTuple):
    """Tokens of one reply as its provider reported them; None where it said nothing.

    `input_tokens` counts everything that went in, cached or not; the two cache fields are parts of it.
    `output_tokens` counts everything generated; `reasoning_tokens` is a part of it. Dialects that count
    differently (Anthropic excludes caches from input, Gemini thoughts from output) convert on the way in
    and out.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None  # both lifetimes together
    cache_write_1h_tokens: int | None = None  # the part of cache_write_tokens kept for an hour
    reasoning_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Rates:
    """US dollars per million tokens, one number per kind of token."""

    usd_per_million_input: Decimal
    usd_per_million_output: Decimal
    usd_per_million_cache_read: Decimal | None = None
    usd_per_million_cache_write: Decimal | None = None
    usd_per_million_cache_write_1h: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Price:
    """What a model costs. `above` holds dearer rates for long prompts as (more than this many input tokens,
    rates), smallest first; the whole request is charged at them. `source` says who claims this."""

    rates: Rates
    source: str
    above: tuple[tuple[int, Rates], ...] = ()

    @property
    def is_free(self) -> bool:
        return self.rates.usd_per_million_input == 0 and self.rates.usd_per_million_output == 0

    def rates_for(self, input_tokens: int) -> Rates:
        chosen = self.rates
        for threshold, rates in self.above:
            if input_tokens > threshold:
                chosen = rates
        return chosen


def cost_usd(usage: Usage, price: Price | None) -> Decimal | None:
    """What `usage` costs at `price` in US dollars; None when either is not known.

    Cache reads without a rate of their own are charged as fresh input (an upper bound, never a guess
    downwards); cache writes likewise.
    """
    if price is None or usage.input_tokens is None or usage.output_tokens is None:
        return None
    rates = price.rates_for(usage.input_tokens)
    read = usage.cache_read_tokens or 0
    write_1h = usage.cache_write_1h_tokens or 0
    write = max((usage.cache_write_tokens or 0) - write_1h, 0)
    if not (read or write or write_1h):
        total = (
            usage.input_tokens * rates.usd_per_million_input
            + usage.output_tokens * rates.usd_per_million_output
        )
        return total / _MILLION
    fresh = max(usage.input_tokens - read - write - write_1h, 0)
    total = (
        fresh * rates.usd_per_million_input
        + read * _or(rates.usd_per_million_cache_read, rates.usd_per_million_input)
        + write * _or(rates.usd_per_million_cache_write, rates.usd_per_million_input)
        + write_1h
        * _or(
            rates.usd_per_million_cache_write_1h,
            _or(rates.usd_per_million_cache_write, rates.usd_per_million_input),
        )
        + usage.output_tokens * rates.usd_per_million_output
    )
    return total / _MILLION


def _or(rate: Decimal | None, otherwise: Decimal) -> Decimal:
    return otherwise if rate is None else rate
