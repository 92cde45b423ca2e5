"""The score: how strong a model a request asks for, 0..1, and which signal added what. It picks no tier.

    score = clamp(base + sum of weight * value over all signals, 0, 1)

The reasons' shares, the one of "base" included, add up to the score before it is clamped.
"""

from pointsman.core.decision import Reason
from pointsman.routing.policy import Policy
from pointsman.routing.reading import Reading
from pointsman.routing.signals import SIGNALS, Signal


class Scorer:
    """The signals of one policy with their weights. Build it once."""

    def __init__(self, policy: Policy) -> None:
        self._base = policy.base
        self._weighted: tuple[tuple[str, float, Signal], ...] = tuple(
            (signal.__name__, policy.weights[signal.__name__], signal)
            for signal in SIGNALS
            if policy.weights.get(signal.__name__)
        )

    def score(self, reading: Reading) -> tuple[float, tuple[Reason, ...]]:
        """Reasons come largest share first, base before all."""
        total = self._base
        reasons: list[Reason] = []
        for name, weight, signal in self._weighted:
            hit = signal(reading)
            if hit is not None:
                share = weight * hit.value
                total += share
                reasons.append(Reason(name, hit.value, share, hit.detail))
        reasons.sort(key=_by_share)
        base = Reason("base", self._base, self._base, "where every request starts")
        return min(max(total, 0.0), 1.0), (base, *reasons)


def _by_share(reason: Reason) -> float:
    return -abs(reason.share)
