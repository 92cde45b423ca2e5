"""What a request had to say in another way comes back in the reply as it was meant: renamed tools under their own
names, a schema that was asked for as a tool as text. It knows no dialect."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from pointsman.core.events import (
    Finished,
    ReplyEvent,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
)


class Undo(NamedTuple):
    """`tool_names` gives the caller's name for each name that was sent instead. `answer_tool` is the tool whose
    arguments are the answer itself: its schema is the one the answer was to have."""

    tool_names: Mapping[str, str] = {}
    answer_tool: str | None = None


NOTHING_TO_UNDO = Undo()


class Undoing:
    """One reply's events, taken back. Calls behind the answer tool move up, so that indexes stay contiguous."""

    def __init__(self, undo: Undo) -> None:
        self._undo = undo
        self._answers: set[int] = set()
        self._indexes: dict[int, int] = {}

    def feed(self, events: Sequence[ReplyEvent]) -> list[ReplyEvent]:
        return [taken for event in events if (taken := self._take(event)) is not None]

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
