"""Writes replies as the Messages API does, whole and streamed, from the events of any provider. It reads
nothing.

The stream: message_start, then blocks one after the other with ascending indexes, each opened once and closed
before the next opens, then message_delta and message_stop; or an error event as its end.
"""

from collections import deque
from collections.abc import Sequence
from typing import Any, assert_never

import msgspec

from pointsman.core.errors import UpstreamError, broken_call
from pointsman.core.events import (
    BlockEnded,
    CitationAdded,
    Failed,
    Finished,
    ImageMade,
    RedactedThinkingBlock,
    ReplyEvent,
    ReplyStarted,
    TextDelta,
    TextSealed,
    ThinkingDelta,
    ThinkingSealed,
    ToolCallDelta,
    ToolCallStarted,
    UsageReported,
    fold,
    merge_usage,
)
from pointsman.core.request import Part, Seal, Text
from pointsman.core.usage import Usage
from pointsman.wire.anthropic_messages.blocks_out import (
    blocks_of,
    call_id_of,
    is_whole,
    picture,
    signature_of,
)
from pointsman.wire.anthropic_messages.citations import written_citation
from pointsman.wire.anthropic_messages.errors import encode_stream_error
from pointsman.wire.anthropic_messages.usage import write_usage
from pointsman.wire.dialect import ReplyContext
from pointsman.wire.seals import Kind, tag
from pointsman.wire.sse import frame

_REASONS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "stop_sequence": "stop_sequence",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
    "refusal": "refusal",
    "pause": "pause_turn",
}

_encode = msgspec.json.Encoder().encode

_START = b'event: content_block_start\ndata: {"type":"content_block_start","index":%d,"content_block":%b}\n\n'
_DELTA = (
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":{"type":%b}}\n\n'
)
_STOP = b'event: content_block_stop\ndata: {"type":"content_block_stop","index":%d}\n\n'
_MESSAGE_STOP = frame(b'{"type":"message_stop"}', "message_stop")

# What a text block is opened with; `%b` below is a JSON string.
_EMPTY_BLOCK = {
    "text": b'{"type":"text","text":""}',
    "thinking": b'{"type":"thinking","thinking":"","signature":""}',
}
_PIECE = {
    "text": b'"text_delta","text":%b',
    "thinking": b'"thinking_delta","thinking":%b',
    "tool_use": b'"input_json_delta","partial_json":%b',
}
_CITATION = b'"citations_delta","citation":%b'
_SIGNATURE = b'"signature_delta","signature":%b'


def encode_reply(events: Sequence[ReplyEvent], context: ReplyContext) -> bytes:
    reply = fold(events)
    reason = reply.finished.reason
    parts = _without_last_seal(reply.parts)
    blocks = [block for part in parts for block in blocks_of(part, is_cut=reason == "length")]
    has_calls = any(block["type"] == "tool_use" for block in blocks)
    return _encode(
        _message(context, reply.usage, blocks) | _stop(reply.finished, has_calls=has_calls),
    )


