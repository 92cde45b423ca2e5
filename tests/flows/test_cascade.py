"""Drafts of cheap models through whole requests: given, thrown away, booked either way."""

from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest
from calls import CHAT, MESSAGES, Answered, Caller, GatewayFactory, booked

from gateways import Gateway
from pointsman.core.usage import Usage
from pointsman.testing import FakeUpstream, Received, Scripted, scripted
from replies import chat_error, chat_stream, completion, message

YAML = """
providers:
  chats: {{dialect: openai-chat, base_url: {url}}}
  messages: {{dialect: anthropic-messages, base_url: {url}}}
models:
  tiny: {{provider: chats, tier: simple, usd_per_million_input: 0.1, usd_per_million_output: 0.4}}
  big: {{provider: messages, tier: complex, usd_per_million_input: 3, usd_per_million_output: 15}}
  checker: {{provider: chats, usd_per_million_input: 1, usd_per_million_output: 1}}
routing: {{boundaries: [0, 0, 0.99]}}
"""
QUESTION = "What follows from the second law?"


class Stage:
    """The cheap model says `draft`, the checker `verdict`, the strong one always the same."""

    def __init__(self, gateway: GatewayFactory, upstream: FakeUpstream) -> None:
        self._gateway = gateway
        self.upstream = upstream
        self.draft: Scripted = scripted(json=completion("A draft"))
        self.verdict: Scripted = scripted(json=completion('{"good": true}'))
        self.strong: Scripted = scripted(json=message("The answer"))
        upstream.answer_with(self._answer)

    def _answer(self, request: Received) -> Scripted:
        match request.json()["model"]:
            case "tiny":
                return scripted(sse=chat_stream("A", "draft")) if request.json().get("stream") else self.draft
            case "checker":
                return self.verdict
            case _:
                return self.strong

    def start(self, cascade: str) -> Gateway:
        return self._gateway(YAML.format(url=self.upstream.base_url) + cascade)

    @property
    def asked(self) -> list[str]:
        return [request.json()["model"] for request in self.upstream.requests]


@pytest.fixture
def stage(gateway: GatewayFactory) -> Iterator[Stage]:
    with FakeUpstream.in_thread() as upstream:
        yield Stage(gateway, upstream)


AUTO = "cascade: {profiles: [auto]}\n"


def ask(gateway: Gateway, path: str = CHAT, **more: Any) -> Answered:
    body = {"model": "auto", "max_tokens": 50, "messages": [{"role": "user", "content": QUESTION}], **more}
    with Caller(gateway) as caller:
        answered = caller.post(path, body)
    assert answered.status == 200, answered.body
    return answered


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
def test_a_good_draft_is_the_answer(stage: Stage, path: str) -> None:
    gateway = stage.start(AUTO)
    answered = ask(gateway, path)
    assert b"A draft" in answered.body
    assert answered.headers["x-pointsman-cascade"] == "draft"
    assert answered.headers["x-pointsman-model"] == "tiny"
    assert stage.asked == ["tiny"]
    entry, attempts = booked(gateway)
    assert (entry.model, entry.usage, entry.outcome) == (
        "tiny",
        Usage(30, 7, cache_read_tokens=10),
        "complete",
    )
    assert entry.side_calls == ()
    assert [attempt.model for attempt in attempts] == ["tiny"]


@pytest.mark.parametrize(
    ("draft", "why"),
    [
        (completion(""), "it is empty"),
        (completion("A dra", finish="length"), "it was cut off"),
        (completion("I'm sorry, but I can't help."), "it reads like a refusal"),
        (completion("x", finish="content_filter"), "it refused"),
    ],
)
@pytest.mark.parametrize("path", [CHAT, MESSAGES])
def test_a_draft_that_is_not_good_is_replaced_and_both_are_paid(
    stage: Stage, path: str, draft: Any, why: str
) -> None:
    gateway = stage.start(AUTO)
    stage.draft = scripted(json=draft)
    answered = ask(gateway, path)
    assert b"The answer" in answered.body
    assert b"A dra" not in answered.body
    assert answered.headers["x-pointsman-cascade"] == f"escalated (tiny drafted, but {why})"
    assert answered.headers["x-pointsman-model"] == "big"
    assert stage.asked == ["tiny", "big"]
    entry, attempts = booked(gateway)
    assert (entry.model, entry.outcome) == ("big", "complete")
    assert [attempt.model for attempt in attempts] == ["big"]
    (side,) = entry.side_calls
    assert (side.kind, side.model, side.outcome) == ("draft", "tiny", "complete")
    assert side.usage == Usage(30, 7, cache_read_tokens=10)
    assert entry.decision is not None
    assert entry.decision.rules[-1] == f"cascade: tiny drafted, but {why}"


def test_a_draft_in_the_wrong_shape_is_replaced(stage: Stage) -> None:
    gateway = stage.start(AUTO)
    stage.draft = scripted(json=completion('{"town": 5}'))
    stage.strong = scripted(json=message('{"town": "Lima"}'))
    schema = {"type": "object", "properties": {"town": {"type": "string"}}, "required": ["town"]}
    answered = ask(
        gateway, response_format={"type": "json_schema", "json_schema": {"name": "t", "schema": schema}}
    )
    assert "it has not the shape that was asked for" in answered.headers["x-pointsman-cascade"]
    assert "town" not in str(booked(gateway)[0].decision)
    assert stage.asked == ["tiny", "big"]


