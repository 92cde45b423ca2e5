"""What a well-behaved provider answers, in every framing, and how it reaches the one who asked."""

import asyncio
import socket
import zlib

import pytest

from pointsman.core.ports import Deadlines, Outgoing, Send

HEAD = b"HTTP/1.1 200 OK\r\n"


def test_client_is_a_send(client):
    send: Send = client.send
    assert callable(send)


async def test_request_arrives_as_it_was_sent(client, upstream):
    upstream.answer(json={})
    headers = ((b"x-one", b"1"), (b"x-two", b"2"), (b"x-one", b"3"))
    url = f"{upstream.origin}/base/v1/x?beta=true&a=%20"
    response = await client.send(Outgoing(url, headers, b'{"model": "m"}', Deadlines()))
    await response.read(100)
    (request,) = upstream.requests
    assert (request.method, request.path, request.query) == ("POST", "/base/v1/x", "beta=true&a=%20")
    assert request.body == b'{"model": "m"}'
    assert request.headers == (
        (b"host", f"127.0.0.1:{upstream.port}".encode()),
        *headers,
        (b"accept-encoding", b"identity"),
        (b"content-length", b"14"),
    )


@pytest.mark.parametrize("size", [0, 1, 64 * 1024, 64 * 1024 + 1, 5_000_000])
async def test_body_of_any_size_arrives_whole(ask, upstream, size):
    upstream.answer(json={})
    response = await ask(body=b"a" * size)
    await response.read(100)
    assert len(upstream.requests[0].body) == size


async def test_answer_has_status_headers_and_body(ask, upstream):
    upstream.answer(
        body=b"no",
        status=404,
        headers=[(b"X-Request-Id", b"7"), (b"set-cookie", b"a"), (b"set-cookie", b"b")],
    )
    response = await ask()
    assert response.status == 404
    assert list(response.headers) == [(b"x-request-id", b"7"), (b"set-cookie", b"a"), (b"set-cookie", b"b")]
    assert await response.read(100) == b"no"


async def test_headers_of_the_connection_are_left_out(ask, upstream):
    hop = [
        (b"connection", b"keep-alive"),
        (b"keep-alive", b"timeout=5"),
        (b"trailer", b"x"),
        (b"upgrade", b"h2c"),
    ]
    upstream.answer(body=b"yes", gzip=True, headers=[*hop, (b"x-kept", b"1")])
    response = await ask()
    assert list(response.headers) == [(b"x-kept", b"1")]
    assert await response.read(100) == b"yes"


@pytest.mark.parametrize("gzip", [False, True])
@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
async def test_every_framing_gives_the_body(ask, upstream, framing, gzip):
    body = b"0123456789" * 30_000
    upstream.answer(body=body, framing=framing, gzip=gzip)
    response = await ask()
    assert await response.read(len(body)) == body


@pytest.mark.parametrize("compress", [zlib.compress, lambda data: zlib.compress(data, wbits=-zlib.MAX_WBITS)])
async def test_deflate_is_undone(ask, upstream, compress):
    upstream.answer(body=compress(b"abc"), headers=[(b"content-encoding", b"deflate")])
    assert await (await ask()).read(100) == b"abc"


@pytest.mark.parametrize(
    ("raw", "status", "body"),
    [
        (HEAD + b"content-length: 0\r\n\r\n", 200, b""),
        (HEAD + b"transfer-encoding: chunked\r\n\r\n0\r\n\r\n", 200, b""),
        (HEAD + b"transfer-encoding: chunked\r\n\r\n2;x=y\r\nok\r\n0\r\nx-trailer: 1\r\n\r\n", 200, b"ok"),
        (HEAD + b"Transfer-Encoding: CHUNKED\r\n\r\n2\r\nok\r\n0\r\n\r\n", 200, b"ok"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (b"HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n", 304, b""),
        (b"HTTP/1.1 200\r\ncontent-length: 2\r\n\r\nok", 200, b"ok"),
        (b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok", 200, b"ok"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + HEAD + b"content-length: 2\r\n\r\nok", 200, b"ok"),
        (
            b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" * 2 + HEAD + b"content-length: 2\r\n\r\nok",
            200,
            b"ok",
        ),
    ],
)
async def test_unusual_but_valid_answer_is_understood(ask, upstream, raw, status, body):
    upstream.answer(raw=raw)
    response = await ask()
    assert (response.status, await response.read(100)) == (status, body)


async def test_interim_and_trailer_fields_are_not_headers_of_the_answer(ask, upstream):
    chunked = b"x-final: 1\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nx-trailer: 1\r\n\r\n"
    upstream.answer(raw=[b"HTTP/1.1 103 Early Hints\r\nx-early: 1\r\n\r\n", HEAD + chunked])
    response = await ask()
    await response.read(100)
    assert list(response.headers) == [(b"x-final", b"1")]


async def test_first_returns_what_came_first_and_again(ask, upstream):
    upstream.answer(sse=[b"one", b"two", b"three"])
    response = await ask()
    assert await response.first() == b"one"
    assert await response.first() == b"one"
    assert await response.read(100) == b"onetwothree"


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
async def test_first_of_an_empty_body_is_empty(ask, upstream, framing):
    upstream.answer(body=b"", framing=framing)
    response = await ask()
    assert await response.first() == b""
    assert await response.read(100) == b""


async def test_pump_delivers_each_piece_as_it_arrives(ask, upstream):
    upstream.answer(sse=[b"one", b"two", b"three"], pause_s=0.005)
    pieces: list[bytes] = []
    await (await ask()).pump(pieces.append)
    assert pieces == [b"one", b"two", b"three"]


async def test_pump_after_first_delivers_the_rest(ask, upstream):
    upstream.answer(sse=[b"one", b"two", b"three"], pause_s=0.005)
    response = await ask()
    assert await response.first() == b"one"
    pieces: list[bytes] = []
    await response.pump(pieces.append)
    assert pieces == [b"two", b"three"]


async def test_pump_inflates_piece_by_piece(ask, upstream):
    stream = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
    pieces = [
        stream.compress(b"data: %d\n\n" % number) + stream.flush(zlib.Z_SYNC_FLUSH) for number in range(3)
    ]
    pieces[-1] += stream.flush()
    upstream.answer(sse=pieces, headers=[(b"content-encoding", b"gzip")], pause_s=0.005)
    delivered: list[bytes] = []
    await (await ask()).pump(delivered.append)
    assert delivered == [b"data: 0\n\n", b"data: 1\n\n", b"data: 2\n\n"]


async def test_answer_before_the_request_is_read_is_delivered(serve, client):
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\ncontent-length: 5\r\n\r\nlarge")
        while await reader.read(65536):
            pass

    url = await serve(refuse)
    response = await client.send(Outgoing(url, (), b"a" * 50_000_000, Deadlines()))
    assert response.status == 413
    assert await response.read(100) == b"large"


async def test_answer_with_an_immediate_close_while_sending_is_delivered(serve, client):
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\ncontent-length: 5\r\nconnection: close\r\n\r\nlarge")
        await writer.drain()

    url = await serve(refuse)
    response = await client.send(Outgoing(url, (), b"a" * 50_000_000, Deadlines()))
    assert await response.read(100) == b"large"


async def test_ipv6_literal_is_reached(serve, client):
    async def echo_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD + b"content-length: %d\r\n\r\n%b" % (len(head), head))
        await reader.read()

    if not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    url = await serve(echo_head, "::1")
    response = await client.send(Outgoing(url, (), b"", Deadlines()))
    assert f"host: {url.removeprefix('http://')}".encode() in await response.read(1000)
