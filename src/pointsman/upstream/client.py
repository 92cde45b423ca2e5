"""Our HTTP/1.1 client: sends one request to a provider over a pooled connection. It retries nothing that was
sent, follows no redirect and keeps no cookie.

Connections are pooled per origin, the last used first. A request never waits for another one's connection:
without an idle one it opens its own, up to a generous limit.
"""

import asyncio
import socket
import ssl
from dataclasses import dataclass

import certifi

from pointsman.core.errors import Unavailable, UpstreamError, UpstreamFault
from pointsman.core.ports import Deadlines, Outgoing
from pointsman.upstream.connection import Connection, cause_of
from pointsman.upstream.response import Response
from pointsman.upstream.target import Origin, origin_and_head, origin_and_head_without_body

_PROBE_EVERY_S = 60


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """Per origin. Beyond `open_max` a request fails as OVERLOADED; connections beyond `idle_max` are closed
    when they become idle, all others after `idle_expiry_s` without a request: load balancers in front of
    providers drop silent connections after a minute and more."""

    open_max: int = 1000
    idle_max: int = 128
    idle_expiry_s: float = 60.0


class _Pool:
    """The connections to one origin. `idle` may hold some that were lost meanwhile: `take` passes over them."""

    __slots__ = ("connecting", "idle", "limits", "open", "origin")

    def __init__(self, origin: Origin, limits: PoolLimits) -> None:
        self.origin = origin
        self.limits = limits
        self.connecting = 0
        self.open: set[Connection] = set()
        self.idle: list[Connection] = []

    def take(self, now: float) -> Connection | None:
        while self.idle:
            connection = self.idle.pop()
            if connection.is_usable(now):
                return connection
            connection.abort()
        return None

    def give_back(self, connection: Connection) -> None:
        if len(self.idle) < self.limits.idle_max:
            self.idle.append(connection)
        else:
            connection.abort()


class Client:
    """One per event loop. `send` is the `Send` of core.ports."""

    def __init__(self, *, limits: PoolLimits | None = None) -> None:
        self._limits = limits or PoolLimits()
        self._pools: dict[Origin, _Pool] = {}
        self._tls: ssl.SSLContext | None = None
        self._is_closed = False

    async def send(self, outgoing: Outgoing) -> Response:
        """Returns when the head of the answer is there. Raises UpstreamError; Unavailable after `close`."""
        loop = asyncio.get_running_loop()
        started_at = loop.time()
        if outgoing.method == "POST":
            origin, head = origin_and_head(outgoing.url, outgoing.headers, len(outgoing.body))
        else:
            origin, head = origin_and_head_without_body(outgoing.method, outgoing.url, outgoing.headers)
        pool = self._pools.get(origin)
        connection = None if pool is None else pool.take(started_at)
        if connection is None:
            # In a task of its own: that is what a timeout can be set for.
            opening = loop.create_task(self._connect(origin, outgoing.deadlines))
            try:
                connection = await opening
            except asyncio.CancelledError:
                opening.add_done_callback(_close_unused)
                raise
        response = connection.send(head, outgoing.body, outgoing.deadlines, started_at)
        await response.head()
        return response

    async def close(self) -> None:
        """Closes every socket; what is under way fails as BROKEN."""
        self._is_closed = True
        error = UpstreamError(UpstreamFault.BROKEN, "cut off: the gateway is shutting down")
        for pool in self._pools.values():
            for connection in tuple(pool.open):
                connection.abort(error)
        # An aborted transport reports its end in the next turn of the loop: nothing to be woken for.
        while any(pool.open for pool in self._pools.values()):  # noqa: ASYNC110
            await asyncio.sleep(0)

    async def _connect(self, origin: Origin, deadlines: Deadlines) -> Connection:
        self._refuse_when_closed()
        pool = self._pools.setdefault(origin, _Pool(origin, self._limits))
        if len(pool.open) + pool.connecting >= self._limits.open_max:
            raise UpstreamError(
                UpstreamFault.OVERLOADED,
                f"{origin}: all {self._limits.open_max} connections that one provider may have are in use",
            )
        pool.connecting += 1
        try:
            connection = await self._open(pool, min(deadlines.connect_s, deadlines.total_s))
        finally:
            pool.connecting -= 1
        if self._is_closed:
            connection.abort()
        self._refuse_when_closed()
        if connection.is_closing:
            raise UpstreamError(UpstreamFault.UNREACHABLE, f"{origin} closed the connection at once")
        pool.open.add(connection)
        return connection

    async def _open(self, pool: _Pool, connect_s: float) -> Connection:
        loop = asyncio.get_running_loop()
        origin = pool.origin
        context = self._tls_context() if origin.is_tls else None
        try:
            async with asyncio.timeout(connect_s) as deadline:
                transport, connection = await loop.create_connection(
                    lambda: Connection(
                        loop,
                        str(origin),
                        idle_expiry_s=self._limits.idle_expiry_s,
                        on_idle=pool.give_back,
                        on_lost=pool.open.discard,
                    ),
                    origin.host,
                    origin.port,
                    ssl=context,
                )
        except (OSError, UnicodeError) as error:
            # UnicodeError: a host name that cannot be one (a label that is empty or too long).
            if deadline.expired():
                raise UpstreamError(
                    UpstreamFault.TIMED_OUT,
                    f"{origin} took no connection within {connect_s:g} s (connect_s)",
                    deadline="connect",
                ) from None
            raise UpstreamError(
                UpstreamFault.UNREACHABLE, f"cannot connect to {origin}: {cause_of(error)}"
            ) from error
        _probe_when_silent(transport.get_extra_info("socket"))
        return connection

    def _refuse_when_closed(self) -> None:
        if self._is_closed:
            raise Unavailable("the gateway is shutting down")

    def _tls_context(self) -> ssl.SSLContext:
        # The system's certificates, or those SSL_CERT_FILE names, and Mozilla's, for systems without any.
        if self._tls is None:
            self._tls = ssl.create_default_context()
            self._tls.load_verify_locations(certifi.where())
        return self._tls


def _close_unused(opening: asyncio.Task[Connection]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().abort()


def _probe_when_silent(sock: socket.socket) -> None:
    # A model may think for minutes; network address translation forgets connections that are silent so long.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_KEEPIDLE"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _PROBE_EVERY_S)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _PROBE_EVERY_S)
