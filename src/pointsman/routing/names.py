"""What a requested model name means: a profile, one card, or nothing we know. It does not look at the request."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal

from pointsman.core.errors import ConfigError, Problem, UnknownModel
from pointsman.core.model_card import ModelCard
from pointsman.routing.chain import cards_by_name
from pointsman.routing.profiles import Profile

UnknownModelRule = Literal["reject", "route"]

_PREFIXES = ("", "smart/", "pointsman/")
_ROUTED = "auto"
_LONGEST_SHOWN = 100
_LIKE_ENOUGH = 0.25
_MOST_TOLD = 12
_THRESHOLD_NAME = "router-learned-"
_THRESHOLD = re.compile(rf"{_THRESHOLD_NAME}([01]|[01]?\.[0-9]{{1,17}})", re.IGNORECASE)


class Names:
    """Every name a client may ask for. Build it once; a known name costs one look-up.

    First come the configuration's aliases, then profiles, card names, "provider/id" and "provider:id", and
    last bare ids (of two cards with one id, the first configured). Profiles and aliases are found in any
    case. "router-learned-0.3" is a profile with two tiers, the strongest where the chance that it is needed is 0.3 or
    more, else the weakest: `score_at` says from which score on it is. A suffix in brackets that some clients add ("[1m]") is ignored where the name is unknown with it.
    Raises ConfigError for an alias whose target is unknown.
    """

    def __init__(
        self,
        cards: Sequence[ModelCard],
        profiles: Sequence[Profile],
        aliases: Mapping[str, str] | None = None,
        unknown_model: UnknownModelRule = "reject",
        score_at: Callable[[float], float] | None = None,
    ) -> None:
        self._score_at = score_at
        self._thresholds: dict[str, Profile] = {}
        exact: dict[str, Profile | ModelCard] = {**cards_by_name(cards)}
        self._caseless: dict[str, Profile | ModelCard] = {
            f"{prefix}{profile.name}".lower(): profile for profile in profiles for prefix in _PREFIXES
        }
        exact |= self._caseless
        self.profile_names = tuple(profile.name for profile in profiles)
        self._told = NearNames([*self.profile_names, *(card.name for card in cards)])
        resolved: dict[str, Profile | ModelCard] = {}
        wrong: list[Problem] = []
        for alias, target in aliases.items() if aliases else ():
            meaning = exact.get(target) or self._caseless.get(target.lower())
            if meaning is None:
                nearest = next(iter(self._told.near(target)), None)
                wrong.append(Problem(f"aliases.{alias}", target, "a model or a profile", nearest))
            else:
                resolved[alias] = meaning
        if wrong:
            raise ConfigError(wrong)
        self._exact = exact | resolved
        self._caseless |= {alias.lower(): meaning for alias, meaning in resolved.items()}
        self._otherwise = self._caseless.get(_ROUTED) if unknown_model == "route" else None

    def resolve(self, requested: str) -> Profile | ModelCard:
        """Raises UnknownModel, with the nearest names, unless the rule is to route what is unknown."""
        meaning = self._exact.get(requested)
        return self._search(requested) if meaning is None else meaning

    def _search(self, requested: str) -> Profile | ModelCard:
        bare = requested.rpartition("[")[0] if requested.endswith("]") else requested
        meaning = (
            self._exact.get(bare)
            or self._caseless.get(bare.lower())
            or self._by_threshold(bare)
            or self._otherwise
        )
        if meaning is not None:
            return meaning
        near = self._told.near(requested)
        shown = requested if len(requested) <= _LONGEST_SHOWN else f"{requested[:_LONGEST_SHOWN]}..."
        told = self._told.known[:_MOST_TOLD]
        if self._score_at is not None and requested.lower().startswith(_THRESHOLD_NAME):
            wanted = f"{_THRESHOLD_NAME} takes a threshold from 0 to 1, such as {_THRESHOLD_NAME}0.3"
            raise UnknownModel(
                f"there is no model {shown!r}; {wanted}", param="model", code="model_not_found"
            )
        hint = f"the nearest are {', '.join(near)}" if near else f"there are {', '.join(told)}"
        raise UnknownModel(f"there is no model {shown!r}; {hint}", param="model", code="model_not_found")

    def _by_threshold(self, requested: str) -> Profile | None:
        found = _THRESHOLD.fullmatch(requested) if self._score_at is not None else None
        if found is None or self._score_at is None:
            return None
        threshold = round(
            float(found[1]), 2
        )  # a hundredth is finer than what is known, and bounds how many there are
        if threshold > 1:
            return None
        name = f"router-learned-{threshold:g}"
        profile = self._thresholds.get(name)
        if profile is None:
            cut = self._score_at(threshold)
            profile = self._thresholds[name] = Profile(name, boundary_scale=0.0, boundary_shift=cut)
        return profile


class NearNames:
    """Finds the known names most like a wrong one, by the pairs of characters they share. Takes time in
    proportion to the names' length, however long the wrong one is."""

    def __init__(self, known: Iterable[str]) -> None:
        self.known = list(dict.fromkeys(known))
        self._pairs = [(name, _pairs(name)) for name in self.known]

    def near(self, wrong: str, limit: int = 3) -> list[str]:
        """At most `limit` names, the most alike first; none when nothing is alike."""
        wanted = _pairs(wrong[:_LONGEST_SHOWN])
        likeness = [
            (-len(wanted & pairs) / len(wanted | pairs), place, name)
            for place, (name, pairs) in enumerate(self._pairs)
        ]
        return [name for alike, _, name in sorted(likeness)[:limit] if -alike >= _LIKE_ENOUGH]


def _pairs(name: str) -> set[str]:
    padded = f" {name.lower()} "
    return {padded[at : at + 2] for at in range(len(padded) - 1)}
