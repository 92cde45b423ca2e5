"""Which model answers: profiles, pins, aliases, filters; and that the dry run tells what a dispatch then does."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from calls import CHAT, MESSAGES, Answered, Caller, GatewayFactory, booked, settle

from gateways import Gateway, running_gateway
from pointsman.testing import FakeUpstream, Received, Scripted, scripted
from replies import completion, message

YAML = """
providers:
  chats: {{dialect: openai-chat, base_url: {url}}}
  messages: {{dialect: anthropic-messages, base_url: {url}, api_key: $KEY}}
models:
  gratis:
    provider: chats
    id: gratis-1
    tier: simple
    usd_per_million_input: 0
    usd_per_million_output: 0
    context_tokens: 8000
    abilities: []
  tiny:
    provider: chats
    id: tiny-1
    tier: simple
    usd_per_million_input: 0.10
    usd_per_million_output: 0.40
    context_tokens: 32000
    abilities: [tools]
  eyes:
    provider: messages
    id: claude-eyes-1
    tier: medium
    usd_per_million_input: 1
    usd_per_million_output: 4
    context_tokens: 100000
    abilities: [tools, vision, documents, json_schema]
  big:
    provider: messages
    id: vendor/claude-big-1
    tier: complex
    usd_per_million_input: 5
    usd_per_million_output: 25
    context_tokens: 200000
    abilities: [tools, vision]
  deep:
    provider: chats
    id: deep-1
    tier: reasoning
    usd_per_million_input: 10
    usd_per_million_output: 40
    context_tokens: 1000000
    abilities: [tools, thinking]
  nowhere: {{provider: chats, id: nowhere-1}}
aliases:
  gpt-4o: auto
  "claude-*": big
  Mini: tiny
