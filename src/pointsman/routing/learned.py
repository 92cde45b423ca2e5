"""The learned score: from a text to how much it looks like those that a cheap model got wrong. Its numbers come from a
file of weights that `pointsman train` wrote; nothing is learned here and no file is read.

Two parts are added up. Words that are known and their pieces: each has a weight, their sum is divided by the root of
how many different words there are. The counts of `features`: each is brought to one scale, kept within bounds and weighed.
"""

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from pointsman.routing.features import FEATURES, FEATURES_VERSION, SLOTS, features, pieces, read_text

BASE = "base"
"""The name of what every score starts from, among its shares."""
LEARNED = "learned"
"""Its name among the signals: in `weights`, in the shares of a score, and in `router-learned-0.3`."""

CLIP = 3.0
_MAGIC = b"PMLEARN1"
_KNOWN_WORDS_MAX = 20_000
_FOREIGN_WORD_SHARE = 0.5
_ENOUGH_WORDS = 40
_OF_WORDS = 0.8
"""How much the deviation of the words counts where that of the counts is 1; chosen, as `learned` among the weights
was, on families of benchmarks left out (docs/routing-quality.md)."""
_SPAN = 2.0
"""What both together have to reach for a value of 1."""
_LENGTH_BYTES = 4


class Term(NamedTuple):
    """A feature's part in a sum: weight * ((value - mean) * scale, kept within CLIP)."""

    mean: float
    scale: float
    weight: float


class Weights(msgspec.Struct, frozen=True, gc=False):
    """What is learned, beside the weights of words. `counts` has a term for each feature. Over the prompts they were
    learned from, the sum of the terms less `counts_mean` has mean 0 and deviation 1, and so has the sum of words less
    `words_mean`, times `words_scale`. `chance` is (score, chance that the strong model is needed), rising in both:
    straight lines lie between. What was fitted to somebody's own prompts has `terms`, one for each feature, which add
    up to a correction of `share` times the rest; what was fitted to reports on their answers, `signals`: how much is
    added to the weights of the signals, and to the base of every score."""

    version: int
    counts: tuple[Term, ...]
    counts_mean: float
    words_mean: float
    words_scale: float
    chance: tuple[tuple[float, float], ...]
    about: str = ""
    share: float = 1.0
    terms: tuple[Term, ...] = ()
    signals: dict[str, float] = {}


class Opinion(NamedTuple):
    """`value` -1..1, above 0 for a stronger model; `trust` 0..1 is how much there is
    to read: how many words, and how many of them are known."""

    value: float
    trust: float


class _Words(dict[bytes, int]):
    """What a word adds to the sum, looked up once: 4096 times its weights, plus 1, so that one sum gives both that of
    the weights and how many words are known; 0 for an unknown one. A text that is read has fewer than 4096 words."""

    def __init__(self, weights: Sequence[int], known: bytes) -> None:
        super().__init__()
        self._weights = weights
        self._known = known

    def __missing__(self, word: bytes) -> int:
        slots = pieces(word)
        first = slots[0]
        if self._known[first >> 3] >> (first & 7) & 1:
            weights = self._weights
            value = sum([weights[slot] for slot in slots]) * 4096 + 1
        else:
            value = 0
        if len(self) >= _KNOWN_WORDS_MAX:
            self.clear()
        self[word] = value
        return value


