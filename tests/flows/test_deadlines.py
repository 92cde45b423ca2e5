"""Providers that are alive and too slow are left for another before there is content; and where a deadline stands."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from calls import CHAT, MESSAGES, Caller, booked

from gateways import Gateway, running_gateway
from pointsman.app import Lasting, build
from pointsman.config.load import load
from pointsman.core.ports import Deadlines
from pointsman.testing import FakeUpstream, Received, Scripted, scripted
from replies import chat_event, chat_stream, messages_event, messages_stream

YAML = """
providers:
  slow:
    dialect: {dialect}
    base_url: {url}
    api_key: $KEY
    deadlines: {{{deadlines}}}
  quick: {{dialect: openai-chat, base_url: {url}, api_key: $KEY}}
models:
  first: {{provider: slow, tier: simple, usd_per_million_input: 1, usd_per_million_output: 1}}
  second: {{provider: quick, tier: simple, usd_per_million_input: 2, usd_per_million_output: 2}}
"""
PING = messages_event("ping")
ROLE = chat_event({"role": "assistant", "content": ""})


class Stage:
    def __init__(self, gateway: Gateway, upstream: FakeUpstream, caller: Caller) -> None:
        self.gateway = gateway
        self.caller = caller
        self.slow = scripted(body=b"")
        upstream.answer_with(self._answer)

    def _answer(self, request: Received) -> Scripted:
        return self.slow if request.json()["model"] == "first" else scripted(sse=chat_stream("quick"))

    def ask(self, path: str, slow: Scripted) -> tuple[bytes, Any, Any]:
        self.slow = slow
        body = {
            "model": "auto",
            "max_tokens": 9,
            "stream": True,
            "messages": [{"role": "user", "content": "Hi"}],
        }
        answered = self.caller.post(path, body)
        assert answered.status == 200
        return answered.body, *booked(self.gateway, len(self.gateway.booked) or 1)


def staged(folder: Path, dialect: str, deadlines: str) -> Iterator[Stage]:
    with FakeUpstream.in_thread() as upstream:
        yaml = YAML.format(dialect=dialect, url=upstream.base_url, deadlines=deadlines)
        with running_gateway(yaml, folder, {"KEY": "k"}) as gateway, Caller(gateway) as caller:
            yield Stage(gateway, upstream, caller)


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
@pytest.mark.parametrize("dialect", ["openai-chat", "anthropic-messages"])
def test_a_provider_that_only_pings_is_left_at_its_deadline(tmp_path: Path, dialect: str, path: str) -> None:
    for stage in staged(tmp_path, dialect, "first_content_s: 0.3"):
        start = [ROLE] if dialect == "openai-chat" else messages_stream("late")[:2]
        alive = b": wait\n\n" if dialect == "openai-chat" else PING
        body, entry, attempts = stage.ask(path, scripted(sse=[*start, *[alive] * 400], pause_s=0.02))
        assert b"quick" in body
        assert [(attempt.model, attempt.fault) for attempt in attempts] == [
            ("first", "timed_out"),
            ("second", None),
        ]
        assert (entry.outcome, entry.model) == ("failed_over", "second")


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
def test_content_that_comes_in_time_may_go_on_for_long(tmp_path: Path, path: str) -> None:
    for stage in staged(tmp_path, "openai-chat", "first_content_s: 2"):
        body, entry, _ = stage.ask(path, scripted(sse=chat_stream(*["word "] * 10), pause_s=0.25))
        assert (entry.outcome, entry.model, body.count(b"word ")) == ("complete", "first", 10)


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
def test_a_provider_that_writes_too_slowly_is_left_before_it_is_heard(tmp_path: Path, path: str) -> None:
    for stage in staged(tmp_path, "openai-chat", "pieces_per_s_min: 50, rate_window_s: 0.2"):
        body, entry, attempts = stage.ask(path, scripted(sse=chat_stream(*["slow "] * 60), pause_s=0.06))
        assert b"slow" not in body
        assert b"quick" in body
        assert [attempt.fault for attempt in attempts] == ["timed_out", None]
        assert entry.model == "second"


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
@pytest.mark.parametrize("words", [1, 200])
def test_what_comes_fast_enough_or_ends_soon_is_given_whole(tmp_path: Path, words: int, path: str) -> None:
    for stage in staged(tmp_path, "openai-chat", "pieces_per_s_min: 5, rate_window_s: 20"):
        body, entry, _ = stage.ask(path, scripted(sse=chat_stream(*["word "] * words)))
        assert (entry.outcome, entry.model, body.count(b"word ")) == ("complete", "first", words)


def test_a_model_says_before_its_provider_and_that_before_the_top(tmp_path: Path) -> None:
    file = tmp_path / "pointsman.yaml"
    file.write_text("""
deadlines: {connect_s: 1, idle_s: 2, total_s: 3}
providers:
  one: {dialect: openai-chat, base_url: "http://127.0.0.1:1/v1", deadlines: {idle_s: 20, total_s: 30}}
models:
  a: {provider: one, deadlines: {total_s: 300}}
""")
    settings = load(file, {"POINTSMAN_STATE_DIR": str(tmp_path)}, {}).settings

    async def nowhere(outgoing: Any) -> Any:
        raise AssertionError(json.dumps(str(outgoing)))

    runtime = build(settings, Lasting(nowhere, lambda entry, attempts: None), now_s=0.0)
    (target,) = runtime.pipeline._dispatch._targets.values()
    assert target.deadlines == Deadlines(connect_s=1, idle_s=20, total_s=300)
