"""One request and its answer on a client's connection, below any framework: the endpoints that reach a model
are served from here. It implements `core.ports.Answer`.

It stands in uvicorn's place for a request/response cycle (the attributes in the first group are the ones
uvicorn's protocol reads), so that keep-alive, pipelining and graceful shutdown stay uvicorn's.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from uvicorn.server import ServerState

from pointsman.core.errors import PointsmanError
from pointsman.core.ports import Answer, Incoming
from pointsman.server.auth import Admitted
from pointsman.server.body_memory import FREE_BYTES, BodyMemory, Share
from pointsman.server.eager_task import EagerTask
from pointsman.server.request_head import Head

KEEPALIVE_EVERY_S = 10.0
"""How long a stream may be silent once it has begun."""

_STATUS_LINE = {
    status: b"HTTP/1.1 %d %b\r\n" % (status, reason)
    for status, reason in {
        200: b"OK",
        400: b"Bad Request",
        401: b"Unauthorized",
        403: b"Forbidden",
        404: b"Not Found",
        405: b"Method Not Allowed",
        413: b"Content Too Large",
        415: b"Unsupported Media Type",
        422: b"Unprocessable Content",
        429: b"Too Many Requests",
        500: b"Internal Server Error",
        502: b"Bad Gateway",
        503: b"Service Unavailable",
        504: b"Gateway Timeout",
        529: b"Overloaded",
    }.items()
}

_FOR_PAGE = b"access-control-allow-origin: %b\r\naccess-control-expose-headers: *\r\nvary: origin\r\n"


class Endpoint(Protocol):
    """What answers a POST that reaches a model."""

    def admit(self, exchange: "Exchange") -> None:
        """Looks at the head, before the body comes: sets `admitted` or `refusal`."""
        ...

    async def __call__(self, exchange: "Exchange") -> None:
        """Answers. The body is there, unless there is a `refusal`."""
        ...


class Exchange:
    """States: reading (`more_body`) -> answering (`start`) -> `response_complete`.

    `refusal` is what the caller is told instead of an answer. `room` is how many bytes of body are still
    taken before more room is asked for; with a refusal they are thrown away. `share` is what the body holds of the
    memory for bodies, None for a small one. `page` is the web page that may read the answer. `lingers`
    keeps the connection open after the answer for as long as the client still sends.
    """

    # What most exchanges leave as it is stands here: setting it for each would cost a microsecond.
    body = b""
    more_body = True
    disconnected = False
    response_complete = False
    admitted: Admitted | None = None
    refusal: PointsmanError | None = None
    page: bytes | None = None
    is_started = False
    is_write_paused = False
    lingers = False
    task: EagerTask | None = None
    source: Incoming | None = None
    share: Share | None = None
    _say_wait: Callable[[Answer], None] | None = None
    _wrote = True
    _silent_since_s = 0.0
    _head = b""
    _chunked = False
    _ended = False

    def __init__(
        self,
        transport: asyncio.Transport,
        endpoint: Endpoint,
        head: Head,
        query: bytes,
        max_body_bytes: int,
        keep_alive: bool,
        version: str,
        server: ServerState,
        on_response: Callable[[], None],
        bodies: BodyMemory,
    ) -> None:
        self._transport = transport
        self._server = server
        self.endpoint = endpoint
        self.head = head
        self.headers = head.headers
        self.query = query
        self.version = version
        self.keep_alive = keep_alive
        self.on_response = on_response
        self.room = min(max_body_bytes, FREE_BYTES)
        self._max_body_bytes = max_body_bytes
        self._bodies = bodies
        self.parts: list[bytes] = []

    def hold(self, count: int) -> None:
        """So much is held of the request besides its body. Raises Unavailable where there is no room for it."""
        if count > FREE_BYTES:
            self.share = self.share or Share(self._bodies)
            if not self.share.grow(count):
                raise self._bodies.refusal()

    def may_come(self, length: int) -> bool:
        """Whether a body that is announced is worth waiting for. No room is kept for it: it may never come."""
        if self.refusal is not None or length > self._max_body_bytes:
            return False
        if not self._bodies.has_room(length):
            self.refusal = self._bodies.refusal()
            return False
        return True

    def gets_more_room(self) -> bool:
        """For a body that has taken all it had: twice as much, so that this is asked a few times for each."""
        if self.refusal is not None:
            return False
        most = self._max_body_bytes
        given = min(FREE_BYTES, most) + (0 if self.share is None else self.share.count)
        missing = -self.room
        if given + missing > most:
            return False
        share = self.share = self.share or Share(self._bodies)
        more = min(max(missing, given), most - given)
        if not share.grow(more):
            more = missing
            if not share.grow(more):
                self.refusal = self._bodies.refusal()
                return False
        self.room += more
        return True

    @property
    def message_event(self) -> "Exchange":
        """Uvicorn calls `.set()` on it when the connection is lost. Not an attribute: that would be a cycle."""
        return self

    def set(self) -> None:
        """The connection is lost: whatever is under way for this client stops now."""
        task, self.task = self.task, None
        if task is not None and not self.response_complete:
            task.cancel()

    def run(self, loop: asyncio.AbstractEventLoop) -> None:
        """Answers, or begins to: then the server's tasks hold what goes on."""
        task = EagerTask(loop, self.endpoint(self), self._end)
        if not task.run():
            self.task = task
            # uvicorn waits for what it finds there, and cancels it when it has waited long enough.
            self._server.tasks.add(task)  # type: ignore[arg-type]

    def _end(self, task: EagerTask) -> None:
        self._server.tasks.discard(task)
        self.task = self.source = None
        self.body, self.share = b"", None  # the connection knows its last request until the next one
        if not self.disconnected:
            self.break_off()

    # the Answer port

    def start(self, status: int, lines: bytes, *, length: int | None = None) -> None:
        assert not self.is_started
        self.is_started = True
        head = [_STATUS_LINE.get(status) or b"HTTP/1.1 %d \r\n" % status]
        head += [b"%b: %b\r\n" % header for header in self._server.default_headers]  # the date
        head.append(lines)
        if length is not None:
            head.append(b"content-length: %d\r\n" % length)
        elif self.version == "1.0":
            self.keep_alive = False
        else:
            self._chunked = True
            head.append(b"transfer-encoding: chunked\r\n")
        if not self.keep_alive:
            head.append(b"connection: close\r\n")
        if self.page is not None:
            head.append(_FOR_PAGE % self.page)
        head.append(b"\r\n")
        # Held until there is a body to go with it: one packet, one system call.
        self._head = b"".join(head)

    def write(self, data: bytes) -> None:
        if self._ended or self.disconnected or not data:
            return
        if self._chunked:
            data = b"%b%x\r\n%b\r\n" % (self._head, len(data), data)
        elif self._head:
            data = self._head + data
        self._head = b""
        self._wrote = True
        self._transport.write(data)

    def finish(self) -> None:
        if self._ended:
            return
        self._ended = self.response_complete = True
        self.source = None
        if self.disconnected:
            return
        rest = self._head + (b"0\r\n\r\n" if self._chunked else b"")
        self._head = b""
        if rest:
            self._transport.write(rest)
        if not self.keep_alive and not self.lingers:
            self._transport.close()
        self.on_response()

    def break_off(self) -> None:
        if self._ended:
            return
        self._ended = self.response_complete = True
        self.keep_alive = False
        if not self.disconnected:
            if self._head:
                self._transport.write(self._head)
            self._transport.close()

    def throttle(self, source: Incoming | None) -> None:
        self.source = source
        if source is not None and self.is_write_paused:
            source.pause()

    def when_silent(self, say: Callable[[Answer], None]) -> None:
        self._say_wait = say

    # what the protocol tells

    def look(self, now_s: float, after_s: float) -> None:
        """Called now and then while the answer is under way, for a caller who has heard nothing for `after_s`, or
        for long in the middle of a stream."""
        if self._wrote:
            self._wrote = False
            self._silent_since_s = now_s
        elif (
            self._say_wait is not None
            and not (self.is_write_paused or self.response_complete)
            and now_s - self._silent_since_s >= (KEEPALIVE_EVERY_S if self.is_started else after_s)
        ):
            self._say_wait(self)

    def pause_writing(self) -> None:
        self.is_write_paused = True
        if self.source is not None:
            self.source.pause()

    def resume_writing(self) -> None:
        self.is_write_paused = False
        if self.source is not None:
            self.source.resume()
