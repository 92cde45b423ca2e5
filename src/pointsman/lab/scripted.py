"""A provider that answers what a script says, over real sockets. It checks nothing of what it is asked and knows no
provider's API.

    async with FakeUpstream() as upstream:
        upstream.answer(json={"id": "1"})
        ... send something to upstream.base_url ...
        assert upstream.requests[0].path == "/v1/chat/completions"

    with FakeUpstream.in_thread() as upstream:  # for programs without an event loop
        ...
"""

import asyncio
import gzip as gzip_format
import json as json_format
import socket
import ssl
import struct
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from http import HTTPStatus
from types import TracebackType
from typing import Any, Literal, Self, TypedDict, Unpack, cast
from urllib.parse import urlsplit

from httptools import HttpParserError, HttpRequestParser

from pointsman.core.ports import HeaderList
from pointsman.lab.own_thread import in_own_thread
from pointsman.lab.unread import lies_unread

Framing = Literal["length", "chunked", "close"]
_LOOK_AGAIN_S = 0.005
_BEFORE_RESET_S = 0.5
"""Time to read what was sent before a reset, where nobody tells whether it was read."""
_UNREAD_S = 10.0
"""How long somebody who does not read keeps a reset waiting."""

Ending = Literal["clean", "close", "reset", "stall"]

# Turns of the loop after which a reader in the same loop has taken a written piece on its own.
_TURNS_PER_PIECE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Scripted:
    """One answer. `scripted` makes them more comfortably.

    `pieces` are written one by one, `pause_s` apart; without a pause a reader in the same event loop still
    sees each on its own. It begins when `when` says so, and `delay_s` later. `framing` says how the body's end is marked, `declared_length` lies about it.
    `has_head` False sends the pieces as they are, and nothing else. `ending` is what happens after the body,
    or after `cut_after_bytes` of it: the proper end, the connection closed, reset, or silence until the
    client leaves.
    """

    status: int = 200
    headers: HeaderList = ()
    pieces: tuple[bytes, ...] = ()
    framing: Framing = "length"
    declared_length: int | None = None
    has_head: bool = True
    when: Callable[[], object] | None = None
    delay_s: float = 0.0
    pause_s: float = 0.0
    keep_alive: bool = True
    cut_after_bytes: int | None = None
    ending: Ending = "clean"


class Shape(TypedDict, total=False):
    """What `scripted` takes besides a body; the fields of Scripted."""

    status: int
    headers: HeaderList
    framing: Framing
    declared_length: int
    when: Callable[[], object]
    delay_s: float
    pause_s: float
    keep_alive: bool
    cut_after_bytes: int
    ending: Ending


def scripted(
    *,
    json: object = None,
    sse: Sequence[bytes] | None = None,
    body: bytes | None = None,
    raw: bytes | Sequence[bytes] | None = None,
    gzip: bool = False,
    **shape: Unpack[Shape],
) -> Scripted:
    """One answer with one body: `json`, `sse` (each item a piece of the stream, sent chunked unless said
    otherwise), `body`, or `raw` (everything, the status line included)."""
    shape = shape.copy()
    headers = list(shape.get("headers", ()))
    if raw is not None:
        pieces = (raw,) if isinstance(raw, bytes) else tuple(raw)
        return Scripted(pieces=pieces, has_head=False, **shape)
    if sse is not None:
        headers.append((b"content-type", b"text/event-stream"))
        shape.setdefault("framing", "chunked")
        pieces = tuple(sse)
    elif body is not None:
        pieces = (body,)
    else:
        headers.append((b"content-type", b"application/json"))
        pieces = (json_format.dumps(json).encode(),)
    if gzip:
        headers.append((b"content-encoding", b"gzip"))
        pieces = (gzip_format.compress(b"".join(pieces)),)
    shape["headers"] = headers
    return Scripted(pieces=pieces, **shape)


