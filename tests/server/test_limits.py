"""How much is read: bodies over the limit, packed bodies, endless heads, and `Expect: 100-continue`."""

import gzip
import tracemalloc
import zlib

import pytest
from callers import KEY
from raw_http import CHAT, MESSAGES, Client, ask, chat_body, chunked, head, post

from gateways import Gateway
from pointsman.core.errors import TooLarge
from pointsman.server.content_encoding import inflate
from pointsman.server.request_head import HEADERS_MAX

LIMIT = 200_000
OPEN = f"x-api-key: {KEY}"
PATHS = [CHAT, MESSAGES, "/v1/route"]


def body_of(size: int) -> bytes:
    frame = len(chat_body(text=""))
    return chat_body(text="x" * (size - frame))


@pytest.mark.parametrize("path", PATHS)
def test_body_of_just_the_limit_is_read_and_one_byte_more_is_not(locked: Gateway, path: str) -> None:
    assert ask(locked, post(path, body_of(LIMIT), OPEN)).status == 200
    reply = ask(locked, post(path, body_of(LIMIT + 1), OPEN))

    assert reply.status == 413
    assert f"{LIMIT} bytes" in reply.error["message"]
    assert (reply.json().get("type") == "error") is (path == MESSAGES)


@pytest.mark.parametrize("path", PATHS)
def test_chunks_up_to_the_limit_are_read_and_one_byte_more_is_not(locked: Gateway, path: str) -> None:
    for size, status in ((LIMIT, 200), (LIMIT + 1, 413)):
        body = body_of(size)
        pieces = chunked(body[place : place + 999] for place in range(0, size, 999))
        assert ask(locked, head("POST", path, OPEN, "transfer-encoding: chunked") + pieces).status == status


@pytest.mark.parametrize("path", PATHS)
def test_announced_size_is_refused_before_it_comes(locked: Gateway, path: str) -> None:
    with Client(locked) as client:
        client.send(head("POST", path, OPEN, "content-length: 18446744073709551615"))
        assert client.reply().status == 413


@pytest.mark.parametrize("framing", [f"content-length: {LIMIT * 50}", "transfer-encoding: chunked"])
def test_client_that_goes_on_sending_can_read_why_it_was_refused(locked: Gateway, framing: str) -> None:
    with Client(locked) as client:
        client.send(head("POST", CHAT, OPEN, framing))
        for _ in range(50):
            client.send(b"30d40\r\n" + b"x" * LIMIT + b"\r\n" if "chunked" in framing else b"x" * LIMIT)
        reply = client.reply()
        assert (reply.status, reply.headers["connection"]) == (413, "close")
        assert client.is_closed()


def test_request_behind_a_refused_body_is_not_answered(locked: Gateway) -> None:
    with Client(locked) as client:
        client.send(post(CHAT, body_of(LIMIT + 1), OPEN) + post(CHAT, chat_body(), OPEN))
        assert client.reply().status == 413
        assert client.is_closed()


def test_request_behind_a_refused_expectation_is_not_answered(locked: Gateway) -> None:
    with Client(locked) as client:
        refused = head("POST", CHAT, "content-length: 5", "expect: 100-continue") + b"12345"
        client.send(refused + post(CHAT, chat_body(), OPEN) + head("GET", "/health"))
        assert client.reply().status == 401
        assert client.is_closed()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("GZIP", gzip.compress),
        ("x-gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("identity", bytes),
        ("", bytes),
    ],
)
def test_packed_body_is_read(locked: Gateway, path: str, encoding: str, pack: type[bytes]) -> None:
    reply = ask(locked, post(path, pack(chat_body()), OPEN, f"content-encoding: {encoding}"))

    assert reply.status == 200


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("encoding", ["zstd", "br", "gzip, gzip", "compress", b"\xff"])
def test_unknown_packing_is_refused(locked: Gateway, path: str, encoding: str | bytes) -> None:
    header = encoding if isinstance(encoding, bytes) else encoding.encode()
    reply = ask(locked, post(path, chat_body(), OPEN, b"content-encoding: " + header))

    assert reply.status == 415
    assert "gzip" in reply.error["message"]


