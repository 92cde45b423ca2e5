"""The score: how strong a model a request asks for, 0..1, and which signal added what. It picks no tier.

    score = clamp(base + sum of weight * value over all signals, 0, 1)

Where there is something learned, it is one of them; on a text of words it does not know it says little, and the signals
made by hand decide.

The shares, the one of "base" included, add up to the score before it is clamped.
"""

from collections.abc import Iterable
from operator import itemgetter

from pointsman.core.decision import Reason, Share
from pointsman.routing.kept import kept
from pointsman.routing.learned import BASE, LEARNED, Learned
from pointsman.routing.policy import Policy
from pointsman.routing.reading import Reading, Words
from pointsman.routing.signals import SIGNALS

_ADDED = itemgetter(2)


class Scorer:
    """The signals of one policy with their weights. Build it once. `wishes_kept` is of how many wishes it knows again
    what was learned of them."""

    def __init__(self, policy: Policy, learned: Learned | None = None, wishes_kept: int = 0) -> None:
        moved = {} if learned is None else learned.signals
        weights = {name: weight + moved.get(name, 0.0) for name, weight in policy.weights.items()}
        self._learned_weight = weights.get(LEARNED, 0.0)
        self._learned = learned if self._learned_weight else None
        self._learned_value = None if self._learned is None else kept(self._learned.value, wishes_kept)
        base = policy.base + moved.get(BASE, 0.0)
        self._base: Share = (BASE, base, base)
        weighted = [(signal, weight) for signal in SIGNALS if (weight := weights.get(signal.name))]
        self._by_measure = {
            measure: (signal.name, weight, signal.value)
            for signal, weight in weighted
            for measure in signal.of
        }
        # A measure and its number -> what it adds. Most of what is found in a prompt are a few words of a list.
        self._known: dict[tuple[str, float], Share] = {
            (measure, count): (signal.name, step, weight * step)
            for signal, weight in weighted
            if isinstance(signal, Words)
            for measure in signal.of
            for count, step in enumerate(signal.steps, 1)
            if step
        }
        self._details = {signal.name: signal.detail for signal in SIGNALS}
        self._details[LEARNED] = self._saw_learned

    def score(self, reading: Reading) -> tuple[float, tuple[Share, ...]]:
        """Shares come in the order of their measures, base first, those that are words last."""
        share_of, by_measure, measures = self._known.get, self._by_measure, reading.measures
        shares = [self._base]
        for read in measures.items():
            share = share_of(read)
            if share is None:
                measure, number = read
                if measure not in by_measure:
                    continue
                name, weight, value_of = by_measure[measure]
                value = value_of(number, measures)
                if not value:
                    continue
                share = (name, value, weight * value)
            shares.append(share)
        if self._learned_value is not None:
            value = self._learned_value(reading.asked)
            if value:
                shares.append((LEARNED, value, self._learned_weight * value))
        return min(max(sum(map(_ADDED, shares)), 0.0), 1.0), tuple(shares)

    def _saw_learned(self, reading: Reading) -> str:
        assert self._learned is not None
        value, trust = self._learned.read(reading.asked)
        like = "cheap models fail on" if value > 0 else "cheap models answer well"
        return f"reads like prompts that {like}; {trust:.0%} sure of its words"

    def reasons(self, reading: Reading, shares: Iterable[Share]) -> tuple[Reason, ...]:
        """The shares of a reading with what each signal saw."""
        return tuple(
            Reason(
                *share,
                "where every request starts" if share[0] == BASE else self._details[share[0]](reading),
            )
            for share in shares
        )
