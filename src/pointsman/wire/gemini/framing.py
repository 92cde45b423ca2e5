"""How the pieces of a Gemini stream follow each other: as server-sent events, or as one JSON array for callers who
asked without `alt=sse`. It does not read what they hold.

Google's own readers take every line of an event stream that does not begin with `data: ` for a part of an error, so
there are no comments, no names of events and no [DONE].
"""

from pointsman.core.errors import PointsmanError
from pointsman.wire.gemini.errors import stream_error
from pointsman.wire.sse import ServerSentEvent, SseReader

KEEPALIVE = b"\n"
"""The one thing that may be sent between two pieces without being one."""

_ERROR = b'{"error"'


class LineReader(SseReader):
    """Reads events as any reader of them; what Google sends, one event of one line with CRLF, at less cost."""

    __slots__ = ()

    def feed(self, data: bytes) -> list[ServerSentEvent]:
        if (
            not self.pending
            and data.startswith(b"data: ")
            and data.endswith(b"\r\n\r\n")
            and data.count(b"\n") == 2
            and data.count(b"\r") == 2
        ):
            return [ServerSentEvent("", data[6:-4])]
        return super().feed(data)


class SseFraming:
    def piece(self, data: bytes) -> bytes:
        return b"data: %b\r\n\r\n" % data

    def end(self) -> bytes:
        return b""


class ArrayFraming:
    """`[first`, `,next` and `]`, which `end` writes once."""

    def __init__(self) -> None:
        self._has_begun = False
        self._is_ended = False

    def piece(self, data: bytes) -> bytes:
        start, self._has_begun = b",\r\n" if self._has_begun else b"[", True
        return start + data

    def end(self) -> bytes:
        if self._is_ended:
            return b""
        self._is_ended = True
        return b"]" if self._has_begun else b"[]"


Framing = SseFraming | ArrayFraming


def array_of(piece: bytes) -> bytes:
    """A stream of one piece."""
    return b"[%b]" % piece


class ArrayRelay:
    """A provider's events as the array that their caller asked for; what each holds stays byte for byte. Behind an
    error nothing comes."""

    def __init__(self) -> None:
        self._reader = LineReader()
        self._framing = ArrayFraming()
        self._is_broken = False

    def feed(self, events: bytes) -> bytes:
        return self._pieces([sent.data for sent in self._reader.feed(events)])

    def finish(self) -> bytes:
        return self._pieces([sent.data for sent in self._reader.finish()]) + self._framing.end()

    def broken(self, error: PointsmanError, request_id: str) -> bytes:
        self._is_broken = True
        return self._framing.piece(stream_error(error, request_id)) + self._framing.end()

    def _pieces(self, found: list[bytes]) -> bytes:
        out: list[bytes] = []
        for data in found:
            if self._is_broken or not data.strip():
                continue
            out.append(self._framing.piece(data))
            if data.lstrip().startswith(_ERROR):
                self._is_broken = True
                out.append(self._framing.end())
        return b"".join(out)