@dataclass(slots=True)
class Received:
    """One request as it came. `connection` counts the connections from 1. `sent_bytes` is how much of the
    answer went out so far; `hung_up_at_s` when (time.monotonic) the client closed before its end."""

    method: str
    path: str
    query: str
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    connection: int
    sent_bytes: int = 0
    hung_up_at_s: float | None = None
    _hung_up: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    def header(self, name: str) -> str | None:
        """The first header of this name."""
        wanted = name.lower().encode()
        return next((value.decode("latin-1") for key, value in self.headers if key == wanted), None)

    def json(self) -> Any:
        return json_format.loads(self.body)

    async def until_hung_up(self) -> None:
        """Returns when the client closed the connection before the end of the answer."""
        await self._hung_up.wait()

    def note_hang_up(self) -> None:
        self.hung_up_at_s = time.monotonic()
        self._hung_up.set()


Script = Callable[[Received], Scripted]


class FakeUpstream:
    """A provider on 127.0.0.1. Answers are used in the order they were given; without a next one the latest
    is used again."""

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Received] = []
        self.connections_opened = 0
        self.failures: list[BaseException] = []
        self._tls = tls
        self._port = 0
        self._answers: deque[Scripted] = deque()
        self._latest = scripted(body=b"no answer was scripted", status=500)
        self._script: Script | None = None
        self._server: asyncio.Server | None = None
        self._open: set[_Connection] = set()
        self._all_closed = asyncio.Event()
        self._all_closed.set()

    def answer(
        self,
        *,
        json: object = None,
        sse: Sequence[bytes] | None = None,
        body: bytes | None = None,
        raw: bytes | Sequence[bytes] | None = None,
        gzip: bool = False,
        **shape: Unpack[Shape],
    ) -> None:
        """The next answer, as `scripted` makes it."""
        self._answers.append(scripted(json=json, sse=sse, body=body, raw=raw, gzip=gzip, **shape))

    def answer_with(self, script: Script) -> None:
        """Asks `script` what to answer, from now on. What it raises comes out when the fake is left."""
        self._script = script

    @property
    def origin(self) -> str:
        return f"{'http' if self._tls is None else 'https'}://127.0.0.1:{self._port}"

    @property
    def base_url(self) -> str:
        return f"{self.origin}/v1"

    @property
    def port(self) -> int:
        return self._port

    @property
    def connections_open(self) -> int:
        return len(self._open)

    async def until_all_closed(self) -> None:
        """Returns when no client is connected."""
        await self._all_closed.wait()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Connection(self, loop), "127.0.0.1", 0, ssl=self._tls
        )
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        for connection in tuple(self._open):
            connection.abort()
        await self.until_all_closed()
        await self._server.wait_closed()
        if self.failures:
            raise self.failures[0]

    @classmethod
    def in_thread(cls, *, tls: ssl.SSLContext | None = None) -> AbstractContextManager[Self]:
        """The fake with an event loop of its own in a thread of its own."""
        return in_own_thread(cls(tls=tls))

    # for its connections

    def opened(self, connection: "_Connection") -> int:
        self._open.add(connection)
        self._all_closed.clear()
        self.connections_opened += 1
        return self.connections_opened

    def closed(self, connection: "_Connection") -> None:
        self._open.discard(connection)
        if not self._open:
            self._all_closed.set()

    def next_answer(self, request: Received) -> Scripted:
        self.requests.append(request)
        if self._script is not None:
            return self._script(request)
        if self._answers:
            self._latest = self._answers.popleft()
        return self._latest


