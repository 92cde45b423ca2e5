"""Prices and context sizes that the configuration does not give, from the price data bundled with genai-prices.

That data is 1.6 MB of Python and takes a third of a second to load, so it is imported on the first question
only. It never goes to a network. What it does not hold stays unknown.
"""

# ruff: noqa: PLC0415 - loaded on the first question, see above
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pointsman.core.usage import Price, Rates

if TYPE_CHECKING:
    from genai_prices.types import ConditionalPrice, ModelInfo, ModelPrice

_FREE_SUFFIX = ":free"
"""How OpenRouter marks the models it does not charge for; the price data has no price for them."""

_VARIANT_WORDS = frozenset(
    {
        "fast",
        "flash",
        "large",
        "lite",
        "max",
        "medium",
        "micro",
        "mini",
        "nano",
        "plus",
        "pro",
        "small",
        "turbo",
    }
    | {"ultra", "batch", "free"}
)
"""Words that make another model of a name. The price data matches names by their beginning and would take a
new `-lite` for its big sister."""


@dataclass(frozen=True, slots=True)
class Facts:
    price: Price | None = None
    context_tokens: int | None = None


UNKNOWN = Facts()


def look_up(prices_as: str | None, base_url: str, model_id: str, at: datetime) -> Facts:
    """What the bundled data says of a model at a time. `prices_as` is the provider's name there; without one
    the provider is recognised by its address."""
    from genai_prices.data_snapshot import get_snapshot

    snapshot = get_snapshot()
    try:
        provider, model = snapshot.find_provider_model(
            model_id, None, prices_as, None if prices_as is not None else base_url
        )
    except LookupError:
        return UNKNOWN
    if _is_another_variant(model_id, model):
        return UNKNOWN
    if provider.id == "openrouter" and model_id.endswith(_FREE_SUFFIX):
        return Facts(Price(Rates(Decimal(0), Decimal(0)), "free at openrouter"), model.context_window)
    return Facts(_price(model, at), model.context_window)


def data_version() -> str:
    from importlib.metadata import version

    return f"genai-prices {version('genai-prices')}"


def _words(text: str) -> frozenset[str]:
    return frozenset(re.split(r"[^a-z0-9]+", text.lower()))


def _is_another_variant(model_id: str, model: "ModelInfo") -> bool:
    asked = _words(model_id) & _VARIANT_WORDS
    return not asked <= _words(model.id) | _words(model.name or "")


def _price(model: "ModelInfo", at: datetime) -> Price | None:
    options = [model.prices] if not isinstance(model.prices, list) else list(_in_force(model.prices, at))
    compiled = [rates for rates in map(_compile, options) if rates is not None]
    if not compiled:
        return None
    dearest = max(compiled, key=lambda steps: steps[0][1].usd_per_million_input)
    source = data_version() if len(options) == 1 else f"{data_version()}, peak hours"
    (_, rates), *above = dearest
    return Price(rates, source, tuple(above))


def _in_force(prices: Sequence["ConditionalPrice"], at: datetime) -> Iterable["ModelPrice"]:
    """The price that holds at this date, and those of certain hours of the day: a card holds one price, and
    an upper bound is better than a guess downwards."""
    from genai_prices.types import TimeOfDateConstraint

    for conditional in reversed(prices):
        if isinstance(conditional.constraint, TimeOfDateConstraint):
            yield conditional.prices
        elif conditional.constraint is None or conditional.constraint.active(at):
            yield conditional.prices
            return
    yield prices[0].prices


def _compile(price: "ModelPrice") -> list[tuple[int, Rates]] | None:
    """Rates from each prompt size on, beginning with 0; None for what is not sold by the token."""
    fields: dict[str, Any] = {
        "input": price.input_mtok,
        "output": price.output_mtok,
        "cache_read": price.cache_read_mtok,
        "cache_write": price.cache_write_mtok,
        "cache_write_1h": price.cache_write_1h_mtok,
    }
    if fields["input"] is None or fields["output"] is None:
        return None
    starts = {tier.start for value in fields.values() for tier in getattr(value, "tiers", ())}
    return [
        (
            start,
            Rates(
                usd_per_million_input=_rate(fields["input"], start),
                usd_per_million_output=_rate(fields["output"], start),
                usd_per_million_cache_read=_rate_or_none(fields["cache_read"], start),
                usd_per_million_cache_write=_rate_or_none(fields["cache_write"], start),
                usd_per_million_cache_write_1h=_rate_or_none(fields["cache_write_1h"], start),
            ),
        )
        for start in sorted({0, *starts})
    ]


def _rate(value: Any, start: int) -> Decimal:
    """The rate for prompts of more than `start` tokens."""
    if isinstance(value, Decimal):
        return value
    rate: Decimal = value.base
    for tier in value.tiers:
        if tier.start <= start:
            rate = tier.price
    return rate


def _rate_or_none(value: Any, start: int) -> Decimal | None:
    return None if value is None else _rate(value, start)
