"""Server-sent events, both directions: bytes to events and events to bytes. It knows nothing of dialects.

Follows the event stream grammar of the WHATWG HTML standard (section 9.2), as far as providers use it: comments
are skipped, CRLF, LF and CR end lines, several data lines join with LF, an event without its blank line at
the end of the stream is still delivered (several providers forget it).
"""

import re
from typing import NamedTuple

from pointsman.core.errors import UpstreamError, UpstreamFault

EVENT_BYTES_MAX = 64 * 1024 * 1024
"""One event may hold a generated image as base64; beyond this a stream is not a stream of events."""

_END_OF_EVENT = re.compile(rb"\r\n\r\n|\n\n|\r\r|\n\r\n")


class ServerSentEvent(NamedTuple):
    """`name` is empty where the stream gave none."""

    name: str
    data: bytes


class SseReader:
    """Cutting the stream anywhere gives the same events."""

    def __init__(self) -> None:
        self._pending = b""

    def feed(self, data: bytes) -> list[ServerSentEvent]:
        pending = self._pending + data if self._pending else data
        end = 0
        for match in _END_OF_EVENT.finditer(pending):
            end = match.end()
        # CRLF may be cut in its middle: a lone CR at the very end is not a line end yet.
        self._pending = pending[end:]
        if len(self._pending) > EVENT_BYTES_MAX:
            raise UpstreamError(UpstreamFault.BAD_REPLY, "the stream has no end of event")
        return _events(pending[:end]) if end else []

    def finish(self) -> list[ServerSentEvent]:
        """What the stream left without its closing blank line."""
        rest, self._pending = self._pending, b""
        return _events(rest) if rest.strip() else []


def _events(block: bytes) -> list[ServerSentEvent]:
    events: list[ServerSentEvent] = []
    name = ""
    data: list[bytes] = []
    for line in block.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n"):
        if line.startswith(b"data:"):
            data.append(line[6:] if line[5:6] == b" " else line[5:])
        elif line.startswith(b"event:"):
            name = line[6:].strip().decode("utf-8", "replace")
        elif not line:
            if data:
                events.append(ServerSentEvent(name, b"\n".join(data)))
            name, data = "", []
    if data:
        events.append(ServerSentEvent(name, b"\n".join(data)))
    return events


def frame(data: bytes, name: str = "") -> bytes:
    """One event as bytes. `data` holds no line ends: JSON never needs one."""
    if name:
        return b"event: %b\ndata: %b\n\n" % (name.encode(), data)
    return b"data: %b\n\n" % data
