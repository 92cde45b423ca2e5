"""Server-sent events, both directions: bytes to events and events to bytes. It knows nothing of dialects.

Follows the event stream grammar of the WHATWG HTML standard (section 9.2), as far as providers use it: comments
are skipped, CRLF, LF and CR end lines, several data lines join with LF, a byte order mark at the start is no
part of the first line. One departure: an event without its blank line at the end of the stream is still
delivered (several providers forget it).
"""

import re
from typing import NamedTuple

from pointsman.core.errors import UpstreamError, UpstreamFault
from pointsman.wire.json_bytes import is_json

EVENT_BYTES_MAX = 64 * 1024 * 1024
"""One event may hold a generated image as base64; beyond this a stream is not a stream of events."""

# Two line ends in a row. After the CR of the second one its LF may still be to come; it is then read as one
# more blank line, which ends nothing.
_BLANK_LINE = re.compile(rb"\n\n|[\r\n]\r\n?")
_LINE_ENDS_BYTES_MAX = 4
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class ServerSentEvent(NamedTuple):
    """`name` is empty where the stream gave none."""

    name: str
    data: bytes


class EventSplitter:
    """Cuts a stream between its events, wherever it was cut on its way. The work is linear in the bytes, also
    for one huge event in many pieces: `pending` grows in place and each byte of it is searched once."""

    __slots__ = ("pending",)

    def __init__(self) -> None:
        self.pending = bytearray()
        """The bytes of the event that is not complete yet. For reading only."""

    def split(self, data: bytes) -> bytes:
        """The bytes of all events completed by `data`, as they came; may be empty."""
        pending = self.pending
        if not pending:
            if data.endswith(b"\n\n"):
                return data
            end = _end_of_last_event(data, 0)
            if end == len(data):
                return data
            pending += memoryview(data)[end:]
            block = data[:end]
        else:
            # A blank line may begin with the last byte that was here before.
            searched = len(pending) - 1
            pending += data
            end = _end_of_last_event(pending, searched)
            block = bytes(memoryview(pending)[:end])
            del pending[:end]
        if len(pending) > EVENT_BYTES_MAX:
            raise UpstreamError(UpstreamFault.BAD_REPLY, "the stream holds an event without an end")
        return block

    def rest(self) -> bytes:
        """What the stream left without its closing blank line."""
        rest = bytes(self.pending)
        self.pending.clear()
        return rest


class SseReader(EventSplitter):
    """Cutting the stream anywhere gives the same events."""

    __slots__ = ("_is_at_start",)

    def __init__(self) -> None:
        super().__init__()
        self._is_at_start = True

    def feed(self, data: bytes) -> list[ServerSentEvent]:
        """Events completed by `data`."""
        # What most reads hold: one event on one line.
        if (
            not self.pending
            and data.startswith(b"data: ")
            and data.find(b"\n") == len(data) - 2
            and _is_plain_end(data)
        ):
            self._is_at_start = False
            return [ServerSentEvent("", data[6:-2])]
        block = self.split(data)
        return self._events(block) if block else []

    def finish(self) -> list[ServerSentEvent]:
        """The event that the stream left without its closing blank line."""
        return self._events(self.rest())

    def cut_events(self) -> list[ServerSentEvent]:
        """The event that is under way, if the bytes so far may be all of it: some streams end without their last blank
        line, and nobody tells who only watches. It comes once more when it has ended."""
        if not self.pending[-_LINE_ENDS_BYTES_MAX:].rstrip().endswith(b"}"):
            return []
        return SseReader().feed(bytes(self.pending) + b"\n\n")

    def _events(self, block: bytes) -> list[ServerSentEvent]:
        if self._is_at_start:
            self._is_at_start = False
            block = block.removeprefix(_BYTE_ORDER_MARK)
        if b"\r" in block:
            block = block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        events: list[ServerSentEvent] = []
        name = ""
        lines: list[bytes] = []
        for line in block.split(b"\n"):
            if line.startswith(b"data:"):
                lines.append(line[6:] if line[5:6] == b" " else line[5:])
            elif not line:
                if lines:
                    events.append(ServerSentEvent(name, lines[0] if len(lines) == 1 else b"\n".join(lines)))
                    lines = []
                name = ""
            elif line.startswith(b"event:"):
                name = line[6:].strip().decode("utf-8", "replace")
            elif line == b"data":
                lines.append(b"")
        if lines:
            events.append(ServerSentEvent(name, b"\n".join(lines)))
        return events


def _is_plain_end(data: bytes) -> bool:
    return data.endswith(b"\n\n") and b"\r" not in data


def _end_of_last_event(data: bytes | bytearray, start: int) -> int:
    """Where the last blank line that begins at `start` or later ends, 0 if there is none."""
    if data.find(b"\r", start) < 0:
        end = data.rfind(b"\n\n", start)
        return 0 if end < 0 else end + 2
    end = 0
    for match in _BLANK_LINE.finditer(data, start):
        end = match.end()
    return end


def is_plain_json(block: bytes) -> bool:
    """True if each line of data holds JSON. False says little: an event may have several lines, or none of JSON."""
    return all(is_json(line[5:]) for line in block.split(b"\n") if line.startswith(b"data:"))


def is_text(data: bytes) -> bool:
    """True if it is UTF-8, as JSON and events must be. What nobody decodes here is not looked at otherwise."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def unreadable() -> UpstreamError:
    """What an event means that is no JSON: relayed, it would break the caller's reader, or be passed over by it."""
    return UpstreamError(UpstreamFault.BAD_REPLY, "the stream holds an event that is not JSON")


def raw_events(block: bytes) -> list[bytes]:
    """The bytes of each event, its blank line included; joined they are `block` again."""
    ends = [match.end() for match in _BLANK_LINE.finditer(block)]
    events = [block[start:end] for start, end in zip([0, *ends], [*ends, len(block)], strict=True)]
    return events if events[-1] else events[:-1]


def frame(data: bytes, name: str = "") -> bytes:
    """One event as bytes. `data` holds no line ends: JSON never needs one."""
    if name:
        return b"event: %b\ndata: %b\n\n" % (name.encode(), data)
    return b"data: %b\n\n" % data
