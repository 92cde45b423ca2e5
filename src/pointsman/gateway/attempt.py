"""One attempt at one target: what it is sent, and its answer on the way to the caller. What becomes of a failure is
not decided here.

Nothing reaches the caller before there is content to give it: whatever a provider says before (that it begins, that
it is still there) is held back, so that a failure until then is nobody's business but ours.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from pointsman.core.errors import Forbidden, PointsmanError, Unauthorized, UpstreamError, UpstreamFault
from pointsman.core.ports import Answer, Incoming, Outgoing
from pointsman.core.request import Request
from pointsman.gateway.booking import AttemptBooking, Booking
from pointsman.gateway.call import Call, Credential
from pointsman.gateway.crossing import Crossing, Streamable
from pointsman.gateway.headers import answer_headers, told_by_provider
from pointsman.gateway.limits_told import limits_told
from pointsman.gateway.memory import Memory
from pointsman.gateway.relayed import SameDialect
from pointsman.gateway.target import Target
from pointsman.gateway.translated import Translated
from pointsman.gateway.warm_up import WarmUp
from pointsman.wire.dialect import ReplyContext
from pointsman.wire.envelope import Envelope

_REPLY_BYTES_MAX = 128 * 1024 * 1024
_ERROR_BYTES_MAX = 1024 * 1024


class Plan(NamedTuple):
    """One target, with what it would be sent. `own` is the caller's own key for it."""

    target: Target
    crossing: Crossing
    own: Credential | None
    outgoing: Outgoing


class Asked:
    """What the caller wants, on its way to one target after the other. The canonical request is decoded when the
    first target of another dialect asks for it."""

    def __init__(
        self, call: Call, envelope: Envelope, memory: Memory, deadline_at_s: float = math.inf
    ) -> None:
        self._call = call
        self._deadline_at_s = deadline_at_s
        self._envelope = envelope
        self._memory = memory
        self._request: Request | None = None

    def plan(self, target: Target) -> Plan:
        """Raises ClientError when this target cannot take it."""
        own = target.own_credential(self._call)
        crossing = self._cross(target)
        outgoing = target.outgoing(self._call, crossing.path, crossing.body, own)
        return self.hastened(Plan(target, crossing, own, outgoing))

    def hastened(self, plan: Plan) -> Plan:
        """The plan with what is left of the caller's time now."""
        if self._deadline_at_s == math.inf:
            return plan
        deadlines = plan.outgoing.deadlines
        total_s = min(deadlines.total_s, max(self.left_s(), 0.0))
        return plan._replace(outgoing=plan.outgoing._replace(deadlines=replace(deadlines, total_s=total_s)))

    def left_s(self) -> float:
        """Seconds until the caller's deadline."""
        return self._deadline_at_s - self._call.clock()

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


async def run_attempt(
    plan: Plan,
    envelope: Envelope,
    answer: Answer,
    booking: Booking,
    attempt: AttemptBooking,
    on_content: Callable[[], None],
) -> None:
    """Returns when the caller has a whole answer. Raises UpstreamError. `on_content` is called just before the first
    content goes to the caller."""
    incoming = await plan.target.send(plan.outgoing)
    try:
        attempt.status = incoming.status
        headers = incoming.headers
        if plan.own is not None and not plan.crossing.speaks_callers_dialect:
            call = booking.call
            headers = limits_told(headers, call.dialect.name, call.started_at_s + call.elapsed_ms() / 1000.0)
        attempt.told_by_provider = told_by_provider(headers, account_is_callers=plan.own is not None)
        if not 200 <= incoming.status < 300:
            raise await _refused(incoming, plan)
        if envelope.stream and isinstance(plan.crossing, Streamable):
            content_type = booking.call.dialect.stream_type(envelope)
            deadlines = plan.outgoing.deadlines
            warm_up = WarmUp(incoming, deadlines) if deadlines.pieces_per_s_min else None
            try:
                await _relay(
                    incoming, plan.crossing, answer, booking, attempt, content_type, on_content, warm_up
                )
            finally:
                if warm_up is not None:
                    warm_up.stop()
        else:
            out = plan.crossing.whole(await incoming.read(_REPLY_BYTES_MAX))
            on_content()
            booking.first_byte(attempt)
            booking.complete()
            answer.start(200, answer_headers(booking, b"application/json"), length=len(out))
            answer.write(out)
        answer.finish()
    finally:
        attempt.incoming = None  # it knows the attempt by what it delivers to
        answer.throttle(None)
        incoming.abort()


