"""What a provider does wrong, and which fault that becomes."""

import asyncio
import gzip
import socket
import struct

import pytest

from pointsman.core.errors import UpstreamError, UpstreamFault
from pointsman.core.ports import Deadlines, Outgoing

HEAD = b"HTTP/1.1 200 OK\r\n"
JUST_OVER = b"a" * (64 * 1024 + 1)


async def fault_of(waiting) -> tuple[UpstreamFault, str]:
    with pytest.raises(UpstreamError) as caught:
        await waiting
    return caught.value.fault, str(caught.value)


async def asked_and_read(ask, limit_bytes: int = 1_000_000) -> bytes:
    return await (await ask()).read(limit_bytes)


async def test_refused_connection_is_unreachable(client):
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))  # and never listens
        port = deaf.getsockname()[1]
        url = f"http://127.0.0.1:{port}/x?key=secret"
        fault, message = await fault_of(
            client.send(Outgoing(url, ((b"x-key", b"secret"),), b"secret", Deadlines()))
        )
    assert fault is UpstreamFault.UNREACHABLE
    assert message == f"cannot connect to 127.0.0.1:{port}: Connection refused"


@pytest.mark.parametrize("host", ["nowhere.invalid", "a" * 70 + ".invalid", "a..invalid"])
async def test_unknown_host_is_unreachable(client, host):
    fault, message = await fault_of(client.send(Outgoing(f"http://{host}/x", (), b"", Deadlines())))
    assert fault is UpstreamFault.UNREACHABLE
    assert f"{host}:80" in message


@pytest.mark.parametrize("ending", ["close", "reset"])
async def test_connection_lost_before_the_answer_is_unreachable(ask, upstream, ending):
    upstream.answer(raw=b"", ending=ending)
    fault, message = await fault_of(ask())
    assert fault is UpstreamFault.UNREACHABLE
    assert f"127.0.0.1:{upstream.port} closed the connection before answering" in message
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("ending", ["close", "reset"])
async def test_connection_lost_within_the_head_is_broken(ask, upstream, ending):
    upstream.answer(raw=HEAD + b"content-le", ending=ending)
    fault, message = await fault_of(ask())
    assert fault is UpstreamFault.BROKEN
    assert "in the middle of the answer's head" in message


@pytest.mark.parametrize("gzip", [False, True])
@pytest.mark.parametrize("ending", ["close", "reset"])
@pytest.mark.parametrize("framing", ["length", "chunked"])
async def test_connection_lost_within_the_body_is_broken(ask, upstream, framing, ending, gzip):
    upstream.answer(body=b"0123456789", framing=framing, gzip=gzip, cut_after_bytes=5, ending=ending)
    fault, message = await fault_of(asked_and_read(ask))
    assert fault is UpstreamFault.BROKEN
    assert "in the middle of its answer" in message


async def test_reset_of_a_close_delimited_body_is_broken(ask, upstream):
    upstream.answer(body=b"0123456789", framing="close", cut_after_bytes=5, ending="reset")
    assert (await fault_of(asked_and_read(ask)))[0] is UpstreamFault.BROKEN


async def test_close_delimited_gzip_cut_short_is_broken(ask, upstream):
    upstream.answer(body=b"0123456789", framing="close", gzip=True, cut_after_bytes=15)
    fault, message = await fault_of(asked_and_read(ask))
    assert fault is UpstreamFault.BROKEN
    assert "compressed" in message


async def test_missing_last_chunk_is_broken(ask, upstream):
    upstream.answer(sse=[b"data: 1\n\n"], ending="close")
    assert (await fault_of(asked_and_read(ask)))[0] is UpstreamFault.BROKEN


async def test_pieces_before_a_break_are_delivered_first(ask, upstream):
    upstream.answer(sse=[b"one", b"two"], ending="reset", pause_s=0.005)
    pieces: list[bytes] = []
    response = await ask()
    assert (await fault_of(response.pump(pieces.append)))[0] is UpstreamFault.BROKEN
    assert pieces == [b"one", b"two"]
    assert (await fault_of(response.read(100)))[0] is UpstreamFault.BROKEN


async def test_break_before_any_body_comes_out_of_first(ask, upstream):
    upstream.answer(body=b"0123456789", cut_after_bytes=0)
    assert (await fault_of((await ask()).first()))[0] is UpstreamFault.BROKEN


