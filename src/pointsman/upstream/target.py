"""Where a request goes, and the bytes of its head. It opens nothing and keeps no state but two small caches."""

import string
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

from pointsman.core.errors import UpstreamError, UpstreamFault
from pointsman.core.ports import HeaderList

_DEFAULT_PORTS = {"http": 80, "https": 443}
_TOKEN = frozenset((string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~").encode())
_WRITTEN_HERE = frozenset(
    (
        b"host",
        b"content-length",
        b"transfer-encoding",
        b"connection",
        b"upgrade",
        b"te",
        b"trailer",
        b"expect",
    )
)
_IDENTITY = b"accept-encoding: identity\r\n"
_LINES_WRITTEN_HERE = 2
"""Of the start of a head: the request line and the host."""


class Origin(NamedTuple):
    """Who is spoken to. Connections are never shared between two origins. A tuple: it is hashed for every
    request."""

    scheme: str
    host: str
    port: int

    @property
    def is_tls(self) -> bool:
        return self.scheme == "https"

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Target:
    """`head_start` is the request line and the host header."""

    origin: Origin
    head_start: bytes


_CACHED_CHARS_MAX = 512
"""Callers write part of some URLs and header names: long ones are not kept, or memory would be theirs to fill."""


def read_target(url: str) -> Target:
    """Raises UpstreamError (UNREACHABLE) for what is no usable http or https URL."""
    return _known_target(url) if len(url) <= _CACHED_CHARS_MAX else _target(url)


@lru_cache(maxsize=512)
def _known_target(url: str) -> Target:
    return _target(url)


def _target(url: str) -> Target:
    if not url.isascii() or any(character <= " " or character == "\x7f" for character in url):
        raise _unusable("it holds a space, a control character or a letter outside ASCII")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _unusable(str(error)) from None
    if parts.scheme not in _DEFAULT_PORTS:
        raise _unusable("it must begin with http:// or https://")
    if not parts.hostname:
        raise _unusable("it names no host")
    if parts.username is not None or parts.password is not None:
        raise _unusable("it holds credentials; give them as api_key")
    default = _DEFAULT_PORTS[parts.scheme]
    origin = Origin(parts.scheme, parts.hostname, default if port is None else port)
    bracketed = f"[{origin.host}]" if ":" in origin.host else origin.host
    host = bracketed if origin.port == default else f"{bracketed}:{origin.port}"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(origin, f"POST {path} HTTP/1.1\r\nhost: {host}\r\n".encode())


def origin_and_head(url: str, headers: HeaderList, body_length: int) -> tuple[Origin, bytes]:
    """Whom to connect to and what to say first. Headers that come as a tuple are taken to come again: what they
    become is kept. Raises UpstreamError (UNREACHABLE)."""
    if isinstance(headers, tuple):
        origin, start = _known_start(url, headers)
        return origin, b"%bcontent-length: %d\r\n\r\n" % (start, body_length)
    target = read_target(url)
    return target.origin, encode_head(target, headers, body_length)


def origin_and_head_without_body(method: str, url: str, headers: HeaderList) -> tuple[Origin, bytes]:
    """The same for a GET or a DELETE. Raises UpstreamError (UNREACHABLE)."""
    target = read_target(url)
    start = target.head_start.replace(b"POST ", b"%b " % method.encode(), 1)
    return target.origin, _start_of_head(replace(target, head_start=start), headers) + b"\r\n"


@lru_cache(maxsize=512)
def _known_start(url: str, headers: tuple[tuple[bytes, bytes], ...]) -> tuple[Origin, bytes]:
    target = read_target(url)
    return target.origin, _start_of_head(target, headers)


def encode_head(target: Target, headers: HeaderList, body_length: int) -> bytes:
    """Raises UpstreamError (UNREACHABLE) for a header that cannot be sent; names it, never its value."""
    return b"%bcontent-length: %d\r\n\r\n" % (_start_of_head(target, headers), body_length)


def _start_of_head(target: Target, headers: HeaderList) -> bytes:
    """All but the length."""
    pieces = [target.head_start]
    accepts = _IDENTITY
    for name, value in headers:
        problem = _known_problem(name) if len(name) <= _CACHED_CHARS_MAX else _name_problem(name)
        if problem is not None:
            raise UpstreamError(UpstreamFault.UNREACHABLE, problem)
        if name == b"accept-encoding":
            accepts = b""
        pieces += (name, b": ", value, b"\r\n")
    pieces.append(accepts)
    head = b"".join(pieces)
    # One count over the whole head costs less than a look at every value.
    lines = _LINES_WRITTEN_HERE + len(headers) + (1 if accepts else 0)
    if head.count(b"\n") != lines or head.count(b"\r") != lines or b"\0" in head:
        raise _unsendable_value(headers)
    return head


@lru_cache(maxsize=1024)
def _known_problem(name: bytes) -> str | None:
    return _name_problem(name)


def _name_problem(name: bytes) -> str | None:
    if not name or not _TOKEN.issuperset(name):
        return f"cannot send the header {name.decode('latin-1')!r}: that is not a header name"
    if name.lower() in _WRITTEN_HERE:
        return f"cannot send the header {name.decode()!r}: the HTTP client writes it itself"
    return None


def _unsendable_value(headers: HeaderList) -> UpstreamError:
    for name, value in headers:
        if not {0, 10, 13}.isdisjoint(value):
            return UpstreamError(
                UpstreamFault.UNREACHABLE,
                f"cannot send the header {name.decode()!r}: its value holds a line end or a zero byte",
            )
    raise AssertionError("a line too many, but in no header")


def _unusable(why: str) -> UpstreamError:
    return UpstreamError(UpstreamFault.UNREACHABLE, f"the provider's URL cannot be used: {why}")
