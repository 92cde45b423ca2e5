"""Weights of words and their pieces, by ridge regression. It knows no trees and writes no file.

A prompt is the sum of its different words, each of which is the sum of its pieces, divided by the root of how many
different words there are, as `pointsman.routing.learned` reads it. Solved by conjugate gradients. All sums run in the
order of the rows (bincount), so the same rows give the same weights on every machine.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pointsman.learning.metrics import Floats
from pointsman.routing.features import SLOTS, Text, pieces

_BYTE_MAX = 127
_KNOWN_FROM_PROMPTS = 3


class WordMatrix:
    """Prompts by slots, kept as prompts by words and words by slots: a tenth of the size."""

    def __init__(self, texts: Sequence[Text]) -> None:
        place_of: dict[bytes, int] = {}
        words = [
            place_of.setdefault(word, len(place_of)) for text in texts for word in sorted(text.different)
        ]
        counts = [len(text.different) for text in texts]
        slots = [pieces(word) for word in place_of]
        self._texts, self._words = len(texts), len(place_of)
        self._word = np.array(words, dtype=np.int64)
        self._text = np.repeat(np.arange(len(texts)), counts)
        self._slot = np.array([slot for of_word in slots for slot in of_word], dtype=np.int64)
        self._slot_word = np.repeat(np.arange(len(slots)), [len(of_word) for of_word in slots])
        self._scale = 1 / np.sqrt(np.maximum(counts, 1))
        self._own_slot = np.array([of_word[0] for of_word in slots], dtype=np.int64)

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
        """One bit for the slot of every word that stands in three prompts or more."""
        often = np.bincount(self._word, minlength=self._words) >= _KNOWN_FROM_PROMPTS
        bits = np.zeros(SLOTS, dtype=np.uint8)
        bits[self._own_slot[often]] = 1
        return np.packbits(bits, bitorder="little").tobytes()


def fit_words(
    matrix: WordMatrix, target: Floats, weight: Floats, *, ridge: float, steps: int
) -> NDArray[np.int8]:
    """Weights as bytes; only their ratios matter. `weight` has mean 1."""
    residual = weight * (target - np.average(target, weights=weight))
    gradient = matrix.transposed_times(residual)
    solution = np.zeros(SLOTS)
    direction, size = gradient.copy(), _squared(gradient)
    for _ in range(steps):
        if not size:
            break
        image = matrix.transposed_times(weight * matrix.times(direction)) + ridge * direction
        step = size / _dot(direction, image)
        solution += step * direction
        gradient -= step * image
        before, size = size, _squared(gradient)
        direction = gradient + size / before * direction
    # One in a thousand may be cut off, or a few outliers would cost all the others their precision.
    sizes = np.sort(np.abs(solution[solution != 0]))
    largest = sizes[-1 - len(sizes) // 1000] if len(sizes) else 1.0
    return np.clip(np.rint(solution * (_BYTE_MAX / largest)), -_BYTE_MAX, _BYTE_MAX).astype(np.int8)


def _dot(one: Floats, other: Floats) -> float:
    """In the order of the elements, which a BLAS does not promise."""
    return float(np.cumsum(one * other)[-1])


def _squared(vector: Floats) -> float:
    return _dot(vector, vector)
