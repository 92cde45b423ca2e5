"""One keep-alive HTTP/1.1 connection: framing, deadlines, reuse. It knows no LLMs and picks no destination.

    idle -> request written -> head arriving -> body arriving -> idle (or closed, for good)

One request at a time, never pipelined. Nothing is retried here. A connection has a single timer, which is
not touched by requests and pieces: when it fires it looks at what is due and sets itself again.
"""

import asyncio
import math
import os
import select
import socket
import ssl
import sys
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import cast

from httptools import HttpParserCallbackError, HttpParserError, HttpParserUpgrade, HttpResponseParser

from pointsman.core.errors import Deadline, UpstreamError, UpstreamFault
from pointsman.core.ports import Deadlines
from pointsman.upstream.content_encoding import inflater_for
from pointsman.upstream.response import Response

OVERHEAD_BYTES_MAX = 64 * 1024
"""Of a head, of trailers, of chunk extensions: everything that is not body, between two pieces of body."""

_JOINED_BYTES_MAX = 64 * 1024
# A connection that was used so lately is not asked whether its peer has closed it: no server waits less than
# seconds for the next request, and the loop itself hears of a close within milliseconds.
_FRESH_S = 0.05
# uvloop's clock counts whole milliseconds.
_TIMER_GRAIN_S = 0.001

# They speak of this connection, not of the answer, and end here.
_HOP = frozenset(
    (
        b"content-length",
        b"transfer-encoding",
        b"content-encoding",
        b"connection",
        b"keep-alive",
        b"proxy-connection",
        b"trailer",
        b"upgrade",
    )
)
_NOTHING_ASKED = Deadlines()


