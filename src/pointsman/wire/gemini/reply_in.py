"""Reads replies of the Gemini API, whole and streamed, as events. It writes nothing.

A whole reply is a stream of one piece, and a stream asked for as a JSON array a list of pieces: all are read in one
way. Parts that tell of tools which Google runs itself (executableCode, toolCall) become no events: what they led to
is in the text.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from pointsman.core.errors import UpstreamError, UpstreamFault
from pointsman.core.events import (
    CitationAdded,
    Failed,
    Finished,
    FinishReason,
    ImageMade,
    ReplyEvent,
    ReplyStarted,
    TextDelta,
    TextSealed,
    ThinkingDelta,
    ThinkingSealed,
    ToolCallDelta,
    ToolCallStarted,
    UsageReported,
    end_with,
)
from pointsman.core.request import Seal
from pointsman.core.usage import Usage
from pointsman.wire.gemini.chunks import Candidate, Chunk, FunctionCall, LogprobsResult, Part, WatchedChunk
from pointsman.wire.gemini.citations import citations_of
from pointsman.wire.gemini.errors import bad_reply, error_in_reply
from pointsman.wire.gemini.fields import compact, enum_word
from pointsman.wire.gemini.framing import LineReader
from pointsman.wire.gemini.partial_args import PartialArgs
from pointsman.wire.gemini.places import Places
from pointsman.wire.gemini.usage import Counts
from pointsman.wire.json_bytes import NOT_JSON, NOTHING, in_whole_characters
from pointsman.wire.sse import ServerSentEvent

_REASONS: Mapping[str, FinishReason] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "LANGUAGE": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "MODEL_ARMOR": "content_filter",
    "ESCALATION": "content_filter",
    "CONTINUATION": "length",
    "IMAGE_SAFETY": "content_filter",
    "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_RECITATION": "content_filter",
    "IMAGE_OTHER": "content_filter",
    "NO_IMAGE": "content_filter",
}  # any other is the end of what there is, and a failure where there is nothing

_BROKEN_REASONS = frozenset({
    "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE",
    "MALFORMED_RESPONSE", "PUP_LIMITED_DISABLED",
})  # fmt: skip

_NUMBERED_REASONS = (
    "FINISH_REASON_UNSPECIFIED", "STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER",
)  # fmt: skip
"""Both of Google's APIs count to here alike. Behind it come the filters and the broken calls, in different orders."""

_chunk = msgspec.json.Decoder(Chunk).decode
_chunks = msgspec.json.Decoder(list[Chunk]).decode
_watched = msgspec.json.Decoder(WatchedChunk).decode
_watched_list = msgspec.json.Decoder(list[WatchedChunk]).decode


def finish_word(reason: str | int | None) -> str:
    """Empty while a reply goes on."""
    if reason is None:
        return ""
    if isinstance(reason, int) and reason >= len(_NUMBERED_REASONS):
        return f"FINISH_REASON_{reason}"
    word = enum_word(reason, _NUMBERED_REASONS)
    return "" if word == "FINISH_REASON_UNSPECIFIED" else word


