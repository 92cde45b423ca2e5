"""What requests may hold in all: a crowd of large uploads is told to come again, short questions get through, and
nothing is counted that is gone."""

import gzip
import json
import select
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from raw_http import CHAT, MESSAGES, Client, ask, chat_body, head, post

from gateways import Gateway, running_gateway
from pointsman.server.body_memory import BodyMemory, Share
from pointsman.testing import FakeUpstream, Received, Scripted, scripted
from replies import completion
from waiting import wait_until

MIB = 1024 * 1024
LARGE = chat_body(text="x" * (900 * 1024))


class Held:
    """A provider that answers at once, or not before it is told to."""

    def __init__(self, upstream: FakeUpstream) -> None:
        self.url = upstream.base_url
        self.is_silent = False
        upstream.answer_with(self._answer)

    def _answer(self, request: Received) -> Scripted:
        if self.is_silent and len(request.body) > MIB // 2:
            return scripted(body=b"", ending="stall", declared_length=9)
        return scripted(json=completion())


@pytest.fixture
def held() -> Iterator[Held]:
    with FakeUpstream.in_thread() as upstream:
        yield Held(upstream)


@pytest.fixture
def gateway(held: Held, tmp_path: Path) -> Iterator[Gateway]:
    yaml = f"""
    server: {{max_body_bytes: {MIB}}}
    limits: {{body_bytes: {2 * MIB}}}
    providers: {{local: {{dialect: openai-chat, base_url: "{held.url}"}}}}
    models: {{tiny: {{provider: local}}}}
    """
    with running_gateway(yaml, tmp_path) as running:
        yield running


def begun(crowd: ExitStack, gateway: Gateway, *headers: str) -> Client:
    """An upload of which most has come, and the rest does not."""
    client = crowd.enter_context(Client(gateway))
    client.send(head("POST", CHAT, *headers))
    framed = "transfer-encoding: chunked" in headers
    part = LARGE[: 700 * 1024]
    client.send(b"%x\r\n%b\r\n" % (len(part), part) if framed else part)
    return client


def told(uploads: list[Client]) -> list[Client]:
    """Those that have an answer."""
    by_socket = {client.socket: client for client in uploads}
    ready, _, _ = select.select(list(by_socket), [], [], 0)
    return [by_socket[each] for each in ready]


@pytest.mark.parametrize("framing", [f"content-length: {len(LARGE)}", "transfer-encoding: chunked"])
@pytest.mark.parametrize(("path", "status"), [(CHAT, 503), (MESSAGES, 529)])
def test_a_crowd_of_slow_uploads_is_told_to_come_again(
    gateway: Gateway, framing: str, path: str, status: int
) -> None:
    with ExitStack() as crowd:
        uploads = [begun(crowd, gateway, framing) for _ in range(12)]
        wait_until(lambda: len(told(uploads)) >= 10)
        for client in told(uploads):
            reply = client.reply()
            assert (reply.status, reply.headers["retry-after"]) == (503, "2")
        reply = ask(gateway, post(path, LARGE))
        assert (reply.status, reply.headers["retry-after"]) == (status, "2")
        assert "try again later" in reply.error["message"]
        assert ask(gateway, post(path, chat_body())).status == 200, "short ones get through"
    wait_until(lambda: ask(gateway, post(path, LARGE)).status == 200)


def test_a_request_holds_its_body_until_its_answer_ends(gateway: Gateway, held: Held) -> None:
    held.is_silent = True
    with ExitStack() as crowd:
        for _ in range(2):
            crowd.enter_context(Client(gateway)).send(post(CHAT, LARGE))
        wait_until(lambda: gateway.tasks_under_way() == 2)
        assert ask(gateway, post(CHAT, LARGE)).status == 503
    held.is_silent = False
    wait_until(lambda: ask(gateway, post(CHAT, LARGE)).status == 200)


def test_connections_that_are_idle_hold_nothing(gateway: Gateway) -> None:
    with ExitStack() as crowd:
        for _ in range(8):
            client = crowd.enter_context(Client(gateway))
            client.send(post(CHAT, LARGE))
            assert client.reply().status == 200


def test_what_a_packed_body_unfolds_to_counts_too(gateway: Gateway, held: Held) -> None:
    packed = gzip.compress(LARGE)
    held.is_silent = True
    with ExitStack() as crowd:
        for _ in range(2):
            crowd.enter_context(Client(gateway)).send(post(CHAT, packed, "content-encoding: gzip"))
        wait_until(lambda: gateway.tasks_under_way() == 2)
        assert ask(gateway, post(CHAT, packed, "content-encoding: gzip")).status == 503


@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_a_body_that_is_too_large_is_still_that(gateway: Gateway, framing: str) -> None:
    too_large = json.dumps({"model": "tiny", "messages": ["x" * MIB]}).encode()
    if framing == "length":
        request = post(CHAT, too_large)
    else:
        chunk = b"%x\r\n%b\r\n0\r\n\r\n" % (len(too_large), too_large)
        request = head("POST", CHAT, "transfer-encoding: chunked") + chunk
    assert ask(gateway, request).status == 413


def test_a_share_is_given_back_with_its_last_owner() -> None:
    memory = BodyMemory(100)
    share, other = Share(memory), Share(memory)
    assert share.grow(60)
    assert share.grow(20)
    assert not other.grow(21)
    assert other.grow(20)
    assert memory.held == 100
    del share
    assert memory.held == 20
