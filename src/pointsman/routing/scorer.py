"""The score: how strong a model a request asks for, 0..1, and which signal added what. It picks no tier.

    score = clamp(base + sum of weight * value over all signals, 0, 1)

The shares, the one of "base" included, add up to the score before it is clamped.
"""

from collections.abc import Iterable

from pointsman.core.decision import Reason, Share
from pointsman.routing.policy import Policy
from pointsman.routing.reading import Reading, Words
from pointsman.routing.signals import SIGNALS

_BASE = "base"


class Scorer:
    """The signals of one policy with their weights. Build it once."""

    def __init__(self, policy: Policy) -> None:
        weighted = [(signal, weight) for signal in SIGNALS if (weight := policy.weights.get(signal.name))]
        self._base: Share = (_BASE, policy.base, policy.base)
        self._all = tuple((signal.name, weight, signal.value) for signal, weight in weighted)
        self._computed = tuple(
            (signal.name, weight, signal.value) for signal, weight in weighted if not isinstance(signal, Words)
        )
        # List -> its share for one word, for two, and so on.
        self._worded: dict[str, tuple[Share, ...]] = {
            signal.keywords: tuple((signal.name, step, weight * step) for step in signal.steps)
            for signal, weight in weighted
            if isinstance(signal, Words)
        }
        self._details = {signal.name: signal.detail for signal in SIGNALS}

    def score(self, reading: Reading) -> tuple[float, tuple[Share, ...]]:
        """Shares come in the order of their signals, base first, those that are only words last."""
        base = self._base
        total = base[1]
        shares = [base]
        said, pasted = reading.found
        for name, weight, value_of in self._all if pasted else self._computed:
            value = value_of(reading)
            if value:
                share = weight * value
                total += share
                shares.append((name, value, share))
        if not pasted:
            # Most lists have no word in most prompts: only those that have are looked at. Their counts are
            # whole, so what each adds is at hand.
            worded = self._worded
            for keywords, words in said.items():
                steps = worded.get(keywords)
                if steps is not None:
                    known = steps[min(len(words), len(steps)) - 1]
                    if known[1]:
                        total += known[2]
                        shares.append(known)
        return min(max(total, 0.0), 1.0), tuple(shares)

    def reasons(self, reading: Reading, shares: Iterable[Share]) -> tuple[Reason, ...]:
        """The shares of a reading with what each signal saw."""
        return tuple(
            Reason(*share, "where every request starts" if share[0] == _BASE else self._details[share[0]](reading))
            for share in shares
        )
