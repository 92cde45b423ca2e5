"""Who is asked next, when, and when to give up: the retries and fallbacks of one request as a state machine. It sends
nothing, sleeps nowhere and knows no clock; what to do about each failure stands in remedies.

    next -> Try    ask this target; then exactly one of failed, succeeded, abandoned, unfit
         -> Wait   ask again after so many seconds
         -> GiveUp nobody is left

    first round   each target of the chain once (each of its backends), in order, at once
    second round  those that may be asked again, the one whose pause ends first
    first_content the caller has part of an answer: from here on there is no next
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from pointsman.core.errors import OF_THE_ACCOUNT, UpstreamError, UpstreamFault, Withheld
from pointsman.core.model_card import ModelCard
from pointsman.fleet.lease import Closed, Lease, Verdict
from pointsman.fleet.pool import Fleet
from pointsman.fleet.remedies import DEFAULT_REMEDIES, Remedies, Remedy, outcome_of
from pointsman.fleet.retry_budget import RetryBudget
from pointsman.fleet.terms import NO_TERMS, Terms

_OF_THEIR_ACCOUNT = OF_THE_ACCOUNT | {UpstreamFault.NO_SUCH_MODEL}
"""What a provider says of whoever's key it was sent; not every account has every model."""

_GRAIN_S = 0.01
"""A call that is cut at the request's deadline comes back some milliseconds before it: two clocks, one of which counts in
whole ones. Nobody could answer in what is left."""