def _without_last_seal(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """A reply ends with its text: there are agents that show the last block alone. The seal that would stand behind it
    is one that its maker can do without; those of calls, which it cannot, stand before them."""
    match parts:
        case (*before, Text("", _, Seal())):
            return tuple(before)
        case (*before, Text(seal=Seal()) as last):
            return (*before, msgspec.structs.replace(last, seal=None))
        case _:
            return parts


def _message(context: ReplyContext, usage: Usage, blocks: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": f"msg_{context.reply_id}",
        "type": "message",
        "role": "assistant",
        "model": context.model,
        "content": blocks,
        "stop_reason": None,
        "stop_sequence": None,
        "usage": write_usage(usage),
    }


def _stop(finished: Finished, *, has_calls: bool) -> dict[str, Any]:
    reason = _REASONS[finished.reason]
    # A client acts on tool_use by looking for calls, and on calls only if it reads tool_use.
    if has_calls and reason in {"end_turn", "stop_sequence"}:
        reason = "tool_use"
    elif not has_calls and reason == "tool_use":
        reason = "end_turn"
    return {
        "stop_reason": reason,
        "stop_sequence": finished.stop_sequence if reason == "stop_sequence" else None,
    }


class _Open:
    """A block under way. `start` is its content_block as it is opened, `pieces` and `citations` what has come since
    then and is not written yet, `arguments` all pieces of a call."""

    __slots__ = (
        "arguments",
        "citations",
        "is_done",
        "is_started",
        "kind",
        "name",
        "pieces",
        "signature",
        "start",
    )

    def __init__(self, kind: str, start: bytes, name: str = "") -> None:
        self.kind = kind
        self.start = start
        self.name = name
        self.pieces: list[str] = []
        self.citations: list[dict[str, Any]] = []
        self.arguments: list[str] = []
        self.signature = ""
        self.is_started = False
        self.is_done = False

    def is_whole_call(self) -> bool:
        return is_whole("".join(self.arguments))

    def has_no_arguments(self) -> bool:
        return not any(piece.strip() for piece in self.arguments)


class AnthropicReplyEncoder:
    """States: before ReplyStarted -> blocks -> ended.

    Only the first block of the queue is written, as it grows; those behind it wait until it is done. A text
    is done when another block begins; a call only when its arguments are a whole JSON object, since the
    pieces of parallel calls may interleave.
    """

    def __init__(self, context: ReplyContext) -> None:
        self._context = context
        self._usage = Usage()
        self._is_started = False
        self._is_start_written = False
        self._is_ended = False
        self._end: Finished | Failed | None = None
        self._queue: deque[_Open] = deque()
        self._calls: dict[int, _Open] = {}
        self._index = 0
        self._seal_of_text: Seal | None = None

    def feed(self, events: Sequence[ReplyEvent]) -> bytes:
        """Raises UpstreamError for a call whose arguments turn out to be no JSON object; Failed may follow it."""
        if self._is_ended:
            return b""
        for event in events:
            self._take(event)
            if isinstance(event, Finished | Failed):
                self._is_ended = True
                break
        out: list[bytes] = []
        if self._is_started and not self._is_start_written:
            self._is_start_written = True
            message = {"type": "message_start", "message": _message(self._context, self._usage, [])}
            out.append(frame(_encode(message), "message_start"))
        try:
            self._write_blocks(out)
        except UpstreamError:
            self._is_ended, self._end = False, None
            raise
        if isinstance(self._end, Finished):
            self._write_end(self._end, out)
        elif isinstance(self._end, Failed):
            out.append(encode_stream_error(self._end.error, self._context.reply_id))
        return b"".join(out)

    def _take(self, event: ReplyEvent) -> None:
        match event:
            case TextDelta(text):
                self._last("text").pieces.append(text)
            case ThinkingDelta(text):
                self._last("thinking").pieces.append(text)
            case ThinkingSealed(seal):
                block = self._last("thinking")
                block.signature, block.is_done = signature_of(seal), True
            case RedactedThinkingBlock(seal):
                start = _encode({"type": "redacted_thinking", "data": tag(seal, Kind.REDACTED)})
                self._begin(_Open("redacted_thinking", start)).is_done = True
            case TextSealed(seal):
                # Written when another block begins: at the end of a reply it is left out, as in a whole one.
                if self._queue and self._queue[-1].kind == "text":
                    self._queue[-1].is_done = True
                self._seal_of_text = seal
            case CitationAdded(citation):
                if (cited := written_citation(citation)) is not None:
                    self._last("text").citations.append(cited)
            case ImageMade():
                raise picture()
            case ToolCallStarted(index, call_id, name, seal):
                if seal is not None:
                    self._seal_part(seal, Kind.CALL)
                start = _encode({"type": "tool_use", "id": call_id_of(call_id), "name": name, "input": {}})
                self._calls[index] = self._begin(_Open("tool_use", start, name))
            case ToolCallDelta(index, arguments):
                call = self._calls[index]
                call.pieces.append(arguments)
                call.arguments.append(arguments)
            case BlockEnded():
                if self._queue:
                    self._queue[-1].is_done = True
            case UsageReported(usage):
                self._usage = merge_usage(self._usage, usage)
            case ReplyStarted():
                self._is_started = True
            case Finished():
                self._end = event
                for block in self._queue:
                    block.is_done = True
            case Failed():
                self._end = event
            case _:
                assert_never(event)

    def _seal_part(self, seal: Seal, kind: Kind) -> None:
        block = self._begin(_Open("thinking", _EMPTY_BLOCK["thinking"]))
        block.signature, block.is_done = tag(seal, kind), True

    def _last(self, kind: str) -> _Open:
        """The block that text of this kind belongs to: the last one, if it still grows."""
        if self._queue and (last := self._queue[-1]).kind == kind and not last.is_done:
            return last
        return self._begin(_Open(kind, _EMPTY_BLOCK[kind]))

    def _begin(self, block: _Open) -> _Open:
        if (seal := self._seal_of_text) is not None:
            self._seal_of_text = None
            self._seal_part(seal, Kind.TEXT)
        if self._queue:
            last = self._queue[-1]
            last.is_done = last.is_done or last.kind != "tool_use" or last.is_whole_call()
        self._queue.append(block)
        return block

    def _write_blocks(self, out: list[bytes]) -> None:
        while self._queue:
            block = self._queue[0]
            if not block.is_started:
                block.is_started = True
                out.append(_START % (self._index, block.start))
            if text := "".join(block.pieces):
                block.pieces.clear()
                out.append(_DELTA % (self._index, _PIECE[block.kind] % _encode(text)))
            if block.citations:
                out += (_DELTA % (self._index, _CITATION % _encode(cited)) for cited in block.citations)
                block.citations.clear()
            if not block.is_done or not self._may_close(block):
                return
            self._write_last_piece(block, out)
            out.append(_STOP % self._index)
            self._queue.popleft()
            self._index += 1

    def _may_close(self, block: _Open) -> bool:
        """A call that is not whole may still grow, or it was cut by the token limit; else it is broken."""
        if block.kind != "tool_use" or block.has_no_arguments() or block.is_whole_call():
            return True
        if self._end is None or isinstance(self._end, Failed):
            return False
        if self._end.reason != "length":
            raise broken_call(block.name)
        return True

    def _write_last_piece(self, block: _Open, out: list[bytes]) -> None:
        if block.kind == "thinking":
            out.append(_DELTA % (self._index, _SIGNATURE % _encode(block.signature or signature_of(None))))
        elif block.kind == "tool_use" and block.has_no_arguments():
            out.append(_DELTA % (self._index, _PIECE["tool_use"] % b'"{}"'))

    def _write_end(self, finished: Finished, out: list[bytes]) -> None:
        delta = {
            "type": "message_delta",
            "delta": _stop(finished, has_calls=bool(self._calls)),
            "usage": write_usage(self._usage),
        }
        out.append(frame(_encode(delta), "message_delta"))
        out.append(_MESSAGE_STOP)
