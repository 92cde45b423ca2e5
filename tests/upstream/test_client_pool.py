"""Which connection carries a request: reuse, staleness, limits, origins."""

import asyncio
import select
import time

import pytest

from pointsman.core.errors import Unavailable, UpstreamError, UpstreamFault
from pointsman.core.ports import Deadlines, Outgoing
from pointsman.testing import FakeUpstream, Received, Scripted, scripted
from pointsman.upstream.client import Client, PoolLimits
from pointsman.upstream.connection import Connection
from waiting import PATIENCE_S, comes_true

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


def to(upstream: FakeUpstream, **deadlines: float) -> Outgoing:
    return Outgoing(f"{upstream.base_url}/x", (), b"{}", Deadlines(**deadlines))


def answer_with_connection_number(request: Received) -> Scripted:
    return scripted(body=b"%d" % request.connection)


def open_connections(client: Client) -> list[Connection]:
    return [connection for pool in client._pools.values() for connection in pool.open]


async def connection_used(client: Client, upstream: FakeUpstream) -> int:
    return int(await (await client.send(to(upstream))).read(10))


async def test_requests_one_after_another_share_a_connection(client, upstream):
    upstream.answer_with(answer_with_connection_number)
    assert [await connection_used(client, upstream) for _ in range(20)] == [1] * 20


@pytest.mark.parametrize("framing", ["chunked", "length"])
async def test_connection_returns_before_the_body_is_taken(client, upstream, framing):
    upstream.answer(body=b"ok", framing=framing)
    first = await client.send(to(upstream))
    await comes_true(lambda: first.is_ended)
    second = await client.send(to(upstream))
    assert (await first.read(10), await second.read(10)) == (b"ok", b"ok")
    assert upstream.connections_opened == 1


async def test_requests_at_once_open_their_own_and_the_last_is_used_first(serve, client):
    released = [asyncio.Event() for _ in range(3)]
    connections = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        number = connections
        connections += 1
        while True:
            await reader.readuntil(b"{}")
            await released[number].wait()
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n%d" % number)

    outgoing = Outgoing(await serve(talk), (), b"{}", Deadlines())

    async def connection_used() -> int:
        return int(await (await client.send(outgoing)).read(10))

    asking = {asyncio.create_task(connection_used()) for _ in range(3)}
    await comes_true(lambda: connections == 3)
    for number in (1, 0, 2):
        released[number].set()
        answered, asking = await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
        assert [task.result() for task in answered] == [number]
    assert await connection_used() == 2
    assert connections == 3


