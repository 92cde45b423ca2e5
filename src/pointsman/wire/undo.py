"""What a request had to say in another way comes back in the reply as it was meant: renamed tools under their own
names, a schema that was asked for as a tool as text, a text cut at its stop string. It knows no dialect."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from pointsman.core.events import (
    Failed,
    Finished,
    ReplyEvent,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
    UsageReported,
)


class Undo(NamedTuple):
    """`tool_names` gives the caller's name for each name that was sent instead. `answer_tool` is the tool whose
    arguments are the answer itself: its schema is the one the answer was to have. `stop` are the strings that end a
    text of a model whose provider does not know them."""

    tool_names: Mapping[str, str] = {}
    answer_tool: str | None = None
    stop: tuple[str, ...] = ()


NOTHING_TO_UNDO = Undo()


class Undoing:
    """One reply's events, taken back. Calls behind the answer tool move up, so that indexes stay contiguous."""

    def __init__(self, undo: Undo) -> None:
        self._undo = undo
        self._answers: set[int] = set()
        self._indexes: dict[int, int] = {}
        self._cutting = Cutting(undo.stop) if undo.stop else None

    def feed(self, events: Sequence[ReplyEvent]) -> list[ReplyEvent]:
        taken = [own for event in events if (own := self._take(event)) is not None]
        return taken if self._cutting is None else self._cutting.feed(taken)

    def _take(self, event: ReplyEvent) -> ReplyEvent | None:
        match event:
            case ToolCallStarted(index, _, name):
                if name == self._undo.answer_tool:
                    self._answers.add(index)
                    return None
                self._indexes[index] = len(self._indexes)
                own = self._undo.tool_names.get(name, name)
                return replace(event, index=self._indexes[index], name=own)
            case ToolCallDelta(index, arguments):
                if index in self._answers:
                    return TextDelta(arguments)
                return ToolCallDelta(self._indexes[index], arguments)
            case Finished("tool_calls") if self._answers and not self._indexes:
                return replace(event, reason="stop")
            case _:
                return event


class Cutting:
    """One reply's events up to the first stop string in a text of it. What may be the beginning of one is held back
    until more is known. The model goes on to its own end unheard; what it used is still told."""

    def __init__(self, stop: tuple[str, ...]) -> None:
        self._stop = stop
        self._held = ""
        self._is_refusal = False
        self._found: str | None = None

    def feed(self, events: Sequence[ReplyEvent]) -> list[ReplyEvent]:
        out: list[ReplyEvent] = []
        for event in events:
            match event:
                case UsageReported() | Failed():
                    out.append(event)
                case Finished():
                    self._let_go(out)
                    is_cut = self._found is not None
                    out.append(Finished("stop_sequence", self._found) if is_cut else event)
                case _ if self._found is not None:
                    pass
                case TextDelta(text, is_refusal):
                    self._cut(text, out, is_refusal=is_refusal)
                case _:
                    self._let_go(out)
                    out.append(event)
        return out

    def _cut(self, text: str, out: list[ReplyEvent], *, is_refusal: bool) -> None:
        if is_refusal != self._is_refusal:
            self._let_go(out)
        self._is_refusal = is_refusal
        self._held += text
        # The string that is whole first counts, as it does where a text comes letter by letter.
        found = [
            (place + len(stop), place, stop) for stop in self._stop if (place := self._held.find(stop)) >= 0
        ]
        if found:
            _, end, self._found = min(found)
        else:
            end = len(self._held) - max(_beginning(self._held, stop) for stop in self._stop)
        if end:
            out.append(TextDelta(self._held[:end], is_refusal))
        self._held = "" if found else self._held[end:]

    def _let_go(self, out: list[ReplyEvent]) -> None:
        if self._held:
            out.append(TextDelta(self._held, self._is_refusal))
            self._held = ""


def _beginning(text: str, stop: str) -> int:
    """How many characters at the end of `text` are the beginning of `stop`."""
    sizes = range(min(len(text), len(stop) - 1), 0, -1)
    return next((size for size in sizes if text.endswith(stop[:size])), 0)
