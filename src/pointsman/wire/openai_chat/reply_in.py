"""OpenAI chat: what a provider answers, as events. It writes nothing.

A chunk that is not JSON, or not of the protocol's types, is never skipped.
"""

from typing import Any

import msgspec

from pointsman.core.errors import UpstreamError, UpstreamFault
from pointsman.core.events import (
    CitationAdded,
    Failed,
    Finished,
    FinishReason,
    ReplyEvent,
    ReplyStarted,
    TextDelta,
    TextSealed,
    ThinkingDelta,
    ThinkingSealed,
    UsageReported,
    end_with,
)
from pointsman.core.request import Seal
from pointsman.wire.json_bytes import NOT_JSON, in_whole_characters, is_json
from pointsman.wire.logprobs import sound
from pointsman.wire.openai_chat.attachments_in import citations_from, images_from
from pointsman.wire.openai_chat.calls_in import CallsUnderWay
from pointsman.wire.openai_chat.chunks import (
    FAILED_REASONS,
    CallPart,
    Choice,
    Chunk,
    Delta,
    Logprobs,
    error_of,
    failed_end,
    usage_from,
    usage_of,
)
from pointsman.wire.openai_chat.details import ReasoningDetails, text_of_details
from pointsman.wire.openai_chat.errors import error_instead_of_reply
from pointsman.wire.openai_errors import error_within_reply
from pointsman.wire.sse import ServerSentEvent, SseReader

_decode_chunk = msgspec.json.Decoder(Chunk).decode
_encode = msgspec.json.Encoder().encode

_REASONS: dict[str | int, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",  # Mistral
    "model_context_window_exceeded": "length",  # Z.ai
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
    "sensitive": "content_filter",  # Z.ai
    # other APIs' words, as some gateways let them through
    "max_output_tokens": "length",
    "safety": "content_filter",
    "recitation": "content_filter",
    "prohibited_content": "content_filter",
    "refusal": "content_filter",
}


def _reason_of(raw: str | int) -> FinishReason:
    return _REASONS.get(raw.lower() if isinstance(raw, str) else raw, "stop")


