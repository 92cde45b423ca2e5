"""Both event loops for every asynchronous test here, a client, a fake provider, and a look at what is left."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

import pytest
import uvloop

from pointsman.core.ports import Deadlines, HeaderList, Outgoing
from pointsman.testing import FakeUpstream
from pointsman.upstream.client import Client
from pointsman.upstream.response import Response

Ask = Callable[..., Awaitable[Response]]
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Serve = Callable[[Talk], Awaitable[str]]


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture
async def nothing_left(caplog: pytest.LogCaptureFixture) -> AsyncIterator[None]:
    """Fails the test if a task outlives it, or if the loop complained. Sockets report themselves: a
    ResourceWarning is an error here."""
    yield
    for _ in range(5):
        await asyncio.sleep(0)
    assert asyncio.all_tasks() - {asyncio.current_task()} == set()
    assert [record.getMessage() for record in caplog.get_records("call") if record.name == "asyncio"] == []


@pytest.fixture
async def upstream(nothing_left: None) -> AsyncIterator[FakeUpstream]:
    async with FakeUpstream() as fake:
        yield fake


@pytest.fixture
async def serve(nothing_left: None) -> AsyncIterator[Serve]:
    """Starts a server that talks to each connection as the test says; returns its URL."""
    servers: list[asyncio.Server] = []
    talks: set[asyncio.Task[None]] = set()

    async def start(talk: Talk, host: str = "127.0.0.1") -> str:
        async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            talks.add(task)
            # The client may leave at any time, and the end of the test cancels.
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await talk(reader, writer)
            writer.transport.abort()

        server = await asyncio.start_server(guarded, host, 0)
        servers.append(server)
        name = f"[{host}]" if ":" in host else host
        return f"http://{name}:{server.sockets[0].getsockname()[1]}"

    yield start
    for server in servers:
        server.close()
    for task in talks:
        task.cancel()
    await asyncio.gather(*talks)
    for server in servers:
        await server.wait_closed()


@pytest.fixture
async def client(nothing_left: None) -> AsyncIterator[Client]:
    client = Client()
    yield client
    await client.close()


@pytest.fixture
def ask(client: Client, upstream: FakeUpstream) -> Ask:
    """Sends one request to the fake provider; named deadlines replace the usual ones."""

    def ask(body: bytes = b"{}", headers: HeaderList = (), **deadlines: float) -> Awaitable[Response]:
        return client.send(Outgoing(f"{upstream.base_url}/x", headers, body, Deadlines(**deadlines)))

    return ask
