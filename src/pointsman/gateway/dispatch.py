"""Sends a decided request to its models in order until one answers, and hands the answer to the caller.

The rule that holds it together: until the first byte has reached the caller, a failure only means the next
model; after it, a failure is told to the caller and nothing is tried again.
"""

from collections.abc import Mapping

from pointsman.core.decision import Decision
from pointsman.core.errors import ExhaustedError, Unsupported, UpstreamError, UpstreamFault
from pointsman.core.ports import Answer, HeaderList, Incoming
from pointsman.core.request import Request
from pointsman.gateway.booking import Booking
from pointsman.gateway.call import Call
from pointsman.gateway.crossing import Crossing, SameDialect, Translated
from pointsman.gateway.headers import answer_headers
from pointsman.gateway.target import Target
from pointsman.wire.dialect import ReplyContext
from pointsman.wire.envelope import Envelope

ATTEMPTS_MAX = 2
"""The choice, and one retry on the next model of the order."""

_REPLY_BYTES_MAX = 128 * 1024 * 1024
_ERROR_BYTES_MAX = 1024 * 1024


class Dispatch:
    """`targets` by model name."""

    def __init__(self, targets: Mapping[str, Target]) -> None:
        self._targets = targets

    async def run(
        self, call: Call, envelope: Envelope, decision: Decision, answer: Answer, booking: Booking
    ) -> None:
        """Returns when the caller has an answer, whole or broken off in its own dialect. Raises what the
        caller must be told when nothing has been sent yet."""
        failures: list[tuple[str, UpstreamError]] = []
        refusal: Unsupported | None = None
        request = _Once(call, envelope)
        for card in decision.chain:
            target = self._targets[card.name]
            try:
                crossing = _cross(call, envelope, request, target)
            except Unsupported as error:
                refusal = refusal or error  # the next model may speak a dialect that can say it
                continue
            own = target.own_credential(call)
            outgoing = target.outgoing(call, crossing.body, own)
            attempt = booking.begin_attempt(card, crossing)
            try:
                incoming = await target.send(outgoing)
                try:
                    attempt.status = incoming.status
                    await _deliver(incoming, target, envelope, crossing, answer, booking)
                finally:
                    answer.throttle(None)
                    incoming.abort()
                attempt.end("complete")
                return
            except UpstreamError as error:
                attempt.fail(error, partial=answer.is_started)
                if answer.is_started:
                    _break(call, answer, booking, error)
                    return
                if own is not None and error.fault is UpstreamFault.AUTH:
                    # The key is the caller's, and so is the refusal.
                    raise _as_rejected(error) from None
                failures.append((card.name, error))
                if not error.may_try_elsewhere or own is not None or len(failures) == ATTEMPTS_MAX:
                    break
            except BaseException:
                attempt.end("cancelled")
                raise
        if len(failures) == 1:
            raise failures[0][1]
        if failures:
            raise ExhaustedError(failures)
        assert refusal is not None
        raise refusal


class _Once:
    """The canonical request, decoded when the first target of another dialect asks for it."""

    def __init__(self, call: Call, envelope: Envelope) -> None:
        self._call = call
        self._envelope = envelope
        self._request: Request | None = None

    def get(self) -> Request:
        if self._request is None:
            self._request = self._call.dialect.decode_request(self._envelope)
        return self._request


def _cross(call: Call, envelope: Envelope, request: _Once, target: Target) -> Crossing:
    if target.dialect is call.dialect:
        context = ReplyContext(call.request_id, target.card.id, int(call.started_at_s))
        return SameDialect(call.dialect, envelope, target.card, context)
    decoded = request.get()
    context = ReplyContext(
        call.request_id, target.card.id, int(call.started_at_s), stream_usage=decoded.stream_usage
    )
    return Translated(call.dialect, target.dialect, decoded, target.card, context)


async def _deliver(
    incoming: Incoming,
    target: Target,
    envelope: Envelope,
    crossing: Crossing,
    answer: Answer,
    booking: Booking,
) -> None:
    if not 200 <= incoming.status < 300:
        body = await incoming.read(_ERROR_BYTES_MAX)
        raise target.dialect.decode_error(incoming.status, incoming.headers, body)
    kind = _content_type(incoming.headers)
    if not envelope.stream:
        out = crossing.whole(await incoming.read(_REPLY_BYTES_MAX))
        booking.first_byte()
        answer.start(200, answer_headers(booking, b"application/json"), length=len(out))
        answer.write(out)
    elif kind == b"application/json":
        out = crossing.whole_as_stream(await incoming.read(_REPLY_BYTES_MAX))
        booking.first_byte()
        answer.start(200, answer_headers(booking, b"text/event-stream"))
        answer.write(out)
    elif kind == b"text/html":
        raise UpstreamError(UpstreamFault.BAD_REPLY, "answered with a web page", status=incoming.status)
    else:

        def deliver(data: bytes) -> None:
            out = crossing.piece(data)
            if out:
                if not answer.is_started:
                    booking.first_byte()
                    answer.start(200, answer_headers(booking, b"text/event-stream"))
                answer.write(out)

        answer.throttle(incoming)
        await incoming.pump(deliver)
        rest = crossing.end()
        if not answer.is_started:
            booking.first_byte()
            answer.start(200, answer_headers(booking, b"text/event-stream"))
        answer.write(rest)
    booking.outcome = "complete"
    answer.finish()


def _content_type(headers: HeaderList) -> bytes:
    for name, value in headers:
        if name == b"content-type":
            return value.partition(b";")[0].strip().lower()
    return b""


def _break(call: Call, answer: Answer, booking: Booking, error: UpstreamError) -> None:
    """The caller has part of an answer: say in its dialect that the rest will not come."""
    booking.outcome = "partial"
    booking.fault = error.fault
    answer.write(call.dialect.encode_stream_error(error, call.request_id))
    answer.finish()


def _as_rejected(error: UpstreamError) -> UpstreamError:
    return UpstreamError(
        UpstreamFault.REJECTED,
        error.message,
        status=error.status,
        code=error.code,
        param=error.param,
        body=error.body,
        headers=error.headers,
    )
