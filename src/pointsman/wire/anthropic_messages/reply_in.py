"""Reads replies of the Messages API, whole and streamed, as events. It writes nothing.

A block is read in one way, whether it came whole or in pieces: opened, grown, closed.
"""

from typing import Any

import msgspec

from pointsman.core.errors import UpstreamError, UpstreamFault
from pointsman.core.events import (
    BlockEnded,
    CitationAdded,
    Failed,
    Finished,
    FinishReason,
    RedactedThinkingBlock,
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
from pointsman.wire.anthropic_messages.citations import citation_from
from pointsman.wire.anthropic_messages.errors import bad_reply, error_in_reply
from pointsman.wire.anthropic_messages.fields import compact
from pointsman.wire.anthropic_messages.reply_shapes import (
    EVENTS_READ,
    Delta,
    Event,
    StartedMessage,
    WholeMessage,
    decode_block,
    decode_event,
    decode_kind,
    decode_usage,
    decode_whole,
)
from pointsman.wire.anthropic_messages.usage import Counts
from pointsman.wire.json_bytes import NOT_JSON, NOTHING
from pointsman.wire.sse import ServerSentEvent, SseReader

_REASONS: dict[str, FinishReason] = {
    "end_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "stop_sequence": "stop_sequence",
    "tool_use": "tool_calls",
    "pause_turn": "pause",
    "compaction": "pause",
    "refusal": "refusal",
    "length": "length",  # OpenAI's word, as some gateways let it through
}


_EMPTY_INPUTS = frozenset({"", "{}", "null"})


class _Reply:
    """What the blocks of one reply become. `events` is taken by whoever drives it."""

    def __init__(self, maker: str) -> None:
        self.events: list[ReplyEvent] = []
        self._maker = maker
        self._counts = Counts()
        self._calls = 0
        self._kind = ""
        self._index = -1
        self._signature: str | None = None
        self._input = ""
        self._has_deltas = False

    def start(self, message: StartedMessage, counts: Counts | None) -> None:
        self.events.append(ReplyStarted(message.id, message.model))
        self.count(counts)

    def count(self, counts: Counts | None) -> None:
        if counts is not None:
            self._counts.update(counts)
            self.events.append(UsageReported(self._counts.usage()))

    def open(self, index: int, raw: msgspec.Raw) -> None:
        self.close()
        kind = decode_kind(raw).type
        self._kind, self._index = kind, index
        if kind not in {"text", "thinking", "redacted_thinking", "tool_use"}:
            return
        block = decode_block(raw)
        if kind == "text":
            self._text(block.text)
            for citation in block.citations or ():
                self._cite(citation)
        elif kind == "thinking":
            self._signature = block.signature
            self._thinking(block.thinking)
        elif kind == "redacted_thinking":
            self.events.append(RedactedThinkingBlock(Seal(block.data, self._maker)))
        else:
            if not block.id or not block.name:
                raise bad_reply("a tool call of the reply has no id or no name")
            self._input, self._has_deltas = compact(bytes(block.input)), False
            self.events.append(ToolCallStarted(self._calls, block.id, block.name))
            self._calls += 1

    def grow(self, index: int, delta: Delta) -> None:
        if index != self._index:
            raise bad_reply("a piece of the reply belongs to no open block")
        kind = delta.type
        if kind == "text_delta" and self._kind == "text":
            self._text(delta.text)
        elif kind == "citations_delta" and self._kind == "text":
            self._cite(delta.citation)
        elif kind == "input_json_delta" and self._kind == "tool_use":
            if delta.partial_json:
                self._has_deltas = True
                self.events.append(ToolCallDelta(self._calls - 1, delta.partial_json))
        elif kind == "thinking_delta" and self._kind == "thinking":
            self._thinking(delta.thinking)
        elif kind == "signature_delta" and self._kind == "thinking":
            self._signature = delta.signature

    def close(self) -> None:
        kind = self._kind
        if kind == "thinking" and self._signature:
            self.events.append(ThinkingSealed(Seal(self._signature, self._maker)))
        elif kind == "tool_use" and not self._has_deltas and self._input not in _EMPTY_INPUTS:
            self.events.append(ToolCallDelta(self._calls - 1, self._input))
        if kind in {"text", "thinking", "tool_use"}:
            self.events.append(BlockEnded())
        self._kind, self._index, self._signature = "", -1, None

    def finish(self, stop: "WholeMessage | Delta") -> None:
        self.close()
        reason = _REASONS.get(stop.stop_reason or "", "stop")
        if reason == "refusal" and stop.stop_details is not None and stop.stop_details.explanation:
            self.events.append(TextDelta(stop.stop_details.explanation, is_refusal=True))
        # The blocks are the proof of a tool call, not the word for it.
        if self._calls and reason in {"stop", "stop_sequence"}:
            reason = "tool_calls"
        elif not self._calls and reason == "tool_calls":
            reason = "stop"
        self.events.append(Finished(reason, stop.stop_sequence))

    def _cite(self, said: Any) -> None:
        if (citation := citation_from(said)) is not None:
            self.events.append(CitationAdded(citation))

    def _text(self, text: str) -> None:
        if text:
            self.events.append(TextDelta(text))

    def _thinking(self, text: str) -> None:
        if text:
            self.events.append(ThinkingDelta(text))


class AnthropicReplyDecoder:
    """States: waiting for message_start -> open -> ended (message_stop or error). What comes after is ignored.

    A proxy that lost its provider may splice a second reply into the stream; the first is then broken.
    """

    def __init__(self, maker: str) -> None:
        self._reader = SseReader()
        self._reply = _Reply(maker)
        self._id: str | None = None
        self._stop = Delta()
        self._is_ended = False

    def feed(self, data: bytes) -> list[ReplyEvent]:
        return self._take(self._reader.feed(data))

    def finish(self) -> list[ReplyEvent]:
        try:
            events = self._take(self._reader.finish())
        except UpstreamError:
            raise UpstreamError(UpstreamFault.BROKEN, "the reply ended within an event") from None
        if not self._is_ended:
            end_with(
                UpstreamError(UpstreamFault.BROKEN, "the reply ended before its end (message_stop)"), events
            )
        return events

    def _take(self, frames: list[ServerSentEvent]) -> list[ReplyEvent]:
        reply = self._reply
        for sent in frames:
            if self._is_ended:
                break
            try:
                self._read(sent.data)
            except UpstreamError as error:
                end_with(error, reply.events)
                self._is_ended = True
        events, reply.events = reply.events, []
        return events

    def _read(self, data: bytes) -> None:
        event = decode_event(data)
        if event is None:
            return
        kind, reply = event.type, self._reply
        if kind == "message_start":
            message = event.message or StartedMessage()
            if self._id is None:
                self._id = message.id
                reply.start(message, None if message.usage is None else message.usage.at_start())
            elif self._id != message.id:
                raise UpstreamError(UpstreamFault.BROKEN, "another reply began before the end of this one")
            return
        if kind == "error" or not kind:  # some servers put an error as OpenAI words it into the stream
            reply.events.append(Failed(error_in_reply(event.error)))
            self._is_ended = True
            return
        if kind not in EVENTS_READ:
            return
        if self._id is None:
            raise bad_reply(f"the reply begins with {kind}")
        try:
            self._follow(kind, event)
        except NOT_JSON as error:
            raise bad_reply(f"a block of the reply is malformed: {error}") from None

    def _follow(self, kind: str, event: Event) -> None:
        reply = self._reply
        if kind == "content_block_delta":
            if event.delta is not None:
                reply.grow(event.index, event.delta)
        elif kind == "content_block_start":
            reply.open(event.index, event.content_block)
        elif kind == "content_block_stop":
            reply.close()
        elif kind == "message_delta":
            reply.count(event.usage)
            if event.delta is not None and event.delta.stop_reason is not None:
                self._stop = event.delta
        else:
            reply.finish(self._stop)
            self._is_ended = True


def decode_reply(body: bytes, maker: str) -> list[ReplyEvent]:
    try:
        message = decode_whole(body)
        _check_is_reply(message.type, message.error, has_content=message.content is not None)
        reply = _Reply(maker)
        reply.start(message, message.usage)
        for index, block in enumerate(message.content or ()):
            reply.open(index, block)
        reply.finish(message)
    except NOT_JSON as error:
        raise bad_reply(f"the reply is not a message: {error}") from None
    return reply.events


def read_usage(body: bytes) -> Usage | None:
    try:
        message = decode_usage(body)
        _check_is_reply(message.type, message.error, has_content=message.content is not NOTHING)
    except NOT_JSON as error:
        raise bad_reply(f"the reply is not a message: {error}") from None
    return None if message.usage is None else message.usage.usage()


def _check_is_reply(kind: str, error: object, *, has_content: bool) -> None:
    if kind == "error" or error is not None:
        raise error_in_reply(error, UpstreamFault.BAD_REPLY)
    if not has_content:
        raise bad_reply("the reply is not a message: it has no content")
