"""What must hold of anything written here, whatever was read before: valid JSON, valid events, events in their order,
no more bytes than what was read accounts for."""

import json
import re
from collections.abc import Sequence
from typing import Any, NoReturn

from pointsman.core.events import (
    BlockEnded,
    Failed,
    Finished,
    ReplyEvent,
    ReplyStarted,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallStarted,
    UsageReported,
)

TIMES_MAX = 48
"""So many times the bytes read may be written: one byte in a stream may cost an event of its own."""

BYTES_FREE = 64 * 1024


class Violation(AssertionError):
    """Something holds no longer. The first word of the message names what."""


def hold(condition: bool, what: str) -> None:
    if not condition:
        raise Violation(what)


def _no_constant(word: str) -> NoReturn:
    raise ValueError(word)


def json_of(text: bytes, what: str) -> Any:
    try:
        return json.loads(text.decode(), parse_constant=_no_constant, parse_int=str)
    except RecursionError:
        return None  # nested as deeply as what it was made of: there is a parser that reads it
    except ValueError as error:
        raise Violation(f"{what} is not JSON: {error}") from None


_DEEP = 400
"""Parsers give up somewhere; what stands below the levels of an envelope may be too deep for them there."""


def is_deep(text: bytes) -> bool:
    depth = deepest = 0
    for bracket in _BRACKETS.findall(text):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest > _DEEP


_BRACKETS = re.compile(rb"[\[{\]}]")


def bounded(written: int, read: int, what: str) -> None:
    hold(written <= TIMES_MAX * read + BYTES_FREE, f"{what} grew")


def events_hold(stream: bytes, what: str) -> list[bytes]:
    """The data of each event. Only what a plain reader of the standard would take for an event counts."""
    try:
        text = stream.decode()
    except UnicodeDecodeError:
        raise Violation(f"{what} is not UTF-8") from None
    text = text.replace("\r\n", "\n")
    hold(not text or text.endswith("\n\n"), f"{what} ends within an event")
    found: list[bytes] = []
    for event in text.split("\n\n"):
        data = []
        for line in event.split("\n"):
            name, _, value = line.partition(":")
            hold(name in {"", "data", "event", "id", "retry"}, f"{what} holds a line that is no field")
            hold("\r" not in line, f"{what} holds a bare carriage return")
            if name == "data":
                data.append(value.removeprefix(" "))
        if data:
            joined = "\n".join(data).encode()
            if joined != b"[DONE]":
                json_of(joined, what)
            found.append(joined)
    return found


def order_holds(events: Sequence[ReplyEvent]) -> None:
    """The order that `core.events` promises to encoders."""
    known: set[int] = set()
    ends = 0
    has_begun = False
    for place, event in enumerate(events):
        match event:
            case ReplyStarted():
                hold(not has_begun, "order: a late start")
            case ToolCallStarted(index, call_id, name):
                hold(index == len(known), "order: call indexes have gaps")
                hold(bool(call_id) and bool(name), "order: a call without id or name")
                known.add(index)
            case ToolCallDelta(index, arguments):
                hold(index in known, "order: arguments of an unknown call")
                hold(isinstance(arguments, str), "order: arguments are no text")
            case Finished() | Failed():
                ends += 1
                hold(place == len(events) - 1, "order: something behind the end")
            case _:
                pass
        has_begun = has_begun or not isinstance(event, UsageReported)
    hold(ends == 1, "order: no end")
    hold(not events or isinstance(events[0], (ReplyStarted, UsageReported, Failed)), "order: no start")


def said(events: Sequence[ReplyEvent]) -> list[object]:
    """Events without how they were cut: what two readings of one stream must agree on."""
    found: list[object] = []
    pieces: dict[object, list[str]] = {}
    last: object = None
    for event in events:
        key: object = None
        match event:
            case UsageReported() | BlockEnded():
                continue
            case TextDelta(text, is_refusal):
                key = (TextDelta, is_refusal)
            case ThinkingDelta(text):
                key = ThinkingDelta
            case ToolCallDelta(index, text):
                pieces.setdefault(("call", index), []).append(text)
                continue
            case Failed(error):
                found.append((error.fault, str(error)))
            case _:
                found.append(event)
        if key is None:
            last = None
            continue
        if last != key:
            last = key
            found.append(pieces.setdefault((key, len(found)), []))
        pieces[key, len(found) - 1].append(text)
    found = ["".join(piece) if isinstance(piece, list) else piece for piece in found]
    return [*found, *((key, "".join(texts)) for key, texts in pieces.items())]
