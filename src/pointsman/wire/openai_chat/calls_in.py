"""OpenAI chat: the tool calls of one reply while it is being read. Providers differ in what tells them apart: an index,
an id, both or neither."""

from typing import Any

import msgspec

from pointsman.core.errors import UpstreamError, UpstreamFault
from pointsman.core.events import ReplyEvent, ToolCallDelta, ToolCallStarted
from pointsman.core.request import Seal
from pointsman.wire.call_ids import made_id
from pointsman.wire.custom_tools import INPUT
from pointsman.wire.openai_chat.chunks import CallPart

_encode = msgspec.json.Encoder().encode


class _ToolCall:
    """One call of the reply while it is being read. It starts, and is counted, when its name is known."""

    __slots__ = ("id", "index", "is_custom", "waiting")

    def __init__(self, call_id: str | None) -> None:
        self.index: int | None = None
        self.id = call_id
        self.waiting: list[str] = []
        self.is_custom = False


class CallsUnderWay:
    """`ids_from` is what the ids of calls without one are made from."""

    def __init__(self) -> None:
        self.ids_from = ""
        self._calls: list[_ToolCall] = []
        self._by_index: dict[int, _ToolCall] = {}
        self._by_id: dict[str, _ToolCall] = {}
        self._ids: set[str] = set()
        self._started = 0

    @property
    def are_there(self) -> bool:
        return bool(self._calls)

    def close(self) -> list[ReplyEvent]:
        """What is left to say at the end. Raises UpstreamError."""
        if any(call.index is None for call in self._calls):
            raise UpstreamError(UpstreamFault.BAD_REPLY, "the provider sent a tool call without a name")
        return [
            ToolCallDelta(call.index, '"}')
            for call in self._calls
            if call.is_custom and call.index is not None
        ]

    def take(self, part: CallPart, seal: Seal | None) -> list[ReplyEvent]:
        """What a piece of a call becomes. A call is told when its name is known."""
        custom, function = part.custom, part.function
        if custom is not None and not (custom.name or custom.input):
            custom = None  # Snowflake fills in every field there could be
        named = function if custom is None else custom
        name = None if named is None else named.name
        call = self._call_of(part, name)
        if custom is not None:
            # Free text is the one string of the function that it is elsewhere: its pieces are pieces of that string.
            text = _encode(custom.input or "")[1:-1].decode()
            arguments = text if call.is_custom else f'{{"{INPUT}":"{text}'
            call.is_custom = True
        else:
            arguments = _arguments(None if function is None else function.arguments)
        events: list[ReplyEvent] = []
        if call.index is None:
            if not name:
                call.waiting.append(arguments)
                return []
            call.index = self._started
            self._started += 1
            if not call.id or call.id in self._ids:
                call.id = made_id(self.ids_from, call.index)  # some servers give all of them one
            self._ids.add(call.id)
            events.append(ToolCallStarted(call.index, call.id, name, seal))
            arguments = "".join((*call.waiting, arguments))
        if arguments:
            events.append(ToolCallDelta(call.index, arguments))
        return events

    def _call_of(self, part: CallPart, name: str | None) -> _ToolCall:
        known: _ToolCall | None
        if part.index is not None:
            known = self._by_index.get(part.index)
            if known is not None and name and part.id and known.id and part.id != known.id:
                known = None  # one index for every call: the id tells them apart
        elif part.id:
            known = self._by_id.get(part.id)
        else:
            known = self._calls[-1] if self._calls and not name else None
        if known is None:
            known = _ToolCall(part.id)
            self._calls.append(known)
            if part.id:
                self._by_id.setdefault(part.id, known)
            if part.index is not None:
                self._by_index[part.index] = known
        return known


def _arguments(arguments: Any) -> str:
    if arguments is None:
        return ""
    return arguments if isinstance(arguments, str) else _encode(arguments).decode()
