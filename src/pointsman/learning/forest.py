"""Small regression trees, each fitted to what those before it left over (gradient boosting on histograms). It reads no
text: rows are numbers.

A tree grows where a split helps most until it has eight leaves. Every feature is cut at 31 quantiles at most. Half of
the features are looked at for each tree, which ones follows from its number alone. Sums run in the order of the rows.
"""

from collections.abc import Sequence
from typing import NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from pointsman.learning.metrics import Floats
from pointsman.routing.learned import MAX_LEAVES, Tree

_CUTS_MAX = 31
_BINS = _CUTS_MAX + 1
LEAF_UNIT = 1e-5
"""Leaves are whole numbers of this."""


class ForestSettings(NamedTuple):
    """`lightest_leaf` is in prompts of mean weight; `ridge` pulls leaves with few of them towards 0."""

    trees: int = 120
    rate: float = 0.05
    lightest_leaf: float = 40.0
    ridge: float = 20.0


class _Node(NamedTuple):
    rows: NDArray[np.intp]
    gain: float
    feature: int
    cut: int


def fit_forest(
    rows: Sequence[Sequence[float]], target: Floats, weight: Floats, settings: ForestSettings
) -> tuple[Tree, ...]:
    """`weight` has mean 1."""
    values = np.asarray(rows, dtype=np.float64)
    cuts = [_cuts(column) for column in values.T]
    bins = np.stack(
        [
            np.searchsorted(of_column, column, side="left")
            for of_column, column in zip(cuts, values.T, strict=True)
        ],
        axis=1,
    )
    left_over = target - np.average(target, weights=weight)
    grown: list[Tree] = []
    for number in range(settings.trees):
        looked_at = np.array(
            [crc32(b"%d:%d" % (number, feature)) & 1 for feature in range(len(cuts))], dtype=bool
        )
        tree, steps = _Growth(bins, cuts, left_over, weight, looked_at, settings).tree()
        left_over = left_over - steps
        grown.append(tree)
    return tuple(grown)


class _Growth:
    """One tree."""

    def __init__(
        self,
        bins: NDArray[np.intp],
        cuts: Sequence[Floats],
        left_over: Floats,
        weight: Floats,
        looked_at: NDArray[np.bool_],
        settings: ForestSettings,
    ) -> None:
        self._bins, self._cuts, self._weight, self._settings = bins, cuts, weight, settings
        self._pull = left_over * weight
        self._features = np.flatnonzero(looked_at)
        self._keys = bins[:, self._features] + _BINS * np.arange(len(self._features))

    def tree(self) -> tuple[Tree, Floats]:
        """The tree, and what it adds to every row."""
        whole = self._node(np.arange(len(self._weight)))
        children: dict[int, tuple[int, int]] = {}
        nodes, open_nodes = [whole], [0]
        while len(open_nodes) < MAX_LEAVES:
            at = max(open_nodes, key=lambda place: nodes[place].gain)
            node = nodes[at]
            if node.gain <= 0:
                break
            goes_left = self._bins[node.rows, node.feature] <= node.cut
            children[at] = (len(nodes), len(nodes) + 1)
            nodes += [self._node(node.rows[goes_left]), self._node(node.rows[~goes_left])]
            open_nodes.remove(at)
            open_nodes += children[at]
        steps = np.zeros(len(self._weight))
        for at in open_nodes:
            steps[nodes[at].rows] = self._leaf(nodes[at]) * LEAF_UNIT
        tests, leaves = self._written(0, nodes, children)
        return Tree(tuple(tests), tuple(leaves)), steps

    def _node(self, rows: NDArray[np.intp]) -> _Node:
        """The rows with their best split."""
        settings = self._settings
        count = len(self._features)
        keys = self._keys[rows].ravel()
        pull, weight = (
            np.bincount(keys, weights=np.repeat(of_row[rows], count), minlength=count * _BINS)
            .reshape(count, _BINS)
            .cumsum(axis=1)
            for of_row in (self._pull, self._weight)
        )
        all_pull, all_weight = pull[0, -1], weight[0, -1]
        rest_pull, rest_weight = all_pull - pull, all_weight - weight
        gain = (
            pull**2 / (weight + settings.ridge)
            + rest_pull**2 / (rest_weight + settings.ridge)
            - all_pull**2 / (all_weight + settings.ridge)
        )
        gain[(weight < settings.lightest_leaf) | (rest_weight < settings.lightest_leaf)] = -1.0
        best = int(gain.argmax())
        return _Node(rows, float(gain.flat[best]), int(self._features[best // _BINS]), best % _BINS)

    def _leaf(self, node: _Node) -> int:
        pull = float(np.cumsum(self._pull[node.rows])[-1])
        weight = float(np.cumsum(self._weight[node.rows])[-1])
        return round(self._settings.rate * pull / (weight + self._settings.ridge) / LEAF_UNIT)

    def _written(
        self, at: int, nodes: Sequence[_Node], children: dict[int, tuple[int, int]]
    ) -> tuple[list[tuple[int, float, int]], list[int]]:
        if at not in children:
            return [], [self._leaf(nodes[at])]
        left_tests, left = self._written(children[at][0], nodes, children)
        right_tests, right = self._written(children[at][1], nodes, children)
        feature = nodes[at].feature
        test = (feature, float(self._cuts[feature][nodes[at].cut]), len(left))
        return [test, *left_tests, *right_tests], left + right


def _cuts(column: Floats) -> Floats:
    """Values of the column, rising: a row's bin is how many of them it is above."""
    ordered = np.sort(column)
    places = np.arange(1, _CUTS_MAX + 1) * len(ordered) // (_CUTS_MAX + 1)
    return np.unique(ordered[places])
