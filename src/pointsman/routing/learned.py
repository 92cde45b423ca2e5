"""The learned score: from a text to how much it looks like those that a cheap model got wrong. Its numbers come from a
file of weights that `pointsman train` wrote; nothing is learned here and no file is read.

Two parts are added up. Words and pieces of words: each has a weight, their sum is divided by the root of how many
different words there are. Trees over the counts of `features`: a hundred or so of at most eight leaves, walked all at
once. Each tree is one byte of a long number, a bit of it one leaf that can still be reached. For every feature it is
known beforehand which leaves its value rules out; what is left of a byte after all of them is the leaf where a walk
would have ended, its lowest bit (QuickScorer, SIGIR 2015).
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

MAX_LEAVES = 8
CLIP = 3.0
_MAGIC = b"PMLEARN1"
_KNOWN_WORDS_MAX = 20_000
_FOREIGN_WORD_SHARE = 0.5
_ENOUGH_WORDS = 40
_LENGTH_BYTES = 4


class Tree(msgspec.Struct, frozen=True, gc=False):
    """`tests` are (feature, threshold, leaves to the left), root first, then all that is to its left, then all to its
    right; a value up to the threshold goes left. `leaves` from left to right, one more than there are tests."""

    tests: tuple[tuple[int, float, int], ...]
    leaves: tuple[int, ...]


class Term(NamedTuple):
    """A feature's part in a correction: weight * ((value - mean) * scale, kept within CLIP)."""

    mean: float
    scale: float
    weight: float


class Weights(msgspec.Struct, frozen=True, gc=False):
    """What is learned, beside the weights of words. Both parts are brought to mean 0 and deviation 1 over the prompts
    they were learned from: (part - mean) * scale. `chance` is (score, chance that the strong model is needed),
    rising in both: straight lines lie between. What was fitted to somebody's own prompts has `terms`, one
    for each feature, which add up to a correction of `share` times the rest; what was fitted to reports on their
    answers, `signals`: how much is added to the weights of the signals, and to the base of every score."""

    version: int
    trees: tuple[Tree, ...]
    words_mean: float
    words_scale: float
    trees_mean: float
    trees_scale: float
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
    """What a word adds to the sum, looked up once: 4096 times its weights, plus 1 where the word is known, so that
    one sum gives both. A text that is read has fewer than 4096 words."""

    def __init__(self, weights: Sequence[int], known: bytes) -> None:
        super().__init__()
        self._weights = weights
        self._known = known

    def __missing__(self, word: bytes) -> int:
        slots = pieces(word)
        weights = self._weights
        first = slots[0]
        value = sum([weights[slot] for slot in slots]) * 4096 + (self._known[first >> 3] >> (first & 7) & 1)
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
        self._walk = _Forest(weights.trees).walk

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
        by_trees = (self._walk(values) - weights.trees_mean) * weights.trees_scale
        value = min(max((by_words + by_trees) / 4, -1.0), 1.0)
        trust = min(known / (different * _FOREIGN_WORD_SHARE), 1.0) * min(
            len(text.words) / _ENOUGH_WORDS, 1.0
        )
        if weights.terms:
            added = sum(
                [
                    weight * min(max((number - mean) * scale, -CLIP), CLIP)
                    for number, (mean, scale, weight) in zip(values, weights.terms, strict=True)
                ]
            )
            return min(max(value * trust * weights.share + added, -1.0), 1.0), trust
        return value * trust, trust

    def parts(self, asked: str) -> tuple[float, float]:
        """Both parts as they come, before they are brought to one scale: what training sets that scale by."""
        text = read_text(asked)
        total = sum(map(self._of_word, text.different)) >> 12
        return total / math.sqrt(len(text.different) or 1), self._walk(features(text))

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


class _Forest:
    """All trees at once. Leaves are numbers of a dozen bits: their sum is how many of those that were reached have a
    bit, for each bit, times what it stands for."""

    def __init__(self, trees: Sequence[Tree]) -> None:
        self._all = int.from_bytes(bytes((1 << len(tree.leaves)) - 1 for tree in trees), "little")
        self._ones = int.from_bytes(b"\1" * len(trees), "little")
        # By feature: threshold -> the leaves that a value above it rules out.
        out: dict[int, dict[float, int]] = {}
        for place, tree in enumerate(trees):
            for at, (feature, threshold, left) in enumerate(tree.tests):
                leaves = ((1 << left) - 1) << _first_leaf(tree, at)
                of_feature = out.setdefault(feature, {})
                of_feature[threshold] = of_feature.get(threshold, 0) | leaves << 8 * place
        self._by_feature = tuple(_reachable(feature, self._all, out[feature]) for feature in sorted(out))
        numbers = {
            8 * place + at: leaf for place, tree in enumerate(trees) for at, leaf in enumerate(tree.leaves)
        }
        least = min(numbers.values(), default=0)
        self._least = least * len(trees)
        self._planes = tuple(
            (bit, sum(1 << at for at, leaf in numbers.items() if (leaf - least) >> bit & 1))
            for bit in range((max(numbers.values(), default=0) - least).bit_length())
        )

    def walk(self, values: Sequence[float]) -> int:
        """The sum of the leaves where `values` end up."""
        left = self._all
        for feature, lowest, thresholds, reachable in self._by_feature:
            value = values[feature]
            if value > lowest:
                left &= reachable[bisect_left(thresholds, value)]
        # The lowest bit of every byte, none of which is 0: some leaf is always left.
        ends = left & ~(left - self._ones)
        total = self._least
        for bit, plane in self._planes:
            total += (ends & plane).bit_count() << bit
        return total


def _reachable(
    feature: int, everything: int, out: dict[float, int]
) -> tuple[int, float, list[float], list[int]]:
    thresholds = sorted(out)
    reachable = [everything]
    for threshold in thresholds:
        reachable.append(reachable[-1] & ~out[threshold])
    return feature, thresholds[0], thresholds, reachable


def _first_leaf(tree: Tree, node: int) -> int:
    """The leftmost leaf below a node: as many as lie to the left of the way there."""
    first, at = 0, 0
    while at != node:
        left = tree.tests[at][2]
        if node < at + left:  # n leaves are n - 1 tests, so those to the right begin there
            at += 1
        else:
            first += left
            at += left
    return first


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
        or not all(len(tree.leaves) <= MAX_LEAVES for tree in weights.trees)
        or len(weights.terms) not in {0, len(FEATURES)}
    ):
        raise ValueError("what is learned is not whole")
    return weights, data[end : end + SLOTS], data[end + SLOTS :]
