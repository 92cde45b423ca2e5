"""What a request had to say in another way comes back in the reply as it was meant: renamed tools under their own
names, a schema that was asked for as a tool as text, a call that was asked for as text as a call, a text cut at its
stop string. It knows no dialect."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import msgspec

from pointsman.core.events import (
    Failed,
    Finished,
    ReplyEvent,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
    UsageReported,
)
from pointsman.core.request import Reasoning, Request, Tool, ToolChoice
from pointsman.wire.call_ids import made_id


class Undo(NamedTuple):
    """`tool_names` gives the caller's name for each name that was sent instead. `answer_tool` is the tool whose
    arguments are the answer itself: its schema is the one the answer was to have. `said_tools` are those of which the
    answer's text says a call: its arguments where it is one tool, else an object with "name" and "arguments". `stop`
    are the strings that end a text of a model whose provider does not know them."""

    tool_names: Mapping[str, str] = {}
    answer_tool: str | None = None
    said_tools: tuple[str, ...] = ()
    stop: tuple[str, ...] = ()


NOTHING_TO_UNDO = Undo()

_SAID = -1
"""The place of a call that was said in words among the calls of a provider, which begin with 0."""

_TOOL_NAME = re.compile(r"[A-Za-z0-9_-]{1,60}")
_ANSWER_DESCRIPTION = "Gives the answer. Call this once, with the whole answer as its arguments."


def asking_by_tool(request: Request) -> tuple[Request, Undo]:
    """The request for a model that takes no JSON schema but can be made to call a tool: the answer is asked for as
    the arguments of one. Without thinking, which no API allows beside a forced call. A request that forces a call of
    a tool of its own gets no answer, and needs no schema for it."""
    wanted, choice = request.output_format, request.tool_choice
    if choice is not None and choice.mode in {"required", "tool"}:
        return replace(request, output_format=None), NOTHING_TO_UNDO
    name = "answer" if wanted is None or wanted.name is None else wanted.name
    taken = {tool.name for tool in request.tools}
    name = free_name(name if _TOOL_NAME.fullmatch(name) else "answer", taken)
    schema = None if wanted is None else wanted.schema
    answer = Tool(name, _ANSWER_DESCRIPTION, schema)
    may_call_others = request.tools and (choice is None or choice.mode == "auto")
    by_tool = replace(
        request,
        tools=(*request.tools, answer),
        tool_choice=ToolChoice("required") if may_call_others else ToolChoice("tool", name),
        parallel_tools=False,
        output_format=None,
        reasoning=Reasoning(effort="none"),
    )
    return by_tool, Undo(answer_tool=name)


def free_name(name: str, taken: Collection[str]) -> str:
    """`name`, or one like it that no other tool has."""
    while name in taken:
        name += "_"
    return name


class Undoing:
    """One reply's events, taken back. Calls behind the answer tool move up, so that indexes stay contiguous. There is
    one answer: a second one of the same reply is left out. `reply_id` is what the id of a call is made from that was
    said in words."""

    def __init__(self, undo: Undo, reply_id: str = "") -> None:
        self._undo = undo
        self._reply_id = reply_id
        self._said = ""  # of a call, until its tool is known
        self._answer: int | None = None
        self._has_answer_begun = False
        self._indexes: dict[int, int] = {}
        self._cutting = Cutting(undo.stop) if undo.stop else None

    def feed(self, events: Sequence[ReplyEvent]) -> list[ReplyEvent]:
        taken = [own for event in events for own in self._take(event)]
        return taken if self._cutting is None else self._cutting.feed(taken)

    def _take(self, event: ReplyEvent) -> Sequence[ReplyEvent]:
        match event:
            case TextDelta(text, False) if self._undo.said_tools:
                return self._take_said(text)
            case Finished() if self._undo.said_tools:
                return (*self._said_whole(), self._ended(event))
            case ToolCallStarted(index, _, name):
                if name == self._undo.answer_tool:
                    if self._answer is None:
                        self._answer = index
                    return ()
                self._indexes[index] = len(self._indexes)
                own = self._undo.tool_names.get(name, name)
                return (msgspec.structs.replace(event, index=self._indexes[index], name=own),)
            case ToolCallDelta(index, arguments):
                if index in self._indexes:
                    return (ToolCallDelta(self._indexes[index], arguments),)
                if index != self._answer:
                    return ()
                self._has_answer_begun = self._has_answer_begun or bool(arguments)
                return (TextDelta(arguments),)
            case Finished(reason) if self._answer is not None:
                # A call without arguments is the empty object.
                answer = () if self._has_answer_begun or reason == "length" else (TextDelta("{}"),)
                if reason == "tool_calls" and not self._indexes:
                    event = msgspec.structs.replace(event, reason="stop")
                return (*answer, event)
            case _:
                return (event,)

    def _take_said(self, text: str) -> Sequence[ReplyEvent]:
        if len(self._undo.said_tools) > 1:
            self._said += text
            return ()
        return self._call(self._undo.said_tools[0], text)

    def _said_whole(self) -> Sequence[ReplyEvent]:
        """The call of one of several tools, or the text itself where it is none: it broke off, or the provider held it
        to no schema."""
        text, self._said = self._said, ""
        if not text:
            return ()
        try:
            said = _decode_said(text)
        except (msgspec.DecodeError, RecursionError):
            return (TextDelta(text),)
        if said.name not in self._undo.said_tools:
            return (TextDelta(text),)
        return self._call(said.name, bytes(said.arguments).decode())

    def _call(self, name: str, arguments: str) -> Sequence[ReplyEvent]:
        started: tuple[ReplyEvent, ...] = ()
        if _SAID not in self._indexes:
            self._indexes[_SAID] = index = len(self._indexes)
            started = (ToolCallStarted(index, made_id(self._reply_id, index), name),)
        return (*started, ToolCallDelta(self._indexes[_SAID], arguments))

    def _ended(self, event: Finished) -> Finished:
        has_called = event.reason == "stop" and self._indexes
        return msgspec.structs.replace(event, reason="tool_calls") if has_called else event


class _Said(msgspec.Struct, gc=False):
    name: str
    arguments: msgspec.Raw


_decode_said = msgspec.json.Decoder(_Said).decode


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
