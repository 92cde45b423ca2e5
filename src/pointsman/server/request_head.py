"""The head of a request as bytes: how long it may be, which path it means, what it offers, and what is said where it
cannot be understood. It reads nothing from a connection."""

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

import httptools

from pointsman.core.ports import HeaderList
from pointsman.server.paths import normal_path

HEAD_BYTES_MAX = 64 * 1024
"""Of a request's head, of its trailers, of chunk extensions: what is not body, between two pieces of body."""

HEADERS_MAX = 256
"""Browsers, SDKs and proxies together send some 50."""

_OFFERS = frozenset({b"upgrade", b"connection", b"http2-settings"})
_PHRASES = {
    400: b"Bad Request",
    405: b"Method Not Allowed",
    431: b"Request Header Fields Too Large",
    503: b"Service Unavailable",
}

RawHeaders = Sequence[tuple[bytes, bytes]]

_KEPT_HEADS_MAX = 256
_KEPT_BYTES_MAX = 4096


class BadMessage(Exception):
    """What came is not a request that anybody could answer, or may not even come."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status

    def answer(self) -> bytes:
        """All that is said about it. Nobody knows the caller's dialect; this one is understood most widely."""
        is_ours = self.status >= 500
        body = b'{"error":{"message":"%b","type":"%b","param":null,"code":null}}' % (
            str(self).encode(),
            b"server_error" if is_ours else b"invalid_request_error",
        )
        lines = (
            b"HTTP/1.1 %d %b" % (self.status, _PHRASES[self.status]),
            b"content-type: application/json",
            *((b"retry-after: 1",) if is_ours else ()),
            b"content-length: %d" % len(body),
            b"connection: close",
        )
        return b"\r\n".join((*lines, b"", body))


class Head(NamedTuple):
    """The headers of a request, less its length, and what is to be known of them before a body comes. They are a tuple
    where the same ones are taken to come again."""

    headers: HeaderList
    expects_continue: bool
    content_encoding: bytes


class Heads:
    """Reads heads, and keeps some: a program sends the same one with all its requests, and whoever is asked about it
    further on can keep an answer by it. What is long is not kept, or memory would be the callers' to fill."""

    def __init__(self) -> None:
        self._kept: dict[tuple[tuple[bytes, bytes], ...], Head] = {}

    def read(self, headers: list[tuple[bytes, bytes]]) -> Head:
        """Raises BadMessage for a body that could not be read."""
        known = tuple(headers)
        head = self._kept.get(known)
        if head is None:
            head = _read(headers)
            if head_bytes(b"", headers) <= _KEPT_BYTES_MAX:
                if len(self._kept) >= _KEPT_HEADS_MAX:
                    self._kept.clear()
                head = self._kept[known] = head._replace(headers=known)
        return head


def _read(headers: RawHeaders) -> Head:
    """Raises BadMessage for a transfer encoding that is not read here."""
    expects = False
    encoding = b""
    for name, value in headers:
        if name == b"expect":
            expects = value.lower() == b"100-continue"
        elif name == b"content-encoding":
            encoding = encoding or value.strip().lower()
        elif name == b"transfer-encoding" and value.lower() != b"chunked":
            raise BadMessage(400, "no transfer encoding but chunked is read here")
    return Head(headers, expects, encoding)


def too_much_head() -> BadMessage:
    return BadMessage(431, f"the head of a request may have {HEAD_BYTES_MAX} bytes")


def too_many_headers() -> BadMessage:
    return BadMessage(431, f"a request may have {HEADERS_MAX} headers")


def too_many_connections() -> BadMessage:
    """Nothing is wrong with what it says: it has not said anything yet."""
    return BadMessage(503, "the gateway has too many connections; try again later")


def head_bytes(url: bytes, headers: RawHeaders) -> int:
    return len(url) + sum(len(name) + len(value) + len(b": \r\n") for name, value in headers)


def path_and_query(url: bytes) -> tuple[bytes, bytes]:
    """What a request target means that is not spelled as an endpoint's path is; nothing for what is no URL."""
    try:
        parsed = httptools.parse_url(url)
    except httptools.HttpParserInvalidURLError:
        return b"", b""
    return normal_path(unquote_to_bytes(parsed.path or b"/")), parsed.query or b""


def head_without_offer(parser: httptools.HttpRequestParser, url: bytes, headers: RawHeaders) -> bytes:
    """The head that `parser` has read, as if it had not offered another protocol. Raises BadMessage."""
    method = parser.get_method()
    if method == b"CONNECT":
        raise BadMessage(405, "this is not a forward proxy")
    lines = [b"%b %b HTTP/%b" % (method, url, parser.get_http_version().encode())]
    lines += [b"%b: %b" % header for header in headers if header[0] not in _OFFERS]
    if not parser.should_keep_alive():
        lines.append(b"connection: close")
    return b"\r\n".join([*lines, b"", b""])
