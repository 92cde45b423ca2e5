"""What the gateway needs from the outside, as small Protocols: the shell implements them, doubles stand in.

`Send` is the one way to a provider. `Answer` is the one way back to the client. Both work with call-backs for
the bytes of a body, so that a relayed chunk crosses the program without waking a task.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from pointsman.core.errors import UpstreamError

HeaderList = Sequence[tuple[bytes, bytes]]
"""HTTP headers; names in lower case."""


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds a provider is given: to accept the connection, to send the first byte of its answer, to send the first
    content of a stream (both counted from the request), between two pieces of it, and for all of it.
    `pieces_per_s_min` is how fast the pieces of a stream come within `rate_window_s` of the first one, 0 for no such
    limit."""

    connect_s: float = 10.0
    first_byte_s: float = 120.0
    idle_s: float = 120.0
    total_s: float = 1800.0
    first_content_s: float = 120.0
    pieces_per_s_min: float = 0.0
    rate_window_s: float = 2.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How many requests may be under way at once, how many more may wait for their turn, and how long."""

    in_flight: int
    queue: int
    queue_timeout_s: float


class Outgoing(NamedTuple):
    """One HTTP request to a provider. `url` is absolute; `headers` hold neither host nor content-length. A tuple of them
    says that the same ones will be sent again. Only a POST has a body."""

    url: str
    headers: HeaderList
    body: bytes
    deadlines: Deadlines
    method: Literal["POST", "GET", "DELETE"] = "POST"


class Incoming(Protocol):
    """A provider's answer, its head already read. Whoever holds it must end it: `read` or `pump` to the end,
    or `abort`.

    Every method that waits raises UpstreamError: TIMED_OUT when a deadline passes, BROKEN when the body ends
    before its end, BAD_REPLY when it is not HTTP or is over a limit. Content encodings are already undone.
    """

    status: int
    headers: HeaderList
    expects_content: bool
    """Set while a stream has not come to its content: as long as it is, the deadline for that holds."""

    async def first(self) -> bytes:
        """The first bytes of the body, b"" if it has none."""
        ...

    async def read(self, limit_bytes: int) -> bytes:
        """The whole body (what `first` returned included)."""
        ...

    async def pump(self, deliver: Callable[[bytes], None]) -> None:
        """Calls `deliver` with each piece of the body that `first` has not returned yet, as it arrives,
        and returns at its end. An exception out of `deliver` ends the answer and comes out here."""
        ...

    def pause(self) -> None:
        """Stop reading from the provider: the client does not keep up."""
        ...

    def resume(self) -> None: ...

    def abort(self) -> None:
        """Drop the connection at once. Harmless after the end."""
        ...

    def fail(self, error: UpstreamError) -> None:
        """Drop it, and raise `error` where somebody waits for more."""
        ...


class Send(Protocol):
    """Sends one request to a provider and returns when the head of the answer is there."""

    async def __call__(self, outgoing: Outgoing) -> Incoming: ...


class Answer(Protocol):
    """The client's end of one exchange. `start` once, `write` any number of times, `finish` once."""

    @property
    def is_started(self) -> bool: ...

    @property
    def disconnected(self) -> bool:
        """The client is gone."""
        ...

    def start(self, status: int, lines: bytes, *, length: int | None = None) -> None:
        """Sends the head. `lines` are its headers, each with its line end; `length` None means a body of unknown
        size (chunked)."""
        ...

    def write(self, data: bytes) -> None: ...

    def finish(self) -> None: ...

    def break_off(self) -> None:
        """End the body in a way the client cannot mistake for its end: the connection is closed."""
        ...

    def throttle(self, source: Incoming | None) -> None:
        """`source` is paused while the client reads too slowly, and resumed when it caught up."""
        ...

    def when_silent(self, say: Callable[["Answer"], None]) -> None:
        """Calls `say` when the client has heard nothing for a while, and again after every such while until the
        answer is finished."""
        ...