class _Reply:
    """What the pieces of one reply become. `events` is taken by whoever drives it; `is_over` once nothing is read
    any more."""

    def __init__(self, maker: str) -> None:
        self.events: list[ReplyEvent] = []
        self.is_over = False
        self._maker = maker
        self._is_started = False
        self._id = ""
        self._calls = 0
        self._has_output = False
        self._text = Places()
        self._partial: PartialArgs | None = None
        self._usage: Usage | None = None
        self._end: Finished | Failed | None = None

    def add(self, chunk: Chunk) -> None:
        if self.is_over:
            return
        if chunk.error is not None:
            self._end = Failed(error_in_reply(chunk.error))
            self.close()
            return
        if not self._is_started:
            self._is_started = True
            self._id = chunk.response_id or ""
            self.events.append(ReplyStarted(self._id, chunk.model_version or ""))
        for candidate in chunk.candidates or ():
            if not candidate.index:
                self._candidate(candidate)
        feedback = chunk.prompt_feedback
        if feedback is not None and feedback.block_reason and not chunk.candidates:
            if feedback.block_reason_message:
                self.events.append(TextDelta(feedback.block_reason_message, is_refusal=True))
            self._end = Finished("content_filter")
        if chunk.usage_metadata is not None:
            self._count(chunk.usage_metadata)
        if isinstance(self._end, Failed):
            self.close()

    def _count(self, counts: Counts) -> None:
        usage = counts.usage(is_final=self._end is not None)
        if usage is not None and usage != self._usage:
            self._usage = usage
            self.events.append(UsageReported(usage))
        if usage is not None and self._end is not None:
            self.close()

    def close(self) -> None:
        """Nothing more will come. Without an end the reply stays open."""
        if self._end is not None and not self.is_over:
            self.events.append(self._end)
            self.is_over = True

    def _candidate(self, candidate: Candidate) -> None:
        first = len(self.events)
        content = candidate.content
        if content is not None:
            for part in content.parts or ():
                self._part(part)
        if candidate.logprobs_result is not None:
            self._add_logprobs(_logprobs(candidate.logprobs_result), first)
        cited = citations_of(candidate, self._text) if _has_sources(candidate) else []
        if cited:
            # They belong to the text, which its seal closes.
            at = len(self.events) - (bool(self.events) and isinstance(self.events[-1], TextSealed))
            self.events[at:at] = [CitationAdded(citation) for citation in cited]
        if word := finish_word(candidate.finish_reason):
            self._finish(word)

    def _part(self, part: Part) -> None:
        signature = part.thought_signature
        if part.function_call is not None:
            self._call(part.function_call, signature)
        elif part.text is not None:
            if part.thought:
                if part.text:
                    self.events.append(ThinkingDelta(part.text))
                if signature:
                    self.events.append(ThinkingSealed(Seal(signature, self._maker)))
                return
            if part.text:
                self._has_output = True
                self._text.add(part.text)
                self.events.append(TextDelta(part.text))
            if signature:
                self.events.append(TextSealed(Seal(signature, self._maker)))
        elif part.inline_data is not None and not part.thought:
            blob = part.inline_data
            if not blob.mime_type.startswith("image/"):
                raise bad_reply(
                    f"the reply holds {blob.mime_type[:40] or 'data'}, which cannot be translated"
                )
            self._has_output = True
            self.events.append(ImageMade(blob.mime_type, blob.data))

    def _call(self, call: FunctionCall, signature: str | None) -> None:
        if call.name:
            try:
                args = "" if call.args is NOTHING else compact(call.args)
            except NOT_JSON:
                raise bad_reply(
                    f"the arguments of the function call {call.name[:64]} cannot be read"
                ) from None
            if args in {"", "null"}:
                args = "{}"
            elif not args.startswith("{"):
                raise bad_reply(f"the arguments of the function call {call.name[:64]} are not an object")
            seal = Seal(signature, self._maker) if signature else None
            call_id = call.id or self._made_id(call.name, args)
            self.events.append(ToolCallStarted(self._calls, call_id, call.name, seal))
            self._calls += 1
            self._has_output = True
            if not call.will_continue:
                self.events.append(ToolCallDelta(self._calls - 1, args))
                return
            self._partial = PartialArgs()
        if self._partial is None:
            raise bad_reply("a piece of a function call belongs to no call")
        self._partial.add(call.partial_args or [])
        if not call.will_continue:
            self.events.append(ToolCallDelta(self._calls - 1, self._partial.text()))
            self._partial = None

    def _made_id(self, name: str, args: str) -> str:
        """Google gives most calls none. The reply's own id makes it unique over a conversation."""
        made_of = f"{self._id}\0{self._calls}\0{name}\0{'' if self._id else args}"
        return f"call{hashlib.sha256(made_of.encode()).hexdigest()[:24]}"

    def _add_logprobs(self, logprobs: tuple[Mapping[str, Any], ...], first: int) -> None:
        for at in range(first, len(self.events)):
            event = self.events[at]
            if isinstance(event, TextDelta):
                self.events[at] = TextDelta(event.text, logprobs=logprobs)
                return
        self.events.append(TextDelta("", logprobs=logprobs))

    def _finish(self, word: str) -> None:
        if self._partial is not None:
            raise bad_reply("the reply ended within a function call")
        if word in _BROKEN_REASONS:
            self._end = Failed(_broken_off(word))
            return
        reason = _REASONS.get(word)
        if reason is None:
            if word.startswith("FINISH_REASON_"):
                reason = "content_filter"
            elif self._has_output:
                reason = "stop"
            else:
                self._end = Failed(_broken_off(word))
                return
        # There is no word for a function call: the calls themselves are the proof.
        if self._calls and reason == "stop":
            reason = "tool_calls"
        self._end = Finished(reason)


