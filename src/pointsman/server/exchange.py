"""One request and its answer on a client's connection, below any framework: the endpoints that reach a model
are served from here. It implements `core.ports.Answer`.

It stands in uvicorn's place for a request/response cycle (the attributes in the first group are the ones
uvicorn's protocol reads), so that keep-alive, pipelining and graceful shutdown stay uvicorn's.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from uvicorn.server import ServerState

from pointsman.core.errors import PointsmanError
from pointsman.core.ports import HeaderList, Incoming
from pointsman.server.auth import Admitted

_STATUS_LINE = {
    status: b"HTTP/1.1 %d %b" % (status, reason)
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
    taken; with a refusal they are thrown away. `page` is the web page that may read the answer. `lingers`
    keeps the connection open after the answer for as long as the client still sends.
    """

    __slots__ = (
        "_chunked",
        "_ended",
        "_head",
        "_server",
        "_transport",
        "admitted",
        "body",
        "disconnected",
        "endpoint",
        "headers",
        "is_started",
        "is_write_paused",
        "keep_alive",
        "lingers",
        "more_body",
        "on_response",
        "page",
        "parts",
        "query",
        "refusal",
        "response_complete",
        "room",
        "source",
        "task",
        "version",
    )

    def __init__(
        self,
        transport: asyncio.Transport,
        endpoint: Endpoint,
        headers: list[tuple[bytes, bytes]],
        query: bytes,
        *,
        room: int,
        keep_alive: bool,
        version: str,
        server: ServerState,
        on_response: Callable[[], None],
    ) -> None:
        # what uvicorn's protocol reads
        self.body = b""
        self.more_body = True
        self.disconnected = False
        self.response_complete = False
        self.keep_alive = keep_alive
        self.on_response = on_response
        # ours
        self._transport = transport
        self._server = server
        self.endpoint = endpoint
        self.headers = headers
        self.query = query
        self.version = version
        self.room = room
        self.parts: list[bytes] = []
        self.admitted: Admitted | None = None
        self.refusal: PointsmanError | None = None
        self.is_started = False
        self.is_write_paused = False
        self.source: Incoming | None = None
        self.task: asyncio.Task[None] | None = None
        self.lingers = False
        self.page: bytes | None = None
        self._head = b""
        self._chunked = False
        self._ended = False

    @property
    def message_event(self) -> "Exchange":
        """Uvicorn calls `.set()` on it when the connection is lost. Not an attribute: that would be a cycle."""
        return self

    def set(self) -> None:
        """The connection is lost: whatever is under way for this client stops now."""
        task, self.task = self.task, None
        if task is not None and not self.response_complete:
            task.cancel()

    async def run_asgi(self, app: Any) -> None:
        """Answers. uvicorn starts this as the task of the request and hands in the app it would have called."""
        if self.disconnected:
            return  # it left before its turn came
        self.task = asyncio.current_task()
        try:
            await self.endpoint(self)
        except asyncio.CancelledError:
            if not self.disconnected:
                self.break_off()
                raise
        finally:
            self.task = self.source = None

    # the Answer port

    def start(self, status: int, headers: HeaderList, *, length: int | None = None) -> None:
        assert not self.is_started
        self.is_started = True
        lines = [_STATUS_LINE.get(status) or b"HTTP/1.1 %d " % status]
        lines += [b": ".join(header) for header in self._server.default_headers]  # the date
        lines += [b": ".join(header) for header in headers]
        if length is not None:
            lines.append(b"content-length: %d" % length)
        elif self.version == "1.0":
            self.keep_alive = False
        else:
            self._chunked = True
            lines.append(b"transfer-encoding: chunked")
        if not self.keep_alive:
            lines.append(b"connection: close")
        if self.page is not None:
            lines += (
                b"access-control-allow-origin: " + self.page,
                b"access-control-expose-headers: *",
                b"vary: origin",
            )
        lines.append(b"\r\n")
        # Held until there is a body to go with it: one packet, one system call.
        self._head = b"\r\n".join(lines)

    def write(self, data: bytes) -> None:
        if self._ended or self.disconnected or not data:
            return
        if self._chunked:
            data = b"%b%x\r\n%b\r\n" % (self._head, len(data), data)
        elif self._head:
            data = self._head + data
        self._head = b""
        self._transport.write(data)

    def finish(self) -> None:
        if self._ended:
            return
        self._ended = True
        self.response_complete = True
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
        self._ended = True
        self.response_complete = True
        self.keep_alive = False
        if not self.disconnected:
            if self._head:
                self._transport.write(self._head)
            self._transport.close()

    def throttle(self, source: Incoming | None) -> None:
        self.source = source
        if source is not None and self.is_write_paused:
            source.pause()

    # what the protocol tells

    def pause_writing(self) -> None:
        self.is_write_paused = True
        if self.source is not None:
            self.source.pause()

    def resume_writing(self) -> None:
        self.is_write_paused = False
        if self.source is not None:
            self.source.resume()
