"""What a model's reply is made of, in the order it is made. A reply that was not streamed is the same events.

An order every decoder keeps and every encoder may rely on:

    ReplyStarted, then any number of
        TextDelta* | ThinkingDelta* [ThinkingSigned] | RedactedThinkingBlock
        | ToolCallStarted, ToolCallDelta*            (calls may interleave, told apart by `index`)
        | BlockEnded                                 (the block before is complete; optional between kinds)
    UsageReported may come anywhere and again: the last one wins, field by field
    then exactly one of Finished or Failed.

A change of kind ends the block before it; BlockEnded only matters between two blocks of one kind.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from pointsman.core.errors import UpstreamError
from pointsman.core.request import Part, RedactedThinking, Text, Thinking, ToolCall
from pointsman.core.usage import Usage

FinishReason = Literal["stop", "length", "stop_sequence", "tool_calls", "content_filter", "refusal", "pause"]


@dataclass(frozen=True, slots=True)
class ReplyStarted:
    """`id` and `model` are the provider's own."""

    id: str
    model: str


@dataclass(frozen=True, slots=True)
class TextDelta:
    text: str
    is_refusal: bool = False


@dataclass(frozen=True, slots=True)
class ThinkingDelta:
    text: str


@dataclass(frozen=True, slots=True)
class ThinkingSigned:
    """The signature of the thinking block that is open; it may have had no text at all."""

    signature: str
    maker: str


@dataclass(frozen=True, slots=True)
class RedactedThinkingBlock:
    data: str
    maker: str


@dataclass(frozen=True, slots=True)
class ToolCallStarted:
    """`index` counts the tool calls of this reply from 0."""

    index: int
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """A piece of the JSON text of the arguments of call `index`."""

    index: int
    arguments: str


@dataclass(frozen=True, slots=True)
class BlockEnded:
    """The block before is complete."""


@dataclass(frozen=True, slots=True)
class UsageReported:
    usage: Usage


@dataclass(frozen=True, slots=True)
class Finished:
    """The reply is whole. `stop_sequence` is the string that ended it; `raw_reason` the provider's word."""

    reason: FinishReason
    stop_sequence: str | None = None
    raw_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The provider said within the reply that it failed."""

    error: UpstreamError


ReplyEvent = (
    ReplyStarted
    | TextDelta
    | ThinkingDelta
    | ThinkingSigned
    | RedactedThinkingBlock
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
        self.signature: tuple[str, str] | None = None
        self.calls: dict[int, tuple[int, str, str, list[str]]] = {}

    def close(self) -> None:
        text = "".join(self.pieces)
        match self.kind:
            case "text" if text:
                self.parts.append(Text(text))
            case "refusal" if text:
                self.parts.append(Text(text, is_refusal=True))
            case "thinking" if text or self.signature:
                signature, maker = self.signature or (None, None)
                self.parts.append(Thinking(text, signature, maker))
            case _:
                pass
        self.kind, self.pieces, self.signature = None, [], None

    def open(self, kind: str) -> list[str]:
        if self.kind != kind:
            self.close()
            self.kind = kind
        return self.pieces

    def whole(self) -> tuple[Part, ...]:
        self.close()
        for place, call_id, name, pieces in self.calls.values():
            self.parts[place] = ToolCall(call_id, name, "".join(pieces) or "{}")
        return tuple(part for part in self.parts if part is not None)


def fold(events: Iterable[ReplyEvent]) -> Reply:
    """The whole reply. Raises the UpstreamError of a Failed event; ValueError if the events do not end."""
    folding = _Fold()
    started = ReplyStarted("", "")
    usage: Usage | None = None
    finished: Finished | None = None
    for event in events:
        match event:
            case ReplyStarted():
                started = event
            case TextDelta(text, is_refusal):
                folding.open("refusal" if is_refusal else "text").append(text)
            case ThinkingDelta(text):
                if folding.signature is not None:
                    folding.close()
                folding.open("thinking").append(text)
            case ThinkingSigned(signature, maker):
                folding.open("thinking")
                folding.signature = (signature, maker)
            case RedactedThinkingBlock(data, maker):
                folding.close()
                folding.parts.append(RedactedThinking(data, maker))
            case ToolCallStarted(index, call_id, name):
                folding.close()
                folding.calls[index] = (len(folding.parts), call_id, name, [])
                folding.parts.append(None)
            case ToolCallDelta(index, arguments):
                folding.calls[index][3].append(arguments)
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
    return Reply(started.id, started.model, folding.whole(), finished, usage or Usage())
