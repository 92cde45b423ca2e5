"""From a score to a tier: boundaries, then floors, then what the profile says. It picks no model."""

from bisect import bisect_right
from collections.abc import Mapping

from pointsman.routing.policy import Measure, Policy
from pointsman.routing.profiles import Profile
from pointsman.routing.reading import Measures

_READ_AS: Mapping[Measure, str] = {
    "tools": "tools",
    "json_schema": "json_schema",
    "media": "media",
    "input_tokens": "input_tokens",
    "reasoning_markers": "reasoning",
}
"""Which of a reading's measures a floor looks at."""


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
        self._floors = tuple(
            (_READ_AS[floor.measure], floor.at_least, tiers.index(floor.tier), floor.name)
            for floor in policy.floors
        )
        self._lowest = tiers.index(profile.floor) if profile.floor else 0
        self._highest = tiers.index(profile.ceiling) if profile.ceiling else len(tiers) - 1

    def place(self, score: float, measures: Measures) -> tuple[int, tuple[str, ...]]:
        """The tier's position, and the rules that moved it, in the order they did."""
        tiers = self._tiers
        place = bisect_right(self._boundaries, score)
        rules: list[str] = []
        for measure, at_least, floor, name in self._floors:
            if place < floor and measures.get(measure, 0) >= at_least:
                place = floor
                rules.append(f"{name}: at least {tiers[floor]}")
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
        return place, tuple(rules)
