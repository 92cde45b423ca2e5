"""Questions that cost nothing, put to a real server."""

import asyncio

import pytest

from pointsman.core.errors import UpstreamFault
from pointsman.core.ports import Deadlines, Outgoing
from pointsman.testing import FakeUpstream
from pointsman.upstream.client import Client
from pointsman.upstream.probes import Probe, keep_probing


def question(url: str, deadline_s: float = 60.0) -> Outgoing:
    deadlines = Deadlines(deadline_s, deadline_s, deadline_s, deadline_s)
    return Outgoing(url, [(b"authorization", b"Bearer k")], b"", deadlines, "GET")


async def told_by(url: str, count: int, deadline_s: float = 60.0) -> list[tuple[str, UpstreamFault | None]]:
    told: list[tuple[str, UpstreamFault | None]] = []
    enough = asyncio.Event()

    def tell(provider: str, fault: UpstreamFault | None) -> None:
        told.append((provider, fault))
        if len(told) == count:
            enough.set()

    client = Client()
    task = asyncio.create_task(keep_probing(Probe("p", question(url, deadline_s), 0.001), client.send, tell))
    async with asyncio.timeout(60):
        await enough.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await client.close()
    return told


@pytest.mark.parametrize(
    ("status", "fault"),
    [
        (200, None),
        (404, None),
        (405, None),
        (500, UpstreamFault.SERVER_ERROR),
        (503, UpstreamFault.SERVER_ERROR),
    ],
)
async def test_an_answer_tells_how_a_provider_is(status: int, fault: UpstreamFault | None) -> None:
    async with FakeUpstream() as upstream:
        upstream.answer(json={"data": []}, status=status)
        assert await told_by(f"{upstream.base_url}/models", 3) == [("p", fault)] * 3
        first = upstream.requests[0]
    assert (first.method, first.path, first.body) == ("GET", "/v1/models", b"")
    assert first.header("authorization") == "Bearer k"
    assert first.header("content-length") is None
    assert upstream.connections_opened == 1, "the connection is kept"


@pytest.mark.parametrize("status", [401, 402, 403, 429])
async def test_what_says_nothing_of_health_is_not_told(status: int) -> None:
    async with FakeUpstream() as upstream:
        for _ in range(5):
            upstream.answer(json={}, status=status)
        upstream.answer(json={})
        assert await told_by(f"{upstream.base_url}/models", 1) == [("p", None)]
        assert len(upstream.requests) == 6


async def test_a_host_that_is_gone_or_silent_is_told() -> None:
    assert await told_by("http://127.0.0.1:1/v1/models", 2) == [("p", UpstreamFault.UNREACHABLE)] * 2
    async with FakeUpstream() as upstream:
        upstream.answer(json={}, ending="stall", cut_after_bytes=0)
        assert await told_by(f"{upstream.base_url}/models", 1, 0.3) == [("p", UpstreamFault.TIMED_OUT)]


async def test_it_ends_with_the_client() -> None:
    client = Client()
    await client.close()

    def tell(provider: str, fault: UpstreamFault | None) -> None:
        raise AssertionError(provider, fault)

    async with asyncio.timeout(60):
        await keep_probing(Probe("p", question("http://127.0.0.1:1/"), 0.001), client.send, tell)
