"""Weights of words, of their pieces and of counts, by ridge regression. It writes no file.

A prompt is the sum of its different words, each of which is the sum of its pieces, divided by the root of how many
different words there are, as `pointsman.routing.learned` reads it; or the sum of its counts, on one scale and within
bounds. Solved by conjugate gradients. All sums run in the order of the rows (bincount, cumsum), so the same rows give
the same weights on every machine.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from pointsman.learning.metrics import Floats
from pointsman.routing.features import SLOTS, Text, pieces
from pointsman.routing.learned import CLIP, Term

_BYTE_MAX = 127
_KNOWN_FROM_PROMPTS = 3
_KNOWN_FROM_SOURCES = 3
_MANY_SOURCES = 6
"""For each of those a word may be asked to be in, there are as many to be in."""
_LEAST_VARIANCE = 1e-12


class WordMatrix:
    """Prompts by slots, kept as prompts by words and words by slots: a tenth of the size. Only known words are in it,
    those of three prompts or more, and, where there are many sources, of three of them: others are misspelt, or names
    by which a source is told."""

    def __init__(self, texts: Sequence[Text], sources: Sequence[str]) -> None:
        place_of: dict[bytes, int] = {}
        words = np.array(
            [place_of.setdefault(word, len(place_of)) for text in texts for word in sorted(text.different)],
            dtype=np.int64,
        )
        counts = [len(text.different) for text in texts]
        text = np.repeat(np.arange(len(texts)), counts)
        names, source = np.unique(np.asarray(sources), return_inverse=True)
        in_sources = np.unique(words * len(names) + source[text]) // len(names)
        is_known = (np.bincount(words, minlength=len(place_of)) >= _KNOWN_FROM_PROMPTS) & (
            np.bincount(in_sources, minlength=len(place_of))
            >= min(_KNOWN_FROM_SOURCES, len(names) // _MANY_SOURCES)
        )
        kept = is_known[words]
        slots = [pieces(word) if known else [] for word, known in zip(place_of, is_known, strict=True)]
        self._texts, self._words = len(texts), len(place_of)
        self._word = words[kept]
        self._text = text[kept]
        self._slot = np.array([slot for of_word in slots for slot in of_word], dtype=np.int64)
        self._slot_word = np.repeat(np.arange(len(slots)), [len(of_word) for of_word in slots])
        self._scale = 1 / np.sqrt(np.maximum(counts, 1))
        self._own_slot = np.array([of_word[0] for of_word in slots if of_word], dtype=np.int64)

    def times(self, weights: Floats) -> Floats:
        by_word = np.bincount(self._slot_word, weights=weights[self._slot], minlength=self._words)
        by_text = np.bincount(self._text, weights=by_word[self._word], minlength=self._texts)
        return np.asarray(by_text * self._scale, dtype=np.float64)

    def transposed_times(self, values: Floats) -> Floats:
        by_word = np.bincount(self._word, weights=(values * self._scale)[self._text], minlength=self._words)
        return np.asarray(
            np.bincount(self._slot, weights=by_word[self._slot_word], minlength=SLOTS), dtype=np.float64
        )

    def known(self) -> bytes:
        """One bit for the slot of every known word."""
        bits = np.zeros(SLOTS, dtype=np.uint8)
        bits[self._own_slot] = 1
        return np.packbits(bits, bitorder="little").tobytes()


def fit_words(
    matrix: WordMatrix, target: Floats, weight: Floats, *, ridge: float, steps: int
) -> NDArray[np.int8]:
    """Weights as bytes; only their ratios matter. `weight` has mean 1."""
    residual = weight * (target - np.average(target, weights=weight))
    solution = _solved(
        lambda weights: matrix.transposed_times(weight * matrix.times(weights)) + ridge * weights,
        matrix.transposed_times(residual),
        steps,
    )
    # One in a thousand may be cut off, or a few outliers would cost all the others their precision.
    sizes = np.sort(np.abs(solution[solution != 0]))
    largest = sizes[-1 - len(sizes) // 1000] if len(sizes) else 1.0
    return np.clip(np.rint(solution * (_BYTE_MAX / largest)), -_BYTE_MAX, _BYTE_MAX).astype(np.int8)


def fit_counts(
    rows: Sequence[Sequence[float]], target: Floats, weight: Floats, *, ridge: float, steps: int
) -> tuple[Term, ...]:
    """A term for each column. Only the ratios of their weights matter. `ridge` is in multiples of all rows: with 1,
    half of what a column explains alone is believed. `weight` has mean 1."""
    values = np.asarray(rows, dtype=np.float64)
    columns = range(values.shape[1])
    mean = np.array([_short(_dot(values[:, column], weight) / len(values)) for column in columns])
    variance = [_dot((values[:, column] - mean[column]) ** 2, weight) / len(values) for column in columns]
    scale = np.array([_short(1 / np.sqrt(max(of_column, _LEAST_VARIANCE))) for of_column in variance])
    standard = np.clip((values - mean) * scale, -CLIP, CLIP)
    of_both = np.array(
        [[_dot(standard[:, one] * weight, standard[:, other]) for other in columns] for one in columns]
    )
    residual = weight * (target - np.average(target, weights=weight))
    solution = _solved(
        lambda weights: (of_both * weights).cumsum(axis=1)[:, -1] + ridge * len(values) * weights,
        np.array([_dot(standard[:, column], residual) for column in columns]),
        steps,
    )
    return tuple(
        Term(float(center), float(spread), _short(slope))
        for center, spread, slope in zip(mean, scale, solution, strict=True)
    )


def _solved(apply: Callable[[Floats], Floats], right: Floats, steps: int) -> Floats:
    """The x with apply(x) = right, after so many steps."""
    solution, gradient = np.zeros(len(right)), right.copy()
    direction, size = gradient.copy(), _squared(gradient)
    for _ in range(steps):
        if not size:
            break
        image = apply(direction)
        step = size / _dot(direction, image)
        solution += step * direction
        gradient -= step * image
        before, size = size, _squared(gradient)
        direction = gradient + size / before * direction
    return solution


def _short(number: float) -> float:
    """Six digits: more would depend on the machine."""
    return float(f"{number:.6g}")


def _dot(one: Floats, other: Floats) -> float:
    """In the order of the elements, which a BLAS does not promise."""
    return float(np.cumsum(one * other)[-1])


def _squared(vector: Floats) -> float:
    return _dot(vector, vector)
