"""Asks one target after the other until the caller has an answer: the loop around fleet.attempts, which says who is
asked, when, and when to give up. How one is asked stands in attempt.

The rule that holds it together: until the first content of an answer has reached the caller, a failure is not theirs
to know; after it, a failure is told to the caller and nothing is tried again. A caller of a stream who is kept
waiting is told so, and has then the head of an answer but nothing of one.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from random import random
from time import perf_counter

from pointsman.core.decision import Decision
from pointsman.core.errors import (
    OF_THE_REQUEST,
    ClientError,
    ExhaustedError,
    PointsmanError,
    Unavailable,
    UpstreamError,
    UpstreamFault,
)
from pointsman.core.model_card import ModelCard
from pointsman.core.ports import Answer
from pointsman.fleet.attempts import Attempts, GiveUp, RetryPolicy, Try, Wait
from pointsman.fleet.consent import Ceilings
from pointsman.fleet.lease import Closed
from pointsman.fleet.pool import Fleet
from pointsman.fleet.retry_budget import RetryBudget
from pointsman.fleet.terms import NO_TERMS, Crowding, Terms
from pointsman.gateway.attempt import Asked, Plan, asking_patience, run_attempt, told_the_keys_owner
from pointsman.gateway.booking import Booking
from pointsman.gateway.call import Call
from pointsman.gateway.crossing import Crossing
from pointsman.gateway.elsewhere import Keepers
from pointsman.gateway.hedge import Hedging, Lane, Race
from pointsman.gateway.homes import Staying
from pointsman.gateway.memory import Memory
from pointsman.gateway.slots import SHUTTING_DOWN, crowding, enter_all
from pointsman.gateway.target import Target
from pointsman.gateway.whereabouts import Whereabouts
from pointsman.gateway.wishes import NO_WISHES, Wishes
from pointsman.wire.envelope import Envelope
from pointsman.wire.openai_responses import OPENAI_RESPONSES

log = logging.getLogger("pointsman.gateway")

_FAILED = "request %s: %s at %s failed: %s (status %s)"


class Dispatch:
    """`targets` by backend. `staying` is about models with several of them, None where there is no such model."""

    def __init__(
        self,
        targets: Mapping[str, Target],
        memory: Memory,
        fleet: Fleet,
        policy: RetryPolicy,
        budget: RetryBudget,
        ceilings: Ceilings | None = None,
        hedging: Hedging | None = None,
        staying: Staying | None = None,
    ) -> None:
        self._targets = targets
        self.memory = memory
        self.keepers = Keepers(memory.elsewhere, targets, perf_counter)
        self._fleet = fleet
        self._policy = policy
        self._budget = budget
        self._ceilings = ceilings
        self._hedging = hedging
        self._staying = staying
        self._is_limited = any(target.slots for target in targets.values())
        self._takes_keys = any(target.provider.pass_through_caller_key for target in targets.values())

    async def run(
        self,
        call: Call,
        envelope: Envelope,
        decision: Decision,
        answer: Answer,
        booking: Booking,
        wishes: Wishes = NO_WISHES,
    ) -> None:
        """Returns when the caller has an answer, whole or broken off in its own dialect. Raises what the
        caller must be told when nothing has been sent yet."""
        refusal: ClientError | Unavailable | None = None
        deadline_at_s = call.started_clock_s + wishes.deadline_s
        asked = Asked(call, envelope, self.memory, deadline_at_s)
        if envelope.stream:
            answer.when_silent(asking_patience(booking, call.dialect.stream_type(envelope)))
        chain: Sequence[ModelCard] = decision.chain
        if self._is_limited:
            chain = self._free_first(chain, call.clock())
        where = None  # as for most requests, which are at home nowhere
        if call.operation is None and (self._staying is not None or call.dialect is OPENAI_RESPONSES):
            where = self._whereabouts(call, envelope, answer, chain, booking)
        if where is not None:
            answer, chain = where.answer, where.chain
        withhold = None if self._ceilings is None else self._ceilings.watch(decision.card, wishes.consents)
        terms = self._terms(call, chain, where)
        attempts = Attempts(chain, self._fleet, self._policy, self._budget, deadline_at_s, withhold, terms)
        hedging = self._hedging
        while True:
            step = attempts.next(call.clock())
            if isinstance(step, Wait):
                await asyncio.sleep(step.seconds)
            elif isinstance(step, GiveUp):
                raise _given_up(step, refusal, call.clock())
            else:
                target = self._targets[step.lease.backend]
                try:
                    plan = asked.plan(target.for_caller(call.dialect))
                    if target.slots and await enter_all(target.slots, asked.left_s):
                        plan = asked.hastened(plan)
                except (ClientError, Unavailable) as error:
                    refusal = refusal or error  # the next target may be able to take it
                    attempts.unfit(step, call.clock())
                    continue
                except BaseException:
                    attempts.abandoned(step, call.clock())
                    raise
                try:
                    delay_s = None
                    if hedging is not None and plan.own is None:
                        delay_s, hedging = hedging.delay_s(decision), None  # not for what is tried after it
                    if delay_s is None:
                        done = await _is_answered(step, plan, attempts, envelope, answer, booking)
                    else:
                        done = await self._hedged(
                            step, plan, attempts, asked, envelope, answer, booking, delay_s
                        )
                    if done:
                        return
                finally:
                    for entered in target.slots:
                        entered.leave()
                    if where is not None and attempts.answered_by is not None:
                        backend, is_theirs = attempts.answered_by, plan.own is not None
                        where.answered(self.memory, self._targets, backend, is_theirs=is_theirs)

    def _whereabouts(
        self, call: Call, envelope: Envelope, answer: Answer, chain: Sequence[ModelCard], booking: Booking
    ) -> Whereabouts | None:
        return Whereabouts.of(
            call,
            envelope,
            answer,
            chain,
            memory=self.memory,
            targets=self._targets,
            backends_of=self._fleet.backends_of,
            staying=self._staying,
            is_pinned=booking.is_pinned,
        )

    async def _hedged(
        self,
        step: Try,
        plan: Plan,
        attempts: Attempts,
        asked: Asked,
        envelope: Envelope,
        answer: Answer,
        booking: Booking,
        delay_s: float,
    ) -> bool:
        """Asks one target, and when it has been silent for a while the next one beside it. False if all that were asked
        failed and nobody noticed."""
        call = booking.call
        assert self._hedging is not None
        budget = self._hedging.budget
        budget.earn()

        async def first(lane: Lane) -> bool:
            return await _is_answered(step, plan, attempts, envelope, lane, booking)

        async def second(lane: Lane) -> bool:
            # All of it here, within the task: one that is stopped before it begins then holds nothing.
            other = attempts.next(call.clock()) if budget.take() else None
            if not isinstance(other, Try):
                return False
            target = self._targets[other.lease.backend]
            try:
                beside = asked.plan(target.for_caller(call.dialect))
            except ClientError:
                attempts.unfit(other, call.clock())
                return False
            if beside.own is not None or any(slots.is_full for slots in target.slots):
                attempts.unfit(other, call.clock())
                return False
            for slots in target.slots:
                slots.try_enter()
            try:
                return await _is_answered(other, beside, attempts, envelope, lane, booking)
            finally:
                for entered in target.slots:
                    entered.leave()

        before = len(booking.attempts)
        try:
            return await Race(answer).run(first, delay_s, second)
        finally:
            attempts.abandoned(step, call.clock())  # if it was stopped before it began
            booking.beside(booking.attempts[before:])

    def _terms(self, call: Call, chain: Sequence[ModelCard], where: Whereabouts | None) -> Terms:
        terms = NO_TERMS if where is None else Terms(home=where.home)
        if self._is_limited:
            terms = terms._replace(crowding=self._crowding)
        if call.credentials and self._takes_keys:
            backends = (backend for card in chain for backend in self._fleet.backends_of(card.name))
            own = (backend for backend in backends if self._is_asked_with_own_key(backend, call))
            terms = terms._replace(own=frozenset(own))
        return terms

    def _is_asked_with_own_key(self, backend: str, call: Call) -> bool:
        return self._targets[backend].for_caller(call.dialect).own_credential(call) is not None

    def _crowding(self, backend: str) -> Crowding:
        return crowding(self._targets[backend].slots)

    def _free_first(self, chain: Sequence[ModelCard], now_s: float) -> list[ModelCard]:
        """A model that is full now is left for when no other can answer: then there is a queue before it. That there would
        be room where no call goes helps nobody."""

        def is_full(card: ModelCard) -> bool:
            open_now = self._fleet.open_backends(card.name, now_s)
            return bool(open_now) and all(self._crowding(backend) for backend in open_now)

        return sorted(chain, key=is_full)


async def _is_answered(
    step: Try, plan: Plan, attempts: Attempts, envelope: Envelope, answer: Answer, booking: Booking
) -> bool:
    """Asks one target. False if it failed and nobody noticed."""
    call, crossing = booking.call, plan.crossing
    attempt = booking.begin_attempt(plan.target.card, crossing)

    def on_content() -> None:
        if isinstance(answer, Lane):
            answer.claim()
        attempts.first_content(step, call.clock())

    try:
        await run_attempt(plan, envelope, answer, booking, attempt, on_content)
    except UpstreamError as error:
        has_begun = attempt.first_byte_ms is not None
        if has_begun and crossing.is_finished:
            answer.finish()
        else:
            attempt.fail(error, partial=has_begun)
            if error.fault not in OF_THE_REQUEST:  # else it is the caller's to mend, not the operator's
                log.warning(
                    _FAILED, call.request_id, step.card.name, step.card.provider, error.fault, error.status
                )
            attempts.failed(step, error, call.clock(), random(), counts=plan.own is None)  # noqa: S311
            if has_begun:
                _break(call, crossing, answer, booking, error)
                return True
            if plan.own is not None:
                raise told_the_keys_owner(error, plan, call) from None
            return False
    except BaseException as error:
        has_begun = attempt.first_byte_ms is not None
        # Many clients leave as soon as they have read the reply's end.
        if crossing.is_finished and has_begun:
            attempt.end("complete")
            booking.complete()
        elif isinstance(error, asyncio.CancelledError):
            attempt.end("cancelled")
        attempts.abandoned(step, call.clock())
        if has_begun and not answer.disconnected:
            _cut(call, crossing, answer, error)
        raise
    attempt.end("complete")
    booking.complete()
    attempts.succeeded(step, call.clock(), attempt.first_byte_s)
    return True


def _given_up(end: GiveUp, refusal: ClientError | Unavailable | None, now_s: float) -> PointsmanError:
    """What the caller is told when nobody answered."""
    closed = [(name, _not_asked(each, now_s)) for name, each in end.closed]
    failures = [*end.failures, *closed]
    if len(failures) == 1 and not end.withheld:
        return failures[0][1]
    if failures:
        return ExhaustedError(failures, end.withheld)
    if refusal is not None:
        return refusal
    return UpstreamError(UpstreamFault.TIMED_OUT, "the request's deadline passed", code="deadline_passed")


def _not_asked(closed: Closed, now_s: float) -> UpstreamError:
    """A target that takes no call now."""
    wait_s = None if closed.retry_at_s is None else max(closed.retry_at_s - now_s, 0.0)
    return UpstreamError(UpstreamFault.OVERLOADED, closed.why, code="no_target", retry_after_s=wait_s)


def _break(call: Call, crossing: Crossing, answer: Answer, booking: Booking, error: UpstreamError) -> None:
    """The caller has part of an answer: say in its dialect that the rest will not come."""
    booking.break_off(error)
    answer.write(crossing.last_words(error, call.request_id))
    answer.finish()


def _cut(call: Call, crossing: Crossing, answer: Answer, cause: BaseException) -> None:
    """The same where this gateway itself ends the work. Without its last chunk no answer looks whole."""
    if crossing.is_finished:
        answer.finish()
        return
    error = (
        Unavailable(SHUTTING_DOWN)
        if isinstance(cause, asyncio.CancelledError)
        else PointsmanError("internal error")
    )
    with suppress(Exception):  # what failed may be what writes them
        answer.write(crossing.last_words(error, call.request_id))
    answer.break_off()