class _Reading:
    """Turns deltas into events; whole messages are one big delta. `maker` goes on every seal: also on thinking that
    nobody signed, so that it can be given back to who thought it."""

    def __init__(self, maker: str) -> None:
        self.is_started = False
        self.raw_reason: str | int | None = None
        self.raw_error: Any = None
        self._maker = maker
        self._calls = CallsUnderWay()
        self._has_refused = False
        self._is_thinking = False
        self._has_plain_thoughts = False
        self._details = ReasoningDetails()
        self._has_cited = False
        self._has_spoken = False
        self._has_transcript = False
        self._sources: Any = None

    def start(self, chunk: Chunk, out: list[ReplyEvent]) -> None:
        self.is_started = True
        self._calls.ids_from = str(chunk.id or "") or f"{chunk.created} {chunk.model}"
        out.append(ReplyStarted(str(chunk.id or ""), chunk.model or ""))

    def take(self, delta: Delta, logprobs: Logprobs | None, out: list[ReplyEvent]) -> None:
        self._think(delta, out)
        content = delta.content
        if logprobs is not None and (content is None or isinstance(content, str)):
            self._with_logprobs(content or "", logprobs, out)
        elif isinstance(content, str):
            if content:
                self._stop_thinking(out)
                out.append(TextDelta(content))
        elif content is not None:
            self._blocks(content, out)
        if delta.refusal and isinstance(delta.refusal, str):
            self._has_refused = True
            self._stop_thinking(out)
            refused = () if logprobs is None else sound(logprobs.refusal)
            out.append(TextDelta(delta.refusal, is_refusal=True, logprobs=refused))
        if delta.audio is not None:
            self._speak(delta.audio, out)
        if delta.annotations:
            self._cite(delta.annotations, out)
        if delta.images:
            self._stop_thinking(out)
            out.extend(images_from(delta.images))
        for call in delta.tool_calls or ():
            self._call(call, out)
        # Snowflake sends an empty one with every message.
        if delta.function_call is not None and (delta.function_call.name or delta.function_call.arguments):
            self._call(CallPart(index=0, function=delta.function_call), out)
        if delta.extra_content is not None and (seal := self._signature(delta.extra_content)) is not None:
            self._stop_thinking(out)
            out.append(TextSealed(seal))

    def remember_sources(self, chunk: Chunk) -> None:
        """Perplexity repeats them in every chunk; the last ones count."""
        self._sources = chunk.search_results or chunk.citations or self._sources

    def _think(self, delta: Delta, out: list[ReplyEvent]) -> None:
        details = delta.reasoning_details
        if details and isinstance(details, list):
            self._details.add(details)
            self._is_thinking = self._is_thinking or self._details.are_sealed
        # Several of these fields at once hold the same text, and the details may repeat later what was told in pieces.
        for text in (delta.reasoning_content, delta.reasoning):
            if text and isinstance(text, str):
                self._has_plain_thoughts = True
                break
        else:
            text = text_of_details(details) if details and not self._has_plain_thoughts else ""
        if text:
            self._is_thinking = True
            out.append(ThinkingDelta(text))

    def _stop_thinking(self, out: list[ReplyEvent]) -> None:
        if self._is_thinking:
            self._is_thinking = False
            out.append(ThinkingSealed(Seal(self._details.sealed(), self._maker)))

    def _speak(self, audio: Any, out: list[ReplyEvent]) -> None:
        """Of what was spoken only the words can be told."""
        match audio:
            case {"transcript": str(text)} if text:
                self._stop_thinking(out)
                self._has_transcript = True
                out.append(TextDelta(text))
            case {"data": str(data)} if data:  # Snowflake sends an empty one with every message
                self._has_spoken = True
            case _:
                pass

    def _with_logprobs(self, content: str, logprobs: Logprobs, out: list[ReplyEvent]) -> None:
        if content or logprobs.content:
            self._stop_thinking(out)
            out.append(TextDelta(content, logprobs=sound(logprobs.content)))

    def _blocks(self, content: Any, out: list[ReplyEvent]) -> None:
        if not isinstance(content, list):
            self._stop_thinking(out)
            out.append(TextDelta(_encode(content).decode()))  # Cloudflare parses JSON answers
            return
        for block in content:
            if not isinstance(block, dict):
                continue
            if isinstance(text := block.get("text"), str) and text:
                self._stop_thinking(out)
                out.append(TextDelta(text))
            thinking = block.get("thinking", block.get("summary"))  # Mistral; Databricks
            if isinstance(thinking, str):
                thinking = [{"text": thinking}]
            for piece in thinking if isinstance(thinking, list) else ():
                if isinstance(piece, dict) and isinstance(text := piece.get("text"), str) and text:
                    self._is_thinking = True
                    out.append(ThinkingDelta(text))

    def _cite(self, annotations: Any, out: list[ReplyEvent]) -> None:
        for citation in citations_from(annotations):
            self._has_cited = True
            out.append(CitationAdded(citation))

    def _call(self, part: CallPart, out: list[ReplyEvent]) -> None:
        seal = None if part.extra_content is None else self._signature(part.extra_content)
        events = self._calls.take(part, seal)
        if events:
            self._stop_thinking(out)
            out += events

    def _signature(self, extra: Any) -> Seal | None:
        match extra:
            case {"google": {"thought_signature": str(signature)}} if signature:
                return Seal(signature, self._maker)
            case _:
                return None

    def end(self, out: list[ReplyEvent]) -> None:
        self._stop_thinking(out)
        out += self._calls.close()
        if self._details.are_sealed:  # told behind the answer
            out.append(ThinkingSealed(Seal(self._details.sealed(), self._maker)))
        if self._sources and not self._has_cited:
            out.extend(CitationAdded(citation) for citation in citations_from(self._sources))
        out.append(self._finished())

    def _finished(self) -> Finished:
        if self._has_spoken and not self._has_transcript:
            raise UpstreamError(
                UpstreamFault.BAD_REPLY, "the provider answered with sound and without its words"
            )
        raw = self.raw_reason
        if raw in FAILED_REASONS:
            raise failed_end(raw, self.raw_error)
        reason: FinishReason = "stop" if raw is None else _reason_of(raw)
        if self._calls.are_there:
            reason = "length" if reason == "length" else "tool_calls"
        elif reason == "tool_calls":
            reason = "stop"
        elif reason == "stop" and self._has_refused:
            reason = "refusal"
        return Finished(reason)


