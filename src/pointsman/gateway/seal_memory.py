"""Keeps what a provider sealed in a turn that called tools, for callers whose dialect has no place for it, and puts it
back when the turn returns in a history. Bounded in number, bytes and time; one process's own.

A call is known by the letters and digits of its id alone: there are clients that strip everything else.
"""

import re
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import msgspec

from pointsman.core.events import (
    RedactedThinkingBlock,
    ReplyEvent,
    ThinkingDelta,
    ThinkingSealed,
    ToolCallStarted,
)
from pointsman.core.request import Message, Part, RedactedThinking, Request, Seal, Thinking, ToolCall

KEPT_S = 24 * 3600.0
"""An agent's task may rest over night."""

KEPT_BYTES_MAX = 32 * 1024 * 1024
"""Seals of some thousand turns: one is a few hundred bytes to a few tens of kilobytes."""

_NOT_IN_KEY = re.compile(r"[^A-Za-z0-9]")
_NUMBERED = re.compile(
    r"(?:call|tool|toolcall|toolu|function|functions|fc|fn|tc|id|chatcmpltool)?\d{1,4}", re.IGNORECASE
)


class Turn(NamedTuple):
    """`thinking` is what was thought before the calls, `calls` the seals of the calls by key."""

    thinking: tuple[Thinking | RedactedThinking, ...]
    calls: dict[str, Seal]


class SealMemory:
    """`clock` counts seconds. The oldest turns go first."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._turns: OrderedDict[str, tuple[float, int, Turn]] = OrderedDict()
        self._bytes = 0

    def keep(self, call_ids: Sequence[str], turn: Turn) -> None:
        size = sum(len(thought.seal.data) for thought in turn.thinking if thought.seal is not None)
        size += sum(len(thought.text) for thought in turn.thinking if isinstance(thought, Thinking))
        size += sum(len(seal.data) for seal in turn.calls.values())
        now_s = self._clock()
        for call_id in call_ids:
            key = _key(call_id)
            self._forget(key)
            self._turns[key] = (now_s + KEPT_S, size, turn)
            self._bytes += size
        while self._turns:
            oldest, (until_s, _, _) = next(iter(self._turns.items()))
            if until_s > now_s and self._bytes <= KEPT_BYTES_MAX:
                break
            self._forget(oldest)

    def find(self, call_id: str) -> Turn | None:
        kept = self._turns.get(_key(call_id))
        return kept[2] if kept is not None and kept[0] > self._clock() else None

    def recalled(self, request: Request) -> Request:
        """The request with everything put back that is known of its calls and that it has lost."""
        messages = tuple(self._recalled(message) for message in request.messages) if self._turns else ()
        return (
            request if not messages or messages == request.messages else replace(request, messages=messages)
        )

    def _recalled(self, message: Message) -> Message:
        call = next((part for part in message.parts if isinstance(part, ToolCall)), None)
        if message.role != "assistant" or call is None:
            return message
        turn = self.find(call.id)
        if turn is None:
            return message
        parts = [_sealed(part, turn.calls) for part in message.parts]
        if not any(isinstance(part, Thinking | RedactedThinking) and part.seal for part in parts):
            unsealed = [part for part in parts if not isinstance(part, Thinking)]
            parts = [*turn.thinking, *unsealed] if turn.thinking else parts
        return Message(message.role, tuple(parts))

    def _forget(self, key: str) -> None:
        kept = self._turns.pop(key, None)
        if kept is not None:
            self._bytes -= kept[1]


class Sealed:
    """Gathers from one reply's events what is worth keeping."""

    __slots__ = ("_call_ids", "_calls", "_text", "_thinking")

    def __init__(self) -> None:
        self._thinking: list[Thinking | RedactedThinking] = []
        self._text: list[str] = []
        self._call_ids: list[str] = []
        self._calls: dict[str, Seal] = {}

    def feed(self, events: Sequence[ReplyEvent]) -> None:
        for event in events:
            match event:
                case ThinkingDelta(text):
                    self._text.append(text)
                case ThinkingSealed(seal):
                    self._thinking.append(Thinking("".join(self._text), seal))
                    self._text = []
                case RedactedThinkingBlock(seal):
                    self._thinking.append(RedactedThinking(seal))
                case ToolCallStarted(_, call_id, name, seal) if not _is_counted(call_id, name):
                    self._call_ids.append(call_id)
                    if seal is not None:
                        self._calls[_key(call_id)] = seal
                case _:
                    pass

    def leave_in(self, memory: SealMemory) -> None:
        if self._call_ids and (self._thinking or self._calls):
            memory.keep(self._call_ids, Turn(tuple(self._thinking), self._calls))


def _is_counted(call_id: str, tool: str) -> bool:
    """Some servers number the calls within a reply or a conversation (`call_0`, `functions.weather:0`): the next
    conversation has the same ids, and would be given what was thought in this one."""
    key, name = _key(call_id), re.escape(_key(tool))
    if _NUMBERED.fullmatch(key):
        return True
    return bool(name) and re.fullmatch(rf"(?:functions)?{name}\d*", key) is not None


def _key(call_id: str) -> str:
    return _NOT_IN_KEY.sub("", call_id)


def _sealed(part: Part, seals: dict[str, Seal]) -> Part:
    if isinstance(part, ToolCall) and part.seal is None and (seal := seals.get(_key(part.id))) is not None:
        return msgspec.structs.replace(part, seal=seal)
    return part
