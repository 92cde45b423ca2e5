"""Conversations that stay with their models through whole requests, told apart by caller's words and by sessions."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from calls import CHAT, MESSAGES, Answered, Caller, GatewayFactory, booked

from gateways import Gateway
from pointsman.testing import FakeUpstream, Received, Scripted, scripted
from replies import chat_error, completion

YAML = """
providers:
  chats: {{dialect: openai-chat, base_url: {url}}}
models:
  plain:
    provider: chats
    tier: medium
    usd_per_million_input: 1
    usd_per_million_output: 4
    usd_per_million_cache_read: 0.1
    abilities: []
  able:
    provider: chats
    tier: medium
    usd_per_million_input: 1.1
    usd_per_million_output: 4
    usd_per_million_cache_read: 0.11
    abilities: [tools]
routing: {{boundaries: [0, 0.9, 0.95]}}
affinity: {{enabled: true}}
"""
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
LONG = "The report. " * 5000


class Talk:
    """One provider, whose models may be told to fail."""

    def __init__(self, gateway: Gateway, upstream: FakeUpstream) -> None:
        self.gateway = gateway
        self.failing: set[str] = set()
        upstream.answer_with(self._answer)

    def _answer(self, request: Received) -> Scripted:
        if request.json()["model"] in self.failing:
            return scripted(json=chat_error("busy"), status=503)
        return scripted(json=completion())

    def turn(
        self, *texts: str, path: str = CHAT, headers: Mapping[str, str] = MappingProxyType({}), **more: Any
    ) -> Answered:
        speakers = ("user", "assistant")
        messages = [{"role": speakers[place % 2], "content": text} for place, text in enumerate(texts)]
        body = {"model": "auto", "max_tokens": 100, "messages": messages, **more}
        with Caller(self.gateway) as caller:
            answered = caller.post(path, body, headers)
        assert answered.status == 200, answered.body
        return answered

    def model(self, *texts: str, **more: Any) -> str:
        return self.turn(*texts, **more).headers["x-pointsman-model"]


@pytest.fixture
def talk(gateway: GatewayFactory) -> Iterator[Talk]:
    with FakeUpstream.in_thread() as upstream:
        yield Talk(gateway(YAML.format(url=upstream.base_url)), upstream)


def test_a_conversation_stays_where_its_cache_is(talk: Talk) -> None:
    """Its first turn needs tools, the second does not: alone it would go to the cheaper model."""
    assert talk.model(LONG, tools=[TOOL]) == "able"
    assert talk.model(LONG, "Read.", "Summarise it") == "able"
    entry, _ = booked(talk.gateway, 2)
    assert entry.decision is not None
    (rule,) = [rule for rule in entry.decision.rules if rule.startswith("affinity")]
    assert rule.startswith("affinity: able kept, a move to plain saves $0.00")
    assert "of prompt cache" in rule
    assert talk.model("Another matter. " + LONG) == "plain"


def test_a_session_that_is_named_is_one_conversation(talk: Talk) -> None:
    one = {"x-pointsman-session": "one"}
    assert talk.model(LONG, tools=[TOOL], headers=one) == "able"
    assert talk.model("What I said. " + LONG, headers=one) == "able"
    assert talk.model("What I said. " + LONG, headers={"x-pointsman-session": "two"}) == "plain"
    session = {"user_id": "user_1_session_2"}
    tool = {"name": "f", "input_schema": {"type": "object"}}
    assert talk.model(LONG, path=MESSAGES, tools=[tool], metadata=session) == "able"
    assert talk.model("So. " + LONG, path=MESSAGES, metadata=session) == "able"


def test_a_model_asked_for_by_name_always_wins(talk: Talk) -> None:
    assert talk.model(LONG, tools=[TOOL]) == "able"
    assert talk.model(LONG, "Read.", "Go on", model="plain") == "plain"


def test_a_conversation_follows_the_model_that_answered_instead(talk: Talk) -> None:
    talk.failing = {"plain"}
    assert talk.model(LONG) == "able"
    talk.failing = set()
    assert talk.model(LONG, "Read.", "Go on") == "able"


def test_nothing_is_kept_unless_it_is_wanted(gateway: GatewayFactory) -> None:
    with FakeUpstream.in_thread() as upstream:
        yaml = YAML.format(url=upstream.base_url).replace("affinity: {enabled: true}", "")
        talk = Talk(gateway(yaml), upstream)
        assert talk.model(LONG, tools=[TOOL]) == "able"
        assert talk.model(LONG, "Read.", "Summarise it") == "plain"


def test_conversations_outlive_a_reload(gateway: GatewayFactory, tmp_path: Path) -> None:
    admin = "the-key-that-opens-everything"
    with FakeUpstream.in_thread() as upstream:
        yaml = YAML.format(url=upstream.base_url)
        talk = Talk(gateway(yaml, POINTSMAN_ADMIN_KEY=admin), upstream)
        assert talk.model(LONG, tools=[TOOL]) == "able"
        (tmp_path / "pointsman.yaml").write_text(yaml + "baseline_model: able\n")
        with Caller(talk.gateway) as caller:
            reloaded = caller.post("/admin/reload", b"", {"authorization": f"Bearer {admin}"})
        assert reloaded.status == 200, reloaded.body
        assert talk.model(LONG, "Read.", "Summarise it") == "able"
        assert talk.model("Another matter. " + LONG) == "plain"