class Connection(asyncio.Protocol):
    """`peer` is host:port, for messages. `on_idle` is told when it can take the next request, `on_lost`
    when its socket is closed. Without a request for `idle_expiry_s` it closes by itself."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        peer: str,
        *,
        idle_expiry_s: float,
        on_idle: Callable[["Connection"], None],
        on_lost: Callable[["Connection"], None],
    ) -> None:
        self._loop = loop
        self._peer = peer
        self._idle_expiry_s = idle_expiry_s
        self._on_idle = on_idle
        self._on_lost = on_lost
        self._transport: asyncio.Transport
        self._parser = HttpResponseParser(self)
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = math.inf
        self._idle_since = 0.0
        self._quiet_since = 0.0  # the same moment by a clock that goes on while the loop is kept busy
        self._response: Response | None = None
        self._deadlines = _NOTHING_ASKED
        self._started_at = self._sent_at = 0.0
        self._is_answered = False
        self._is_whole = False
        self._is_until_close = False
        self._keeps_alive = False
        self._overhead_bytes = 0
        self._headers: list[tuple[bytes, bytes]] = []
        self._hop: dict[bytes, bytes] = {}

    # for the pool and the client

    @property
    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def is_usable(self, now: float) -> bool:
        """False if the next request would certainly be lost on it."""
        if now - self._idle_since > self._idle_expiry_s or self._transport.is_closing():
            return False
        return monotonic() - self._quiet_since < _FRESH_S or not self._has_unread()

    def send(self, head: bytes, body: bytes, deadlines: Deadlines, started_at: float) -> Response:
        """Writes the request. `started_at` is when the total deadline began."""
        transport = self._transport
        now = self._loop.time()
        response = self._response = Response(self._loop, transport, now)
        self._deadlines = deadlines
        self._started_at = started_at
        self._is_answered = self._is_whole = self._is_until_close = False
        self._overhead_bytes = 0
        if self._headers or self._hop:  # trailers of the answer before
            self._headers, self._hop = [], {}
        if len(body) <= _JOINED_BYTES_MAX:
            transport.write(head + body)
        else:
            transport.write(head)
            transport.write(body)
        self._sent_at = now
        due = min(
            now + deadlines.first_byte_s, now + deadlines.first_content_s, started_at + deadlines.total_s
        )
        if due < self._timer_at:
            self._wake_by(due, now)
        return response

    def abort(self, error: UpstreamError | None = None) -> None:
        """Closes the socket at once; a request that is under way fails with `error`."""
        response, self._response = self._response, None
        self._transport.abort()
        if response is not None:
            response.end(error or self._loss(response, None))
            response.settle()

    # from the loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # A cast: uvloop's transports are no subclasses of asyncio's.
        self._transport = cast(asyncio.Transport, transport)
        self._idle_since = self._loop.time()
        self._quiet_since = monotonic()

    def data_received(self, data: bytes) -> None:
        response = self._response
        if response is None:
            # Nothing was asked: it could only be mistaken for the answer to the next request.
            self._transport.abort()
            return
        now = response.last_at = self._loop.time()
        if not self._is_answered:
            self._is_answered = True
            if now + self._deadlines.idle_s < self._timer_at:
                self._wake_by(now + self._deadlines.idle_s, now)
        self._overhead_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            self._keeps_alive = False
            if not self._is_whole:
                self.abort(self._bad_reply(error))
                return
        if self._is_whole:
            self._finish(response)
        elif self._overhead_bytes > OVERHEAD_BYTES_MAX:
            self.abort(self._too_much_overhead())
            return
        if response.has_news:
            response.settle()

    def eof_received(self) -> None:
        response = self._response
        if response is None:
            return
        if self._is_until_close:
            self._keeps_alive = False
            self._finish(response)
            response.settle()
        else:
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        del self._parser  # it refers back: a cycle is work for the garbage collector
        response, self._response = self._response, None
        if response is not None:
            response.end(self._loss(response, exc))
        self._on_lost(self)
        if response is not None:
            response.settle()

    # from the parser

    def on_message_begin(self) -> None:
        if self._is_whole:
            raise UpstreamError(UpstreamFault.BAD_REPLY, f"{self._peer} answered once more")

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name in _HOP:
            before = self._hop.get(name)
            self._hop[name] = value if before is None else b"%b, %b" % (before, value)
        else:
            self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        headers, hop = self._headers, self._hop
        self._headers, self._hop = [], {}
        status = self._parser.get_status_code()
        if status < 200:
            if status < 100 or status == 101:
                raise UpstreamError(UpstreamFault.BAD_REPLY, f"{self._peer} answered with status {status}")
            return
        if self._overhead_bytes > OVERHEAD_BYTES_MAX and _size(headers) > OVERHEAD_BYTES_MAX:
            raise self._too_much_overhead()
        transfer_encoding = hop.get(b"transfer-encoding")
        if transfer_encoding is None:
            self._is_until_close = b"content-length" not in hop
        elif transfer_encoding.strip().lower() != b"chunked":
            raise UpstreamError(
                UpstreamFault.BAD_REPLY, f"{self._peer} answered with an unknown transfer encoding"
            )
        self._overhead_bytes = 0
        self._keeps_alive = self._parser.should_keep_alive()
        assert self._response is not None
        inflater = inflater_for(hop[b"content-encoding"]) if b"content-encoding" in hop else None
        self._response.take_head(status, headers, inflater)

    def on_body(self, data: bytes) -> None:
        self._overhead_bytes = 0
        # None after an abort from within this very piece of data.
        if self._response is not None:
            self._response.take_body(data)

    def on_message_complete(self) -> None:
        # Also called for an interim answer (1xx), which is not the one waited for.
        self._is_whole = self._response is not None and self._response.status != 0

    # inside

    def _finish(self, response: Response) -> None:
        transport = self._transport
        self._response = None
        response.end(None)
        # Bytes of the request that were not sent yet would be taken for the next one.
        if self._keeps_alive and not transport.is_closing() and not transport.get_write_buffer_size():
            self._idle_since = response.last_at
            self._quiet_since = monotonic()
            self._on_idle(self)
        else:
            transport.abort()

    def _has_unread(self) -> bool:
        """True if the peer has closed, or has said something unasked that the loop has not read yet."""
        if sys.platform == "win32":
            # Its loop always has a read under way, so there is nothing that it does not know.
            return False
        poll = select.poll()
        poll.register(self._transport.get_extra_info("socket").fileno(), select.POLLIN)
        return bool(poll.poll(0))

    def _wake_by(self, due: float, now: float) -> None:
        # Never later than an idle connection expires, so that becoming idle needs no timer of its own.
        due = min(due, now + self._idle_expiry_s)
        if due < self._timer_at:
            if self._timer is not None:
                self._timer.cancel()
            self._timer_at = due
            self._timer = self._loop.call_at(due, self._on_timer)

    def _on_timer(self, *, has_looked: bool = False) -> None:
        self._timer = None
        self._timer_at = math.inf
        now = self._loop.time()
        response = self._response
        if response is None:
            due = self._idle_since + self._idle_expiry_s
            if now >= due - _TIMER_GRAIN_S:
                self._transport.abort()
                return
        else:
            due, deadline, message = self._next_deadline(response, now)
            if now >= due - _TIMER_GRAIN_S:
                if not has_looked and response.is_reading and not self.is_closing and self._has_unread():
                    # It may have come in time, to a loop that was busy: uvloop looks at its timers first.
                    self._timer_at = now + _TIMER_GRAIN_S
                    self._timer = self._loop.call_later(
                        _TIMER_GRAIN_S, partial(self._on_timer, has_looked=True)
                    )
                    return
                self.abort(
                    UpstreamError(UpstreamFault.TIMED_OUT, f"{self._peer} {message}", deadline=deadline)
                )
                return
        self._wake_by(due, now)

    def _next_deadline(self, response: Response, now: float) -> tuple[float, Deadline, str]:
        deadlines = self._deadlines
        deadline: Deadline = "idle"
        if not self._is_answered:
            due = response.last_at + deadlines.first_byte_s
            deadline = "first_byte"
            message = f"sent no byte of its answer within {deadlines.first_byte_s:g} s (first_byte_s)"
        elif response.is_reading:
            due = response.last_at + deadlines.idle_s
            message = f"sent nothing for {deadlines.idle_s:g} s in the middle of its answer (idle_s)"
            content_due = self._sent_at + deadlines.first_content_s
            if (response.expects_content or not response.status) and content_due < due:
                due, deadline = content_due, "first_content"
                message = f"sent no content within {deadlines.first_content_s:g} s (first_content_s)"
        else:
            # It waits for us: look again no later than it could be late after being listened to again.
            due, message = now + deadlines.idle_s, ""
        total_due = self._started_at + deadlines.total_s
        if total_due < due:
            return total_due, "total", f"did not finish its answer within {deadlines.total_s:g} s (total_s)"
        return due, deadline, message

    def _loss(self, response: Response, error: Exception | None) -> UpstreamError:
        why = "" if error is None else f" ({cause_of(error)})"
        if not self._is_answered:
            return UpstreamError(
                UpstreamFault.UNREACHABLE, f"{self._peer} closed the connection before answering{why}"
            )
        where = "in the middle of its answer" if response.status else "in the middle of the answer's head"
        return UpstreamError(UpstreamFault.BROKEN, f"{self._peer} closed the connection {where}{why}")

    def _bad_reply(self, error: HttpParserError | HttpParserUpgrade) -> UpstreamError:
        if isinstance(error, HttpParserCallbackError):
            ours = error.__context__
            if isinstance(ours, UpstreamError):
                return ours
            raise error
        return UpstreamError(UpstreamFault.BAD_REPLY, f"{self._peer} does not answer in HTTP/1.1: {error}")

    def _too_much_overhead(self) -> UpstreamError:
        return UpstreamError(
            UpstreamFault.BAD_REPLY,
            f"{self._peer} sent more than {OVERHEAD_BYTES_MAX} bytes of headers without a body",
        )


def cause_of(error: Exception) -> str:
    """Why a socket operation failed, in the system's words; never what was sent over it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason or type(error).__name__}"
    if isinstance(error, socket.gaierror):
        return error.strerror or "its name is not known"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return str(error) or type(error).__name__


def _size(headers: list[tuple[bytes, bytes]]) -> int:
    return sum(len(name) + len(value) + len(b": \r\n") for name, value in headers)
