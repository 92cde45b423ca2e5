"""Fits the weights of the signals to reports on answers, from what the ledger has of them: no prompt is needed, only the
values that its signals had. It trains no words.

Whether an answer was good is regressed on how far the tier that gave it lies above the score, and on the values of the
signals (logistic; the latter pulled towards nothing). A signal that stands for more than its weight says is then found
where requests with it fail on a tier that their score thought able; what it lacks is added to its weight. Answers of
the strongest tier say nothing: there was nowhere else to go.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from pointsman.learning.metrics import Floats
from pointsman.routing.learned import BASE, Weights, pack, unpack

_RIDGE = 30.0
"""Of a signal at one deviation; an answer of which nobody knows whether it is good adds 0.25 to what pulls the other
way: as `adapting` has it, to move nothing is believed as 120 labels are."""
_WEAKEST_SLOPE = 2.0
"""Of the log-odds by the score. Where the score says less than this of answers, it still counts as this."""
_MOVED_MAX = 0.25
_ROUNDS = 50
_STILL = 1e-8


class Rated(NamedTuple):
    """A report on an answer. `quality` is 0..1, `ceiling` the score up to which its tier is taken to be able,
    `values` what the signals of its request had, by their names."""

    quality: float
    ceiling: float
    values: Mapping[str, float]


def moved_weights(rated: Sequence[Rated], weights: Mapping[str, float], base: float) -> dict[str, float]:
    """What to add to the weights, and to the base: of the requests reported, the mean score stays what it is."""
    names = [name for name in weights if any(name in row.values for row in rated)]
    values = _matrix(rated, names)
    deviation = values.std(axis=0)
    kept = deviation > 0
    names = [name for name, is_kept in zip(names, kept, strict=True) if is_kept]
    values, deviation = values[:, kept], deviation[kept]
    quality = np.array([row.quality for row in rated])
    room = np.array([row.ceiling for row in rated]) - scores_by(rated, weights, base)
    solved = _logistic(np.column_stack([np.ones(len(rated)), room, -values / deviation]), quality)
    slope = max(float(solved[1]), _WEAKEST_SLOPE)
    added = np.clip(solved[2:] / deviation / slope, -_MOVED_MAX, _MOVED_MAX)
    moved = {
        name: round(min(max(weights[name] + float(one), -1.0), 1.0) - weights[name], 4)
        for name, one in zip(names, added, strict=True)
    }
    mean = float(sum(moved[name] * column.mean() for name, column in zip(names, values.T, strict=True)))
    return {BASE: round(min(max(base - mean, 0.0), 1.0) - base, 4), **moved}


def scores_by(rated: Sequence[Rated], weights: Mapping[str, float], base: float) -> Floats:
    names = list(weights)
    values = _matrix(rated, names)
    weighed = values @ np.array([weights[name] for name in names])
    return np.asarray(np.clip(base + weighed, 0.0, 1.0), dtype=np.float64)


def rightly_doubted(rated: Sequence[Rated], scores: Floats) -> float:
    """The chance that of two answers the worse one is the one whose request had the higher score above its tier; 0.5
    says that the score knows nothing, NaN that all were equally good."""
    doubt = scores - np.array([row.ceiling for row in rated])
    quality = np.array([row.quality for row in rated])
    worse = quality[:, None] < quality[None, :]
    higher = (doubt[:, None] > doubt[None, :]) + 0.5 * (doubt[:, None] == doubt[None, :])
    return float(higher[worse].mean()) if worse.any() else float("nan")


def with_signals(data: bytes, moved: Mapping[str, float]) -> bytes:
    """The weights in `data` with these added to those of the signals, in place of any added before."""
    weights, words, known = unpack(data)
    changed: Weights = msgspec.structs.replace(
        weights, signals={name: one for name, one in moved.items() if one}
    )
    return pack(changed, words, known)


def _matrix(rated: Sequence[Rated], names: Sequence[str]) -> Floats:
    rows = [[row.values.get(name, 0.0) for name in names] for row in rated]
    return np.array(rows, dtype=np.float64).reshape(len(rated), len(names))


def _logistic(columns: Floats, target: Floats) -> NDArray[np.float64]:
    """Newton's method; the first column is the constant, the second the slope, and the rest are pulled towards 0."""
    pull = np.array([1e-3, 1e-3, *[_RIDGE] * (columns.shape[1] - 2)])
    solved = np.zeros(columns.shape[1])
    solved[1] = _WEAKEST_SLOPE
    for _ in range(_ROUNDS):
        chance = 1 / (1 + np.exp(-np.clip(columns @ solved, -30.0, 30.0)))
        weight = np.maximum(chance * (1 - chance), 1e-6)
        gradient = columns.T @ (target - chance) - pull * solved
        step = np.linalg.solve(columns.T @ (columns * weight[:, None]) + np.diag(pull), gradient)
        solved = solved + step
        if float(np.abs(step).max()) < _STILL:
            break
    return solved
