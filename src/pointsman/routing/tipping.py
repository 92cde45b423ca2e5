"""What would have tipped a decision: how far the score is from each boundary, and which few signals hold it in its
tier. For explanations; no request that is sent needs it."""

from collections.abc import Sequence
from itertools import combinations

from pointsman.core.decision import Edge, Share, Tip, Tipping
from pointsman.routing.reading import Measures
from pointsman.routing.signals import SIGNALS
from pointsman.routing.tiers import Ladder

_SIGNALS_MAX = 3
"""Three of two dozen signals are two thousand sets; to look at more would take long and explain little."""
_TIPS_MAX = 6

_MEASURES = {signal.name: frozenset(signal.of) for signal in SIGNALS}


def tipping(ladder: Ladder, score: float, shares: Sequence[Share], measures: Measures) -> Tipping:
    """The smallest sets of signals without which the tier would be another one, the weakest sets first. A signal is
    taken away with what it reads, so that rules do not see that either."""
    place = ladder.place(score, measures).place
    edges = tuple(Edge(tier, at, at - score) for tier, at in ladder.edges())
    signals = [share for share in shares if share[2] and share[0] != "base"]
    for size in range(1, _SIGNALS_MAX + 1):
        tips: list[tuple[float, Tip]] = []
        for some in combinations(signals, size):
            unread = frozenset().union(*(_MEASURES.get(name, frozenset()) for name, _, _ in some))
            left = {name: number for name, number in measures.items() if name not in unread}
            without = score - sum(share for _, _, share in some)
            other = ladder.place(without, left).place
            if other != place:
                weight = sum(abs(share) for _, _, share in some)
                tips.append((weight, Tip(tuple(name for name, _, _ in some), ladder.tier(other))))
        if tips:
            return Tipping(edges, tuple(tip for _, tip in sorted(tips)[:_TIPS_MAX]))
    return Tipping(edges, ())