@pytest.mark.parametrize(
    "shape",
    [
        {"body": b"1", "keep_alive": False},
        {"body": b"1", "framing": "close"},
        {"raw": b"HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\n1"},
        {"raw": b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\nConnection: Close\r\n\r\n1"},
    ],
)
async def test_connection_that_is_to_close_is_not_reused(client, upstream, shape):
    upstream.answer(**shape)
    for _ in range(3):
        await (await client.send(to(upstream))).read(10)
    assert [request.connection for request in upstream.requests] == [1, 2, 3]
    await upstream.until_all_closed()


@pytest.mark.parametrize("leftover", [b"H", b"garbage", OK, OK + OK, b"\x00"])
async def test_bytes_behind_the_answer_close_the_connection(client, upstream, leftover):
    upstream.answer(raw=OK + leftover)
    for _ in range(2):
        response = await client.send(to(upstream))
        assert (response.status, await response.read(10)) == (200, b"ok")
    assert upstream.connections_opened == 2


@pytest.mark.parametrize("unasked", [OK, b"garbage"])
async def test_bytes_on_an_idle_connection_close_it(client, upstream, unasked):
    upstream.answer(raw=[OK, unasked], pause_s=0.01)
    upstream.answer(body=b"mine")
    assert await (await client.send(to(upstream))).read(10) == b"ok"
    await upstream.until_all_closed()
    assert await (await client.send(to(upstream))).read(10) == b"mine"


async def test_connection_closed_while_idle_is_replaced(client, upstream):
    upstream.answer(body=b"ok", ending="close")
    for _ in range(3):
        await (await client.send(to(upstream))).read(10)
        await comes_true(lambda: not open_connections(client))
    assert [request.connection for request in upstream.requests] == [1, 2, 3]


@pytest.mark.parametrize(
    "farewell",
    [{"raw": OK, "ending": "close"}, {"raw": OK, "ending": "reset"}, {"raw": [OK, OK], "pause_s": 0.01}],
)
async def test_end_that_the_loop_has_not_seen_yet_is_noticed(nothing_left, farewell):
    client = Client()
    with FakeUpstream.in_thread() as upstream:
        upstream.answer(**farewell)
        await (await client.send(to(upstream))).read(10)
        # Blocks the loop on purpose: the connection ends behind its back, in the thread of the upstream.
        for connection in open_connections(client):
            select.select([connection._transport.get_extra_info("socket").fileno()], [], [], PATIENCE_S)
        time.sleep(0.05)  # noqa: ASYNC251 - so long it is taken for fresh
        upstream.answer(body=b"ok")
        assert await (await client.send(to(upstream))).read(10) == b"ok"
        assert [request.connection for request in upstream.requests] == [1, 2]
        await client.close()


async def test_request_that_was_sent_is_not_sent_again(client, upstream):
    upstream.answer(body=b"ok")
    upstream.answer(raw=b"", ending="close")
    await (await client.send(to(upstream))).read(10)
    with pytest.raises(UpstreamError) as caught:
        await client.send(to(upstream))
    assert caught.value.fault is UpstreamFault.UNREACHABLE
    assert len(upstream.requests) == 2


async def test_idle_connection_expires(nothing_left, upstream):
    client = Client(limits=PoolLimits(idle_expiry_s=0.05))
    upstream.answer_with(answer_with_connection_number)
    assert await connection_used(client, upstream) == 1
    async with asyncio.timeout(60):
        await upstream.until_all_closed()
    assert await connection_used(client, upstream) == 2
    await client.close()


async def test_expired_connection_is_not_used_even_before_its_timer(nothing_left, upstream):
    client = Client(limits=PoolLimits(idle_expiry_s=0.05))
    upstream.answer_with(answer_with_connection_number)
    assert await connection_used(client, upstream) == 1
    time.sleep(0.1)  # noqa: ASYNC251
    await asyncio.sleep(0)
    assert await connection_used(client, upstream) == 2
    await client.close()


async def test_busy_connection_outlives_the_idle_expiry(nothing_left, upstream):
    client = Client(limits=PoolLimits(idle_expiry_s=0.05))
    upstream.answer(sse=[b"one", b"two"], pause_s=0.2)
    assert await (await client.send(to(upstream))).read(10) == b"onetwo"
    await client.close()


async def test_idle_connections_beyond_the_limit_are_closed(nothing_left, upstream):
    client = Client(limits=PoolLimits(idle_max=1))
    upstream.answer(body=b"1", delay_s=0.05)
    await asyncio.gather(*(connection_used(client, upstream) for _ in range(3)))
    assert upstream.connections_opened == 3
    await comes_true(lambda: upstream.connections_open == 1)
    await client.close()


async def test_request_beyond_the_open_limit_is_overloaded(nothing_left, upstream):
    client = Client(limits=PoolLimits(open_max=2))
    upstream.answer(body=b"1", delay_s=0.1)
    outcomes = await asyncio.gather(
        *(connection_used(client, upstream) for _ in range(3)), return_exceptions=True
    )
    (error,) = [outcome for outcome in outcomes if outcome != 1]
    assert isinstance(error, UpstreamError)
    assert error.fault is UpstreamFault.OVERLOADED
    # Those that ended made room.
    assert await connection_used(client, upstream) == 1
    await client.close()


async def test_failed_connections_do_not_count_as_open(nothing_left, upstream):
    client = Client(limits=PoolLimits(open_max=1))
    upstream.answer(raw=b"", ending="close")
    for _ in range(3):
        with pytest.raises(UpstreamError) as caught:
            await client.send(to(upstream))
        assert caught.value.fault is UpstreamFault.UNREACHABLE
        await comes_true(lambda: not open_connections(client))
    await client.close()


async def test_origins_share_neither_connections_nor_headers(client, upstream):
    async with FakeUpstream() as other:
        for _ in range(2):
            for fake, key in ((upstream, b"ours"), (other, b"theirs")):
                fake.answer(json={})
                headers = ((b"authorization", key),)
                await (await client.send(Outgoing(f"{fake.base_url}/x", headers, b"", Deadlines()))).read(10)
        assert [request.header("authorization") for request in upstream.requests] == ["ours"] * 2
        assert [request.header("authorization") for request in other.requests] == ["theirs"] * 2
        assert (upstream.connections_opened, other.connections_opened) == (1, 1)
        host = f"localhost:{upstream.port}"
        await (await client.send(Outgoing(f"http://{host}/x", (), b"", Deadlines()))).read(10)
        assert upstream.connections_opened == 2
        assert upstream.requests[-1].header("host") == host
        assert upstream.requests[-1].header("authorization") is None


async def test_answer_that_overtakes_its_request_closes_the_connection(serve, client):
    connections = 0

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        await asyncio.sleep(60)

    url = await serve(refuse)
    for _ in range(2):
        response = await client.send(Outgoing(url, (), b"a" * 50_000_000, Deadlines()))
        assert await response.read(10) == b"ok"
    assert connections == 2


async def test_closed_client_refuses_and_cuts_what_is_under_way(nothing_left, upstream):
    client = Client()
    upstream.answer(body=b"ok")
    upstream.answer(body=b"ok", cut_after_bytes=1, ending="stall")
    await (await client.send(to(upstream))).read(10)
    response = await client.send(to(upstream))
    reading = asyncio.create_task(response.read(10))
    await asyncio.sleep(0)
    await client.close()
    with pytest.raises(UpstreamError, match="shutting down") as caught:
        await reading
    assert caught.value.fault is UpstreamFault.BROKEN
    with pytest.raises(Unavailable):
        await client.send(to(upstream))
    await upstream.until_all_closed()


async def test_client_closed_while_connecting_keeps_no_connection(nothing_left, upstream):
    client = Client()
    sending = asyncio.create_task(client.send(to(upstream)))
    await asyncio.sleep(0)
    await client.close()
    with pytest.raises(Unavailable):
        await sending
    await asyncio.sleep(0.01)
    await upstream.until_all_closed()


class Closing:
    """A server that closes a connection when its second request comes, without a word."""

    def __init__(self, upstream: FakeUpstream) -> None:
        self.seen: list[int] = []
        upstream.answer_with(self._answer)

    def _answer(self, request: Received) -> Scripted:
        number = request.connection
        is_closed = number in self.seen
        self.seen.append(number)
        return scripted(raw=b"", ending="close") if is_closed else scripted(body=b"%d" % number)


@pytest.mark.parametrize("idle_s", [0.0, 1.1])
async def test_a_request_that_was_sent_is_not_sent_again_here(client, upstream, idle_s):
    """Nobody can know whether it was taken: who asks next, and how it is booked, is decided further up."""
    closing = Closing(upstream)
    assert await connection_used(client, upstream) == 1
    await asyncio.sleep(idle_s)
    with pytest.raises(UpstreamError) as caught:
        await client.send(to(upstream))
    assert caught.value.fault is UpstreamFault.UNREACHABLE
    assert closing.seen == [1, 1]
