"""Whoever asked goes away, at every stage: the provider is told at once, and nothing is left behind."""

import asyncio

import pytest

from pointsman.core.errors import UpstreamError, UpstreamFault
from pointsman.core.ports import Deadlines, Outgoing
from waiting import PATIENCE_S, comes_true


def ignore(piece: bytes) -> None:
    """Takes everything."""


async def leave(task: asyncio.Task) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_cancelled_while_connecting_leaves_nothing(serve, client):
    begun, closed = asyncio.Event(), asyncio.Event()

    async def stall_the_handshake(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1000):
            begun.set()
        closed.set()

    url = (await serve(stall_the_handshake)).replace("http:", "https:")
    sending = asyncio.create_task(client.send(Outgoing(url, (), b"", Deadlines())))
    async with asyncio.timeout(PATIENCE_S):
        await begun.wait()
        await leave(sending)
        await closed.wait()


async def test_cancelled_while_waiting_for_the_head_hangs_up(ask, upstream):
    upstream.answer(json={}, delay_s=60)
    sending = asyncio.create_task(ask())
    await comes_true(lambda: upstream.requests)
    async with asyncio.timeout(PATIENCE_S):
        await leave(sending)
        await upstream.requests[0].until_hung_up()
    assert upstream.connections_open == 0


@pytest.mark.parametrize("way", ["first", "read", "pump"])
async def test_cancelled_while_waiting_for_the_body_hangs_up(ask, upstream, way):
    upstream.answer(sse=[] if way == "first" else [b"one"], ending="stall")
    response = await ask()
    match way:
        case "first":
            waiting = asyncio.create_task(response.first())
        case "read":
            waiting = asyncio.create_task(response.read(100))
        case _:
            waiting = asyncio.create_task(response.pump(ignore))
    await asyncio.sleep(0.01)
    await leave(waiting)
    async with asyncio.timeout(PATIENCE_S):
        await upstream.requests[0].until_hung_up()
    assert upstream.connections_open == 0


@pytest.mark.parametrize("taken", ["nothing", "first"])
async def test_abort_hangs_up(ask, upstream, taken):
    upstream.answer(sse=[b"one", b"two"], ending="stall")
    response = await ask()
    if taken == "first":
        await response.first()
    response.abort()
    response.abort()
    async with asyncio.timeout(PATIENCE_S):
        await upstream.requests[0].until_hung_up()
    with pytest.raises(UpstreamError) as caught:
        await response.pump(ignore)
    assert caught.value.fault is UpstreamFault.BROKEN


async def test_abort_ends_a_pump_that_waits(ask, upstream):
    upstream.answer(sse=[b"one"], ending="stall")
    response = await ask()
    pumping = asyncio.create_task(response.pump(ignore))
    await asyncio.sleep(0.01)
    response.abort()
    with pytest.raises(UpstreamError, match="dropped"):
        await pumping
    await upstream.until_all_closed()


async def test_abort_ends_a_pump_whose_consumer_is_paused_at_the_end(ask, upstream):
    upstream.answer(raw=b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n")
    response = await ask()
    pumping = asyncio.create_task(response.pump(lambda piece: response.pause()))
    await asyncio.sleep(0.01)
    assert not pumping.done()
    response.abort()
    with pytest.raises(UpstreamError, match="dropped"):
        await pumping


async def test_abort_after_the_end_does_not_harm_the_next_request(ask, upstream):
    upstream.answer(body=b"one")
    upstream.answer(sse=[b"two", b"three"], pause_s=0.02)
    first = await ask()
    assert await first.read(10) == b"one"
    second = await ask()
    first.abort()
    first.pause()
    first.resume()
    assert await second.read(10) == b"twothree"
    assert upstream.connections_opened == 1


async def test_cancelled_when_the_end_is_already_there_does_not_harm_the_next_request(ask, upstream):
    upstream.answer(sse=[b"one"], pause_s=0.02)
    upstream.answer(body=b"two")
    first = await ask()
    pumping = asyncio.create_task(first.pump(ignore))
    while not first.is_ended:  # noqa: ASYNC110
        await asyncio.sleep(0)
    # Woken by the end, but cancelled before it runs.
    await leave(pumping)
    assert await (await ask()).read(10) == b"two"
    assert upstream.connections_opened == 1


async def test_answers_that_nobody_ends_are_ended_by_their_total_deadline(ask, upstream):
    upstream.answer(sse=[b"one"], ending="stall")
    await ask(total_s=1.0)
    async with asyncio.timeout(PATIENCE_S):
        await upstream.requests[0].until_hung_up()