@pytest.mark.parametrize(
    "raw",
    [
        b"<html>not http</html>",
        b"\x15\x03\x01\x00\x02\x02\x0a",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 099 Odd\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n",
        HEAD + b"content-length: -1\r\n\r\n",
        HEAD + b"content-length: 1\r\ncontent-length: 2\r\n\r\nab",
        HEAD + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        HEAD + b"transfer-encoding: gzip\r\n\r\nok",
        HEAD + b"transfer-encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        HEAD + b"transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        HEAD + b"content-encoding: br\r\ncontent-length: 2\r\n\r\nok",
        HEAD + b"content-encoding: gzip\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\nok",
        HEAD + b"a b: c\r\n\r\n",
        HEAD + b"x-long: " + JUST_OVER,
        HEAD + b"x-long: " + JUST_OVER + b"\r\ncontent-length: 0\r\n\r\n",
        HEAD + b"x-many: 1\r\n" * 8000 + b"content-length: 0\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nx: 1\r\n\r\n" * 2000,
    ],
    ids=lambda raw: raw[:80],
)
async def test_head_that_cannot_be_believed_is_a_bad_reply(ask, upstream, raw):
    upstream.answer(raw=raw)
    assert (await fault_of(ask()))[0] is UpstreamFault.BAD_REPLY
    await upstream.until_all_closed()


@pytest.mark.parametrize(
    "body",
    [
        b"zz\r\nok\r\n",
        b"2\r\nokNO",
        b"0\r\nx-long: " + JUST_OVER,
        b"2;x=" + JUST_OVER,
    ],
    ids=lambda body: body[:20],
)
async def test_broken_chunks_are_a_bad_reply(ask, upstream, body):
    upstream.answer(raw=[HEAD + b"transfer-encoding: chunked\r\n\r\n", body])
    assert (await fault_of(asked_and_read(ask)))[0] is UpstreamFault.BAD_REPLY
    await upstream.until_all_closed()


async def test_large_head_below_the_limit_is_read(ask, upstream):
    upstream.answer(body=b"ok", headers=[(b"x-long", b"a" * 60_000)])
    assert await asked_and_read(ask) == b"ok"


@pytest.mark.parametrize("wait_for_first", [False, True])
async def test_broken_compression_is_a_bad_reply(ask, upstream, wait_for_first):
    upstream.answer(sse=[b"not gzip", b"at all"], headers=[(b"content-encoding", b"gzip")], ending="stall")
    response = await ask()
    waiting = response.first() if wait_for_first else response.read(100)
    assert (await fault_of(waiting))[0] is UpstreamFault.BAD_REPLY
    await upstream.until_all_closed()


@pytest.mark.parametrize("gzip", [False, True])
@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
async def test_body_over_the_limit_is_a_bad_reply(ask, upstream, framing, gzip):
    upstream.answer(body=b"a" * 1001, framing=framing, gzip=gzip)
    fault, message = await fault_of(asked_and_read(ask, limit_bytes=1000))
    assert fault is UpstreamFault.BAD_REPLY
    assert "1000 bytes" in message
    assert len(await asked_and_read(ask, limit_bytes=1001)) == 1001


async def test_first_counts_towards_the_limit(ask, upstream):
    upstream.answer(sse=[b"12345", b"678"])
    response = await ask()
    await response.first()
    assert (await fault_of(response.read(7)))[0] is UpstreamFault.BAD_REPLY


async def test_compression_bomb_stops_at_the_limit(ask, upstream):
    upstream.answer(body=gzip.compress(bytes(100_000_000)), headers=[(b"content-encoding", b"gzip")])
    assert (await fault_of(asked_and_read(ask, limit_bytes=100_000)))[0] is UpstreamFault.BAD_REPLY


async def test_what_deliver_raises_comes_out_of_pump(ask, upstream):
    def refuse(piece: bytes) -> None:
        raise LookupError(piece.decode())

    upstream.answer(sse=[b"one", b"two"], pause_s=0.005, ending="stall")
    with pytest.raises(LookupError, match="one"):
        await (await ask()).pump(refuse)
    await upstream.until_all_closed()
    assert upstream.requests[0].hung_up_at_s is not None


async def test_what_deliver_raises_later_comes_out_of_pump(ask, upstream):
    delivered: list[bytes] = []

    def take_one(piece: bytes) -> None:
        if delivered:
            raise LookupError(piece.decode())
        delivered.append(piece)

    upstream.answer(sse=[b"one", b"two", b"three"], pause_s=0.005)
    with pytest.raises(LookupError, match="two"):
        await (await ask()).pump(take_one)
    await upstream.until_all_closed()


async def test_unsendable_header_is_told_before_anything_is_sent(ask, upstream):
    fault, message = await fault_of(ask(headers=[(b"x-key", b"a\nb")]))
    assert fault is UpstreamFault.UNREACHABLE
    assert "x-key" in message
    assert upstream.connections_opened == 0


async def test_server_that_resets_every_connection_is_unreachable(serve, client):
    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    url = await serve(reset)
    fault, _ = await fault_of(client.send(Outgoing(url, (), b"", Deadlines())))
    assert fault is UpstreamFault.UNREACHABLE