async def _relay(
    incoming: Incoming,
    crossing: Streamable,
    answer: Answer,
    booking: Booking,
    attempt: AttemptBooking,
    content_type: bytes,
    on_content: Callable[[], None],
    warm_up: WarmUp | None,
) -> None:
    piece, write = crossing.piece, answer.write

    def begin() -> None:
        incoming.expects_content = False
        on_content()
        booking.first_byte(attempt)
        if not answer.is_started:
            answer.start(200, answer_headers(booking, content_type))

    # Called for every piece of a stream: nothing stands here that need not.
    def deliver(data: bytes) -> None:
        out = piece(data)
        if out:
            if attempt.first_byte_ms is None:
                if warm_up is not None:
                    incoming.expects_content = False
                    out = warm_up.take(out)
                    if not out:
                        return
                begin()
            write(out)

    answer.throttle(incoming)
    attempt.incoming = incoming
    incoming.expects_content = True
    await incoming.pump(deliver)
    rest = crossing.end()
    if attempt.first_byte_ms is None:
        if warm_up is not None:
            rest = warm_up.release() + rest
        begin()
    write(rest)


def asking_patience(booking: Booking, content_type: bytes) -> Callable[[Answer], None]:
    """What tells a caller of a stream that somebody is still there. It is only said between two events: what a
    caller is given always ends with one. Which model will answer is a guess by then, and the head tells it. Who has the
    whole answer already is not asked for patience: a provider that says no more is not waited for."""

    def ask(answer: Answer) -> None:
        attempt = booking.answering
        if attempt is not None and attempt.crossing.is_finished:
            if attempt.incoming is not None:
                attempt.incoming.fail(UpstreamError(UpstreamFault.BROKEN, "it does not end behind its end"))
            return
        if not answer.is_started:
            booking.ask_patience()
            answer.start(200, answer_headers(booking, content_type))
        answer.write(booking.call.dialect.keepalive)

    return ask


async def _refused(incoming: Incoming, plan: Plan) -> UpstreamError:
    try:
        body = await incoming.read(_ERROR_BYTES_MAX)
    except UpstreamError:
        body = b""  # too large, or broken off: the status says enough
    body = plan.target.without_our_key(body)
    error = plan.target.dialect.decode_error(incoming.status, incoming.headers, body)
    if plan.own is not None and error.fault in _OF_ACCOUNT:
        error.body = body
    if not plan.crossing.speaks_callers_dialect:
        error.body = None  # words of another dialect
    return error


_OF_ACCOUNT = frozenset({UpstreamFault.AUTH, UpstreamFault.QUOTA})


def told_the_keys_owner(error: UpstreamError, plan: Plan, call: Call) -> PointsmanError:
    """The key was the caller's own, and so is the refusal. Whatever the failure, no other account is tried in
    its place: the caller chose whose account is used."""
    if error.fault not in _OF_ACCOUNT:
        return error
    if plan.target.dialect is call.dialect and error.body is not None:
        return UpstreamError(
            UpstreamFault.REJECTED, error.message, status=error.status, code=error.code, body=error.body
        )
    refusal = Forbidden if error.status == 403 else Unauthorized
    return refusal(f"{plan.target.provider.name} refused your key: {error.message}", code=error.code)
