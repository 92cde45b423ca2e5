"""Ollama: what a server answers, as events. It writes nothing.

A whole reply is a stream of one line. A line that is not JSON, or not of the protocol's types, is never skipped.
"""

from collections.abc import Mapping
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
    ThinkingSealed,
    ToolCallDelta,
    ToolCallStarted,
    UsageReported,
    end_with,
)
from pointsman.core.request import Seal
from pointsman.core.usage import Usage
from pointsman.wire.call_ids import made_id
from pointsman.wire.json_bytes import NOT_JSON, NOTHING
from pointsman.wire.lines import LineSplitter
from pointsman.wire.logprobs import sound
from pointsman.wire.ollama.errors import error_within_reply, not_a_reply


class _Function(msgspec.Struct, gc=False):
    name: str
    arguments: msgspec.Raw = NOTHING


class _Call(msgspec.Struct, gc=False):
    function: _Function
    id: str | None = None


class _Message(msgspec.Struct, gc=False):
    content: str | None = None
    thinking: str | None = None
    tool_calls: list[_Call] | None = None


class _Line(msgspec.Struct, gc=False):
    message: _Message | None = None
    model: str = ""
    created_at: str = ""
    done: bool = False
    done_reason: str | None = None
    prompt_eval_count: int | None = None
    eval_count: int | None = None
    logprobs: list[dict[str, Any]] | None = None
    error: Any = None
    status_code: int | None = None


_decode_line = msgspec.json.Decoder(_Line).decode
_decode_str = msgspec.json.Decoder(str).decode

_REASONS: Mapping[str, FinishReason] = {"stop": "stop", "length": "length"}


class _Reading:
    """Turns lines into events, one at a time."""

    def __init__(self, maker: str) -> None:
        self.is_over = False
        self._maker = maker
        self._is_started = False
        self._is_thinking = False
        self._made_from = ""
        self._calls = 0

    def take(self, line: _Line, out: list[ReplyEvent]) -> None:
        if line.error:
            self.is_over = True
            out.append(Failed(error_within_reply(line.error, line.status_code)))
            return
        if not self._is_started:
            self._is_started = True
            # Servers name the moment of a reply and seldom its calls.
            self._made_from = f"{line.model} {line.created_at}"
            out.append(ReplyStarted("", line.model))
        if line.message is not None:
            self._take_message(line.message, sound(line.logprobs), out)
        if line.done:
            self._end(line, out)

    def _take_message(
        self, message: _Message, logprobs: tuple[Mapping[str, Any], ...], out: list[ReplyEvent]
    ) -> None:
        if message.thinking:
            self._is_thinking = True
            out.append(ThinkingDelta(message.thinking))
        if message.content:
            self._end_thinking(out)
            out.append(TextDelta(message.content, logprobs=logprobs))
        for call in message.tool_calls or ():
            self._end_thinking(out)
            if not call.function.name:
                raise UpstreamError(UpstreamFault.BAD_REPLY, "a tool call of the reply has no name")
            arguments = _arguments(call.function.arguments)
            call_id = call.id or made_id(self._made_from, self._calls, call.function.name, arguments)
            out.append(ToolCallStarted(self._calls, call_id, call.function.name))
            out.append(ToolCallDelta(self._calls, arguments))
            self._calls += 1

    def _end_thinking(self, out: list[ReplyEvent]) -> None:
        if self._is_thinking:
            # It carries no signature: the seal only says whose it is, so that it is given back to nobody else.
            self._is_thinking = False
            out.append(ThinkingSealed(Seal("", self._maker)))

    def _end(self, line: _Line, out: list[ReplyEvent]) -> None:
        self.is_over = True
        self._end_thinking(out)
        if line.prompt_eval_count is not None or line.eval_count is not None:
            out.append(UsageReported(Usage(line.prompt_eval_count, line.eval_count)))
        reason = _REASONS.get(line.done_reason or "stop", "stop")
        if self._calls and reason != "length":
            reason = "tool_calls"
        out.append(Finished(reason))


def _arguments(raw: msgspec.Raw) -> str:
    """The JSON text of the object, its numbers and the order of its keys as they came."""
    text = bytes(raw)
    if not text or text == b"null":
        return "{}"
    try:
        # Some servers that answer like Ollama write the text within a string, as OpenAI does.
        return _decode_str(text) or "{}" if text.startswith(b'"') else text.decode()
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise UpstreamError(UpstreamFault.BAD_REPLY, "the arguments of a tool call are no text") from None


def decode_reply(body: bytes, maker: str) -> list[ReplyEvent]:
    try:
        line = _decode_line(body)
    except NOT_JSON:
        raise not_a_reply(body) from None
    if line.error:
        raise error_within_reply(line.error, line.status_code)
    if line.message is None:
        raise not_a_reply(body)
    line.done = True  # there is no more to come, whether it says so or not
    events: list[ReplyEvent] = []
    _Reading(maker).take(line, events)
    return events


class ReplyDecoder:
    """Reads a stream of lines up to the one that says it is done."""

    def __init__(self, maker: str) -> None:
        self._splitter = LineSplitter()
        self._reading = _Reading(maker)

    def feed(self, data: bytes) -> list[ReplyEvent]:
        out: list[ReplyEvent] = []
        self._read(self._splitter.split(data), out)
        return out

    def finish(self) -> list[ReplyEvent]:
        out: list[ReplyEvent] = []
        try:
            self._read(self._splitter.rest(), out)
        except UpstreamError:
            raise UpstreamError(UpstreamFault.BROKEN, "the reply ended within a line") from None
        if not self._reading.is_over:
            end_with(UpstreamError(UpstreamFault.BROKEN, "the reply ended before its end"), out)
        return out

    def _read(self, block: bytes, out: list[ReplyEvent]) -> None:
        reading = self._reading
        for text in block.split(b"\n"):
            if reading.is_over:
                return
            if not text.strip():
                continue
            try:
                reading.take(_line(text), out)
            except UpstreamError as error:
                end_with(error, out)
                reading.is_over = True


def _line(text: bytes) -> _Line:
    try:
        line = _decode_line(text)
    except NOT_JSON:
        raise UpstreamError(
            UpstreamFault.BAD_REPLY, "the stream holds a line that is not of a chat reply"
        ) from None
    if line.message is None and not line.error and not line.done:
        raise UpstreamError(UpstreamFault.BAD_REPLY, "the stream holds a line that says nothing")
    return line
