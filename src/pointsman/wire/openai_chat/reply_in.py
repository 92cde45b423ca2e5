"""OpenAI chat: what a provider answers, as events. It writes nothing.

A chunk that is not JSON, or not of the protocol's types, is never skipped.
"""

from collections.abc import Iterable
from hashlib import blake2s
from typing import Any

import msgspec

from pointsman.core.errors import UpstreamError, UpstreamFault
from pointsman.core.events import (
    Failed,
    Finished,
    FinishReason,
    ReplyEvent,
    ReplyStarted,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallStarted,
    UsageReported,
)
from pointsman.wire.openai_chat.chunks import (
    NOT_JSON,
    CallPart,
    Choice,
    Chunk,
    Delta,
    FunctionPart,
    error_of,
    usage_from,
    usage_of,
)
from pointsman.wire.openai_chat.errors import error_instead_of_reply, error_within_reply
from pointsman.wire.sse import SseReader

_decode_chunk = msgspec.json.Decoder(Chunk).decode
_encode = msgspec.json.Encoder().encode

_REASONS: dict[str | int, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "max_tokens": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}


class _ToolCall:
    """One call of the reply while it is being read. It starts when its name is known."""

    __slots__ = ("id", "index", "is_started", "waiting")

    def __init__(self, index: int, call_id: str | None) -> None:
        self.index = index
        self.id = call_id
        self.is_started = False
        self.waiting: list[str] = []


class _Reading:
    """Turns deltas into events; whole messages are one big delta."""

    def __init__(self) -> None:
        self.is_started = False
        self.raw_reason: str | int | None = None
        self._reply_id = ""
        self._calls: list[_ToolCall] = []
        self._by_index: dict[int, _ToolCall] = {}
        self._has_refused = False

    def start(self, chunk: Chunk, out: list[ReplyEvent]) -> None:
        self.is_started = True
        self._reply_id = chunk.id or ""
        out.append(ReplyStarted(self._reply_id, chunk.model or ""))

    def take(self, delta: Delta, out: list[ReplyEvent]) -> None:
        if thought := _thought(delta):
            out.append(ThinkingDelta(thought))
        content = delta.content
        if isinstance(content, str):
            if content:
                out.append(TextDelta(content))
        elif content is not None:
            out.extend(_blocks(content))
        if delta.refusal and isinstance(delta.refusal, str):
            self._has_refused = True
            out.append(TextDelta(delta.refusal, is_refusal=True))
        for call in delta.tool_calls or ():
            self._take_call(call, out)
        # Snowflake sends an empty one with every message.
        if delta.function_call is not None and (delta.function_call.name or delta.function_call.arguments):
            self._take_call(CallPart(index=0, function=delta.function_call), out)

    def _take_call(self, part: CallPart, out: list[ReplyEvent]) -> None:
        function = part.function
        if part.custom is not None and part.custom.name:
            function = FunctionPart(part.custom.name, {"input": part.custom.input or ""})
        name = None if function is None else function.name
        call = self._call_of(part, name)
        arguments = _arguments(None if function is None else function.arguments)
        if not call.is_started:
            if not name:
                call.waiting.append(arguments)
                return
            call.is_started = True
            if not call.id:
                call.id = _made_id(self._reply_id, call.index)
            out.append(ToolCallStarted(call.index, call.id, name))
            arguments = "".join((*call.waiting, arguments))
        if arguments:
            out.append(ToolCallDelta(call.index, arguments))

    def _call_of(self, part: CallPart, name: str | None) -> _ToolCall:
        known: _ToolCall | None
        if part.index is not None:
            known = self._by_index.get(part.index)
            if known is not None and name and part.id and known.id and part.id != known.id:
                known = None  # one index for every call: the id tells them apart
        elif part.id:
            known = next((call for call in self._calls if call.id == part.id), None)
        else:
            known = self._calls[-1] if self._calls and not name else None
        if known is None:
            known = _ToolCall(len(self._calls), part.id)
            self._calls.append(known)
            if part.index is not None:
                self._by_index[part.index] = known
        return known

    def finished(self) -> Finished:
        if any(not call.is_started for call in self._calls):
            raise UpstreamError(UpstreamFault.BAD_REPLY, "the provider sent a tool call without a name")
        raw = self.raw_reason
        reason: FinishReason = "stop" if raw is None else _REASONS.get(raw, "stop")
        if self._calls:
            reason = "length" if reason == "length" else "tool_calls"
        elif reason == "tool_calls":
            reason = "stop"
        elif reason == "stop" and self._has_refused:
            reason = "refusal"
        return Finished(reason, raw_reason=None if raw is None else str(raw))