class _Connection(asyncio.Protocol):
    """Reads requests and plays their answers, one at a time."""

    def __init__(self, upstream: FakeUpstream, loop: asyncio.AbstractEventLoop) -> None:
        self._upstream = upstream
        self._loop = loop
        self._parser = HttpRequestParser(self)
        self._transport: asyncio.Transport
        self._number = 0
        self._writable = asyncio.Event()
        self._writable.set()
        self._waiting: deque[Received] = deque()
        self._playing: asyncio.Task[None] | None = None
        self._request: Received | None = None
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []

    def abort(self) -> None:
        self._transport.abort()

    # from the loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._number = self._upstream.opened(self)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except HttpParserError as error:
            self._upstream.failures.append(error)
            self.abort()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._playing is not None:
            self._playing.cancel()
        if self._request is not None:
            self._request.note_hang_up()
        self._upstream.closed(self)

    # from the parser

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.lower(), value))

    def on_body(self, data: bytes) -> None:
        self._body.append(data)

    def on_message_complete(self) -> None:
        url = urlsplit(self._url.decode())
        request = Received(
            method=self._parser.get_method().decode(),
            path=url.path,
            query=url.query,
            headers=tuple(self._headers),
            body=b"".join(self._body),
            connection=self._number,
        )
        self._url, self._headers, self._body = b"", [], []
        self._waiting.append(request)
        if self._playing is None:
            self._play_next()

    # inside

    def _play_next(self) -> None:
        self._request = self._waiting.popleft()
        self._playing = self._loop.create_task(self._play(self._request))
        self._playing.add_done_callback(self._played)

    def _played(self, task: asyncio.Task[None]) -> None:
        self._playing = None
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._upstream.failures.append(error)
            self.abort()
        elif self._waiting and not self._transport.is_closing():
            self._play_next()

    async def _play(self, request: Received) -> None:
        answer = self._upstream.next_answer(request)
        while answer.when is not None and not answer.when():  # noqa: ASYNC110 - it may be anything
            await asyncio.sleep(_LOOK_AGAIN_S)
        if answer.delay_s:
            await asyncio.sleep(answer.delay_s)
        if answer.has_head:
            await self._write(request, _head(answer))
        left = answer.cut_after_bytes
        for index, piece in enumerate(answer.pieces):
            if index and answer.pause_s:
                await asyncio.sleep(answer.pause_s)
            sent = piece if left is None else piece[:left]
            if answer.framing == "chunked" and answer.has_head and sent:
                # The length of the whole piece: a cut falls into the middle of a chunk.
                end = b"\r\n" if len(sent) == len(piece) else b""
                await self._write(request, b"%x\r\n%b%b" % (len(piece), sent, end))
            else:
                await self._write(request, sent)
            if left is not None:
                left -= len(sent)
        await self._end(request, answer)

    async def _end(self, request: Received, answer: Scripted) -> None:
        ending = answer.ending
        if answer.cut_after_bytes is not None and ending == "clean":
            ending = "close"
        if ending == "stall":
            await asyncio.Event().wait()
        if ending == "clean" and answer.has_head and answer.framing == "chunked":
            await self._write(request, b"0\r\n\r\n")
        # Only from here on is the client free to leave.
        self._request = None
        if ending == "reset":
            if request.sent_bytes:
                await self._until_read()
            linger = struct.pack("ii", 1, 0)
            self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self._transport.abort()
        elif ending == "close" or not answer.keep_alive or (answer.has_head and answer.framing == "close"):
            self._transport.close()

    async def _until_read(self) -> None:
        """A reset throws away what its receiver has not read yet."""
        ours = self._transport.get_extra_info("socket")
        until_s = self._loop.time() + _UNREAD_S
        while self._loop.time() < until_s:
            is_unread = lies_unread(ours)
            if is_unread is None:
                await asyncio.sleep(_BEFORE_RESET_S)
            if not is_unread and not self._transport.get_write_buffer_size():
                return
            await asyncio.sleep(_LOOK_AGAIN_S)

    async def _write(self, request: Received, data: bytes) -> None:
        if not data:
            return
        if request.sent_bytes:
            for _ in range(_TURNS_PER_PIECE):
                await asyncio.sleep(0)
            await self._writable.wait()
        self._transport.write(data)
        request.sent_bytes += len(data)


def _head(answer: Scripted) -> bytes:
    phrase = HTTPStatus(answer.status).phrase if answer.status in set(HTTPStatus) else ""
    lines = [f"HTTP/1.1 {answer.status} {phrase}".encode()]
    lines += [name + b": " + value for name, value in answer.headers]
    if answer.framing == "chunked":
        lines.append(b"transfer-encoding: chunked")
    elif answer.framing == "length":
        length = sum(map(len, answer.pieces)) if answer.declared_length is None else answer.declared_length
        lines.append(b"content-length: %d" % length)
    if not answer.keep_alive:
        lines.append(b"connection: close")
    return b"\r\n".join([*lines, b"", b""])
