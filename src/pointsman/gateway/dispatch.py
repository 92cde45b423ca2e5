"""Sends a decided request to its models in order until one answers, and hands the answer to the caller.

The rule that holds it together: until the first byte of an answer has reached the caller, a failure only means the
next model; after it, a failure is told to the caller and nothing is tried again. A caller of a stream who is kept
waiting is told so, and has then the head of an answer but nothing of one.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from pointsman.core.decision import Decision
from pointsman.core.errors import (
    ClientError,
    ExhaustedError,
    Forbidden,
    PointsmanError,
    Unauthorized,
    Unavailable,
    UpstreamError,
    UpstreamFault,
)
from pointsman.core.model_card import ModelCard
from pointsman.core.ports import Answer, Incoming, Outgoing
from pointsman.core.request import Request
from pointsman.gateway.booking import AttemptBooking, Booking
from pointsman.gateway.call import Call, Credential
from pointsman.gateway.crossing import Crossing, SameDialect, Streamable, Translated
from pointsman.gateway.headers import answer_headers, told_by_provider
from pointsman.gateway.memory import Memory
from pointsman.gateway.slots import enter_all
from pointsman.gateway.target import Target
from pointsman.wire.dialect import ReplyContext
from pointsman.wire.envelope import Envelope

log = logging.getLogger("pointsman.gateway")

ATTEMPTS_MAX = 2
"""The choice, and one retry on the next model of the order."""

_FAILED = "request %s: %s at %s failed: %s (status %s)"
_REPLY_BYTES_MAX = 128 * 1024 * 1024
_ERROR_BYTES_MAX = 1024 * 1024


class _Plan(NamedTuple):
    """One model, with what it would be sent. `own` is the caller's own key for it."""

    target: Target
    crossing: Crossing
    own: Credential | None
    outgoing: Outgoing


class Dispatch:
    """`targets` by model name."""

    def __init__(self, targets: Mapping[str, Target], memory: Memory) -> None:
        self._targets = targets
        self._memory = memory
        self._is_limited = any(target.slots for target in targets.values())

    async def run(
        self, call: Call, envelope: Envelope, decision: Decision, answer: Answer, booking: Booking
    ) -> None:
        """Returns when the caller has an answer, whole or broken off in its own dialect. Raises what the
        caller must be told when nothing has been sent yet."""
        failures: list[tuple[str, UpstreamError]] = []
        refusal: ClientError | Unavailable | None = None
        asked = _Asked(call, envelope, self._memory)
        if envelope.stream:
            answer.when_silent(_asking_patience(booking, call.dialect.stream_type(envelope)))
        for card in self._free_first(decision.chain) if self._is_limited else decision.chain:
            slots = self._targets[card.name].slots
            try:
                plan = asked.plan(self._targets[card.name].for_caller(call.dialect))
                if slots:
                    await enter_all(slots)
            except (ClientError, Unavailable) as error:
                refusal = refusal or error  # the next model may be able to take it
                continue
            attempt = booking.begin_attempt(card, plan.crossing)
            try:
                await _attempt(plan, envelope, answer, booking, attempt)
            except UpstreamError as error:
                if plan.crossing.is_finished:
                    attempt.end("complete")
                    booking.complete()
                    answer.finish()
                    return
                has_begun = booking.first_byte_ms is not None
                attempt.fail(error, partial=has_begun)
                if error.may_try_elsewhere:  # else it is the caller's to mend, not the operator's
                    log.warning(_FAILED, call.request_id, card.name, card.provider, error.fault, error.status)
                if has_begun:
                    _break(call, plan.crossing, answer, booking, error)
                    return
                if plan.own is not None:
                    raise _told_the_keys_owner(error, plan, call) from None
                failures.append((card.name, error))
                if not error.may_try_elsewhere or len(failures) == ATTEMPTS_MAX:
                    break
            except asyncio.CancelledError:
                # Many clients leave as soon as they have read the reply's end.
                if plan.crossing.is_finished and booking.first_byte_ms is not None:
                    attempt.end("complete")
                    booking.complete()
                else:
                    attempt.end("cancelled")
                raise
            else:
                return
            finally:
                for entered in slots:
                    entered.leave()
        if len(failures) == 1:
            raise failures[0][1]
        if failures:
            raise ExhaustedError(failures)
        assert refusal is not None
        raise refusal

    def _free_first(self, chain: Sequence[ModelCard]) -> list[ModelCard]:
        """A model that is full now is left for when no other can answer: then there is a queue before it."""
        return sorted(chain, key=lambda card: any(slots.is_full for slots in self._targets[card.name].slots))