def _thought(delta: Delta) -> str:
    # Several of these fields at once hold the same text.
    for text in (delta.reasoning_content, delta.reasoning):
        if text and isinstance(text, str):
            return text
    details = delta.reasoning_details
    if not details or not isinstance(details, list):
        return ""
    texts = (each.get("text") or each.get("summary") for each in details if isinstance(each, dict))
    return "".join(text for text in texts if isinstance(text, str))


def _blocks(content: Any) -> Iterable[ReplyEvent]:
    if not isinstance(content, list):
        yield TextDelta(_encode(content).decode())  # Cloudflare parses JSON answers
        return
    for block in content:
        if not isinstance(block, dict):
            continue
        if isinstance(text := block.get("text"), str) and text:
            yield TextDelta(text)
        thinking = block.get("thinking")
        if isinstance(thinking, str):
            thinking = [{"text": thinking}]
        for piece in thinking if isinstance(thinking, list) else ():
            if isinstance(piece, dict) and isinstance(text := piece.get("text"), str) and text:
                yield ThinkingDelta(text)


def _arguments(arguments: Any) -> str:
    if arguments is None:
        return ""
    return arguments if isinstance(arguments, str) else _encode(arguments).decode()


def _made_id(reply_id: str, index: int) -> str:
    """An id for a call whose provider gave none: unique like the reply's, of letters and digits only, since
    some clients strip everything else."""
    return "call" + blake2s(f"{reply_id} {index}".encode(), digest_size=12).hexdigest()


def decode_reply(body: bytes) -> list[ReplyEvent]:
    try:
        reply = _decode_chunk(body)
    except NOT_JSON:
        raise error_instead_of_reply(body) from None
    if reply.error:
        raise error_within_reply({"error": reply.error})
    if not reply.choices:
        raise error_instead_of_reply(body)
    choice = next((each for each in reply.choices if not each.index), reply.choices[0])
    reading = _Reading()
    events: list[ReplyEvent] = []
    reading.start(reply, events)
    # A message that a filter removed altogether is left out.
    reading.take(choice.message or Delta(), events)
    if reply.usage is not None:
        events.append(UsageReported(usage_from(reply.usage)))
    reading.raw_reason = choice.finish_reason
    if reading.raw_reason is None and choice.finish_details is not None:
        reading.raw_reason = choice.finish_details.type
    events.append(reading.finished())
    return events


class ReplyDecoder:
    """Reads a stream of chunks. The end is told at [DONE], or at the end of the bytes when a finish reason
    was seen: usage may still come between the two."""

    def __init__(self) -> None:
        self._reader = SseReader()
        self._reading = _Reading()
        self._is_over = False

    def feed(self, data: bytes) -> list[ReplyEvent]:
        out: list[ReplyEvent] = []
        for event in self._reader.feed(data):
            self._read(event.data, out)
        return out

    def finish(self) -> list[ReplyEvent]:
        out: list[ReplyEvent] = []
        try:
            for event in self._reader.finish():
                self._read(event.data, out)
        except UpstreamError:
            raise UpstreamError(UpstreamFault.BROKEN, "the reply ended within an event") from None
        if not self._is_over:
            if self._reading.raw_reason is None:
                raise UpstreamError(UpstreamFault.BROKEN, "the reply ended before its end")
            self._end(out)
        return out

    def _read(self, data: bytes, out: list[ReplyEvent]) -> None:
        if self._is_over or not data:
            return
        if data.startswith(b"[DONE]"):
            if not self._reading.is_started:
                raise UpstreamError(UpstreamFault.BAD_REPLY, "the stream holds no reply")
            self._end(out)
            return
        try:
            chunk = _decode_chunk(data)
        except NOT_JSON:
            raise UpstreamError(
                UpstreamFault.BAD_REPLY, "the stream holds an event that is not a chat completion chunk"
            ) from None
        if error := error_of(chunk):
            self._is_over = True
            out.append(Failed(error_within_reply({"error": error})))
            return
        if chunk.choices:
            if not self._reading.is_started:
                self._reading.start(chunk, out)
            for choice in chunk.choices:
                if not choice.index:
                    self._take(choice, out)
        usage = usage_of(chunk)
        if usage is not None:
            out.append(UsageReported(usage))

    def _take(self, choice: Choice, out: list[ReplyEvent]) -> None:
        delta = choice.message if choice.delta is None else choice.delta
        if delta is not None:
            self._reading.take(delta, out)
        if choice.finish_reason:
            self._reading.raw_reason = choice.finish_reason

    def _end(self, out: list[ReplyEvent]) -> None:
        self._is_over = True
        out.append(self._reading.finished())
