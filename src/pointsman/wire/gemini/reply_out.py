"""Writes replies as the Gemini API does, whole and streamed, from the events of any provider. It reads nothing of them.

Every piece is a whole response of its own. A function call is never cut: it waits until its arguments are whole. Thoughts
are shown only to callers who asked for them, as Google does.
"""

from collections.abc import Sequence
from typing import Any, assert_never

import msgspec

from pointsman.core.errors import broken_call
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
    merge_usage,
)
from pointsman.core.request import Citation
from pointsman.core.usage import Usage
from pointsman.wire.dialect import ReplyContext
from pointsman.wire.envelope import Envelope
from pointsman.wire.gemini.citations import grounding
from pointsman.wire.gemini.errors import bad_reply, stream_error
from pointsman.wire.gemini.fields import camelled
from pointsman.wire.gemini.framing import ArrayFraming, Framing, SseFraming
from pointsman.wire.gemini.places import Places
from pointsman.wire.gemini.usage import write_usage
from pointsman.wire.json_bytes import NOT_JSON
from pointsman.wire.seals import NOBODYS, Kind, tag

_REASONS = {
    "stop": "STOP",
    "stop_sequence": "STOP",
    "tool_calls": "STOP",
    "length": "MAX_TOKENS",
    "content_filter": "SAFETY",
    "refusal": "SAFETY",
    "pause": "OTHER",
}

_encode = msgspec.json.Encoder().encode
_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def encode_reply(events: Sequence[ReplyEvent], context: ReplyContext) -> bytes:
    """Raises the UpstreamError of a Failed event."""
    parts = _Parts(shows_thoughts=_shows_thoughts(context.envelope))
    for event in events:
        if isinstance(event, Failed):
            raise event.error
        parts.take(event)
    if parts.finished is None:
        raise ValueError("the reply has no end")
    return _encode(parts.response(context))


class GeminiReplyEncoder:
    """States: open -> ended. Pieces of text are written as they come; all else of one feed is one piece."""

    def __init__(self, context: ReplyContext) -> None:
        self._context = context
        address = None if context.envelope is None else context.envelope.address
        is_array = address is not None and address.as_array
        self._framing: Framing = ArrayFraming() if is_array else SseFraming()
        self._parts = _Parts(shows_thoughts=_shows_thoughts(context.envelope))
        self._is_ended = False
        self._before_text = b'{"candidates":[{"content":{"parts":[{"text":'
        self._after_text = b'}],"role":"model"},"index":0}],"modelVersion":%b,"responseId":%b}' % (
            _encode(context.model),
            _encode(context.reply_id),
        )

    def feed(self, events: Sequence[ReplyEvent]) -> bytes:
        """Raises UpstreamError for a call whose arguments turn out to be no JSON object."""
        if self._is_ended:
            return b""
        parts = self._parts
        if len(events) == 1 and isinstance(event := events[0], TextDelta) and not event.logprobs:
            # Most of every stream.
            if not (event.text and parts.is_quiet):
                parts.take(event)
                return self._piece()
            parts.note_text(event.text)
            return self._framing.piece(b"".join((self._before_text, _encode(event.text), self._after_text)))
        for event in events:
            if isinstance(event, Failed):
                self._is_ended = True
                before = self._piece()
                return (
                    before
                    + self._framing.piece(stream_error(event.error, self._context.reply_id))
                    + self._framing.end()
                )
            parts.take(event)
            if isinstance(event, Finished):
                self._is_ended = True
                return self._piece() + self._framing.end()
        return self._piece()

    def _piece(self) -> bytes:
        parts = self._parts
        if not parts.has_news:
            return b""
        return self._framing.piece(_encode(parts.response(self._context)))


