"""Each deadline by itself; the others are generous."""

import asyncio
import socket
import time

import pytest

from pointsman.core.errors import UpstreamError, UpstreamFault
from pointsman.core.ports import Deadlines, Outgoing
from pointsman.testing import FakeUpstream
from waiting import comes_true, wait_until

SHORT_S = 0.05


async def timed_out(waiting) -> str:
    with pytest.raises(UpstreamError) as caught:
        async with asyncio.timeout(60):
            await waiting
    assert caught.value.fault is UpstreamFault.TIMED_OUT
    return str(caught.value)


async def test_connection_that_is_not_accepted_times_out(client):
    # The queue of a listening socket that nobody accepts from: filled up, it takes no more.
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listening:
        port = listening.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        try:
            url = f"http://127.0.0.1:{port}/x"
            message = await timed_out(client.send(Outgoing(url, (), b"", Deadlines(connect_s=SHORT_S))))
        finally:
            for filler in fillers:
                filler.close()
    assert message == f"127.0.0.1:{port} took no connection within 0.05 s (connect_s)"


async def test_tls_handshake_that_stalls_times_out(serve, client):
    closed = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1000):
            pass
        closed.set()

    url = (await serve(say_nothing)).replace("http:", "https:")
    message = await timed_out(client.send(Outgoing(url, (), b"", Deadlines(connect_s=SHORT_S))))
    assert "connect_s" in message
    async with asyncio.timeout(60):
        await closed.wait()


async def test_a_head_that_comes_byte_by_byte_times_out(ask, upstream):
    """Each byte is in time, so that without this the whole answer's deadline would be the only one."""
    head = b"HTTP/1.1 200 OK\r\nx-slow: " + b"x" * 5000
    upstream.answer(raw=[head[at : at + 1] for at in range(len(head))], pause_s=0.01, ending="stall")
    message = await timed_out(ask(first_content_s=0.3))
    assert "sent no content within 0.3 s (first_content_s)" in message
    await upstream.until_all_closed()


async def test_silence_before_the_answer_times_out(ask, upstream):
    upstream.answer(json={}, delay_s=60)
    message = await timed_out(ask(first_byte_s=SHORT_S))
    assert "sent no byte of its answer within 0.05 s (first_byte_s)" in message
    await upstream.until_all_closed()


@pytest.mark.parametrize("raw", [b"H", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"])
async def test_silence_within_the_head_times_out(ask, upstream, raw):
    upstream.answer(raw=raw, ending="stall")
    assert "idle_s" in await timed_out(ask(idle_s=SHORT_S))
    await upstream.until_all_closed()


@pytest.mark.parametrize("way", ["first", "read", "pump"])
async def test_silence_within_the_body_times_out(ask, upstream, way):
    upstream.answer(body=b"0123456789", cut_after_bytes=0 if way == "first" else 5, ending="stall")
    response = await ask(idle_s=SHORT_S)
    pieces: list[bytes] = []
    match way:
        case "first":
            waiting = response.first()
        case "read":
            waiting = response.read(100)
        case _:
            waiting = response.pump(pieces.append)
    assert "sent nothing for 0.05 s in the middle of its answer (idle_s)" in await timed_out(waiting)
    await upstream.until_all_closed()


async def test_total_ends_an_answer_that_keeps_coming(ask, upstream):
    upstream.answer(sse=[b"data: 1\n\n"] * 1000, pause_s=0.01)
    response = await ask(total_s=1.0)
    assert "did not finish its answer within 1 s (total_s)" in await timed_out(response.read(100_000))
    await upstream.until_all_closed()


async def test_total_covers_the_wait_for_the_answer(ask, upstream):
    upstream.answer(json={}, delay_s=60)
    assert "total_s" in await timed_out(ask(total_s=SHORT_S))


async def test_pieces_that_keep_coming_are_not_idle(ask, upstream):
    # Longer in all than first_byte_s and idle_s, but never silent for so long.
    upstream.answer(sse=[b"%d" % number for number in range(9)], pause_s=0.3)
    response = await ask(first_byte_s=2.0, idle_s=2.0)
    assert await response.read(100) == b"012345678"


async def test_provider_that_is_held_back_is_not_late(serve, client):
    """It is held back for longer than idle_s, and goes on at once when it is listened to again."""
    listened_to = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\none")
        await listened_to.wait()
        writer.write(b"two")
        await reader.read()

    response = await client.send(Outgoing(await serve(talk), (), b"", Deadlines(idle_s=1.0)))
    pieces: list[bytes] = []

    def take(piece: bytes) -> None:
        pieces.append(piece)
        if len(pieces) == 1:
            response.pause()

    pumping = asyncio.create_task(response.pump(take))
    await comes_true(lambda: pieces)
    await asyncio.sleep(1.3)
    response.resume()
    listened_to.set()
    await pumping
    assert pieces == [b"one", b"two"]


async def test_provider_that_is_silent_after_being_held_back_times_out(ask, upstream):
    upstream.answer(sse=[b"one"], ending="stall")
    response = await ask(idle_s=SHORT_S)
    loop = asyncio.get_running_loop()

    def take(piece: bytes) -> None:
        response.pause()
        loop.call_later(3 * SHORT_S, response.resume)

    assert "idle_s" in await timed_out(response.pump(take))


async def test_total_also_counts_while_held_back(ask, upstream):
    upstream.answer(sse=[b"one"], ending="stall")
    response = await ask(total_s=1.0, idle_s=0.6)
    assert "total_s" in await timed_out(response.pump(lambda piece: response.pause()))


async def test_answer_that_came_to_a_busy_loop_came_in_time(client):
    """Two requests over one connection. Behind the second the loop is kept busy until its deadline is over; what the
    provider has said meanwhile lies unread."""
    with FakeUpstream.in_thread() as upstream:
        upstream.answer(json={"in": "time"})
        deadlines = Deadlines(first_byte_s=0.5, idle_s=0.5, total_s=60)
        asked = Outgoing(f"{upstream.base_url}/x", (), b"{}", deadlines)
        await (await client.send(asked._replace(deadlines=Deadlines()))).read(100)
        sending = asyncio.create_task(client.send(asked))
        await asyncio.sleep(0)
        until_s = time.monotonic() + 0.6
        wait_until(lambda: len(upstream.requests) == 2 and upstream.requests[1].sent_bytes > 50)
        wait_until(lambda: time.monotonic() > until_s)
        assert await (await sending).read(100) == b'{"in": "time"}'
        await client.close()


async def test_short_deadline_after_a_long_one_holds_on_one_connection(ask, upstream):
    upstream.answer(json={})
    upstream.answer(json={}, delay_s=60)
    await (await ask()).read(100)
    assert "first_byte_s" in await timed_out(ask(first_byte_s=SHORT_S))
    assert upstream.connections_opened == 1


async def test_long_deadline_after_a_short_one_holds_on_one_connection(ask, upstream):
    upstream.answer(json={})
    upstream.answer(json={"late": True}, delay_s=1.3)
    await (await ask(first_byte_s=1.0, idle_s=1.0, total_s=10)).read(100)
    assert await (await ask()).read(100) == b'{"late": true}'
    assert upstream.connections_opened == 1
