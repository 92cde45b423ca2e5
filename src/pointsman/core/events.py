"""What a model's reply is made of, in the order it is made. A reply that was not streamed is the same events.

An order every decoder keeps and every encoder may rely on:

    ReplyStarted, then any number of
        (TextDelta | CitationAdded)* [TextSealed]
        | ThinkingDelta* [ThinkingSealed]            (a seal may come without any text)
        | RedactedThinkingBlock
        | ImageMade
        | ToolCallStarted, ToolCallDelta*            (calls may interleave, told apart by `index`)
        | BlockEnded                                 (the block before is complete; optional between kinds)
    UsageReported may come anywhere and again: the last one wins, field by field
    then exactly one of Finished or Failed.

A change of kind ends the block before it; BlockEnded only matters between two blocks of one kind.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from pointsman.core.errors import PointsmanError, UpstreamError
from pointsman.core.request import Citation, Image, Part, RedactedThinking, Seal, Text, Thinking, ToolCall
from pointsman.core.usage import Usage

FinishReason = Literal["stop", "length", "stop_sequence", "tool_calls", "content_filter", "refusal", "pause"]


class ReplyStarted(msgspec.Struct, frozen=True, gc=False):
    """`id` and `model` are the provider's own."""

    id: str
    model: str


class TextDelta(msgspec.Struct, frozen=True, gc=False):
    """`logprobs` are those of the tokens in `text`, each as OpenAI writes it: token, logprob, bytes,
    top_logprobs."""

    text: str
    is_refusal: bool = False
    logprobs: tuple[Mapping[str, Any], ...] = ()


class CitationAdded(msgspec.Struct, frozen=True, gc=False):
    """A source of the text that is open."""

    citation: Citation


class TextSealed(msgspec.Struct, frozen=True, gc=False):
    """The seal of the text that is open; it may have had no text at all."""

    seal: Seal


class ThinkingDelta(msgspec.Struct, frozen=True, gc=False):
    text: str


class ThinkingSealed(msgspec.Struct, frozen=True, gc=False):
    """The seal of the thinking block that is open; it may have had no text at all."""

    seal: Seal


class RedactedThinkingBlock(msgspec.Struct, frozen=True, gc=False):
    seal: Seal


class ImageMade(msgspec.Struct, frozen=True, gc=False):
    """A picture the model made, whole: base64 `data`."""

    media_type: str
    data: str


class ToolCallStarted(msgspec.Struct, frozen=True, gc=False):
    """`index` counts the tool calls of this reply from 0."""

    index: int
    id: str
    name: str
    seal: Seal | None = None


class ToolCallDelta(msgspec.Struct, frozen=True, gc=False):
    """A piece of the JSON text of the arguments of call `index`."""

    index: int
    arguments: str


class BlockEnded(msgspec.Struct, frozen=True, gc=False):
    """The block before is complete."""


class UsageReported(msgspec.Struct, frozen=True, gc=False):
    usage: Usage


class Finished(msgspec.Struct, frozen=True, gc=False):
    """The reply is whole. `stop_sequence` is the string that ended it."""

    reason: FinishReason
    stop_sequence: str | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The provider said within the reply that it failed, or its rest will not come for another reason."""

    error: PointsmanError


ReplyEvent = (
    ReplyStarted
    | TextDelta
    | CitationAdded
    | TextSealed
    | ThinkingDelta
    | ThinkingSealed
    | RedactedThinkingBlock
    | ImageMade
    | ToolCallStarted
    | ToolCallDelta
    | BlockEnded
    | UsageReported
    | Finished
    | Failed
)


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply: what `fold` makes of its events."""

    id: str
    model: str
    parts: tuple[Part, ...]
    finished: Finished
    usage: Usage
    logprobs: tuple[Mapping[str, Any], ...] = ()