PACKED = gzip.compress(chat_body(), mtime=0)
BROKEN = {
    "cut by a byte": PACKED[:-1],
    "without its checksum": PACKED[:-8],
    "cut in the middle": PACKED[:20],
    "hardly begun": PACKED[:5],
    "with something behind": PACKED + b"more",
    "twice": PACKED * 2,
    "with a wrong checksum": PACKED[:-8] + b"\0\0\0\0" + PACKED[-4:],
    "not packed": chat_body(),
    "nothing": b"",
}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", BROKEN)
def test_broken_packing_is_refused(locked: Gateway, path: str, name: str) -> None:
    assert ask(locked, post(path, BROKEN[name], OPEN, "content-encoding: gzip")).status == 400


@pytest.mark.parametrize("path", PATHS)
def test_bomb_is_refused(locked: Gateway, path: str) -> None:
    bomb = gzip.compress(b"[" * (LIMIT * 500))
    assert len(bomb) < LIMIT

    reply = ask(locked, post(path, bomb, OPEN, "content-encoding: gzip"))

    assert reply.status == 413


def test_bomb_is_not_unpacked() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            inflate(bomb, b"gzip", 1000)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("path", PATHS)
def test_client_that_expects_is_told_to_continue(locked: Gateway, path: str) -> None:
    body = chat_body()
    with Client(locked) as client:
        for _ in range(2):
            client.send(head("POST", path, OPEN, f"content-length: {len(body)}", "Expect: 100-Continue"))
            assert client.reply().status == 100
            client.send(body)
            assert client.reply().status == 200


@pytest.mark.parametrize("path", PATHS)
def test_client_that_expects_to_send_too_much_is_refused_first(locked: Gateway, path: str) -> None:
    with Client(locked) as client:
        client.send(head("POST", path, OPEN, f"content-length: {LIMIT + 1}", "expect: 100-continue"))
        assert client.reply().status == 413


@pytest.mark.parametrize("path", [CHAT, "/v1/models"])
def test_endless_head_is_cut(demo: Gateway, path: str) -> None:
    with Client(demo) as client:
        client.send(b"POST %b HTTP/1.1\r\nx: " % path.encode())
        for _ in range(9):
            client.send(b"x" * 10_000)
        assert client.reply().status == 431
        assert client.is_closed()


def test_many_headers_are_cut(demo: Gateway) -> None:
    reply = ask(demo, head("POST", CHAT, *[f"x-{number}: {'y' * 60}" for number in range(1000)]))

    assert reply.status == 431


def test_more_headers_than_anybody_needs_are_refused(demo: Gateway) -> None:
    many = [f"x-{number}: y" for number in range(HEADERS_MAX - 1)]  # and the host
    for path in (CHAT, "/v1/models"):
        with Client(demo) as client:
            client.send(head("POST", path, *many, "content-length: 1") + b"x")
            assert client.reply().status == 431
            assert client.is_closed()
    assert ask(demo, head("GET", "/health", *many)).status == 200


def test_long_head_within_the_limit_is_read(demo: Gateway) -> None:
    body = body_of(500_000)
    request = post(CHAT, body, "cookie: " + "x" * 60_000)
    with Client(demo) as client:
        client.send(request * 2)
        assert [client.reply().status, client.reply().status] == [200, 200]


@pytest.mark.parametrize("path", [CHAT, "/v1/route"])
def test_endless_trailers_are_cut(demo: Gateway, path: str) -> None:
    with Client(demo) as client:
        client.send(head("POST", path, "transfer-encoding: chunked") + b"0\r\n")
        for number in range(20):
            client.send(b"x-%d: %b\r\n" % (number, b"y" * 10_000))
        assert client.reply().status == 431
        assert client.is_closed()


@pytest.mark.parametrize("path", [CHAT, "/v1/route"])
def test_trailers_are_not_taken_for_headers(locked: Gateway, path: str) -> None:
    pieces = chunked([chat_body()])[:-2] + f"x-api-key: {KEY}\r\ncontent-encoding: gzip\r\n\r\n".encode()

    assert ask(locked, head("POST", path, "transfer-encoding: chunked") + pieces).status == 401
    assert ask(locked, head("POST", path, OPEN, "transfer-encoding: chunked") + pieces).status == 200
