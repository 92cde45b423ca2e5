"""A consumer slower than the provider: the provider is held back, and memory stays bounded."""

import asyncio
import gzip

import pytest

from waiting import comes_true

PIECE = b"a" * 65536
PIECES = 512
# What the sockets of both ends may swallow on Linux (tcp_rmem and tcp_wmem at their largest), and ours.
SWALLOWED_MAX = 16 * 1024 * 1024


async def until_still(request) -> int:
    """How much was sent when nothing more was sent for a while."""
    sent = -1
    while sent != request.sent_bytes:
        sent = request.sent_bytes
        await asyncio.sleep(0.1)
    return sent


@pytest.mark.parametrize("framing", ["length", "chunked"])
async def test_provider_is_held_back_until_somebody_takes(ask, upstream, framing):
    assert len(PIECE) * PIECES > 2 * SWALLOWED_MAX - 1
    upstream.answer(sse=[PIECE] * PIECES, framing=framing)
    response = await ask()
    assert await until_still(upstream.requests[0]) < SWALLOWED_MAX
    assert len(await response.first()) > 0
    assert await until_still(upstream.requests[0]) < SWALLOWED_MAX
    assert len(await response.read(len(PIECE) * PIECES)) == len(PIECE) * PIECES


async def test_paused_consumer_gets_nothing_until_it_resumes(ask, upstream):
    upstream.answer(sse=[PIECE] * PIECES)
    response = await ask()
    sizes: list[int] = []

    def take(piece: bytes) -> None:
        sizes.append(len(piece))
        if len(sizes) == 10:
            response.pause()

    pumping = asyncio.create_task(response.pump(take))
    await comes_true(lambda: len(sizes) == 10)
    assert await until_still(upstream.requests[0]) < SWALLOWED_MAX
    assert len(sizes) == 10
    response.resume()
    await pumping
    assert sum(sizes) == len(PIECE) * PIECES


async def test_pausing_at_every_piece_keeps_the_order(ask, upstream):
    wanted = [b"%d," % number for number in range(50)]
    upstream.answer(sse=wanted)
    response = await ask()
    loop = asyncio.get_running_loop()
    taken: list[bytes] = []

    def take(piece: bytes) -> None:
        taken.append(piece)
        response.pause()
        loop.call_soon(response.resume)

    await response.pump(take)
    assert b"".join(taken) == b"".join(wanted)


async def test_resuming_within_deliver_keeps_the_order(ask, upstream):
    one_segment = b"".join(b"2\r\n%02d\r\n" % number for number in range(50)) + b"0\r\n\r\n"
    upstream.answer(raw=b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + one_segment)
    response = await ask()
    taken: list[bytes] = []

    def take(piece: bytes) -> None:
        response.pause()
        response.resume()
        taken.append(piece)

    await response.pump(take)
    assert taken == [b"%02d" % number for number in range(50)]


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
async def test_end_that_comes_while_paused_waits_for_the_consumer(ask, upstream, framing):
    upstream.answer(body=b"one", framing=framing)
    response = await ask()
    response.pause()
    await asyncio.sleep(0.02)
    taken: list[bytes] = []
    pumping = asyncio.create_task(response.pump(taken.append))
    await asyncio.sleep(0.02)
    assert taken == []
    assert not pumping.done()
    response.resume()
    await pumping
    assert taken == [b"one"]


async def test_connection_paused_at_the_end_reads_again_for_the_next(ask, upstream):
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    one_segment = b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n"
    upstream.answer(raw=[head, one_segment], pause_s=0.05)
    response = await ask()
    taken: list[bytes] = []

    def take(piece: bytes) -> None:
        taken.append(piece)
        response.pause()

    pumping = asyncio.create_task(response.pump(take))
    while not response.is_ended:  # noqa: ASYNC110
        await asyncio.sleep(0)
    assert await (await ask()).read(10) == b"ab"
    assert upstream.connections_opened == 1
    response.resume()
    response.resume()
    await pumping
    assert taken == [b"a", b"b"]


async def test_bomb_unfolds_only_as_fast_as_it_is_consumed(ask, upstream):
    upstream.answer(body=gzip.compress(bytes(50_000_000)), headers=[(b"content-encoding", b"gzip")])
    response = await ask()
    sizes: list[int] = []

    def take(piece: bytes) -> None:
        sizes.append(len(piece))
        if len(sizes) == 3:
            response.pause()

    pumping = asyncio.create_task(response.pump(take))
    await comes_true(lambda: len(sizes) == 3)
    await asyncio.sleep(0.1)
    assert len(sizes) == 3
    assert max(sizes) <= 65536
    response.resume()
    await pumping
    assert sum(sizes) == 50_000_000


async def test_compressed_head_larger_than_the_buffer_does_not_block_first(ask, upstream):
    # RFC 1952: a gzip member may carry a file name, and nobody limits its length.
    plain = gzip.compress(b"ok", mtime=0)
    named = plain[:3] + b"\x08" + plain[4:10] + b"n" * 300_000 + b"\0" + plain[10:]
    upstream.answer(body=named, headers=[(b"content-encoding", b"gzip")])
    response = await ask()
    await asyncio.sleep(0.02)
    async with asyncio.timeout(60):
        assert await response.first() == b"ok"