def merge_usage(older: Usage | None, newer: Usage) -> Usage:
    """Each field from `newer` where it has one: providers report some fields early and some late."""
    if older is None:
        return newer

    def pick(new: int | None, old: int | None) -> int | None:
        return old if new is None else new

    return Usage(
        input_tokens=pick(newer.input_tokens, older.input_tokens),
        output_tokens=pick(newer.output_tokens, older.output_tokens),
        cache_read_tokens=pick(newer.cache_read_tokens, older.cache_read_tokens),
        cache_write_tokens=pick(newer.cache_write_tokens, older.cache_write_tokens),
        cache_write_1h_tokens=pick(newer.cache_write_1h_tokens, older.cache_write_1h_tokens),
        reasoning_tokens=pick(newer.reasoning_tokens, older.reasoning_tokens),
    )


class _Fold:
    """Collects parts in the order their first event came."""

    def __init__(self) -> None:
        self.parts: list[Part | None] = []
        self.kind: str | None = None
        self.pieces: list[str] = []
        self.seal: Seal | None = None
        self.citations: list[Citation] = []
        self.calls: dict[int, tuple[int, ToolCallStarted, list[str]]] = {}

    def close(self) -> None:
        text, seal = "".join(self.pieces), self.seal
        match self.kind:
            case "text" if text or seal:
                self.parts.append(Text(text, seal=seal, citations=tuple(self.citations)))
            case "refusal" if text:
                self.parts.append(Text(text, is_refusal=True))
            case "thinking" if text or seal:
                self.parts.append(Thinking(text, seal))
            case _:
                pass
        self.kind, self.pieces, self.seal, self.citations = None, [], None, []

    def open(self, kind: str) -> list[str]:
        """A sealed block is complete: what follows begins another."""
        if self.kind != kind or self.seal is not None:
            self.close()
            self.kind = kind
        return self.pieces

    def add(self, part: Part) -> None:
        self.close()
        self.parts.append(part)

    def call(self, started: ToolCallStarted) -> None:
        self.close()
        self.calls[started.index] = (len(self.parts), started, [])
        self.parts.append(None)

    def whole(self) -> tuple[Part, ...]:
        self.close()
        for place, started, pieces in self.calls.values():
            arguments = "".join(pieces) or "{}"
            self.parts[place] = ToolCall(started.id, started.name, arguments, started.seal)
        return tuple(part for part in self.parts if part is not None)


def end_with(error: UpstreamError, events: list[ReplyEvent]) -> None:
    """What a decoder does with an error: behind `events` of the same bytes it is the last of them, so that they are
    said and it makes no difference where the stream was cut. Alone it is raised."""
    if not events:
        raise error
    events.append(Failed(error))


def fold(events: Iterable[ReplyEvent]) -> Reply:
    """The whole reply. Raises the UpstreamError of a Failed event; ValueError if the events do not end."""
    folding = _Fold()
    started = ReplyStarted("", "")
    usage: Usage | None = None
    finished: Finished | None = None
    logprobs: list[Mapping[str, Any]] = []
    for event in events:
        match event:
            case ReplyStarted():
                started = event
            case TextDelta(text, is_refusal):
                folding.open("refusal" if is_refusal else "text").append(text)
                logprobs += event.logprobs
            case CitationAdded(citation):
                folding.open("text")
                folding.citations.append(citation)
            case TextSealed(seal):
                folding.open("text")
                folding.seal = seal
            case ThinkingDelta(text):
                folding.open("thinking").append(text)
            case ThinkingSealed(seal):
                folding.open("thinking")
                folding.seal = seal
            case RedactedThinkingBlock(seal):
                folding.add(RedactedThinking(seal))
            case ImageMade(media_type, data):
                folding.add(Image(media_type, data))
            case ToolCallStarted():
                folding.call(event)
            case ToolCallDelta(index, arguments):
                folding.calls[index][2].append(arguments)
            case BlockEnded():
                folding.close()
            case UsageReported(reported):
                usage = merge_usage(usage, reported)
            case Finished():
                finished = event
            case Failed(error):
                raise error
    if finished is None:
        raise ValueError("the reply has no end")
    return Reply(started.id, started.model, folding.whole(), finished, usage or Usage(), tuple(logprobs))
