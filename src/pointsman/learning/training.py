"""From labelled prompts to a file of weights that `pointsman.routing.learned` reads. It reads no file itself.

Two things can be learned of a prompt: how often weak models fail on it, and how much better strong ones do. The first
keeps words, which know tasks, from taking a task that nobody can do for an easy one: they learn both in equal parts.
Counts, which know only how a text looks, learn the second, and are held back hard: what they say together of tasks
that were not seen is worth the more, the less each follows the tasks that were.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import msgspec
import numpy as np

from pointsman.learning.linear import WordMatrix, fit_counts, fit_words
from pointsman.learning.metrics import Floats, equal_weights
from pointsman.routing.features import FEATURES_VERSION, Text, features, read_text
from pointsman.routing.learned import Learned, Weights, pack

_UNCALIBRATED = ((0.0, 0.0), (1.0, 1.0))
_CHANCE_POINTS = 16


class Example(NamedTuple):
    """A prompt, the mean quality (0..1) of weak and of strong models on it, and its benchmark."""

    prompt: str
    weak: float
    strong: float
    source: str = ""


class TrainingSettings(NamedTuple):
    words_ridge: float = 5.0
    counts_ridge: float = 5.0
    steps: int = 12


class Prepared:
    """What is read of the prompts once, for several trainings on parts of them."""

    def __init__(self, examples: Sequence[Example]) -> None:
        self.examples = examples
        self.texts: list[Text] = [read_text(example.prompt) for example in examples]
        self.rows = [features(text) for text in self.texts]


def train(
    prepared: Prepared, places: Sequence[int], settings: TrainingSettings | None = None, *, about: str = ""
) -> bytes:
    """Weights from the examples at `places`. Every source weighs the same. `chance` is still to be set."""
    settings = settings or TrainingSettings()
    examples = [prepared.examples[place] for place in places]
    weight = equal_weights([example.source for example in examples])
    weight = weight * (len(weight) / weight.sum())
    weak = np.array([example.weak for example in examples])
    strong = np.array([example.strong for example in examples])
    gain = strong - weak
    matrix = WordMatrix([prepared.texts[place] for place in places], [example.source for example in examples])
    words = fit_words(
        matrix, (1 - weak + gain) / 2, weight, ridge=settings.words_ridge, steps=settings.steps
    ).tobytes()
    rows = [prepared.rows[place] for place in places]
    counts = fit_counts(rows, gain, weight, ridge=settings.counts_ridge, steps=settings.steps)
    known = matrix.known()
    bare = Weights(FEATURES_VERSION, counts, 0.0, 0.0, 1.0, _UNCALIBRATED, about)
    raw = Learned(pack(bare, words, known))
    parts = np.array([raw.parts(example.prompt) for example in examples])
    by_words, by_counts = parts.T
    counts_scale = 1 / (_deviation(by_counts, weight) or 1.0)
    scaled = msgspec.structs.replace(
        bare,
        counts=tuple(term._replace(weight=_rounded(term.weight * counts_scale)) for term in counts),
        counts_mean=_mean(by_counts * counts_scale, weight),
        words_mean=_mean(by_words, weight),
        words_scale=_rounded(1 / (_deviation(by_words, weight) or 1.0)),
    )
    return pack(scaled, words, known)


def _mean(part: Floats, weight: Floats) -> float:
    return _rounded(np.average(part, weights=weight))


def _deviation(part: Floats, weight: Floats) -> float:
    return _rounded(np.sqrt(np.average((part - np.average(part, weights=weight)) ** 2, weights=weight)))


def _rounded(number: float) -> float:
    """Six digits: more would depend on the machine."""
    return float(f"{number:.6g}")


def out_of_fold(
    prepared: Prepared,
    folds: Sequence[str],
    score: Callable[[Learned, Sequence[int]], Floats],
    settings: TrainingSettings | None = None,
) -> Floats:
    """The score of every example by weights that were trained without its fold."""
    scores = np.zeros(len(prepared.examples))
    for fold in sorted(set(folds)):
        inside = [place for place, name in enumerate(folds) if name == fold]
        outside = [place for place, name in enumerate(folds) if name != fold]
        scores[inside] = score(Learned(train(prepared, outside, settings)), inside)
    return scores


def chance_curve(
    scores: Floats, need: Floats, weight: Floats, points: int = _CHANCE_POINTS
) -> tuple[tuple[float, float], ...]:
    """(score, chance of need), rising in both: the mean of as many groups of equal weight, neighbours that would fall
    joined (pool adjacent violators)."""
    order = np.argsort(scores, kind="stable")
    reached = np.cumsum(weight[order])
    group = np.minimum((reached / reached[-1] * points).astype(int), points - 1)
    pools: list[list[float]] = []  # weight, sum of scores, sum of need
    for place in range(points):
        rows = order[group == place]
        if not len(rows):
            continue
        weights = weight[rows]
        pools.append([float(weights.sum()), float(scores[rows] @ weights), float(need[rows] @ weights)])
        while len(pools) > 1 and pools[-1][2] / pools[-1][0] <= pools[-2][2] / pools[-2][0]:
            last = pools.pop()
            pools[-1] = [one + other for one, other in zip(pools[-1], last, strict=True)]
    curve = [(round(total / size, 4), round(needed / size, 4)) for size, total, needed in pools]
    return (
        curve[0],
        *(after for before, after in pairwise(curve) if after[0] > before[0] and after[1] > before[1]),
    )
