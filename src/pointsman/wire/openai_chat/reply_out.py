"""OpenAI chat: a reply as its client expects it, whole or in chunks. It reads nothing of providers.

A stream is the same reply in pieces: concatenating its deltas gives the whole message.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from pointsman.core.events import (
    BlockEnded,
    CitationAdded,
    Finished,
    FinishReason,
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
from pointsman.core.request import Text, Thinking, ToolCall
from pointsman.core.usage import Usage
from pointsman.wire.dialect import ReplyContext
from pointsman.wire.openai_chat.errors import encode_stream_error
from pointsman.wire.sse import frame

_encode = msgspec.json.Encoder().encode

_FINISH_REASONS: dict[FinishReason, str] = {
    "stop": "stop",
    "length": "length",
    "stop_sequence": "stop",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
    "refusal": "content_filter",
    "pause": "stop",
}


def _finish_reason(reason: FinishReason, *, has_refusal: bool) -> str:
    # A refusal in words ends with "stop"; one without words can only be shown as filtered.
    return "stop" if reason == "refusal" and has_refusal else _FINISH_REASONS[reason]


def _completion_id(context: ReplyContext) -> str:
    return context.reply_id if context.reply_id.startswith("chatcmpl-") else f"chatcmpl-{context.reply_id}"


def _usage(usage: Usage | None) -> dict[str, Any] | None:
    """None unless both counts are known: a client would take a missing one for 0."""
    if usage is None or usage.input_tokens is None or usage.output_tokens is None:
        return None
    encoded: dict[str, Any] = {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
    }
    if usage.cache_read_tokens is not None or usage.cache_write_tokens is not None:
        details = {"cached_tokens": usage.cache_read_tokens or 0}
        if usage.cache_write_tokens is not None:
            details["cache_write_tokens"] = usage.cache_write_tokens
        encoded["prompt_tokens_details"] = details
    if usage.reasoning_tokens is not None:
        encoded["completion_tokens_details"] = {"reasoning_tokens": usage.reasoning_tokens}
    return encoded


def encode_reply(events: Sequence[ReplyEvent], context: ReplyContext) -> bytes:
    reply = fold(events)
    texts = [part.text for part in reply.parts if isinstance(part, Text) and not part.is_refusal]
    refusals = [part.text for part in reply.parts if isinstance(part, Text) and part.is_refusal]
    thoughts = [part.text for part in reply.parts if isinstance(part, Thinking) and part.text]
    calls = [part for part in reply.parts if isinstance(part, ToolCall)]
    message: dict[str, Any] = {
        "role": "assistant",
        "content": "".join(texts) if texts or not (calls or refusals) else None,
        "refusal": "".join(refusals) if refusals else None,
        "annotations": [],
    }
    if thoughts:
        message["reasoning_content"] = "".join(thoughts)
    if calls:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in calls
        ]
    finish_reason = _finish_reason(reply.finished.reason, has_refusal=bool(refusals))
    return _encode(
        {
            "id": _completion_id(context),
            "object": "chat.completion",
            "created": context.created_s,
            "model": context.model,
            "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish_reason}],
            "usage": _usage(reply.usage),
            "system_fingerprint": None,
        }
    )


class ReplyEncoder:
    """Writes chunks: one that names the role, one per delta, one with the finish reason, one with usage if
    the client asked for it, and [DONE]."""

    def __init__(self, context: ReplyContext) -> None:
        self._context = context
        head = _encode(
            {
                "id": _completion_id(context),
                "object": "chat.completion.chunk",
                "created": context.created_s,
                "model": context.model,
                "system_fingerprint": None,
            }
        )
        self._head = b"data: " + head[:-1] + b',"choices":['
        self._before_delta = self._head + b'{"index":0,"delta":'
        usage = b',"usage":null' if context.stream_usage else b""
        self._after_delta = b',"logprobs":null,"finish_reason":null}]' + usage + b"}\n\n"
        self._is_started = False
        self._is_over = False
        self._has_refusal = False
        self._usage: Usage | None = None
        self._calls_without_arguments: set[int] = set()

    def feed(self, events: Sequence[ReplyEvent]) -> bytes:
        return b"".join([self._write(event) for event in events])

    def _write(self, event: ReplyEvent) -> bytes:
        if self._is_over:
            return b""
        match event:
            case TextDelta(text, is_refusal):
                self._has_refusal = self._has_refusal or is_refusal
                return self._delta(b'{"refusal":' if is_refusal else b'{"content":', text)
            case ThinkingDelta(text):
                return self._delta(b'{"reasoning_content":', text)
            case ToolCallStarted(index, call_id, name):
                self._calls_without_arguments.add(index)
                function = {"name": name, "arguments": ""}
                call = {"index": index, "id": call_id, "type": "function", "function": function}
                return self._start() + self._chunk(_encode({"tool_calls": [call]}))
            case ToolCallDelta(index, arguments):
                if not arguments:
                    return b""
                self._calls_without_arguments.discard(index)
                return self._arguments(index, arguments)
            case ReplyStarted():
                return self._start()
            case UsageReported(usage):
                self._usage = merge_usage(self._usage, usage)
                return b""
            case (
                ThinkingSealed()
                | TextSealed()
                | RedactedThinkingBlock()
                | BlockEnded()
                | CitationAdded()
                | ImageMade()
            ):
                return b""  # chat has no place for them
            case Finished():
                return self._start() + self._finish(event)
            case _:
                self._is_over = True
                return encode_stream_error(event.error, self._context.reply_id)

    def _start(self) -> bytes:
        if self._is_started:
            return b""
        self._is_started = True
        return self._chunk(b'{"role":"assistant","content":"","refusal":null}')

    def _chunk(self, delta: bytes) -> bytes:
        return b"".join((self._before_delta, delta, self._after_delta))

    def _delta(self, key: bytes, text: str) -> bytes:
        if not text:
            return b""
        start = b"" if self._is_started else self._start()
        return b"".join((start, self._before_delta, key, _encode(text), b"}", self._after_delta))

    def _arguments(self, index: int, arguments: str) -> bytes:
        return self._chunk(_encode({"tool_calls": [{"index": index, "function": {"arguments": arguments}}]}))

    def _finish(self, finished: Finished) -> bytes:
        self._is_over = True
        reason = _finish_reason(finished.reason, has_refusal=self._has_refusal)
        usage = b',"usage":null' if self._context.stream_usage else b""
        pieces = [self._arguments(index, "{}") for index in sorted(self._calls_without_arguments)]
        pieces += (
            self._before_delta,
            b'{},"logprobs":null,"finish_reason":',
            _encode(reason),
            b"}]",
            usage,
            b"}\n\n",
        )
        counts = _usage(self._usage) if self._context.stream_usage else None
        if counts is not None:
            pieces += (self._head, b'],"usage":', _encode(counts), b"}\n\n")
        pieces.append(frame(b"[DONE]"))
        return b"".join(pieces)
