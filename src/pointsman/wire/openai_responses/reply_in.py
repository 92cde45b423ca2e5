"""OpenAI responses: what a provider answers, whole or as a stream, as events. It writes nothing; the items of an answer
are read by reply_items."""

from collections.abc import Mapping

import msgspec

from pointsman.core.errors import UpstreamError, UpstreamFault
from pointsman.core.events import (
    Failed,
    Finished,
    FinishReason,
    ReplyEvent,
    ReplyStarted,
    UsageReported,
    end_with,
)
from pointsman.wire.json_bytes import NOT_JSON
from pointsman.wire.openai_errors import error_instead_of_reply, error_within_reply
from pointsman.wire.openai_responses.reply_items import Reading, bad_reply
from pointsman.wire.openai_responses.shapes import (
    Event,
    Response,
    decode_any,
    decode_event,
    decode_kind,
    decode_response,
)
from pointsman.wire.sse import SseReader

_READ_EVENTS = frozenset(
    (
        "response.created",
        "response.output_item.added",
        "response.output_item.done",
        "response.output_text.delta",
        "response.output_text.annotation.added",
        "response.refusal.delta",
        "response.reasoning_summary_text.delta",
        "response.reasoning_text.delta",
        "response.function_call_arguments.delta",
        "response.custom_tool_call_input.delta",
        "response.completed",
        "response.incomplete",
        "response.failed",
        "error",
    )
)
_FAILURES = frozenset(("failed", "cancelled"))
_UNFINISHED = frozenset(("queued", "in_progress"))
_REASONS: Mapping[str, FinishReason] = {
    "max_output_tokens": "length",
    "max_tokens": "length",
    "content_filter": "content_filter",
}


def decode_reply(body: bytes, maker: str) -> list[ReplyEvent]:
    try:
        response = decode_response(body)
        _check_is_reply(response, body)
        reading = Reading(maker)
        reading.reply_id = response.id or ""
        reading.events.append(ReplyStarted(response.id or "", response.model or ""))
        _end(response, reading)
    except NOT_JSON:
        raise error_instead_of_reply(body, "a response") from None
    return reading.events


def _check_is_reply(response: Response, body: bytes) -> None:
    if response.output is None:
        if response.error:
            raise error_within_reply({"error": response.error})
        raise error_instead_of_reply(body, "a response")
    if response.status in _UNFINISHED:
        raise bad_reply(f"the response is not there yet ({response.status})")


def _end(response: Response, reading: Reading) -> None:
    """The last events. What the response holds that no event told comes before them."""
    reading.rest(response.output or ())
    if response.usage is not None:
        reading.events.append(UsageReported(response.usage.usage()))
    if response.status in _FAILURES or response.error:
        error = response.error or {"message": f"the response was {response.status}"}
        reading.events.append(Failed(error_within_reply({"error": error})))
    else:
        reading.events.append(_finished(response, reading))


def _finished(response: Response, reading: Reading) -> Finished:
    why = None if response.incomplete_details is None else response.incomplete_details.reason
    reason: FinishReason = "stop"
    if response.status == "incomplete":
        reason = _REASONS.get(why or "", "length")
    if reading.calls and reason != "length":
        reason = "tool_calls"
    elif reading.has_refused and reason == "stop":
        reason = "refusal"
    return Finished(reason)


def _event(data: bytes) -> Event | None:
    """None for an event that is not read: only what is read must have the shape we know."""
    try:
        return decode_event(data)
    except msgspec.ValidationError:
        if decode_kind(data).type in _READ_EVENTS:
            raise
        return None


class ReplyDecoder:
    """States: nothing said yet -> telling -> over. A provider opens the stream before it looks at the request, so the
    start is told with what follows it: until then another model could still answer."""

    def __init__(self, maker: str) -> None:
        self._reader = SseReader()
        self._reading = Reading(maker)
        self._start: ReplyStarted | None = None
        self._is_started = False
        self._is_over = False

    def feed(self, data: bytes) -> list[ReplyEvent]:
        return self._take([event.data for event in self._reader.feed(data)])

    def finish(self) -> list[ReplyEvent]:
        try:
            events = self._take([event.data for event in self._reader.finish()])
        except UpstreamError:
            raise UpstreamError(UpstreamFault.BROKEN, "the reply ended within an event") from None
        if not self._is_over:
            broken = UpstreamError(
                UpstreamFault.BROKEN, "the reply ended before its end (response.completed)"
            )
            end_with(broken, events)
        return events

    def _take(self, told: list[bytes]) -> list[ReplyEvent]:
        reading = self._reading
        for data in told:
            if self._is_over:
                break
            try:
                self._read(data)
            except UpstreamError as error:
                end_with(error, reading.events)
                self._is_over = True
            if reading.events and self._start is None:
                self._start = ReplyStarted("", "")  # what the end tells comes too late
        events, reading.events = reading.events, []
        if events and not self._is_started:
            self._is_started = True
            assert self._start is not None
            events.insert(0, self._start)
        return events

    def _read(self, data: bytes) -> None:
        if not data or data.startswith(b"[DONE]"):
            return
        try:
            event = _event(data)
            if event is not None and not self._reading.grow(event):
                self._follow(event, data)
        except NOT_JSON:
            raise bad_reply("the stream holds an event that is not of a response") from None

    def _follow(self, event: Event, data: bytes) -> None:
        match event.type:
            case "response.output_item.added":
                self._reading.add(event.output_index, event.item)
            case "response.output_item.done":
                self._reading.complete(event.output_index, event.item)
            case "response.created" if self._start is None:
                self._begin(decode_response(event.response))
            case "response.completed" | "response.incomplete" | "response.failed":
                self._end(event)
            case _ if event.type == "error" or event.error:
                self._is_over = True
                told = {"error": event.error} if event.error else decode_any(data)
                self._reading.events.append(Failed(error_within_reply(told)))
            case _:
                pass

    def _begin(self, response: Response) -> None:
        self._start = ReplyStarted(response.id or "", response.model or "")
        self._reading.reply_id = self._start.id

    def _end(self, event: Event) -> None:
        response = decode_response(event.response)
        if self._start is None:
            self._begin(response)
        response.status = response.status or event.type.removeprefix("response.")
        self._is_over = True
        _end(response, self._reading)