def test_a_drafter_that_fails_is_booked_and_passed_over(stage: Stage) -> None:
    gateway = stage.start(AUTO)
    stage.draft = scripted(json=chat_error("no"), status=401)
    answered = ask(gateway)
    assert b"The answer" in answered.body
    assert answered.headers["x-pointsman-cascade"] == "escalated (tiny failed)"
    entry, _ = booked(gateway)
    (side,) = entry.side_calls
    assert (side.kind, side.outcome, side.fault, side.usage) == ("draft", "failed", "auth", None)


def test_a_draft_is_better_than_nothing(stage: Stage) -> None:
    gateway = stage.start(AUTO)
    stage.draft = scripted(json=completion("A dra", finish="length"))
    stage.strong = scripted(
        json={"type": "error", "error": {"type": "authentication_error", "message": "no"}}, status=401
    )
    answered = ask(gateway)
    assert b"A dra" in answered.body
    assert answered.headers["x-pointsman-cascade"] == "draft (nobody better answered)"
    entry, _ = booked(gateway)
    assert (entry.model, entry.status, entry.side_calls) == ("tiny", 200, ())


def test_streams_tools_several_answers_and_named_models_have_no_draft(stage: Stage) -> None:
    gateway = stage.start(AUTO)
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
    assert b"The answer" in ask(gateway, tools=[tool]).body
    assert "x-pointsman-cascade" not in ask(gateway, model="big").headers
    assert "x-pointsman-cascade" not in ask(gateway, model="premium").headers
    assert "tiny" not in stage.asked
    stage.strong = scripted(sse=[])
    with Caller(gateway) as caller:
        body = {"model": "auto", "stream": True, "messages": [{"role": "user", "content": QUESTION}]}
        assert "x-pointsman-cascade" not in caller.post(CHAT, body).headers


def test_a_model_may_have_its_own_drafter_in_any_profile(stage: Stage) -> None:
    gateway = stage.start("cascade: {drafts: {big: tiny}}\n")
    assert b"A draft" in ask(gateway).body
    assert b"A draft" in ask(gateway, model="premium").body
    assert stage.asked == ["tiny", "tiny"]


def logprobs_of(reply: dict[str, Any], logprob: float) -> dict[str, Any]:
    token = {"token": "A", "logprob": logprob, "bytes": [65], "top_logprobs": []}
    reply["choices"][0]["logprobs"] = {"content": [token], "refusal": None}
    return reply


def test_a_draft_that_is_unsure_is_replaced(stage: Stage) -> None:
    """The caller did not ask how sure it is, and is not told."""
    gateway = stage.start("cascade: {profiles: [auto], mean_logprob_min: -0.5}\n")
    stage.draft = scripted(json=logprobs_of(completion("A draft"), -2.0))
    assert "it is unsure" in ask(gateway).headers["x-pointsman-cascade"]
    assert stage.upstream.requests[0].json()["logprobs"] is True
    assert "logprobs" not in stage.upstream.requests[1].json()
    stage.draft = scripted(json=logprobs_of(completion("A draft"), -0.1))
    answered = ask(gateway)
    assert answered.headers["x-pointsman-cascade"] == "draft"
    assert answered.json()["choices"][0]["logprobs"] is None
    assert answered.json()["choices"][0]["message"]["content"] == "A draft"
    assert ask(gateway, logprobs=True).json()["choices"][0]["logprobs"]["content"][0]["logprob"] == -0.1


def test_a_judge_may_look_at_drafts(stage: Stage) -> None:
    gateway = stage.start("cascade: {profiles: [auto], judge: checker}\n")
    assert b"A draft" in ask(gateway).body
    stage.verdict = scripted(json=completion('{"good": false}'))
    answered = ask(gateway)
    assert b"The answer" in answered.body
    assert "checker found it not good enough" in answered.headers["x-pointsman-cascade"]
    entry, _ = booked(gateway, 2)
    assert [(side.kind, side.model) for side in entry.side_calls] == [("judge", "checker"), ("draft", "tiny")]
    shown = stage.upstream.requests[1].json()["messages"][1]["content"]
    assert QUESTION in shown
    assert '"A draft"' in shown
    stage.verdict = scripted(json=completion("Looks fine!"))
    assert b"A draft" in ask(gateway).body
    entry, _ = booked(gateway, 3)
    assert [(side.kind, side.outcome, side.fault) for side in entry.side_calls] == [
        ("judge", "failed", "no_verdict")
    ]


def test_sdks_notice_nothing_of_a_cascade(stage: Stage) -> None:
    gateway = stage.start(AUTO)
    stage.draft = scripted(json=completion(""))
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="none", max_retries=0) as client:
        made = client.chat.completions.create(model="auto", messages=[{"role": "user", "content": QUESTION}])
        assert made.choices[0].message.content == "The answer"
    with anthropic.Anthropic(base_url=gateway.url, api_key="none", max_retries=0) as claude:
        said = claude.messages.create(
            model="auto", max_tokens=50, messages=[{"role": "user", "content": QUESTION}]
        )
        assert said.content[0].type == "text"
        assert said.content[0].text == "The answer"


def test_without_a_cascade_nobody_drafts(stage: Stage) -> None:
    gateway = stage.start("")
    answered = ask(gateway)
    assert "x-pointsman-cascade" not in answered.headers
    assert stage.asked == ["big"]
