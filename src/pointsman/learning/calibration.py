"""Where to draw the line: from scores to the one from which on requests go to a strong tier. It changes no weights."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from pointsman.learning.metrics import Floats, Interval, Outcomes

_DRAWS = 300
_INTERVAL = (2.5, 97.5)


class Cut(NamedTuple):
    """`score` is where strong begins, with its interval; then what to expect of it."""

    score: Interval
    strong_share: Interval
    quality_kept: Interval | None
    cost: Interval | None
    """As a share of the strong model alone."""


def cut_for_share(scores: Floats, share: float, *, seed: int = 0) -> Cut:
    """So that this share of such requests goes to the strong tier."""
    found = _at_share(scores, share)
    chance = np.random.default_rng(seed)
    drawn = [scores[chance.integers(0, len(scores), len(scores))] for _ in range(_DRAWS)]
    return Cut(
        _interval(found, [_at_share(sample, share) for sample in drawn]),
        _interval(_share(scores, found), [_share(sample, found) for sample in drawn]),
        None,
        None,
    )


def cut_for_quality(scores: Floats, outcomes: Outcomes, kept: float, *, seed: int = 0) -> Cut:
    """The highest score at which the share `kept` of the strong model's quality is kept."""
    found = _at_quality(scores, outcomes, kept)
    chance = np.random.default_rng(seed)
    places = [chance.integers(0, len(scores), len(scores)) for _ in range(_DRAWS)]
    drawn = [(scores[place], outcomes.pick(place)) for place in places]

    def measured(measure: Callable[[Floats, Outcomes, float], float]) -> Interval:
        return _interval(
            measure(scores, outcomes, found), [measure(sample, part, found) for sample, part in drawn]
        )

    return Cut(
        _interval(found, [_at_quality(sample, part, kept) for sample, part in drawn]),
        measured(lambda sample, _, cut: _share(sample, cut)),
        measured(_quality_kept),
        measured(_cost),
    )


def moved(boundaries: Sequence[float], cut: float) -> list[float]:
    """Boundaries with the middle one at `cut`, those below and above it squeezed or stretched in proportion."""
    middle = boundaries[len(boundaries) // 2]
    return [
        round(
            boundary * cut / middle
            if boundary <= middle
            else cut + (boundary - middle) * (1 - cut) / (1 - middle),
            4,
        )
        for boundary in boundaries
    ]


def _at_share(scores: Floats, share: float) -> float:
    return float(np.quantile(scores, 1 - share))


def _share(scores: Floats, cut: float) -> float:
    return float((scores >= cut).mean())


def _at_quality(scores: Floats, outcomes: Outcomes, kept: float) -> float:
    order = np.argsort(-scores, kind="stable")
    gain = np.cumsum(((outcomes.strong - outcomes.weak) * outcomes.weight)[order])
    weak = float((outcomes.weak * outcomes.weight).sum())
    wanted = kept * float((outcomes.strong * outcomes.weight).sum())
    if weak >= wanted:
        return 1.0
    enough = np.flatnonzero(weak + gain >= wanted - 1e-9)
    return float(scores[order][enough[0]]) if len(enough) else 0.0


def _quality_kept(scores: Floats, outcomes: Outcomes, cut: float) -> float:
    chosen = np.where(scores >= cut, outcomes.strong, outcomes.weak)
    return float((chosen * outcomes.weight).sum() / (outcomes.strong * outcomes.weight).sum())


def _cost(scores: Floats, outcomes: Outcomes, cut: float) -> float:
    chosen = np.where(scores >= cut, outcomes.strong_usd, outcomes.weak_usd)
    return float((chosen * outcomes.weight).sum() / (outcomes.strong_usd * outcomes.weight).sum())


def _interval(value: float, drawn: Sequence[float]) -> Interval:
    low, high = np.percentile(drawn, _INTERVAL)
    return Interval(value, float(low), float(high))
