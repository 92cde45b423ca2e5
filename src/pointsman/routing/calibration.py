"""From reports on answers to boundaries between tiers: where the weaker tier does as well as the stronger one, it gets
more of the requests; where it does worse, fewer. It stores nothing and applies nothing.

For each boundary, of the answers of the tier below it: quality is fitted as falling with the score (pool adjacent
violators; the isotonic regression of Ayer et al. 1955). Where the fit drops below what is good enough, there the
boundary should be; where it never does, a step higher. What is good enough is measured on the answers of the tiers
above. The result is shrunk towards the configured boundary by n / (n + n0): few reports say little, and fifty labels
can make a good prior worse. No boundary moves further than `shift_max` from where it was configured.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple


class Label(NamedTuple):
    """The answer to a request of this `score`, by a model of the tier at `place`: how good it was, 0..1."""

    score: float
    place: int
    quality: float


@dataclass(frozen=True, slots=True)
class CalibrationRules:
    """`labels_min` in all, and `labels_per_tier_min` on either side of a boundary, are needed to say anything.
    `good_enough` is the share of the stronger tiers' quality that a weaker one has to reach. `shrink_labels` is n0
    above: with as many labels half of what was found is believed."""

    labels_min: int = 200
    labels_per_tier_min: int = 20
    good_enough: float = 0.9
    shrink_labels: float = 200.0
    shift_max: float = 0.1


class Moved(NamedTuple):
    """One boundary: from where to where, on how many answers of the tier below and above, and how good they were.
    `why_not` says why it stayed, None where it was free to move."""

    configured: float
    boundary: float
    labels_below: int
    labels_above: int
    quality_below: float | None
    quality_above: float | None
    why_not: str | None


def calibrate(
    labels: Sequence[Label], configured: Sequence[float], rules: CalibrationRules
) -> tuple[Moved, ...] | None:
    """One entry for each boundary, in order; the new ones rise as the configured ones do. None with too few labels
    in all."""
    if len(labels) < rules.labels_min:
        return None
    moved = [
        _moved(
            boundary,
            [label for label in labels if label.place == place],
            [label for label in labels if label.place > place],
            rules,
        )
        for place, boundary in enumerate(configured)
    ]
    for place, (lower, higher) in enumerate(pairwise(moved)):
        if higher.boundary < lower.boundary:
            middle = (lower.boundary + higher.boundary) / 2
            moved[place] = lower._replace(boundary=middle)
            moved[place + 1] = higher._replace(boundary=middle)
    rising: list[Moved] = []
    for one in moved:
        least = rising[-1].boundary if rising else 0.0
        rising.append(one._replace(boundary=min(max(one.boundary, least), 1.0)))
    return tuple(rising)


def _moved(boundary: float, below: list[Label], above: list[Label], rules: CalibrationRules) -> Moved:
    quality_below, quality_above = _mean(below), _mean(above)
    stayed = Moved(boundary, boundary, len(below), len(above), quality_below, quality_above, None)
    for labels, side in ((below, "below"), (above, "above")):
        if len(labels) < rules.labels_per_tier_min:
            return stayed._replace(why_not=f"{len(labels)} labels of {rules.labels_per_tier_min} {side}")
    assert quality_above is not None
    found = _last_good(below, rules.good_enough * quality_above)
    step = rules.shift_max / 2
    # Beyond its boundary a tier is hardly ever seen: nothing is known there, so it is felt for in steps.
    wanted = boundary + step if found is None else min(found, boundary + step)
    shift = min(max(wanted - boundary, -rules.shift_max), rules.shift_max)
    belief = len(below) / (len(below) + rules.shrink_labels)
    return stayed._replace(boundary=round(boundary + belief * shift, 4))


def _last_good(labels: list[Label], good_enough: float) -> float | None:
    """The score up to which the fitted quality is good enough; None where it is so everywhere."""
    blocks = falling(sorted((label.score, label.quality) for label in labels))
    last = 0.0
    for score_to, quality in blocks:
        if quality < good_enough:
            return last
        last = score_to
    return None


def falling(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The falling step function nearest to `points` (x, y), which come in the order of x, by least squares: (last x
    of a step, its y)."""
    blocks: list[tuple[float, float, int]] = []  # last x, mean y, count
    for x, y in points:
        last_x, mean, count = x, y, 1
        while blocks and (blocks[-1][1] < mean or blocks[-1][0] == last_x):
            _, before, many = blocks.pop()
            mean = (before * many + mean * count) / (many + count)
            count += many
        blocks.append((last_x, mean, count))
    return [(last_x, mean) for last_x, mean, _ in blocks]


def _mean(labels: list[Label]) -> float | None:
    return sum(label.quality for label in labels) / len(labels) if labels else None
