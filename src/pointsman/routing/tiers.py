"""From a score to a tier: boundaries, then rules, then what the profile says; and how sure that is. It picks no model."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from operator import itemgetter
from typing import NamedTuple

import msgspec

from pointsman.core.decision import Share
from pointsman.routing.policy import Policy
from pointsman.routing.profiles import Profile
from pointsman.routing.reading import Measures
from pointsman.routing.rules import Rule

_SURE_AT = 0.06
"""A score this far from the next boundary leaves a third of the doubt; twice as far, an eighth."""
_DISAGREEMENT = 0.5
"""How much of the doubt stays where signals cancel one another out."""
_BY_RULE = 0.9
"""A rule looks at facts; what it is trusted with is an operator's choice."""


_ADDED = itemgetter(2)


class Placed(msgspec.Struct, frozen=True, gc=False):
    """`place` is the tier's position, `rules` what moved it, in the order they did; `model` the one a rule wants
    tried first. `is_by_rule`: a rule of the policy has the last word on the tier."""

    place: int
    rules: tuple[str, ...] = ()
    model: str | None = None
    is_by_rule: bool = False


class _Step(NamedTuple):
    """A rule with its tiers as positions."""

    reads: tuple[str, ...]
    at_least: float
    lowest: int
    highest: int
    rule: Rule


class Ladder:
    """The tiers of one policy as one profile sees them. Build it once."""

    def __init__(self, policy: Policy, profile: Profile) -> None:
        tiers = policy.tiers
        self._tiers = tiers
        self._name = profile.name
        self._lift = profile.lift
        self._boundaries = [
            boundary * profile.boundary_scale + profile.boundary_shift for boundary in policy.boundaries
        ]
        self._steps = tuple(_step(rule, tiers) for rule in policy.rules)
        self._lowest = tiers.index(profile.floor) if profile.floor else 0
        self._highest = tiers.index(profile.ceiling) if profile.ceiling else len(tiers) - 1

    def place(self, score: float, measures: Measures) -> Placed:
        """The tier of a score."""
        tiers = self._tiers
        place = bisect_right(self._boundaries, score)
        rules: list[str] = []
        model: str | None = None
        is_by_rule = False
        for reads, at_least, lowest, highest, rule in self._steps:
            for name in reads:
                if measures.get(name, -1) >= at_least:
                    break
            else:
                continue
            if rule.model is not None:
                model = rule.model
                rules.append(f"{rule.name}: {model} first")
            moved = min(max(place, lowest), highest)
            if moved != place:
                place, is_by_rule = moved, True
                rules.append(f"{rule.name}: {_bound(rule)}")
        if self._lift:
            lifted = min(max(place + self._lift, 0), len(tiers) - 1)
            if lifted != place:
                rules.append(f"{self._name}: {tiers[lifted]} instead of {tiers[place]}")
                place = lifted
        if place < self._lowest:
            place = self._lowest
            rules.append(f"{self._name}: at least {tiers[place]}")
        if place > self._highest:
            place = self._highest
            rules.append(f"{self._name}: at most {tiers[place]}")
        return Placed(place, tuple(rules), model, is_by_rule)

    def edges(self) -> list[tuple[str, float]]:
        """Each tier but the lowest, with the score at which it begins."""
        return list(zip(self._tiers[1:], self._boundaries, strict=True))

    def tier(self, place: int) -> str:
        return self._tiers[place]

    def confidence(self, score: float, shares: Sequence[Share], placed: Placed) -> float:
        """How sure the tier is, 0.5 (a coin between two tiers) to 1: the further the score is from the nearest
        boundary and the more its signals agree, the surer."""
        if placed.is_by_rule:
            return _BY_RULE
        if not self._boundaries:
            return 1.0
        _, *added = map(_ADDED, shares)  # the first is where every request starts
        argued = sum(map(abs, added))
        agreement = abs(sum(added)) / argued if argued else 1.0
        distance = min([abs(score - boundary) for boundary in self._boundaries])
        trust = 1.0 - _DISAGREEMENT * (1.0 - agreement)
        return 0.5 + 0.5 * trust * (1.0 - math.exp(-distance / _SURE_AT))


def _step(rule: Rule, tiers: Sequence[str]) -> _Step:
    lowest, highest = rule.tier or rule.floor, rule.tier or rule.ceiling
    return _Step(
        rule.reads,
        rule.at_least,
        tiers.index(lowest) if lowest is not None else 0,
        tiers.index(highest) if highest is not None else len(tiers) - 1,
        rule,
    )


def _bound(rule: Rule) -> str:
    if rule.tier is not None:
        return rule.tier
    told = (("at least", rule.floor), ("at most", rule.ceiling))
    return ", ".join(f"{words} {tier}" for words, tier in told if tier is not None)
