"""Callers who leave at any point of retries and fallbacks: no socket, slot, lease or task stays behind."""

import asyncio
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from calls import CHAT, MESSAGES, settle

from gateways import Gateway, running_gateway
from pointsman.app import Lasting, Runtime, build
from pointsman.config.schema import Settings
from pointsman.gateway.pipeline import Record
from pointsman.testing import FakeUpstream, Received, Scripted, scripted
from pointsman.upstream.client import Client
from replies import chat_error, chat_stream
from waiting import PATIENCE_S, wait_until

YAML = """
providers:
  one: {{dialect: openai-chat, base_url: {url}, limits: {{in_flight: 40}}}}
  two: {{dialect: openai-chat, base_url: {url}, limits: {{in_flight: 40}}}}
models:
  first: {{provider: one, tier: simple, usd_per_million_input: 1, usd_per_million_output: 1}}
  second: {{provider: two, tier: simple, usd_per_million_input: 2, usd_per_million_output: 2}}
{more}
"""
EVENTS = chat_stream("one ", "two ", "three")
DOWN = scripted(json=chat_error("down"), status=500)
CUT = scripted(sse=EVENTS[:1], cut_after_bytes=len(EVENTS[0]), ending="close")
STALL = scripted(sse=EVENTS[:1], ending="stall")


@dataclass
class Stage:
    upstream: FakeUpstream
    gateway: Gateway | None = None
    runtime: Runtime | None = None
    client: Client | None = None
    answers: dict[str, list[Scripted]] = field(default_factory=dict)

    def answer(self, request: Received) -> Scripted:
        left = self.answers[request.json()["model"]]
        return left.pop(0) if len(left) > 1 else left[0]

    def make(self, settings: Settings, record: Record) -> Runtime:
        self.client = Client()
        self.runtime = build(settings, Lasting(self.client.send, record), now_s=0.0)
        return self.runtime

    def leave(self, path: str, *, asked: int, events: int, stream: bool = True) -> None:
        """Asks, and leaves when so many calls were made and so many events have come."""
        assert self.gateway is not None
        self.upstream.requests.clear()
        body = b'{"model":"auto","max_tokens":9,"stream":%b,"messages":[{"role":"user","content":"Hi"}]}' % (
            b"true" if stream else b"false"
        )
        with socket.create_connection(self.gateway.address, PATIENCE_S) as caller:
            head = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"
            caller.sendall(head.encode() + body)
            received = b""
            while received.count(b"data: ") < events:
                piece = caller.recv(65536)
                assert piece, received
                received += piece
            wait_until(lambda: len(self.upstream.requests) >= asked)
        settle(self.gateway)

    def assert_nothing_is_held(self) -> None:
        assert self.gateway is not None
        assert self.runtime is not None
        runtime = self.runtime

        def held() -> list[Any]:
            figures = [one.in_flight for one in runtime.fleet.figures(0.0)]
            slots = [
                slots.in_flight
                for target in runtime.pipeline._dispatch._targets.values()
                for slots in target.slots
            ]
            return [*figures, *slots, runtime.slots.in_flight]

        assert set(self.gateway.in_loop(held)) == {0}
        assert self.gateway.tasks_under_way() == 0


def files_open() -> int:
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.is_dir() else 0


def staged(folder: Path, more: str) -> Iterator[Stage]:
    with FakeUpstream.in_thread() as upstream:
        stage = Stage(upstream)
        upstream.answer_with(stage.answer)
        yaml = YAML.format(url=upstream.base_url, more=more)
        with running_gateway(yaml, folder, make=stage.make, retries=1) as gateway:
            stage.gateway = gateway
            yield stage
            assert stage.client is not None
            assert gateway.loop is not None
            asyncio.run_coroutine_threadsafe(stage.client.close(), gateway.loop).result(PATIENCE_S)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    yield from staged(
        tmp_path_factory.mktemp("leaks"),
        "reliability: {retries: {backoff_s: 0.05, budget_share: 1, budget_burst: 1000}}",
    )


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
@pytest.mark.parametrize("first", [DOWN, CUT], ids=["down", "cut"])
def test_a_caller_who_leaves_at_any_event_of_a_fallback_leaves_nothing(
    stage: Stage, first: Scripted, path: str
) -> None:
    stage.answers = {"first": [first], "second": [scripted(sse=EVENTS)]}
    stage.leave(path, asked=2, events=1)  # what is opened once and kept is there after this
    before = files_open()
    for came in range(1, len(EVENTS)):
        stage.answers = {"first": [first], "second": [scripted(sse=EVENTS[:came], ending="stall")]}
        heard = 0 if came < 2 else came if path == CHAT else 1
        stage.leave(path, asked=2, events=heard)
        stage.assert_nothing_is_held()
    wait_until(lambda: files_open() <= before)


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("asked", [1, 2, 3])
def test_a_caller_who_leaves_between_retries_leaves_nothing(
    stage: Stage, asked: int, stream: bool, path: str
) -> None:
    """Both fail and are asked once more: 1 falls between the targets, 2 into the pause, 3 into a retry."""
    for last in (DOWN, STALL):
        stage.answers = {"first": [DOWN, last], "second": [DOWN, last]}
        stage.leave(path, asked=asked, events=0, stream=stream)
        stage.assert_nothing_is_held()


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
def test_what_is_done_holds_nothing_either(stage: Stage, path: str) -> None:
    """The answer comes from a retry."""
    good = scripted(sse=EVENTS)
    stage.answers = {"first": [DOWN, good], "second": [DOWN, good]}
    stage.leave(path, asked=3, events=3)
    stage.assert_nothing_is_held()
    assert stage.gateway is not None
    entry, attempts = stage.gateway.booked[-1]
    assert [attempt.outcome for attempt in attempts[:2]] == ["failed"] * 2
    assert entry.model == attempts[2].model


def test_hedges_leave_nothing_at_any_event(tmp_path: Path) -> None:
    for stage in staged(tmp_path, "reliability: {hedging: {profiles: {auto: 0.02}, budget_share: 1}}"):
        for came in range(1, len(EVENTS)):
            stage.answers = {"first": [STALL], "second": [scripted(sse=EVENTS[:came], ending="stall")]}
            stage.leave(CHAT, asked=2, events=0 if came < 2 else came)
            stage.assert_nothing_is_held()
