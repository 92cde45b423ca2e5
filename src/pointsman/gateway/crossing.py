"""How one exchange crosses between the caller's dialect and the provider's: what both ways have in common. `relayed` is the
one for a provider of the same dialect, `translated` for any other. No network here: what to send, and what becomes of
what comes back.

Whole replies and streams use one object, so that they cannot differ: the same decoder, the same usage. What a
caller is given of a stream always ends between two events, so that there is a clean place to say that it broke.
"""

from abc import ABC, abstractmethod

from pointsman.core.errors import PointsmanError, UpstreamError, UpstreamFault
from pointsman.core.events import ReplyEvent, UsageReported, merge_usage
from pointsman.core.usage import Usage
from pointsman.wire.dialect import Framing
from pointsman.wire.lines import LineSplitter
from pointsman.wire.sse import EVENT_BYTES_MAX, EventSplitter


class Crossing(ABC):
    """One attempt's way there and back. `body` is what the provider is sent, at `path` below its base URL; `dropped`
    what it cannot express, `usage` what the reply said it used, as far as it came."""

    speaks_callers_dialect = False
    """The provider's own words for an error are the caller's too."""

    _usage: Usage | None = None

    def __init__(self, path: str, body: bytes, dropped: tuple[str, ...] = ()) -> None:
        self.path = path
        self.body = body
        self.dropped = dropped

    @property
    def usage(self) -> Usage | None:
        return self._usage

    @property
    def is_finished(self) -> bool:
        """The caller was given the reply's end; what breaks behind it is nothing to them."""
        return False

    @abstractmethod
    def whole(self, reply: bytes) -> bytes:
        """A complete reply that was not streamed, for the caller. Raises UpstreamError."""

    def last_words(self, error: PointsmanError, request_id: str) -> bytes:
        """What tells a caller who has part of a reply that the rest will not come: nobody has part of a whole one."""
        return b""


class Streamable(Crossing):
    """A crossing whose reply may come in pieces.

    A streamed reply is known by its first byte that is no white space, for content types lie:

        waiting --`{` or `[`-->   a whole reply, or an error: kept, and told as a stream at its end
        waiting --`<`-->          a web page: refused
        waiting --any other-->    a stream of events

    A stream of lines needs no such care: a whole reply is a stream of one line.

    What comes before the first content is held back: until then another model could still give the answer.
    """

    # What a whole reply leaves as it is stands here: setting it for each would cost time.
    _is_stream = False
    _first = b""
    _kept: list[bytes] | None = None
    _kept_bytes = 0
    _has_begun = False
    _held: list[bytes] | None = None
    _held_bytes = 0
    _splitter: EventSplitter | LineSplitter

    def __init__(self, path: str, body: bytes, framing: Framing, dropped: tuple[str, ...] = ()) -> None:
        super().__init__(path, body, dropped)
        self._framing = framing

    @property
    @abstractmethod
    def is_finished(self) -> bool: ...

    def piece(self, data: bytes) -> bytes:
        """What a piece of a streamed reply becomes; may be empty. Raises UpstreamError; a caller who has part of
        the reply by then is told in `last_words`."""
        if not self._is_stream and not (data := self._begin(data)):
            return b""
        events = self._splitter.split(data)
        return self._relay(events) if events else b""

    def end(self) -> bytes:
        """What is left to say at the end of the stream. Raises UpstreamError if the reply is not whole."""
        if self._is_stream:
            return self._relay_last(self._splitter.rest())
        kept = b"".join(self._kept or ())
        if not kept.strip():
            raise ended_too_early()
        return self._as_stream(kept)

    @abstractmethod
    def last_words(self, error: PointsmanError, request_id: str) -> bytes:
        """What tells a caller who has part of a stream that the rest will not come."""

    def _begin(self, data: bytes) -> bytes:
        """What can be read as a stream by now."""
        kept = self._kept
        if kept is None:
            kept = self._kept = []
        kept.append(data)
        self._kept_bytes += len(data)
        if self._kept_bytes > EVENT_BYTES_MAX:
            raise UpstreamError(UpstreamFault.BAD_REPLY, "the reply is too large")
        self._first = self._first or data.lstrip()[:1]
        if self._first == b"<":
            raise UpstreamError(UpstreamFault.BAD_REPLY, "answered with a web page")
        if not self._first or (self._framing == "sse" and self._first in {b"{", b"["}):
            return b""
        self._is_stream = True
        self._splitter = EventSplitter() if self._framing == "sse" else LineSplitter()
        self._open()
        self._kept = None
        return kept[0] if len(kept) == 1 else b"".join(kept)

    def _hold(self, out: bytes) -> bytes:
        """Nothing of an answer yet."""
        if self._held is None:
            self._held = []
        self._held.append(out)
        self._held_bytes += len(out)
        if self._held_bytes > EVENT_BYTES_MAX:
            raise UpstreamError(UpstreamFault.BAD_REPLY, "the stream begins without end")
        return b""

    def _release(self, out: bytes) -> bytes:
        """The content begins, with what was held back before it."""
        self._has_begun = True
        held, self._held = self._held, None
        return out if held is None else b"".join((*held, out))

    @abstractmethod
    def _open(self) -> None:
        """A stream begins."""

    @abstractmethod
    def _relay(self, events: bytes) -> bytes: ...

    @abstractmethod
    def _relay_last(self, rest: bytes) -> bytes:
        """`rest` is what came behind the last whole event."""

    @abstractmethod
    def _as_stream(self, reply: bytes) -> bytes:
        """A complete reply for a caller who asked for a stream."""


def usage_of(events: list[ReplyEvent]) -> Usage | None:
    usage: Usage | None = None
    for event in events:
        if isinstance(event, UsageReported):
            usage = merge_usage(usage, event.usage)
    return usage


def ended_too_early() -> UpstreamError:
    return UpstreamError(UpstreamFault.BROKEN, "the reply ended before its end")