"""
EASY = "Hello!"
HARD = (
    "Prove step by step that the algorithm is correct, derive its worst-case complexity, think carefully about"
    " every edge case and show your reasoning: a lock-free concurrent queue with hazard pointers in C++."
)
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
TOOL_CHAT = {
    "type": "function",
    "function": {"name": "f", "parameters": {"type": "object", "properties": {}}},
}
TOOL_MESSAGES = {"name": "f", "input_schema": {"type": "object"}}
IMAGE_CHAT = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}
IMAGE_MESSAGES = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}


def answer_by_path(request: Received) -> Scripted:
    return scripted(json=completion() if request.path.endswith("/chat/completions") else message())


class Office:
    def __init__(self, gateway: Gateway, upstream: FakeUpstream, caller: Caller) -> None:
        self.gateway = gateway
        self.upstream = upstream
        self.caller = caller

    def ask(self, model: str, content: Any = EASY, path: str = CHAT, **more: Any) -> Answered:
        body = {"model": model, "max_tokens": 100, "messages": [{"role": "user", "content": content}], **more}
        return self.caller.post(path, body)

    def chosen(self, model: str, content: Any = EASY, path: str = CHAT, **more: Any) -> str:
        """The model that answered, as the headers and the provider tell it."""
        answered = self.ask(model, content, path, **more)
        assert answered.status == 200, answered.body
        name = answered.headers["x-pointsman-model"]
        sent = self.upstream.requests[-1].json()["model"]
        assert sent.rpartition("/")[2].removeprefix("claude-") == f"{name}-1"
        return name


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with FakeUpstream.in_thread() as upstream:
        upstream.answer_with(answer_by_path)
        yaml = YAML.format(url=upstream.base_url)
        with (
            running_gateway(yaml, tmp_path_factory.mktemp("office"), {"KEY": "k"}) as gateway,
            Caller(gateway) as caller,
        ):
            yield Office(gateway, upstream, caller)


@pytest.mark.parametrize(
    ("profile", "easy", "hard"),
    [
        ("auto", "gratis", "deep"),
        ("eco", "gratis", "big"),
        ("premium", "eyes", "deep"),
        ("agentic", "eyes", "deep"),
        ("free", "gratis", "gratis"),
    ],
)
@pytest.mark.parametrize("path", [CHAT, MESSAGES])
def test_every_profile_picks_its_model(office: Office, profile: str, easy: str, hard: str, path: str) -> None:
    for spelling in (profile, f"smart/{profile}", f"pointsman/{profile}", profile.upper()):
        assert office.chosen(spelling, EASY, path) == easy
    answered = office.ask(profile, HARD, path)
    assert answered.headers["x-pointsman-model"] == hard
    assert answered.headers["x-pointsman-profile"] == profile
    assert answered.headers["x-pointsman-tier"] in {"simple", "medium", "complex", "reasoning"}
    assert 0 < float(answered.headers["x-pointsman-score"]) <= 1
    assert answered.headers["x-pointsman-attempts"] == "1"


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
@pytest.mark.parametrize(
    ("asked", "model"),
    [
        ("tiny", "tiny"),
        ("tiny-1", "tiny"),
        ("chats/tiny-1", "tiny"),
        ("chats:tiny-1", "tiny"),
        ("vendor/claude-big-1", "big"),
        ("messages/vendor/claude-big-1", "big"),
        ("big[1m]", "big"),
        ("nowhere", "nowhere"),
        ("Mini", "tiny"),
        ("mini", "tiny"),
        ("claude-*", "big"),
    ],
)
def test_a_pin_is_left_alone(office: Office, asked: str, model: str, path: str) -> None:
    answered = office.ask(asked, HARD, path)
    assert answered.headers["x-pointsman-model"] == model
    assert answered.headers["x-pointsman-profile"] == "pinned"
    assert answered.headers["x-pointsman-score"] == "none"
    assert office.chosen(asked, HARD, path) == model


def test_an_alias_of_a_profile_is_routed(office: Office) -> None:
    assert office.chosen("gpt-4o") == "gratis"
    assert office.chosen("gpt-4o", HARD) == "deep"


def test_tools_keep_a_request_from_models_that_cannot_call_them(office: Office) -> None:
    assert office.chosen("auto", tools=[TOOL_CHAT]) == "eyes"
    assert office.chosen("auto", path=MESSAGES, tools=[TOOL_MESSAGES]) == "eyes"
    answered = office.ask("free", tools=[TOOL_CHAT])
    assert answered.status == 400
    assert answered.json()["error"]["code"] == "no_able_model"
    assert "gratis: it cannot call tools" in answered.json()["error"]["message"]


def test_images_keep_a_request_from_models_that_cannot_see(office: Office) -> None:
    assert office.chosen("auto", [{"type": "text", "text": EASY}, IMAGE_CHAT]) == "eyes"
    assert office.chosen("auto", [{"type": "text", "text": EASY}, IMAGE_MESSAGES], MESSAGES) == "eyes"


def test_a_json_schema_keeps_a_request_from_models_that_cannot_follow_it(office: Office) -> None:
    schema = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}}
    assert office.chosen("auto", response_format=schema) == "eyes"


def test_length_keeps_a_request_from_models_that_cannot_hold_it(office: Office) -> None:
    words = "word " * 12_000
    assert office.chosen("auto", EASY, max_tokens=20_000) == "tiny"
    assert office.chosen("auto", words * 12) == "big"
    assert office.chosen("auto", words * 24) == "deep"
    answered = office.ask("free", words)
    assert answered.status == 400
    assert "it holds 8,000 tokens" in answered.json()["error"]["message"]


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
def test_an_unknown_model_is_a_404_with_the_nearest_names(office: Office, path: str) -> None:
    settle(office.gateway)
    count = len(office.gateway.booked) + 1
    asked_before = len(office.upstream.requests)
    answered = office.ask("tinny", path=path)
    assert answered.status == 404
    error = answered.json()["error"]
    assert "'tinny'" in error["message"]
    assert "tiny" in error["message"].partition("nearest are")[2]
    assert error["type"] == ("invalid_request_error" if path == CHAT else "not_found_error")
    assert answered.headers["x-pointsman-request-id"].startswith("pm_")
    assert len(office.upstream.requests) == asked_before
    entry, attempts = booked(office.gateway, count)
    assert (entry.status, entry.outcome, entry.fault) == (404, "refused", "UnknownModel")
    assert (entry.requested_model, entry.decision, entry.model, attempts) == ("tinny", None, None, ())


def test_an_unknown_model_is_routed_where_the_configuration_says_so(gateway: GatewayFactory) -> None:
    with FakeUpstream.in_thread() as upstream:
        upstream.answer_with(answer_by_path)
        lenient = gateway(f"{YAML.format(url=upstream.base_url)}unknown_model: route\n", KEY="k")
        with Caller(lenient) as caller:
            office = Office(lenient, upstream, caller)
            assert office.chosen("gpt-99-turbo") == "gratis"
            assert office.chosen("gpt-99-turbo", HARD, MESSAGES) == "deep"
            entry, _ = booked(lenient, 2)
            assert (entry.requested_model, entry.decision.profile) == ("gpt-99-turbo", "auto")


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": "Hi"}, "messages"),
        ({"messages": None}, "messages"),
        ({"model": 7}, "model"),
        ({"model": None}, "model"),
        ({"stream": "yes"}, "stream"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_in_the_callers_dialect(
    office: Office, change: dict[str, Any], param: str, path: str
) -> None:
    asked_before = len(office.upstream.requests)
    for model in ("auto", "tiny", "big"):
        body = {"model": model, "messages": [{"role": "user", "content": EASY}], "max_tokens": 5, **change}
        answered = office.caller.post(path, body)
        assert answered.status == 400, answered.body
        error = answered.json()["error"]
        assert error["type"] == "invalid_request_error"
        assert param in error["message"]
        assert ("param" in error) == (path == CHAT)
    assert len(office.upstream.requests) == asked_before


# The dry run

BODIES: list[tuple[str, dict[str, Any]]] = [
    (CHAT, {"messages": [{"role": "user", "content": EASY}]}),
    (CHAT, {"messages": [{"role": "user", "content": HARD}], "max_tokens": 9_000}),
    (
        CHAT,
        {"messages": [{"role": "user", "content": EASY}], "tools": [TOOL_CHAT], "tool_choice": "required"},
    ),
    (CHAT, {"messages": [{"role": "user", "content": [IMAGE_CHAT]}]}),
    (MESSAGES, {"messages": [{"role": "user", "content": EASY}], "max_tokens": 50, "system": "Be brief."}),
    (
        MESSAGES,
        {
            "messages": [{"role": "user", "content": HARD}],
            "max_tokens": 9_000,
            "thinking": {"type": "adaptive"},
        },
    ),
    (MESSAGES, {"messages": [{"role": "user", "content": EASY}], "max_tokens": 50, "tools": [TOOL_MESSAGES]}),
    (MESSAGES, {"messages": [{"role": "user", "content": [IMAGE_MESSAGES]}], "max_tokens": 50, "top_k": 3}),
]


@pytest.mark.parametrize(
    "model", ["auto", "eco", "premium", "agentic", "tiny", "vendor/claude-big-1", "nowhere"]
)
@pytest.mark.parametrize(("path", "body"), BODIES)
def test_the_dry_run_tells_what_a_dispatch_then_does(
    office: Office, path: str, body: dict[str, Any], model: str
) -> None:
    headers = {"anthropic-version": "2023-06-01"} if path == MESSAGES else {}
    settle(office.gateway)
    count, asked_before = len(office.gateway.booked), len(office.upstream.requests)
    told = office.caller.post("/v1/route", {"model": model, **body}, headers)
    assert told.status == 200, told.body
    assert (len(office.gateway.booked), len(office.upstream.requests)) == (count, asked_before)
    decision = told.json()
    answered = office.caller.post(path, {"model": model, **body}, headers)
    assert answered.status == 200, answered.body
    assert decision["model"] == answered.headers["x-pointsman-model"]
    assert decision["provider"] == answered.headers["x-pointsman-provider"]
    assert decision["profile"] == answered.headers["x-pointsman-profile"]
    assert (decision["tier"] or "none") == answered.headers["x-pointsman-tier"]
    score = decision["score"]
    assert ("none" if score is None else f"{score:.3f}") == answered.headers["x-pointsman-score"]
    assert decision["id"] == office.upstream.requests[-1].json()["model"]
    entry, _ = booked(office.gateway, count + 1)
    assert entry.decision.score == (None if score is None else pytest.approx(score))
    running = [each["model"] for each in decision["candidates"] if each["excluded"] is None]
    assert running == [card.name for card in entry.decision.chain]
    assert [reason["signal"] for reason in decision["reasons"]] or score is None
    for name in (
        "score",
        "tier",
        "profile",
        "model",
        "provider",
        "estimated_cost_usd",
        "candidates",
        "reasons",
    ):
        assert name in decision
    assert {name for name, value in decision.items() if isinstance(value, dict)} <= {"tipping"}


def test_the_dry_run_estimates_a_pinned_model_too(office: Office) -> None:
    body = {"messages": [{"role": "user", "content": "word " * 1000}], "max_tokens": 100}
    routed = office.caller.post("/v1/route", {"model": "premium", **body}).json()
    costs = {each["model"]: each["estimated_cost_usd"] for each in routed["candidates"]}
    for name in ("tiny", "big", "deep", "gratis"):
        pinned = office.caller.post("/v1/route", {"model": name, **body}).json()
        assert pinned["estimated_cost_usd"] == pytest.approx(costs[name], rel=0.01)
        assert pinned["profile"] == "pinned"
    assert costs["gratis"] == 0
    assert costs["big"] > costs["tiny"] > 0
    assert office.caller.post("/v1/route", {"model": "nowhere", **body}).json()["estimated_cost_usd"] is None


def test_the_dry_run_of_a_pin_refuses_no_more_than_a_dispatch(office: Office) -> None:
    """What only the provider can judge is sent to it, so the dry run says where it would go."""
    body = {"model": "tiny", "messages": [{"role": "user", "content": 7}]}
    assert office.caller.post(CHAT, body).status == 200
    told = office.caller.post("/v1/route", body)
    assert told.status == 200
    assert (told.json()["model"], told.json()["estimated_cost_usd"]) == ("tiny", None)


def test_the_dry_run_refuses_what_a_dispatch_refuses(office: Office) -> None:
    for body, status in (
        ({"model": "tinny", "messages": [{"role": "user", "content": EASY}]}, 404),
        ({"model": "tiny", "messages": []}, 400),
        ({"model": "auto", "messages": []}, 400),
        ({"model": "free", "messages": [{"role": "user", "content": EASY}], "tools": [TOOL_CHAT]}, 400),
    ):
        told, answered = office.caller.post("/v1/route", body), office.caller.post(CHAT, body)
        assert (told.status, answered.status) == (status, status)
        assert told.json()["error"] == answered.json()["error"]


def test_headers_hold_names_beyond_ascii(gateway: GatewayFactory) -> None:
    with FakeUpstream.in_thread() as upstream:
        upstream.answer_with(answer_by_path)
        yaml = f"""
        providers: {{chats: {{dialect: openai-chat, base_url: {upstream.base_url}}}}}
        models:
          plain: {{provider: chats, id: "größe/模型", tier: simple}}
        """
        with Caller(gateway(yaml)) as caller:
            answered = caller.post(
                CHAT, {"model": "größe/模型", "messages": [{"role": "user", "content": "x"}]}
            )
            assert answered.status == 200
            assert json.loads(upstream.requests[-1].body)["model"] == "größe/模型"
            assert answered.headers["x-pointsman-model"] == "plain"
