"""Requests whose end two readers could see in two places: refused with 400, and nothing behind them is answered."""

import pytest
from raw_http import CHAT, Client, chat_body, chunked, head

from gateways import Gateway

BODY = chat_body()
SIZE = len(BODY)
CHUNKS = chunked([BODY])
HIDDEN = head("GET", "/health")

AMBIGUOUS = {
    "length and chunks": (f"content-length: {len(CHUNKS)}\r\ntransfer-encoding: chunked", CHUNKS),
    "chunks and length": ("transfer-encoding: chunked\r\ncontent-length: 4", CHUNKS),
    "two lengths": (f"content-length: {SIZE}\r\ncontent-length: 5", BODY),
    "two equal lengths": (f"content-length: {SIZE}\r\ncontent-length: {SIZE}", BODY),
    "a list of lengths": (f"content-length: {SIZE}, {SIZE}", BODY),
    "a length with a sign": (f"content-length: +{SIZE}", BODY),
    "a negative length": ("content-length: -1", BODY),
    "a hexadecimal length": ("content-length: 0x10", BODY),
    "an empty length": ("content-length:", BODY),
    "a length beyond 64 bits": ("content-length: 99999999999999999999999", BODY),
    "a blank before the colon": (f"content-length : {SIZE}", BODY),
    "a folded header": (f"x: a\r\n b\r\ncontent-length: {SIZE}", BODY),
    "a folded coding": ("transfer-encoding:\r\n chunked", CHUNKS),
    "a header that begins with a blank": (f" x: a\r\ncontent-length: {SIZE}", BODY),
    "a coding nobody knows": ("transfer-encoding: xchunked", CHUNKS),
    "a coding before chunked": ("transfer-encoding: gzip, chunked", CHUNKS),
    "a coding after chunked": ("transfer-encoding: chunked, gzip", CHUNKS),
    "no coding": ("transfer-encoding: identity", CHUNKS),
    "chunked twice": ("transfer-encoding: chunked\r\ntransfer-encoding: chunked", CHUNKS),
    "chunked and not": ("transfer-encoding: chunked\r\ntransfer-encoding: identity", CHUNKS),
    "a control character": ("transfer-encoding: \x0bchunked", CHUNKS),
    "a NUL": (f"x: a\0b\r\ncontent-length: {SIZE}", BODY),
    "a bare LF behind a header": (f"x: a\ncontent-length: {SIZE}", BODY),
    "a bare LF before a length": (f"content-length: {SIZE}\nx: a", BODY),
    "a NUL in a name": (f"x\0y: a\r\ncontent-length: {SIZE}", BODY),
    "a NUL in a length": (f"content-length: {SIZE}\0", BODY),
    "a name without a colon": (f"transfer-encoding\r\ncontent-length: {SIZE}", BODY),
    "two colons": (f"content-length: : {SIZE}", BODY),
    "a bare CR": (f"x: a\rb\r\ncontent-length: {SIZE}", BODY),
    "a chunk without a size": ("transfer-encoding: chunked", b"zz\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "a negative chunk": ("transfer-encoding: chunked", b"-5\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "a chunk beyond 64 bits": ("transfer-encoding: chunked", b"f" * 17 + b"\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "a chunk longer than its size": ("transfer-encoding: chunked", b"5\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "a chunk size with a prefix": (
        "transfer-encoding: chunked",
        b"0x%x\r\n" % SIZE + BODY + b"\r\n0\r\n\r\n",
    ),
    "a chunk size behind a blank": (
        "transfer-encoding: chunked",
        b" %x\r\n" % SIZE + BODY + b"\r\n0\r\n\r\n",
    ),
    "a chunk without its end": ("transfer-encoding: chunked", b"%x\r\n" % SIZE + BODY + b"0\r\n\r\n"),
    "chunks parted by LF": ("transfer-encoding: chunked", CHUNKS.replace(b"\r\n", b"\n")),
    "LF in a chunk extension": (
        "transfer-encoding: chunked",
        b"%x;a\nb\r\n" % SIZE + BODY + b"\r\n0\r\n\r\n",
    ),
}


@pytest.mark.parametrize("name", AMBIGUOUS)
@pytest.mark.parametrize("path", [CHAT, "/v1/route", "/v1/models"])
def test_ambiguous_request_is_refused_and_the_connection_closed(demo: Gateway, path: str, name: str) -> None:
    headers, body = AMBIGUOUS[name]
    with Client(demo) as client:
        client.send(head("POST", path, headers) + body + HIDDEN)
        reply = client.reply()
        assert (reply.status, reply.error["type"]) == (400, "invalid_request_error")
        assert client.is_closed()


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_ambiguous_request_is_refused_byte_by_byte(demo: Gateway, name: str) -> None:
    headers, body = AMBIGUOUS[name]
    request = head("POST", CHAT, headers) + body + HIDDEN
    with Client(demo) as client:
        for place in range(0, len(request), 11):
            client.send(request[place : place + 11])
        assert client.reply().status == 400
        assert client.is_closed()


@pytest.mark.parametrize(
    "noise",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"hello\r\n\r\n",
        b"GET / HTTP/1.1\nhost: x\n\n",
    ],
)
def test_what_is_not_http_is_refused_and_the_connection_closed(demo: Gateway, noise: bytes) -> None:
    with Client(demo) as client:
        client.send(noise)
        assert client.reply().status == 400
        assert client.is_closed()


def test_host_in_the_target_does_not_change_where_it_goes(demo: Gateway) -> None:
    """The absolute form: an origin server has to take it, and may forward nothing to that host."""
    with Client(demo) as client:
        for target in ("http://169.254.169.254/health", "http://other.example:1/health"):
            client.send(head("GET", target))
            assert client.reply().json()["status"] == "ok"
        client.send(head("POST", f"http://169.254.169.254{CHAT}", f"content-length: {SIZE}") + BODY)
        assert client.reply().status == 200


@pytest.mark.parametrize("target", [b"/\xff", b"/v1/models/\xc3\xa9", b"http://[::1"])
def test_target_that_is_no_url_is_refused(demo: Gateway, target: bytes) -> None:
    with Client(demo) as client:
        client.send(head("GET", target))
        assert client.reply().status == 400
        assert client.is_closed()
