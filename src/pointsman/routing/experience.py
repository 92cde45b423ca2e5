"""How well each model has done with each category of task, as reported; what is old counts less and less. It
proposes an order among models of one tier and draws no lots of its own.

A model that nobody reported on is thought as good as its place in the configured order: the first a little better than
the second. Every report moves that. Inspired by ant-colony routing's decaying traces, without its path graph.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pointsman.core.decision import Decision
from pointsman.core.model_card import ModelCard

_PRIOR_QUALITY = 0.7
_PRIOR_STEP = 0.02
_UNSORTED = ""


class Record(NamedTuple):
    """`reports` is their weight by now, `quality` their weighted mean."""

    category: str
    model: str
    reports: float
    quality: float


class Experience:
    """`half_life_s` is the age at which a report counts half; `prior_reports` how many reports the configured order
    is worth."""

    def __init__(self, half_life_s: float, prior_reports: float = 10.0) -> None:
        self._half_life_s = half_life_s
        self._prior_reports = prior_reports
        self._seen: dict[tuple[str, str], tuple[float, float, float]] = {}  # weight, weight * quality, as of

    def add(self, category: str | None, model: str, quality: float, at_s: float) -> None:
        """Reports come in the order of time, more or less: an earlier one counts as if it came now."""
        key = (category or _UNSORTED, model)
        weight, sum_of_quality, as_of_s = self._seen.get(key, (0.0, 0.0, at_s))
        kept = self._kept(at_s - as_of_s)
        self._seen[key] = (weight * kept + 1.0, sum_of_quality * kept + quality, max(at_s, as_of_s))

    def learn(self, reports: Iterable[tuple[str | None, str, float, float]]) -> None:
        """Forgets what was known for these reports: category, model, quality and time of each."""
        anew = Experience(self._half_life_s, self._prior_reports)
        for report in reports:
            anew.add(*report)
        self._seen = anew._seen

    def records(self, now_s: float) -> list[Record]:
        """By category, then the most reported first."""
        found = []
        for (category, model), (weight, sum_of_quality, as_of_s) in self._seen.items():
            left = weight * self._kept(now_s - as_of_s)
            found.append(Record(category, model, left, sum_of_quality / weight))
        return sorted(found, key=lambda one: (one.category, -one.reports, one.model))

    def quality(self, category: str | None, model: str, place: int, now_s: float) -> float:
        """What is to be expected of the model that stands at `place` of the configured order, 0..1."""
        weight, sum_of_quality, as_of_s = self._seen.get((category or _UNSORTED, model), (0.0, 0.0, now_s))
        kept = self._kept(now_s - as_of_s)
        prior = max(_PRIOR_QUALITY - _PRIOR_STEP * place, 0.0)
        return (self._prior_reports * prior + sum_of_quality * kept) / (self._prior_reports + weight * kept)

    def _kept(self, age_s: float) -> float:
        return float(0.5 ** (max(age_s, 0.0) / self._half_life_s))


def prefer_proven(decision: Decision, experience: Experience, now_s: float) -> Decision:
    """The models of the chosen tier that stand together at the head of the chain, the most promising first."""
    peers = peers_of(decision)
    if len(peers) < 2:
        return decision
    category = decision.category
    expected = {
        card.name: experience.quality(category, card.name, place, now_s) for place, card in enumerate(peers)
    }
    ranked = sorted(peers, key=lambda card: -expected[card.name])
    if ranked[0] is peers[0]:
        return decision
    best, usual = ranked[0].name, peers[0].name
    rule = f"reports: {best} ({expected[best]:.2f}) before {usual} ({expected[usual]:.2f})"
    return _with_peers(decision, ranked, rule)


def explore(decision: Decision, rate: float, lot: float) -> Decision:
    """With the chance `rate`, another model of the same tier first, so that something is learned of it. `lot` is drawn
    from 0..1, 1 excluded."""
    peers = peers_of(decision)
    if len(peers) < 2 or lot >= rate:
        return decision
    chosen = peers[1 + int(lot / rate * (len(peers) - 1))]
    ranked = [chosen, *(card for card in peers if card is not chosen)]
    return _with_peers(decision, ranked, f"exploring: {chosen.name} first")


def peers_of(decision: Decision) -> Sequence[ModelCard]:
    tier = decision.chain[0].tier
    if decision.score is None or tier is None:
        return ()
    count = next(
        (place for place, card in enumerate(decision.chain) if card.tier != tier), len(decision.chain)
    )
    return decision.chain[:count]


def _with_peers(decision: Decision, ranked: Sequence[ModelCard], rule: str) -> Decision:
    chain = (*ranked, *decision.chain[len(ranked) :])
    return decision._replace(chain=chain, rules=(*decision.rules, rule))
