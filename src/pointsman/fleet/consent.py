"""How far a model that answers in another's place may depart from it without anybody's consent: in price, in region, in
vendor, in tier. It picks no model; a model that is withheld is simply not asked.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from pointsman.core.model_card import ModelCard

CEILINGS = ("price", "region", "vendor", "tier")
"""The words by which each is named in the configuration, in headers and in errors."""

_INPUT_SHARE = 3
"""Prices are compared for three input tokens to one output token, the usual mix of published comparisons."""


@dataclass(frozen=True, slots=True)
class Ceilings:
    """Each holds where it is set. `price_multiple_max` is how many times as dear as the chosen model a substitute may
    be. `regions` and `vendors` (providers) are those it may come from. `tier_min` is the lowest tier it may have, of
    `tiers` from the lowest; with `keep_tier` no lower one than the chosen model's. `regions_of` tells where each model
    is served, and `cards_of` its card at each of its places, by its name: a substitute that has several may be
    answered by any of them."""

    price_multiple_max: Decimal | None = None
    regions: frozenset[str] = frozenset()
    vendors: frozenset[str] = frozenset()
    tier_min: str | None = None
    keep_tier: bool = False
    tiers: tuple[str, ...] = ()
    regions_of: Mapping[str, frozenset[str]] = field(default_factory=dict)
    cards_of: Mapping[str, tuple[ModelCard, ...]] = field(default_factory=dict)
    by_header: bool = True
    """Whether a caller may give consent."""

    @property
    def are_set(self) -> bool:
        return bool(
            self.price_multiple_max is not None
            or self.regions
            or self.vendors
            or self.tier_min is not None
            or self.keep_tier
        )

    def withholds(
        self, substitute: ModelCard, chosen: ModelCard, consents: frozenset[str] = frozenset()
    ) -> str | None:
        """The first ceiling that `substitute` passes without consent, None if it may answer. What is not known of it
        counts against it: a surprise is what ceilings are there to prevent."""
        if substitute.name == chosen.name:
            return None
        consents = consents if self.by_header else frozenset()
        places = self.cards_of.get(substitute.name, (substitute,))
        passed = {
            "price": any(self._is_too_dear(place, chosen) for place in places),
            "region": bool(self.regions) and not self.regions_of[substitute.name] <= self.regions,
            "vendor": bool(self.vendors) and any(place.provider not in self.vendors for place in places),
            "tier": self._place(substitute.tier) < self._lowest(chosen),
        }
        return next((name for name in CEILINGS if passed[name] and name not in consents), None)

    def watch(self, chosen: ModelCard, consents: frozenset[str]) -> Callable[[ModelCard], str | None]:
        """The same question for each substitute of one request."""
        return lambda substitute: self.withholds(substitute, chosen, consents)

    def _is_too_dear(self, substitute: ModelCard, chosen: ModelCard) -> bool:
        limit = self.price_multiple_max
        if limit is None or chosen.price is None:
            return False  # nothing to compare with
        return substitute.price is None or _dearness(substitute) > limit * _dearness(chosen)

    def _lowest(self, chosen: ModelCard) -> int:
        lowest = self._place(self.tier_min)
        return max(lowest, self._place(chosen.tier)) if self.keep_tier else lowest

    def _place(self, tier: str | None) -> int:
        return self.tiers.index(tier) if tier in self.tiers else -1


def _dearness(card: ModelCard) -> Decimal:
    assert card.price is not None
    rates = card.price.rates
    return _INPUT_SHARE * rates.usd_per_million_input + rates.usd_per_million_output