class Learned:
    """Weights, ready to be used. Raises ValueError for bytes that are none."""

    def __init__(self, data: bytes) -> None:
        weights, words, known = unpack(data)
        self._weights = weights
        self._of_word = _Words(memoryview(words).cast("b").tolist(), known).__getitem__
        self._by_counts = _weighed(weights.counts)
        self._correction = _weighed(weights.terms)

    @property
    def chance(self) -> tuple[tuple[float, float], ...]:
        return self._weights.chance

    @property
    def signals(self) -> Mapping[str, float]:
        """What is added to the weight of each signal, by its name; of "base" to the score before any."""
        return self._weights.signals

    def read(self, asked: str) -> Opinion:
        """Takes the same time for any long text."""
        return Opinion(*self._read(asked))

    def value(self, asked: str) -> float:
        """That of `read`."""
        return self._read(asked)[0]

    def _read(self, asked: str) -> tuple[float, float]:
        text = read_text(asked)
        if not text.different:
            return 0.0, 0.0
        weights = self._weights
        total, known = divmod(sum(map(self._of_word, text.different)), 4096)
        different = len(text.different)
        by_words = (total / math.sqrt(different) - weights.words_mean) * weights.words_scale
        values = features(text)
        by_counts = _sum(self._by_counts, values) - weights.counts_mean
        value = min(max((by_counts + _OF_WORDS * by_words) / _SPAN, -1.0), 1.0)
        trust = min(known / (different * _FOREIGN_WORD_SHARE), 1.0) * min(
            len(text.words) / _ENOUGH_WORDS, 1.0
        )
        if self._correction:
            added = _sum(self._correction, values)
            return min(max(value * trust * weights.share + added, -1.0), 1.0), trust
        return value * trust, trust

    def parts(self, asked: str) -> tuple[float, float]:
        """Both parts as they come, before they are brought to one scale: what training sets that scale by."""
        text = read_text(asked)
        total = sum(map(self._of_word, text.different)) >> 12
        return total / math.sqrt(len(text.different) or 1), _sum(self._by_counts, features(text))

    def chance_of_need(self, score: float) -> float:
        """The chance, 0..1, that a request of that score needs the strong model; 1 less it, that the cheap one will
        do. It never falls as the score rises."""
        return _along(score, self._weights.chance)

    def score_at(self, chance: float) -> float:
        """The lowest score with at least that chance; above 1 where there is none."""
        points = self._weights.chance
        if chance <= points[0][1]:
            return 0.0
        if chance > points[-1][1]:
            return 1.01
        at = bisect_left([known for _, known in points], chance)
        (score, low), (next_score, high) = points[at - 1], points[at]
        return score + (next_score - score) * (chance - low) / (high - low)


_Line = tuple[float, float, float, float]
"""From where to where a feature counts, how much each unit of it does, and its mean."""


def _weighed(terms: Sequence[Term]) -> tuple[_Line, ...]:
    """The terms, with what need not be worked out for every text worked out beforehand."""
    return tuple(
        (mean - CLIP / scale, mean + CLIP / scale, weight * scale, mean)
        if scale
        else (-math.inf, math.inf, 0.0, mean)
        for mean, scale, weight in terms
    )


def _sum(lines: Sequence[_Line], values: Sequence[float]) -> float:
    return sum(
        [
            slope * ((low if value < low else high if value > high else value) - mean)  # noqa: FURB136 - a call is dear
            for value, (low, high, slope, mean) in zip(values, lines, strict=True)
        ]
    )


def _along(value: float, points: Sequence[tuple[float, float]]) -> float:
    at = bisect_left(points, (value, -1.0))
    if at == 0:
        return points[0][1]
    if at == len(points):
        return points[-1][1]
    (before, low), (after, high) = points[at - 1], points[at]
    return low + (high - low) * (value - before) / (after - before)


def pack(weights: Weights, words: bytes, known: bytes) -> bytes:
    """`words` are SLOTS signed bytes, `known` one bit for every slot."""
    head = msgspec.json.encode(weights)
    return _MAGIC + len(head).to_bytes(_LENGTH_BYTES, "little") + head + words + known


def unpack(data: bytes) -> tuple[Weights, bytes, bytes]:
    """Raises ValueError."""
    at = len(_MAGIC) + _LENGTH_BYTES
    if data[: len(_MAGIC)] != _MAGIC:
        raise ValueError("these are no weights of ours")
    end = at + int.from_bytes(data[len(_MAGIC) : at], "little")
    if len(data) != end + SLOTS + SLOTS // 8:
        raise ValueError("the file is not whole")
    try:
        weights = msgspec.json.decode(data[at:end], type=Weights)
    except msgspec.DecodeError as error:
        raise ValueError("what is learned cannot be read") from error
    if weights.version != FEATURES_VERSION:
        raise ValueError(f"it is of version {weights.version}, this program reads {FEATURES_VERSION}")
    if (
        not weights.chance
        or len(weights.counts) != len(FEATURES)
        or len(weights.terms) not in {0, len(FEATURES)}
    ):
        raise ValueError("what is learned is not whole")
    return weights, data[end : end + SLOTS], data[end + SLOTS :]
