"""Callers of a soak: every dialect, streamed and not, towards providers that answer well or fail in any way; some callers
leave, send nonsense or do not read. Each says in a word what came of it."""

import asyncio
import contextlib
import json
import random
import socket
from collections.abc import Mapping
from dataclasses import dataclass

SAID = "Please say something. "
_CHUNK = 65536
_ERRORS = (b'"error":{', b'"error": {', b"event: error")
_PATIENCE_S = 60.0

DIALECTS = ("chat", "responses", "messages", "gemini")


def request(dialect: str, model: str, mark: str, *, stream: bool) -> bytes:
    said = [{"role": "user", "content": SAID + mark}]
    fields: dict[str, object] = {"model": model, "stream": stream}
    path = {"chat": "/v1/chat/completions", "responses": "/v1/responses", "messages": "/v1/messages"}.get(
        dialect
    )
    match dialect:
        case "chat":
            fields["messages"] = said
        case "responses":
            fields |= {"input": SAID + mark, "store": False}
        case "messages":
            fields |= {"messages": said, "max_tokens": 100}
        case _:
            verb = "streamGenerateContent?alt=sse" if stream else "generateContent"
            path = f"/v1beta/models/{model}:{verb}"
            fields = {"contents": [{"role": "user", "parts": [{"text": SAID + mark}]}]}
    body = json.dumps(fields).encode()
    return b"POST %b HTTP/1.1\r\nhost: gateway\r\ncontent-length: %d\r\n\r\n%b" % (
        str(path).encode(),
        len(body),
        body,
    )


@dataclass(slots=True)
class Line:
    """One connection to the gateway."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def open(cls, address: tuple[str, int], receive_buffer: int | None = None) -> "Line":
        client = socket.socket()
        if receive_buffer is not None:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        client.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(client, address)
        except OSError:
            client.close()
            raise
        return cls(*await asyncio.open_connection(sock=client))

    async def ask(self, data: bytes) -> str:
        """The status of the answer, and whether it was whole."""
        self.writer.write(data)
        head = (await self.reader.readuntil(b"\r\n\r\n")).lower()
        status = head.split(b" ", 2)[1].decode()
        if b"content-length: " in head:
            await self.reader.readexactly(int(head.split(b"content-length: ")[1].split(b"\r\n")[0]))
            return status
        error = False
        try:
            while size := int(await self.reader.readuntil(b"\r\n"), 16):
                piece = await self.reader.readexactly(size + 2)
                error = error or any(mark in piece for mark in _ERRORS)
        except asyncio.IncompleteReadError:
            return f"{status} cut"
        await self.reader.readexactly(2)
        return f"{status} with an error" if error else status

    def leave(self, *, rudely: bool = False) -> None:
        if rudely:
            self.writer.transport.abort()
        else:
            self.writer.close()


class Callers:
    """`marks` are by name what makes a provider fail, "" what makes none. `counts` is what came of it all."""

    def __init__(self, address: tuple[str, int], marks: Mapping[str, str], models: tuple[str, ...]) -> None:
        self._address = address
        self._marks = marks
        self._faults = [name for name in marks if name]
        self._models = models
        self._dice = random.Random(7)
        self.counts: dict[str, int] = {}
        self.is_over = False

    async def go(self, pause_s: float) -> None:
        """One caller: until it is over, one thing after another."""
        ways = (
            self._asks,
            self._asks,
            self._asks,
            self._asks,
            self._leaves,
            self._talks_nonsense,
            self._pipelines,
        )
        while not self.is_over:
            way = self._dice.choice(ways)
            try:
                async with asyncio.timeout(_PATIENCE_S):
                    await way()
            except TimeoutError:
                self._count("no answer within a minute")
            except (OSError, asyncio.IncompleteReadError):
                self._count("closed before an answer")
            await asyncio.sleep(self._dice.random() * 2 * pause_s)

    def _any(self) -> bytes:
        fails = self._dice.random() < 0.3
        mark = self._marks[self._dice.choice(self._faults) if fails else ""]
        dialect, model = self._dice.choice(DIALECTS), self._dice.choice(self._models)
        return request(dialect, model, mark, stream=self._dice.random() < 0.6)

    async def _asks(self) -> None:
        line = await Line.open(self._address)
        try:
            for _ in range(self._dice.randint(1, 8)):
                self._count(await line.ask(self._any()))
        finally:
            line.leave()

    async def _leaves(self) -> None:
        line = await Line.open(self._address)
        data = self._any()
        line.writer.write(data[: self._dice.choice((len(data), len(data), 30, len(data) - 5))])
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._dice.random() * 0.05):
                await line.reader.read(self._dice.choice((1, 1000, 100_000)))
        line.leave(rudely=self._dice.random() < 0.5)
        self._count("left")

    async def _talks_nonsense(self) -> None:
        nonsense = self._dice.choice(
            (
                b"GET / HTTP/1.1\nhost: x\n\n",
                b"\x16\x03\x01\x02\x00\x01",
                b"POST /v1/messages HTTP/1.1\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n",
                b"POST /v1/messages HTTP/1.1\r\ncontent-length: 999999999999\r\n\r\n" + b"x" * 1000,
                b"POST /v1/messages HTTP/1.1\r\nx: " + b"y" * 70_000,
                b"POST /v1/responses HTTP/1.1\r\ncontent-length: 4\r\n\r\n{{{{",
                b"DELETE /v1/nothing HTTP/1.1\r\n\r\n",
            )
        )
        line = await Line.open(self._address)
        line.writer.write(nonsense)
        with contextlib.suppress(TimeoutError, OSError):
            async with asyncio.timeout(0.5):
                await line.reader.read(_CHUNK)
        line.leave(rudely=self._dice.random() < 0.5)
        self._count("nonsense")

    async def _pipelines(self) -> None:
        line = await Line.open(self._address)
        try:
            line.writer.write(b"".join(self._any() for _ in range(3)))
            for _ in range(4):
                self._count(await line.ask(self._any()))
        finally:
            line.leave()

    def _count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1
