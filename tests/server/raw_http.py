"""HTTP by hand over a plain socket: tests decide about every byte they send, and see every byte that comes back."""

import json
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from gateways import Gateway
from waiting import PATIENCE_S

CHAT = "/v1/chat/completions"
MESSAGES = "/v1/messages"


def chat_body(model: str = "tiny", text: str = "hi", **more: Any) -> bytes:
    """A body both dialects take."""
    body = {"model": model, "max_tokens": 50, "messages": [{"role": "user", "content": text}], **more}
    return json.dumps(body).encode()


def head(method: str, target: str | bytes, *headers: str | bytes, version: str = "1.1") -> bytes:
    target = target if isinstance(target, bytes) else target.encode()
    lines = [b"%b %b HTTP/%b" % (method.encode(), target, version.encode()), b"host: gateway"]
    lines += [line if isinstance(line, bytes) else line.encode("latin-1") for line in headers]
    return b"\r\n".join([*lines, b"", b""])


def post(target: str | bytes, body: bytes, *headers: str | bytes, version: str = "1.1") -> bytes:
    return head("POST", target, f"content-length: {len(body)}", *headers, version=version) + body


def chunked(pieces: Iterable[bytes]) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


class Broken(Exception):
    """The connection ended before the answer did."""


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        """What the error says, in either dialect."""
        error: dict[str, Any] = self.json()["error"]
        return error


class Client:
    """One connection."""

    def __init__(
        self, gateway: Gateway, timeout_s: float = PATIENCE_S, receive_buffer: int | None = None
    ) -> None:
        self.socket = socket.socket()
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout_s)
        try:
            self.socket.connect(gateway.address)
        except OSError:
            self.socket.close()
            raise
        self._unread = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def reply(self, *, to: str = "POST") -> Reply:
        """The next whole answer. Raises Broken."""
        lines = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        status = int(lines[0].split(" ")[1])
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:-2])}
        if status < 200 or status == 204 or to == "HEAD":
            body = b""
        elif "content-length" in headers:
            body = self._exactly(int(headers["content-length"]))
        elif headers.get("transfer-encoding") == "chunked":
            body = self._chunks()
        else:
            body = self.rest()
        return Reply(status, headers, body)

    def rest(self) -> bytes:
        """Everything until the server closes."""
        while self._more():
            pass
        data, self._unread = self._unread, b""
        return data

    def some(self) -> bytes:
        """Whatever comes next."""
        if not self._unread and not self._more():
            raise Broken
        data, self._unread = self._unread, b""
        return data

    def until(self, mark: bytes) -> bytes:
        """Everything up to and including `mark`."""
        return self._until(mark)

    def is_closed(self) -> bool:
        """True once the server has closed, and has said nothing more; waits for it."""
        return not self._unread and not self._more()

    def _chunks(self) -> bytes:
        pieces: list[bytes] = []
        while size := int(self._until(b"\r\n"), 16):
            pieces.append(self._exactly(size + 2)[:-2])
        self._exactly(2)
        return b"".join(pieces)

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._unread:
            if not self._more():
                raise Broken(self._unread)
        place = self._unread.index(mark) + len(mark)
        data, self._unread = self._unread[:place], self._unread[place:]
        return data

    def _exactly(self, size: int) -> bytes:
        while len(self._unread) < size:
            if not self._more():
                raise Broken(self._unread)
        data, self._unread = self._unread[:size], self._unread[size:]
        return data

    def _more(self) -> bool:
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            return False
        self._unread += data
        return bool(data)


def ask(gateway: Gateway, data: bytes, *, to: str = "POST") -> Reply:
    """One answer over a connection of its own."""
    with Client(gateway) as client:
        client.send(data)
        return client.reply(to=to)
