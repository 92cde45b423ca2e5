"""The score: how strong a model a request asks for, 0..1, and which signal added what. It picks no tier.

    score = clamp(base + sum of weight * value over all signals, 0, 1)

The reasons' shares, the one of "base" included, add up to the score before it is clamped.
"""

from pointsman.core.decision import Reason
from pointsman.routing.policy import Policy
from pointsman.routing.reading import Reading, Words
from pointsman.routing.signals import SIGNALS


class Scorer:
    """The signals of one policy with their weights. Build it once."""

    def __init__(self, policy: Policy) -> None:
        self._base = Reason("base", policy.base, policy.base, "where every request starts")
        weighted = [
            (signal.__name__, policy.weights[signal.__name__], signal)
            for signal in SIGNALS
            if policy.weights.get(signal.__name__)
        ]
        self._computed = tuple(entry for entry in weighted if not isinstance(entry[2], Words))
        self._by_list = {
            signal.keywords: (name, weight, signal)
            for name, weight, signal in weighted
            if isinstance(signal, Words)
        }

    def score(self, reading: Reading) -> tuple[float, tuple[Reason, ...]]:
        """Reasons come in the order of their signals, base first, those that are only words last."""
        base = self._base
        total = base.value
        reasons = [base]
        for name, weight, signal in self._computed:
            hit = signal(reading)
            if hit is not None:
                share = weight * hit.value
                total += share
                reasons.append(Reason(name, hit.value, share, hit.detail))
        # Most lists have no word in most prompts: only those that have are looked at.
        found = reading.found
        for keywords in {**found.said, **found.pasted} if found.pasted else found.said:
            known = self._by_list.get(keywords)
            if known is not None:
                name, weight, words = known
                value = words.value(found)
                if value:
                    share = weight * value
                    total += share
                    reasons.append(Reason(name, value, share, words.detail(found)))
        return min(max(total, 0.0), 1.0), tuple(reasons)