class _Asked:
    """What the caller wants, on its way to one model after the other. The canonical request is decoded when the
    first target of another dialect asks for it."""

    def __init__(self, call: Call, envelope: Envelope, memory: Memory) -> None:
        self._call = call
        self._envelope = envelope
        self._memory = memory
        self._request: Request | None = None

    def plan(self, target: Target) -> _Plan:
        """Raises ClientError when this model cannot take it."""
        own = target.own_credential(self._call)
        crossing = self._cross(target)
        return _Plan(target, crossing, own, target.outgoing(self._call, crossing.path, crossing.body, own))

    def _cross(self, target: Target) -> Crossing:
        call, envelope, card = self._call, self._envelope, target.card
        context = ReplyContext(call.request_id, card.id, int(call.started_at_s), envelope=envelope)
        tell_usage = target.provider.include_stream_usage
        if call.operation is not None:
            return call.operation.cross(envelope, card, target.dialect, context, tell_usage=tell_usage)
        if target.dialect is call.dialect:
            return SameDialect(call.dialect, envelope, card, context, tell_usage=tell_usage)
        if self._request is None:
            self._request = self._memory.seals.recalled(call.dialect.decode_request(envelope))
        context = context._replace(stream_usage=self._request.stream_usage)
        keep = self._memory.conversations.keeper(call)
        return Translated(
            call.dialect, target.dialect, self._request, card, context, self._memory.seals, keep
        )


async def _attempt(
    plan: _Plan, envelope: Envelope, answer: Answer, booking: Booking, attempt: AttemptBooking
) -> None:
    incoming = await plan.target.send(plan.outgoing)
    try:
        attempt.status = incoming.status
        attempt.told_by_provider = told_by_provider(
            incoming.headers,
            account_is_callers=plan.own is not None and plan.crossing.speaks_callers_dialect,
        )
        if not 200 <= incoming.status < 300:
            raise await _refused(incoming, plan)
        if envelope.stream and isinstance(plan.crossing, Streamable):
            await _relay(incoming, plan.crossing, answer, booking, booking.call.dialect.stream_type(envelope))
        else:
            out = plan.crossing.whole(await incoming.read(_REPLY_BYTES_MAX))
            booking.first_byte()
            answer.start(200, answer_headers(booking, b"application/json"), length=len(out))
            answer.write(out)
        answer.finish()
    finally:
        answer.throttle(None)
        incoming.abort()
    attempt.end("complete")
    booking.complete()


async def _relay(
    incoming: Incoming, crossing: Streamable, answer: Answer, booking: Booking, content_type: bytes
) -> None:
    def write(out: bytes) -> None:
        if booking.first_byte_ms is None:
            booking.first_byte()
            if not answer.is_started:
                answer.start(200, answer_headers(booking, content_type))
        answer.write(out)

    def deliver(data: bytes) -> None:
        out = crossing.piece(data)
        if out:
            write(out)

    answer.throttle(incoming)
    await incoming.pump(deliver)
    write(crossing.end())


def _asking_patience(booking: Booking, content_type: bytes) -> Callable[[Answer], None]:
    """What tells a caller of a stream that somebody is still there. It is only said between two events: what a
    caller is given always ends with one. Which model will answer is a guess by then, and the head tells it."""

    def ask(answer: Answer) -> None:
        if not answer.is_started:
            booking.ask_patience()
            answer.start(200, answer_headers(booking, content_type))
        answer.write(booking.call.dialect.keepalive)

    return ask


async def _refused(incoming: Incoming, plan: _Plan) -> UpstreamError:
    try:
        body = await incoming.read(_ERROR_BYTES_MAX)
    except UpstreamError:
        body = b""  # too large, or broken off: the status says enough
    body = plan.target.without_our_key(body)
    error = plan.target.dialect.decode_error(incoming.status, incoming.headers, body)
    if plan.own is not None and error.fault is UpstreamFault.AUTH:
        error.body = body
    return error


def _told_the_keys_owner(error: UpstreamError, plan: _Plan, call: Call) -> PointsmanError:
    """The key was the caller's own, and so is the refusal. Whatever the failure, no other account is tried in
    its place: the caller chose whose account is used."""
    if error.fault is not UpstreamFault.AUTH:
        return error
    if plan.target.dialect is call.dialect and error.body is not None:
        return UpstreamError(
            UpstreamFault.REJECTED, error.message, status=error.status, code=error.code, body=error.body
        )
    refusal = Forbidden if error.status == 403 else Unauthorized
    return refusal(f"{plan.target.provider.name} refused your key: {error.message}", code=error.code)


def _break(call: Call, crossing: Crossing, answer: Answer, booking: Booking, error: UpstreamError) -> None:
    """The caller has part of an answer: say in its dialect that the rest will not come."""
    booking.break_off(error)
    answer.write(crossing.last_words(error, call.request_id))
    answer.finish()