class _Parts:
    """Gathers the parts of the next response; `response` takes them. Calls that are not whole yet are held back, and
    what comes after them begins a new part behind them."""

    def __init__(self, *, shows_thoughts: bool) -> None:
        self.finished: Finished | None = None
        self._shows_thoughts = shows_thoughts
        self._ready: list[dict[str, Any]] = []
        self._calls: dict[int, tuple[ToolCallStarted, list[str]]] = {}
        self._usage = Usage()
        self._logprobs: list[Any] = []
        self._text = Places()
        self._cited: list[tuple[Citation, Places]] = []

    @property
    def has_news(self) -> bool:
        return bool(self._ready or self._logprobs) or self.finished is not None

    @property
    def is_quiet(self) -> bool:
        """Nothing waits: a text may be written as it is."""
        return not (self._ready or self._calls or self._logprobs)

    def note_text(self, text: str) -> None:
        self._text.add(text)

    def take(self, event: ReplyEvent) -> None:
        match event:
            case TextDelta(text):
                self._end_calls()
                self._logprobs += event.logprobs
                self.note_text(text)
                self._grow({"text": text}, text)
            case TextSealed(seal):
                self._end_calls()
                self._seal({"text": ""}, tag(seal, Kind.TEXT))
            case CitationAdded(citation):
                self._cited.append((citation, self._text))
            case ThinkingDelta(text):
                self._end_calls()
                if self._shows_thoughts:
                    self._grow({"text": text, "thought": True}, text)
            case ThinkingSealed(seal):
                if self._shows_thoughts:
                    self._end_calls()
                    self._seal({"text": "", "thought": True}, tag(seal, Kind.THINKING))
            case RedactedThinkingBlock(seal):
                if self._shows_thoughts:
                    self._end_calls()
                    signature = tag(seal, Kind.REDACTED)
                    self._ready.append({"text": "", "thought": True, "thoughtSignature": signature})
            case ImageMade(media_type, data):
                self._end_calls()
                self._ready.append({"inlineData": {"mimeType": media_type, "data": data}})
            case ToolCallStarted(index):
                self._calls[index] = (event, [])
            case ToolCallDelta(index, arguments):
                if index not in self._calls:
                    raise bad_reply("a piece of a tool call came behind its end")
                self._calls[index][1].append(arguments)
            case BlockEnded():
                self._text = Places()
                self._end_calls(may_be_empty=False)
            case UsageReported(usage):
                self._usage = merge_usage(self._usage, usage)
            case Finished():
                self._end_calls()
                if self._calls and event.reason != "length":
                    raise broken_call(next(iter(self._calls.values()))[0].name)
                self.finished = event  # a call that the limit cut cannot be made
            case ReplyStarted() | Failed():
                pass
            case _:
                assert_never(event)

    def response(self, context: ReplyContext) -> dict[str, Any]:
        ready, self._ready = self._ready, []
        finished = self.finished
        if not ready:
            ready = [{"text": ""}]
        candidate: dict[str, Any] = {"content": {"parts": ready, "role": "model"}}
        if finished is not None:
            candidate["finishReason"] = _REASONS[finished.reason]
        candidate["index"] = 0
        if self._logprobs:
            candidate["logprobsResult"], self._logprobs = _logprobs(self._logprobs), []
        if finished is not None and self._cited:
            candidate["groundingMetadata"] = grounding(self._cited)
        written: dict[str, Any] = {"candidates": [candidate]}
        if finished is not None and (counts := write_usage(self._usage)):
            written["usageMetadata"] = counts
        written["modelVersion"] = context.model
        written["responseId"] = context.reply_id
        return written

    def _grow(self, part: dict[str, Any], text: str) -> None:
        """Adds to the part that is open, if it is of the same kind and not sealed."""
        last = self._ready[-1] if self._ready else None
        if last is not None and last.keys() == part.keys():
            last["text"] += text
        else:
            self._ready.append(part)

    def _seal(self, part: dict[str, Any], signature: str) -> None:
        last = self._ready[-1] if self._ready else None
        if last is None or last.keys() != part.keys():
            self._ready.append(last := part)
        last["thoughtSignature"] = signature

    def _end_calls(self, *, may_be_empty: bool = True) -> None:
        """Takes up the calls that are whole, in their order; the pieces of several may interleave, so that one without
        any is perhaps still to get them."""
        for index, (started, pieces) in list(self._calls.items()):
            arguments = _arguments(pieces)
            if arguments is None or not (pieces or may_be_empty):
                return
            del self._calls[index]
            call = {"id": started.id, "name": started.name, "args": arguments}
            # One that nobody sealed shows that it is not Google's when it comes back to a model that asks for signatures.
            signature = tag(started.seal or NOBODYS, Kind.CALL)
            self._ready.append({"functionCall": call, "thoughtSignature": signature})


def _arguments(pieces: list[str]) -> msgspec.Raw | None:
    """The arguments of a call, None while they are not a whole JSON object."""
    text = "".join(pieces).strip() or "{}"
    try:
        encoded = text.encode()
        _object(encoded)
        if b"\n" in encoded or b"\r" in encoded:
            encoded = msgspec.json.format(encoded, indent=-1)  # a line end would end the event
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return None
    return msgspec.Raw(encoded)


def _logprobs(tokens: Sequence[Any]) -> dict[str, Any]:
    return {
        "chosenCandidates": [_logprob(token) for token in tokens],
        "topCandidates": [
            {"candidates": [_logprob(each) for each in token.get("top_logprobs") or ()]} for token in tokens
        ],
    }


def _logprob(token: Any) -> dict[str, Any]:
    return {"token": token.get("token"), "logProbability": token.get("logprob")}


def _shows_thoughts(envelope: Envelope | None) -> bool:
    """Whether the caller asked to see them. Where the request is not known, they are shown."""
    if envelope is None:
        return True
    where = envelope.fields
    try:
        for name in ("generationConfig", "thinkingConfig"):
            raw = camelled(where).get(name)
            if raw is None:
                return False
            where = _object(raw)
        shown = camelled(where).get("includeThoughts")
    except NOT_JSON:
        return False
    return shown is not None and bytes(shown) == b"true"