_SLIPS = frozenset({"MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS"})
"""The model blundered with a tool; Google works."""


def _broken_off(word: str) -> UpstreamError:
    # What Google adds in words quotes the call, and with it the conversation.
    message = f"the model's answer was broken off: {word}"
    return UpstreamError(UpstreamFault.BAD_REPLY, message, code=word, is_slip=word in _SLIPS)


def _has_sources(candidate: Candidate) -> bool:
    return candidate.grounding_metadata is not None or candidate.citation_metadata is not None


def _logprobs(result: LogprobsResult) -> tuple[Mapping[str, Any], ...]:
    """As OpenAI writes them."""
    tops = result.top_candidates or []
    return tuple(
        {
            **_logprob(chosen.token, chosen.log_probability),
            "top_logprobs": [
                _logprob(each.token, each.log_probability)
                for each in ((tops[at].candidates or []) if at < len(tops) else ())
            ],
        }
        for at, chosen in enumerate(result.chosen_candidates or ())
    )


def _logprob(token: str, logprob: float) -> dict[str, Any]:
    return {"token": token, "logprob": logprob, "bytes": list(token.encode())}


class GeminiReplyDecoder:
    """States: open -> ended (a finish reason or an error). What comes after is ignored.

    The end is told with the usage, which Google sends in the same piece; other servers send it after.
    """

    def __init__(self, maker: str) -> None:
        self._reader = LineReader()
        self._reply = _Reply(maker)

    def feed(self, data: bytes) -> list[ReplyEvent]:
        return self._take(self._reader.feed(data))

    def finish(self) -> list[ReplyEvent]:
        try:
            events = self._take(self._reader.finish())
        except UpstreamError:
            raise UpstreamError(UpstreamFault.BROKEN, "the reply ended within an event") from None
        reply = self._reply
        if not reply.is_over:
            reply.close()
            events += reply.events
            reply.events = []
            if not reply.is_over:
                end_with(
                    UpstreamError(UpstreamFault.BROKEN, "the reply ended without a finish reason"), events
                )
        return events

    def _take(self, frames: list[ServerSentEvent]) -> list[ReplyEvent]:
        reply = self._reply
        for sent in frames:
            if reply.is_over:
                break
            try:
                self._read(sent.data)
            except UpstreamError as error:
                end_with(error, reply.events)
                reply.is_over = True
        events, reply.events = reply.events, []
        return events

    def _read(self, data: bytes) -> None:
        try:
            chunk = _chunk(data)
        except NOT_JSON as error:
            if data.strip() in {b"", b"[DONE]"}:
                return
            mended = in_whole_characters(data)
            if mended is not data:
                self._read(mended)
                return
            raise bad_reply(f"an event of the reply is malformed: {error}") from None
        self._reply.add(chunk)


def decode_reply(body: bytes, maker: str) -> list[ReplyEvent]:
    try:
        chunks = _chunks(body) if body.lstrip().startswith(b"[") else [_chunk(body)]
    except NOT_JSON as error:
        raise bad_reply(f"the reply is not JSON of its kind: {error}") from None
    reply = _Reply(maker)
    for chunk in chunks:
        if chunk.error is not None and not reply.events:
            raise error_in_reply(chunk.error)
        reply.add(chunk)
    reply.close()
    if not reply.is_over:
        raise bad_reply("the reply holds no candidate that came to its end")
    return reply.events


def read_usage(body: bytes) -> Usage | None:
    try:
        chunks = _watched_list(body) if body.lstrip().startswith(b"[") else [_watched(body)]
    except NOT_JSON as error:
        raise bad_reply(f"the reply is not JSON of its kind: {error}") from None
    usage: Usage | None = None
    is_reply = False
    for chunk in chunks:
        if chunk.error is not None:
            raise error_in_reply(chunk.error)
        is_reply = is_reply or bool(chunk.candidates) or chunk.prompt_feedback is not None
        if chunk.usage_metadata is not None:
            usage = chunk.usage_metadata.usage() or usage
    if not is_reply:
        raise bad_reply("the reply holds no candidates")
    return usage
