"""How good an order of prompts is: which of them should go to the strong model. It knows no router and no file.

Every prompt has a score, the quality of the weak and of the strong model on it (0..1), and a weight. The share c of
prompts with the highest scores goes to the strong model; what that recovers of the gap between the two models is

    PGR(c) = (quality(c) - weak) / (strong - weak)

APGR is the area under it (chance: 0.5), CPT(x) the smallest c from which PGR is at least x (chance: x). The terms are
those of RouteLLM (arXiv 2406.18665). Prompts of one score are taken in every order at once: straight lines between
groups of equal scores are exactly their mean.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_INTERVAL = (2.5, 97.5)


class Curve(NamedTuple):
    """Quality and cost by the share of prompts that goes to the strong model, corner by corner; straight lines lie
    between. All three rise in `share`, from 0 to 1, except that quality may fall."""

    share: Floats
    quality: Floats
    cost: Floats

    @property
    def recovered(self) -> Floats:
        """PGR at every corner. Not defined (NaN) where the two models are equally good."""
        gap = self.quality[-1] - self.quality[0]
        return np.asarray((self.quality - self.quality[0]) / (gap or np.nan), dtype=np.float64)


class Interval(NamedTuple):
    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


class Outcomes(NamedTuple):
    """What both models made of some prompts, in arrays of one length. Costs are US dollars per prompt."""

    weak: Floats
    strong: Floats
    weight: Floats
    weak_usd: Floats
    strong_usd: Floats

    def pick(self, places: NDArray[np.intp]) -> "Outcomes":
        return Outcomes(*(column[places] for column in self))


def outcomes_of(
    weak: Sequence[float] | Floats,
    strong: Sequence[float] | Floats,
    *,
    groups: Sequence[str] | None = None,
    weak_usd: Sequence[float] | Floats | float = 0.0,
    strong_usd: Sequence[float] | Floats | float = 1.0,
) -> Outcomes:
    """Every group (a benchmark) weighs the same, however many prompts it has."""
    size = len(weak)
    return Outcomes(
        np.asarray(weak, dtype=np.float64),
        np.asarray(strong, dtype=np.float64),
        equal_weights(groups) if groups is not None else np.ones(size),
        np.broadcast_to(np.asarray(weak_usd, dtype=np.float64), (size,)),
        np.broadcast_to(np.asarray(strong_usd, dtype=np.float64), (size,)),
    )


def equal_weights(groups: Sequence[str]) -> Floats:
    """One weight per member, so that every group weighs 1."""
    _, place, count = np.unique(np.asarray(groups), return_inverse=True, return_counts=True)
    return np.asarray(1.0 / count[place], dtype=np.float64)


def curve(scores: Floats, outcomes: Outcomes) -> Curve:
    order = np.argsort(-scores, kind="stable")
    weight = outcomes.weight[order]
    total = weight.sum()
    gain = (outcomes.strong - outcomes.weak)[order] * weight
    dearer = (outcomes.strong_usd - outcomes.weak_usd)[order] * weight
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)

    def along(start: float, steps: Floats) -> Floats:
        return np.append(start, start + np.cumsum(steps)[ends] / total)

    return Curve(
        along(0.0, weight),
        along(float((outcomes.weak * outcomes.weight).sum() / total), gain),
        along(float((outcomes.weak_usd * outcomes.weight).sum() / total), dearer),
    )


def apgr(scores: Floats, outcomes: Outcomes) -> float:
    line = curve(scores, outcomes)
    return float(np.trapezoid(line.recovered, line.share))


def cpt(scores: Floats, outcomes: Outcomes, wanted: float) -> float:
    """The smallest share of strong calls that recovers `wanted` (0..1) of the gap."""
    line = curve(scores, outcomes)
    return _first_at(line.recovered, line.share, wanted)


def cost_at_quality(scores: Floats, outcomes: Outcomes, kept: float = 0.95) -> float:
    """What keeping the share `kept` of the strong model's quality costs, as a share of what the strong model alone
    does. 0.4 is "60 % saved". Where even the weak model keeps it, that is the weak model's cost."""
    line = curve(scores, outcomes)
    return _first_at(line.quality, line.cost, kept * float(line.quality[-1])) / float(line.cost[-1])


def spread(
    measure: Callable[[Floats, Outcomes], float],
    scores: Floats,
    outcomes: Outcomes,
    *,
    draws: int = 300,
    seed: int = 0,
) -> Interval:
    """The measure with its 95 % interval over prompts drawn anew with replacement."""
    chance = np.random.default_rng(seed)
    size = len(scores)
    drawn = [
        measure(scores[places], outcomes.pick(places))
        for places in (chance.integers(0, size, size) for _ in range(draws))
    ]
    low, high = np.nanpercentile(drawn, _INTERVAL)
    return Interval(measure(scores, outcomes), float(low), float(high))


def paired_difference(
    one: Floats, other: Floats, outcomes: Outcomes, *, draws: int = 300, seed: int = 0
) -> Interval:
    """How much more APGR `one` has than `other` on the same prompts."""
    chance = np.random.default_rng(seed)
    size = len(one)
    drawn = []
    for _ in range(draws):
        places = chance.integers(0, size, size)
        part = outcomes.pick(places)
        drawn.append(apgr(one[places], part) - apgr(other[places], part))
    low, high = np.nanpercentile(drawn, _INTERVAL)
    return Interval(apgr(one, outcomes) - apgr(other, outcomes), float(low), float(high))


def _first_at(rising: Floats, along: Floats, wanted: float) -> float:
    """Where the line first reaches `wanted`, between corners too."""
    reached = np.flatnonzero(rising >= wanted)
    if not len(reached):
        return float(along[-1])
    at = int(reached[0])
    if at == 0:
        return float(along[0])
    part = (wanted - rising[at - 1]) / (rising[at] - rising[at - 1])
    return float(along[at - 1] + part * (along[at] - along[at - 1]))
