"""Callers of a stream who hear nothing for long: they are told that somebody is there, and then get their answer, of
whichever model it is, or the reason why there is none."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from calls import CHAT, MESSAGES, Answered, Caller, GatewayFactory, booked

from pointsman.ledger.entry import Attempt, Entry
from pointsman.testing import FakeUpstream, Scripted, scripted
from replies import chat_error, chat_stream

YAML = """
server: {{keepalive_after_s: 0.3}}
providers:
  first: {{dialect: openai-chat, base_url: "{first}"}}
  second: {{dialect: openai-chat, base_url: "{second}"}}
models:
  one: {{provider: first, id: one-1, tier: simple, usd_per_million_input: 1, usd_per_million_output: 1}}
  two: {{provider: second, id: two-1, tier: simple, usd_per_million_input: 2, usd_per_million_output: 2}}
"""
ASK = {"model": "auto", "max_tokens": 9, "stream": True, "messages": [{"role": "user", "content": "Hi"}]}
LONG_S = 1.5
KEEPALIVE = {CHAT: b": keepalive\n\n", MESSAGES: b'event: ping\ndata: {"type": "ping"}\n\n'}


@pytest.fixture
def first() -> Iterator[FakeUpstream]:
    with FakeUpstream.in_thread() as upstream:
        yield upstream


@pytest.fixture
def second() -> Iterator[FakeUpstream]:
    with FakeUpstream.in_thread() as upstream:
        yield upstream


def ask(
    start: GatewayFactory,
    first: FakeUpstream,
    second: FakeUpstream,
    path: str,
    *answers: Scripted,
    **more: object,
) -> tuple[Answered, Entry, tuple[Attempt, ...]]:
    """Of a stream nothing is answered before its caller was told to be patient."""
    told = threading.Event()
    is_stream = more.get("stream", True)
    for upstream, answer in zip((first, second), answers, strict=False):
        late = replace(answer, when=told.is_set) if is_stream else replace(answer, delay_s=LONG_S)
        upstream.answer_with(lambda _, late=late: late)
    gateway = start(YAML.format(first=first.base_url, second=second.base_url))
    with Caller(gateway) as caller:
        if not is_stream:
            return caller.post(path, {**ASK, **more}), *booked(gateway)
        caller.send(path, {**ASK, **more})
        response = caller.response()
        begun = response.read(len(KEEPALIVE[path]))
        told.set()
        return Answered.of(response, begun + response.read()), *booked(gateway)


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
def test_caller_who_waits_long_is_told_so_and_then_answered(
    gateway: GatewayFactory, first: FakeUpstream, second: FakeUpstream, path: str
) -> None:
    answered, entry, attempts = ask(gateway, first, second, path, scripted(sse=chat_stream("Hello")))
    assert answered.status == 200
    assert answered.headers["content-type"] == "text/event-stream"
    assert answered.body.startswith(KEEPALIVE[path])
    assert b"Hello" in answered.body
    assert (entry.outcome, entry.status, entry.fault) == ("complete", 200, None)
    assert entry.first_token_ms is not None
    assert entry.first_token_ms >= 300
    assert [attempt.outcome for attempt in attempts] == ["complete"]


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
def test_failure_after_a_keepalive_still_goes_to_the_next_model(
    gateway: GatewayFactory, first: FakeUpstream, second: FakeUpstream, path: str
) -> None:
    slow = scripted(status=500, json=chat_error("down"))
    answered, entry, attempts = ask(gateway, first, second, path, slow, scripted(sse=chat_stream("Hello")))
    assert answered.body.startswith(KEEPALIVE[path])
    assert b"Hello" in answered.body
    assert b"down" not in answered.body
    assert (entry.outcome, entry.status, entry.model) == ("failed_over", 200, "two")
    assert [attempt.outcome for attempt in attempts] == ["failed", "complete"]


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
def test_caller_who_was_kept_waiting_for_nothing_is_told_in_its_stream(
    gateway: GatewayFactory, first: FakeUpstream, second: FakeUpstream, path: str
) -> None:
    down = scripted(status=500, json=chat_error("down"))
    answered, entry, attempts = ask(gateway, first, second, path, down, down)
    assert answered.status == 200
    *waits, last = answered.body.removesuffix(b"\n\n").split(b"\n\n")
    assert set(waits) == {KEEPALIVE[path].removesuffix(b"\n\n")}
    told = json.loads(last.partition(b"data: ")[2])
    assert "down" in told["error"]["message"]
    assert (entry.outcome, entry.status, entry.fault) == ("failed", 200, "server_error")
    assert entry.first_token_ms is None
    assert [attempt.outcome for attempt in attempts] == ["failed", "failed"]


def test_caller_of_a_whole_answer_is_not_disturbed(
    gateway: GatewayFactory, first: FakeUpstream, second: FakeUpstream
) -> None:
    down = scripted(status=500, json=chat_error("down"))
    answered, entry, _ = ask(gateway, first, second, CHAT, down, down, stream=False)
    assert (answered.status, entry.status) == (502, 502)
    assert "down" in answered.json()["error"]["message"]