def decode_reply(body: bytes, maker: str) -> list[ReplyEvent]:
    try:
        reply = _decode_chunk(body)
    except NOT_JSON:
        raise error_instead_of_reply(body) from None
    if reply.error:
        raise error_within_reply({"error": reply.error})
    if not reply.choices:
        raise error_instead_of_reply(body)
    choice = next((each for each in reply.choices if not each.index), reply.choices[0])
    reading = _Reading(maker)
    events: list[ReplyEvent] = []
    reading.start(reply, events)
    message = choice.message or Delta()  # one that a filter removed altogether is left out
    for place, call in enumerate(message.tool_calls or ()):
        call.index = place  # each is whole, whatever it says of itself
    reading.take(message, choice.logprobs, events)
    reading.remember_sources(reply)
    if reply.usage is not None:
        events.append(UsageReported(usage_from(reply.usage)))
    reading.raw_reason, reading.raw_error = choice.finish_reason, choice.error
    if reading.raw_reason is None and choice.finish_details is not None:
        reading.raw_reason = choice.finish_details.type
    reading.end(events)
    return events


class ReplyDecoder:
    """Reads a stream of chunks. The end is told at [DONE], or at the end of the bytes when a finish reason
    was seen: usage may still come between the two."""

    def __init__(self, maker: str) -> None:
        self._reader = SseReader()
        self._reading = _Reading(maker)
        self._is_over = False
        self._has_said_anything = False

    def feed(self, data: bytes) -> list[ReplyEvent]:
        out: list[ReplyEvent] = []
        self._take_all(self._reader.feed(data), out)
        return out

    def finish(self) -> list[ReplyEvent]:
        out: list[ReplyEvent] = []
        try:
            self._take_all(self._reader.finish(), out)
        except UpstreamError:
            raise UpstreamError(UpstreamFault.BROKEN, "the reply ended within an event") from None
        if not self._is_over:
            if self._reading.raw_reason is None:
                end_with(UpstreamError(UpstreamFault.BROKEN, "the reply ended before its end"), out)
            else:
                try:
                    self._end(out)
                except UpstreamError as error:
                    end_with(error, out)
        return out

    def _take_all(self, told: list[ServerSentEvent], out: list[ReplyEvent]) -> None:
        try:
            for event in told:
                self._read(event.data, out)
        except UpstreamError as error:
            end_with(error, out)
            self._is_over = True

    def _read(self, data: bytes, out: list[ReplyEvent]) -> None:
        if self._is_over or not data:
            return
        if data.startswith(b"[DONE]"):
            if not self._has_said_anything and self._reading.raw_reason is None:
                raise UpstreamError(UpstreamFault.BAD_REPLY, "the stream holds no reply")
            self._end(out)
            return
        try:
            chunk = _decode_chunk(data)
        except NOT_JSON:
            mended = in_whole_characters(data)
            if mended is not data:
                self._read(mended, out)
                return
            if self._reading.raw_reason is not None and is_json(data):
                return  # counts that nobody can read are no reason to break an answer that is there
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
        if chunk.citations or chunk.search_results:
            self._reading.remember_sources(chunk)
        usage = usage_of(chunk)
        if usage is not None:
            out.append(UsageReported(usage))

    def _take(self, choice: Choice, out: list[ReplyEvent]) -> None:
        delta = choice.message if choice.delta is None else choice.delta
        if delta is not None:
            before = len(out)
            self._reading.take(delta, choice.logprobs, out)
            self._has_said_anything = self._has_said_anything or len(out) > before
        if choice.finish_reason:
            self._reading.raw_reason, self._reading.raw_error = choice.finish_reason, choice.error

    def _end(self, out: list[ReplyEvent]) -> None:
        self._is_over = True
        self._reading.end(out)