_COOLING_S = 2.0
"""A backend that takes calls again so soon is waited for once; a longer pause is no caller's to wait."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """`per_target` is how often one target is asked again, `attempts_max` how often anybody is asked for one request.
    The pause before a retry doubles from `backoff_s` up to `backoff_max_s`. A provider that wants a longer pause than
    `retry_after_max_s` is not asked again for this request."""

    per_target: int = 1
    attempts_max: int = 4
    backoff_s: float = 0.25
    backoff_max_s: float = 8.0
    retry_after_max_s: float = 10.0
    remedies: Remedies = field(default_factory=lambda: DEFAULT_REMEDIES)

    def pause_s(self, tries: int, retry_after_s: float | None, random: float) -> float | None:
        """Before a target is asked again that has failed `tries` times; None if it is not. `random`, 0 to 1, spreads
        those who failed together: half of the pause is its to move."""
        grown = min(self.backoff_s * 2.0 ** (tries - 1), self.backoff_max_s)
        pause = grown * (0.5 + 0.5 * random)
        if retry_after_s is None:
            return pause
        if retry_after_s > self.retry_after_max_s:
            return None
        return max(pause, retry_after_s + pause * random)  # never sooner than we were told


class Try(NamedTuple):
    """`card` is the target, `lease` says where it is asked."""

    card: ModelCard
    lease: Lease


class Wait(NamedTuple):
    seconds: float


class GiveUp(NamedTuple):
    """`failures` and `closed` are by target, in order; `withheld` those that a ceiling kept
    from being asked. All may be empty: no target could take the request."""

    failures: tuple[tuple[str, UpstreamError], ...]
    closed: tuple[tuple[str, Closed], ...]
    withheld: tuple[Withheld, ...] = ()


class _Later(NamedTuple):
    """A target that may be asked again from `ready_at_s` on. For the last time: its backend cooled when it was to be
    asked before."""

    ready_at_s: float
    card: ModelCard
    is_last: bool = False


class Attempts:
    """One request's. `chain` is never empty. From `deadline_at_s` on nobody is asked, or waited for. `withhold` names the
    ceiling that keeps a target from being asked, None for those that may be. `answered_by` is the backend whose answer
    has begun to reach the caller."""

    # What a request that succeeds at once leaves as it is stands here: setting it for each would cost time.
    answered_by: str | None = None
    _place = 0
    _asked = 0
    _is_over = False
    _over_tokens = 0
    _granted: _Later | None = None
    _avoid: tuple[str, ...] = ()
    _tried: tuple[str, ...] = ()
    _again: tuple[_Later, ...] = ()
    _failures: tuple[tuple[str, UpstreamError], ...] = ()
    _closed: tuple[tuple[str, Closed], ...] = ()
    _withheld: tuple[Withheld, ...] = ()

    def __init__(
        self,
        chain: Sequence[ModelCard],
        fleet: Fleet,
        policy: RetryPolicy,
        budget: RetryBudget,
        deadline_at_s: float = math.inf,
        withhold: Callable[[ModelCard], str | None] | None = None,
        terms: Terms = NO_TERMS,
    ) -> None:
        self._chain = chain
        self._fleet = fleet
        self._policy = policy
        self._budget = budget
        self._deadline_at_s = deadline_at_s - _GRAIN_S
        self._withhold = withhold
        self._terms = terms
        budget.earn()

    def next(self, now_s: float) -> Try | Wait | GiveUp:
        if self._is_over or self._asked >= self._policy.attempts_max or now_s >= self._deadline_at_s:
            return self._give_up()
        chain = self._chain
        while self._place < len(chain):
            card = chain[self._place]
            if self._may_hold(card) and not self._is_withheld(card):
                found = self._lease(card, now_s, self._avoid, self._terms)
                if isinstance(found, Try):
                    return found
                if card.name not in self._tried:
                    self._closed += ((card.name, found),)
            self._place += 1
        return self._retry(now_s)

    def failed(
        self, tried: Try, error: UpstreamError, now_s: float, random: float, *, counts: bool = True
    ) -> None:
        """`random` is a number from 0 to 1. It does not `counts` where the key was the caller's own: what is wrong with
        that account says nothing about the backend, though that it is down does."""
        counts = (counts or error.fault not in _OF_THEIR_ACCOUNT) and now_s < self._deadline_at_s
        counts = counts and not error.is_slip
        verdict = error.fault if counts else Verdict.NEUTRAL
        self._fleet.settle(tried.lease, verdict, now_s, retry_after_s=error.retry_after_s)
        self._failures += ((tried.card.name, error),)
        remedy = self._policy.remedies[outcome_of(error)]
        if remedy is Remedy.STOP:
            self._is_over = True
        elif remedy is Remedy.LARGER:
            self._over_tokens = max(self._over_tokens, tried.card.context_tokens or 0)
            self._pass_over(tried.card)
        elif remedy is Remedy.RETRY:
            self._ask_later(tried.card, error, now_s, random)

    def first_content(self, tried: Try, now_s: float) -> None:
        """The caller has part of its answer now."""
        self._is_over = True
        self.answered_by = tried.lease.backend
        self._fleet.answered(tried.lease, now_s)

    def succeeded(self, tried: Try, now_s: float, first_byte_s: float | None = None) -> None:
        self._is_over = True
        self._fleet.settle(tried.lease, Verdict.OK, now_s, first_byte_s)

    def abandoned(self, tried: Try, now_s: float) -> None:
        """It was stopped from our side, and nobody knows how it would have ended."""
        self._fleet.settle(tried.lease, Verdict.NEUTRAL, now_s)

    def unfit(self, tried: Try, now_s: float) -> None:
        """The request cannot be said to this target at all: nothing was sent."""
        self._fleet.settle(tried.lease, Verdict.NEUTRAL, now_s)
        self._asked -= 1
        self._pass_over(tried.card)

    # inside

    def _may_hold(self, card: ModelCard) -> bool:
        return not self._over_tokens or card.context_tokens is None or card.context_tokens > self._over_tokens

    def _is_withheld(self, card: ModelCard) -> bool:
        ceiling = None if self._withhold is None else self._withhold(card)
        if ceiling is None:
            return False
        self._withheld += (Withheld(card.name, ceiling),)
        return True

    def _lease(self, card: ModelCard, now_s: float, avoid: Sequence[str], terms: Terms) -> Try | Closed:
        lease = self._fleet.pick(card.name, now_s, avoid, terms)
        if isinstance(lease, Closed):
            return lease
        self._asked += 1
        self._avoid += (lease.backend,)
        self._tried += (card.name,)
        return Try(card, lease)

    def _pass_over(self, card: ModelCard) -> None:
        """None of its other backends is asked either."""
        if self._place < len(self._chain) and self._chain[self._place] is card:
            self._place += 1

    def _ask_later(self, card: ModelCard, error: UpstreamError, now_s: float, random: float) -> None:
        policy = self._policy
        tries = sum(name == card.name for name, _ in self._failures)
        if tries > policy.per_target:
            return
        pause_s = policy.pause_s(tries, error.retry_after_s, random)
        if pause_s is not None:
            self._again += (_Later(now_s + pause_s, card),)

    def _retry(self, now_s: float) -> Try | Wait | GiveUp:
        while self._again:
            later = min(self._again, key=lambda each: each.ready_at_s)
            if later is not self._granted:
                if later.ready_at_s >= self._deadline_at_s or not self._budget.take():
                    return self._give_up()
                self._granted = later
            if later.ready_at_s > now_s:
                return Wait(later.ready_at_s - now_s)
            self._again = tuple(each for each in self._again if each is not later)
            # A conversation's home has failed it by now.
            found = self._lease(later.card, now_s, (), self._terms._replace(home=None))
            if isinstance(found, Try):
                return found
            ready_at_s = found.retry_at_s
            if not later.is_last and ready_at_s is not None and ready_at_s - now_s <= _COOLING_S:
                self._granted = _Later(ready_at_s, later.card, is_last=True)
                self._again += (self._granted,)
        return self._give_up()

    def _give_up(self) -> GiveUp:
        return GiveUp(self._failures, self._closed, self._withheld)
