"""OpenAI chat: a reply as its client expects it, whole or in chunks. It reads nothing of providers.

A stream is the same reply in pieces: concatenating its deltas gives the whole message.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from pointsman.core.events import (
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
from pointsman.core.request import Citation, RedactedThinking, Text, Thinking, ToolCall
from pointsman.core.usage import Usage
from pointsman.wire.custom_tools import as_free_text
from pointsman.wire.dialect import ReplyContext
from pointsman.wire.openai_chat.errors import encode_stream_error
from pointsman.wire.openai_chat.reply_parts import (
    REFUSED,
    WORDLESS,
    call_part,
    custom_names,
    finish_reason,
    google_signature,
    image_part,
    reasoning_detail,
    url_citation,
    whole_message,
)
from pointsman.wire.seals import Kind
from pointsman.wire.sse import frame

_encode = msgspec.json.Encoder().encode


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
    has_refusal = any(isinstance(part, Text) and part.is_refusal for part in reply.parts)
    logprobs = {"content": None, "refusal": None, "refusal" if has_refusal else "content": reply.logprobs}
    choice = {
        "index": 0,
        "message": whole_message(reply.parts, reply.finished.reason, custom_names(context.envelope)),
        "logprobs": logprobs if reply.logprobs else None,
        "finish_reason": finish_reason(reply.finished.reason, has_refusal=has_refusal),
    }
    return _encode(
        {
            "id": _completion_id(context),
            "object": "chat.completion",
            "created": context.created_s,
            "model": context.model,
            "choices": [choice],
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
        usage = b',"usage":null' if context.stream_usage else b""
        self._head = b"data: " + head[:-1] + b',"choices":['
        self._before_delta = self._head + b'{"index":0,"delta":'
        self._after_logprobs = b',"finish_reason":null}]' + usage + b"}\n\n"
        self._after_delta = b',"logprobs":null' + self._after_logprobs
        self._is_started = False
        self._is_over = False
        self._has_refusal = False
        self._has_said_anything = False
        self._usage: Usage | None = None
        self._calls_without_arguments: set[int] = set()
        self._customs = custom_names(context.envelope)
        self._free_texts: dict[int, list[str]] = {}
        """The arguments so far of calls that take free text, which is known when they are whole."""
        self._text = _TextUnderWay()
        self._thoughts: list[str] = []
        self._detail_count = 0
        self._annotation_count = 0
        self._image_count = 0

    def feed(self, events: Sequence[ReplyEvent]) -> bytes:
        return b"".join([self._write(event) for event in events])

    def _write(self, event: ReplyEvent) -> bytes:
        if self._is_over:
            return b""
        match event:
            case TextDelta(text, is_refusal, logprobs):
                return self._say(text, logprobs, is_refusal=is_refusal)
            case ThinkingDelta(text):
                self._thoughts.append(text)
                return self._end_text() + self._delta(b'{"reasoning_content":', text)
            case ToolCallDelta(index, arguments):
                if not arguments:
                    return b""
                if self._free_texts and index in self._free_texts:
                    self._free_texts[index].append(arguments)
                    return b""
                self._calls_without_arguments.discard(index)
                return self._arguments(index, arguments)
            case CitationAdded(citation):
                self._text.citations.append(citation)
                return b""
            case UsageReported(usage):
                self._usage = merge_usage(self._usage, usage)
                return b""
            case ReplyStarted():
                return self._start()
            case _:
                return self._end_text() + self._start() + self._write_rarer(event)

    def _write_rarer(self, event: ReplyEvent) -> bytes:
        match event:
            case ToolCallStarted(index, call_id, name, seal):
                self._has_said_anything = True
                if name in self._customs:
                    self._free_texts[index] = []
                else:
                    self._calls_without_arguments.add(index)
                call = call_part(ToolCall(call_id, name, "", seal), self._customs)
                return self._chunk(_encode({"tool_calls": [{"index": index, **call}]}))
            case ThinkingSealed(seal):
                text, self._thoughts = "".join(self._thoughts), []
                return self._write_detail(Thinking(text, seal))
            case RedactedThinkingBlock(seal):
                return self._write_detail(RedactedThinking(seal))
            case TextSealed(seal):
                return self._chunk(_encode({"extra_content": google_signature(seal, Kind.TEXT)}))
            case ImageMade(media_type, data):
                self._has_said_anything = True
                image = image_part(media_type, data, self._image_count)
                self._image_count += 1
                return self._chunk(_encode({"images": [image]}))
            case Finished():
                return self._finish(event)
            case Failed(error):
                self._is_over = True
                return encode_stream_error(error, self._context.reply_id)
            case _:  # a block ended
                self._thoughts = []
                return b""

    def _say(self, text: str, logprobs: Sequence[Any], *, is_refusal: bool) -> bytes:
        if not (text or logprobs):
            return b""
        self._has_said_anything = True
        if is_refusal:
            self._has_refusal = True
        else:
            self._text.add(text)
        key = b'{"refusal":' if is_refusal else b'{"content":'
        if not logprobs:
            return self._delta(key, text)
        told = {"content": None, "refusal": None, "refusal" if is_refusal else "content": logprobs}
        after = b',"logprobs":' + _encode(told) + self._after_logprobs
        return b"".join((self._start(), self._before_delta, key, _encode(text), b"}", after))

    def _end_text(self) -> bytes:
        """The sources of the text that has come to its end."""
        annotations = self._text.end()
        if not annotations:
            return b""
        # OpenAI's SDK gathers a list by the index of its entries, as it does with calls.
        numbered = [{"index": self._annotation_count + at, **each} for at, each in enumerate(annotations)]
        self._annotation_count += len(numbered)
        return self._start() + self._chunk(_encode({"annotations": numbered}))

    def _write_detail(self, thought: Thinking | RedactedThinking) -> bytes:
        detail = reasoning_detail(thought, self._detail_count)
        if detail is None:
            return b""
        self._detail_count += 1
        return self._chunk(_encode({"reasoning_details": [detail]}))

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

    def _free_text(self, index: int, arguments: str) -> bytes:
        call = {"index": index, "custom": {"input": as_free_text(arguments)}}
        return self._chunk(_encode({"tool_calls": [call]}))

    def _finish(self, finished: Finished) -> bytes:
        self._is_over = True
        reason = finish_reason(finished.reason, has_refusal=self._has_refusal)
        usage = b',"usage":null' if self._context.stream_usage else b""
        pieces = [self._arguments(index, "{}") for index in sorted(self._calls_without_arguments)]
        pieces += [self._free_text(index, "".join(said)) for index, said in self._free_texts.items()]
        if finished.reason in WORDLESS and not self._has_said_anything:
            pieces.append(self._delta(b'{"refusal":', REFUSED))
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


class _TextUnderWay:
    """Where the text that is being written stands within the whole, and what it cites."""

    __slots__ = ("_end", "_start", "citations")

    def __init__(self) -> None:
        self._start = 0
        self._end = 0
        self.citations: list[Citation] = []

    def add(self, text: str) -> None:
        self._end += len(text)

    def end(self) -> list[dict[str, Any]]:
        cited = (url_citation(citation, self._start, self._end) for citation in self.citations)
        annotations = [each for each in cited if each is not None] if self.citations else []
        self._start, self.citations = self._end, []
        return annotations
