"""Fits weights to one's own traffic: a small linear correction on top of what ships, from a few hundred labels. It
trains no words.

The gain of the strong model is regressed on the score there is and on the counts of `features`, the latter pulled
towards nothing: with few labels little moves, and below 200 nothing does (fifty have been measured to do harm).
"""

from collections.abc import Sequence

import msgspec
import numpy as np

from pointsman.learning.metrics import Floats
from pointsman.learning.training import chance_curve
from pointsman.routing.features import features, read_text
from pointsman.routing.learned import CLIP, Learned, Term, pack, unpack

LABELS_MIN = 200
_RIDGE_LABELS = 150.0
"""How many labels the belief in no correction is worth."""
_WEAKEST_SLOPE = 0.1
"""Of the gain's deviation by the score's: where the score there is says less than this, it still counts as this."""


def correction(prompts: Sequence[str], scores: Floats, gain: Floats) -> tuple[Term, ...]:
    """One term for each feature, in units of the score. `scores` are those in force, `gain` strong less weak."""
    rows = np.array([features(read_text(prompt)) for prompt in prompts])
    mean = rows.mean(axis=0)
    scale = 1 / np.maximum(rows.std(axis=0), 1e-6)
    standard = np.clip((rows - mean) * scale, -CLIP, CLIP)
    deviation = scores.std() or 1.0
    by_score = (scores - scores.mean()) / deviation
    target = (gain - gain.mean()) / (gain.std() or 1.0)
    pull = np.diag([1e-3, *[_RIDGE_LABELS] * rows.shape[1]])
    matrix = np.column_stack([by_score, standard])
    solved = np.linalg.solve(matrix.T @ matrix + pull, matrix.T @ target)
    slope = max(float(solved[0]), _WEAKEST_SLOPE)
    return tuple(
        Term(_short(center), _short(spread), _short(weight / slope * deviation))
        for center, spread, weight in zip(mean, scale, solved[1:], strict=True)
    )


def adapt(data: bytes, learned_weight: float, terms: tuple[Term, ...]) -> bytes:
    """The weights with the correction, to be used with `routing.weights.learned: 1`; `learned_weight` is what they had
    before."""
    weights, words, known = unpack(data)
    return pack(msgspec.structs.replace(weights, terms=terms, share=learned_weight), words, known)


def with_chances(data: bytes, scores: Floats, need: Floats) -> bytes:
    """The weights with chances measured on labels: `scores` by these weights, `need` 1 where only the strong model
    was right."""
    weights, words, known = unpack(data)
    chance = chance_curve(scores, need, np.ones(len(scores)))
    return pack(msgspec.structs.replace(weights, chance=chance), words, known)


def adapted(
    data: bytes, learned_weight: float, prompts: Sequence[str], scores: Floats, gain: Floats
) -> Learned:
    return Learned(adapt(data, learned_weight, correction(prompts, scores, gain)))


def _short(number: float) -> float:
    return float(f"{number:.6g}")
