"""A second target is asked when the first is silent; the first content wins, and the other costs and holds nothing more."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Unpack

import pytest
from calls import CHAT, MESSAGES, Answered, Caller, booked, settle

from gateways import Gateway, running_gateway
from pointsman.lab.scripted import Shape
from pointsman.testing import FakeUpstream, Received, Scripted, scripted
from replies import chat_error, chat_stream, completion
from waiting import wait_until

YAML = """
providers:
  one: {{dialect: openai-chat, base_url: {url}, limits: {{in_flight: 50}}}}
  two: {{dialect: openai-chat, base_url: {url}, limits: {{in_flight: 50}}}}
models:
  first: {{provider: one, tier: simple, usd_per_million_input: 1, usd_per_million_output: 1}}
  second: {{provider: two, tier: simple, usd_per_million_input: 2, usd_per_million_output: 2}}
reliability:
  hedging: {{profiles: {{auto: {delay_s}}}, budget_share: {share}, budget_burst: {burst}}}
"""


class Stage:
    def __init__(self, gateway: Gateway, upstream: FakeUpstream, caller: Caller) -> None:
        self.gateway = gateway
        self.upstream = upstream
        self.caller = caller
        self.answers: dict[str, Scripted] = {}
        upstream.answer_with(self._answer)

    def _answer(self, request: Received) -> Scripted:
        return self.answers[request.json()["model"]]

    def ask(self, path: str, *, stream: bool, first: Scripted, second: Scripted) -> tuple[Answered, Any, Any]:
        settle(self.gateway)
        self.upstream.requests.clear()
        self.answers = {"first": first, "second": second}
        count = len(self.gateway.booked) + 1
        body = {
            "model": "auto",
            "max_tokens": 9,
            "stream": stream,
            "messages": [{"role": "user", "content": "Hi"}],
        }
        answered = self.caller.post(path, body)
        found = booked(self.gateway, count)
        settle(self.gateway)
        return answered, *found

    def hung_up(self, model: str) -> None:
        """Returns when the gateway has closed its call to `model`."""
        request = next(each for each in self.upstream.requests if each.json()["model"] == model)
        wait_until(lambda: request.hung_up_at_s is not None)

    def are_both_asked(self) -> bool:
        return len(self.upstream.requests) == 2


def good(word: str, *, stream: bool, **shape: Unpack[Shape]) -> Scripted:
    return scripted(sse=chat_stream(word), **shape) if stream else scripted(json=completion(word), **shape)


def silent(*, stream: bool) -> Scripted:
    """It says that it begins, and nothing else."""
    return (
        scripted(sse=chat_stream("never")[:1], ending="stall") if stream else scripted(body=b"{}", delay_s=60)
    )


@contextmanager
def staged(folder: Path, *, delay_s: float, share: float, burst: int) -> Iterator[Stage]:
    with FakeUpstream.in_thread() as upstream:
        yaml = YAML.format(url=upstream.base_url, delay_s=delay_s, share=share, burst=burst)
        with running_gateway(yaml, folder) as gateway, Caller(gateway) as caller:
            yield Stage(gateway, upstream, caller)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Where the second is asked soon."""
    with staged(tmp_path_factory.mktemp("hedge"), delay_s=0.1, share=1, burst=100) as stage:
        yield stage


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Where whoever is quick is quick enough, whatever the machine is doing."""
    with staged(tmp_path_factory.mktemp("patient"), delay_s=60, share=1, burst=100) as stage:
        yield stage


everywhere = pytest.mark.parametrize("path", [CHAT, MESSAGES])
both_ways = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


@everywhere
@both_ways
def test_the_second_answers_while_the_first_is_silent(stage: Stage, path: str, stream: bool) -> None:
    answered, entry, attempts = stage.ask(
        path, stream=stream, first=silent(stream=stream), second=good("quick", stream=stream)
    )
    assert answered.status == 200
    assert answered.body.count(b"quick") == 1
    assert b"never" not in answered.body
    assert answered.headers["x-pointsman-substituted"] == "second for first"
    assert [(attempt.model, attempt.outcome) for attempt in attempts] == [
        ("first", "cancelled"),
        ("second", "complete"),
    ]
    assert (entry.outcome, entry.model, entry.usage.output_tokens) == ("failed_over", "second", 7)
    (call,) = entry.side_calls
    assert (call.kind, call.model, call.outcome, call.usage) == ("hedge", "first", "cancelled", None)
    stage.hung_up("first")


@everywhere
@both_ways
def test_the_first_may_still_win(stage: Stage, path: str, stream: bool) -> None:
    answered, entry, attempts = stage.ask(
        path,
        stream=stream,
        first=good("slow", stream=stream, when=stage.are_both_asked),
        second=silent(stream=stream),
    )
    assert answered.body.count(b"slow") == 1
    assert [attempt.outcome for attempt in attempts] == ["complete", "cancelled"]
    assert (entry.outcome, entry.model) == ("complete", "first")
    assert [call.model for call in entry.side_calls] == ["second"]
    stage.hung_up("second")


@everywhere
@both_ways
def test_nobody_else_is_asked_when_the_first_is_quick(patient: Stage, path: str, stream: bool) -> None:
    answered, entry, attempts = patient.ask(
        path, stream=stream, first=good("quick", stream=stream), second=good("second", stream=stream)
    )
    assert b"quick" in answered.body
    assert (len(attempts), entry.outcome, entry.side_calls) == (1, "complete", ())


@everywhere
@both_ways
def test_a_first_that_fails_at_once_is_followed_as_ever(patient: Stage, path: str, stream: bool) -> None:
    down = scripted(json=chat_error("down"), status=500)
    answered, entry, attempts = patient.ask(
        path, stream=stream, first=down, second=good("second", stream=stream)
    )
    assert b"second" in answered.body
    assert [attempt.outcome for attempt in attempts] == ["failed", "complete"]
    assert (entry.outcome, entry.side_calls) == ("failed_over", ())


@everywhere
@both_ways
def test_when_both_fail_there_is_one_error(stage: Stage, path: str, stream: bool) -> None:
    down = scripted(json=chat_error("down"), status=500, when=stage.are_both_asked)
    answered, entry, attempts = stage.ask(path, stream=stream, first=down, second=down)
    assert answered.status == 502
    assert [attempt.outcome for attempt in attempts] == ["failed", "failed"]
    assert entry.outcome == "failed"


@both_ways
def test_a_caller_who_leaves_frees_both(stage: Stage, stream: bool) -> None:
    settle(stage.gateway)
    stage.upstream.requests.clear()
    stage.answers = dict.fromkeys(("first", "second"), silent(stream=stream))
    body = b'{"model":"auto","stream":%b,"messages":[{"role":"user","content":"Hi"}]}' % (
        b"true" if stream else b"false"
    )
    with socket.create_connection(stage.gateway.address, 10) as caller:
        caller.sendall(
            b"POST %b HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%b" % (CHAT.encode(), len(body), body)
        )
        wait_until(stage.are_both_asked)
    stage.hung_up("first")
    stage.hung_up("second")
    settle(stage.gateway)
    entry, attempts = stage.gateway.booked[-1]
    assert entry.outcome == "cancelled"
    assert {attempt.outcome for attempt in attempts} == {"cancelled"}


def test_the_budget_bounds_how_often(tmp_path: Path) -> None:
    with staged(tmp_path, delay_s=0.1, share=0, burst=1) as stage:
        both = good("slow", stream=False, when=stage.are_both_asked)
        slow = good("slow", stream=False, delay_s=0.3)
        counts = [
            len(stage.ask(CHAT, stream=False, first=each, second=each)[2]) for each in (both, slow, slow)
        ]
    assert counts == [2, 1, 1]
