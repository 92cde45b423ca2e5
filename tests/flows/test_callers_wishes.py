"""What callers of every API may ask of one request in headers, and what an operator's chains and ceilings do."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from calls import Answered, Caller, booked, settle

from gateways import Gateway, running_gateway
from pointsman.app import Lasting, build
from pointsman.config.load import load
from pointsman.testing import FakeUpstream, Received, Scripted, scripted
from pointsman.wire.envelope import read_envelope
from pointsman.wire.openai_chat import OPENAI_CHAT
from replies import chat_error, chat_stream, completion

YAML = """
providers:
  one: {{dialect: openai-chat, base_url: {url}, region: eu}}
  two: {{dialect: openai-chat, base_url: {url}, region: us}}
models:
  first: {{provider: one, tier: simple, usd_per_million_input: 1, usd_per_million_output: 1}}
  second: {{provider: two, tier: simple, usd_per_million_input: 5, usd_per_million_output: 5}}
  third: {{provider: one, tier: medium, usd_per_million_input: 9, usd_per_million_output: 9}}
"""
ASKED: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": ("/v1/chat/completions", {"messages": [{"role": "user", "content": "Hi"}]}),
    "responses": ("/v1/responses", {"input": "Hi"}),
    "messages": ("/v1/messages", {"max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}),
    "gemini": ("/v1beta/models/{model}:{verb}", {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}),
}
everywhere = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
by_all = pytest.mark.parametrize("api", ASKED)


class Stage:
    def __init__(self, gateway: Gateway, upstream: FakeUpstream, caller: Caller) -> None:
        self.gateway = gateway
        self.upstream = upstream
        self.caller = caller
        self.answers: dict[str, Scripted] = {}
        upstream.answer_with(self._answer)

    def _answer(self, request: Received) -> Scripted:
        asked = request.json()
        found = self.answers.get(asked["model"])
        if found is not None:
            return found
        return (
            scripted(sse=chat_stream("Hello")) if asked.get("stream") else scripted(json=completion("Hello"))
        )

    def ask(
        self, api: str, *, stream: bool, model: str = "auto", **headers: str
    ) -> tuple[Answered, Any, Any]:
        settle(self.gateway)
        count = len(self.gateway.booked) + 1
        self.upstream.requests.clear()
        path, body = ASKED[api]
        verb = "streamGenerateContent?alt=sse" if stream else "generateContent"
        path = path.format(model=model, verb=verb)
        if api != "gemini":
            body = {"model": model, "stream": stream, **body}
        named = {f"x-pointsman-{name.replace('_', '-')}": value for name, value in headers.items()}
        answered = self.caller.post(path, body, named)
        return answered, *booked(self.gateway, count)

    def asked(self) -> list[str]:
        return [request.json()["model"] for request in self.upstream.requests]


DOWN = scripted(json=chat_error("down"), status=500)


def staged(tmp_path_factory: pytest.TempPathFactory, more: str) -> Iterator[Stage]:
    with (
        FakeUpstream.in_thread() as upstream,
        running_gateway(
            YAML.format(url=upstream.base_url) + more, tmp_path_factory.mktemp("wishes")
        ) as gateway,
        Caller(gateway) as caller,
    ):
        yield Stage(gateway, upstream, caller)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    yield from staged(tmp_path_factory, "")


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    yield from staged(tmp_path_factory, "consent: {price_multiple_max: 3}\n")


@pytest.fixture(scope="module")
def chained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    yield from staged(
        tmp_path_factory, "chains: {tiers: {simple: [third, first]}, models: {second: [first]}}\n"
    )


@by_all
@everywhere
def test_no_fallback_is_honoured(plain: Stage, api: str, stream: bool) -> None:
    plain.answers = {"first": DOWN}
    answered, entry, _ = plain.ask(api, stream=stream, fallback="none")
    assert answered.status == 502
    assert plain.asked() == ["first"]
    assert (entry.outcome, entry.model) == ("failed", None)
    assert (answered.headers["x-pointsman-outcome"], answered.headers["x-pointsman-path"]) == (
        "failed",
        "first=server_error",
    )


@by_all
@everywhere
def test_only_the_targets_that_are_named_are_asked_in_their_order(
    plain: Stage, api: str, stream: bool
) -> None:
    plain.answers = {"third": DOWN}
    answered, entry, _ = plain.ask(api, stream=stream, targets="third, second")
    assert answered.status == 200
    assert plain.asked() == ["third", "second"]
    assert answered.headers["x-pointsman-substituted"] == "second for third"
    assert (entry.outcome, entry.model, entry.decision.card.name) == ("failed_over", "second", "third")


@by_all
@everywhere
def test_no_header_of_ours_reaches_a_provider(plain: Stage, api: str, stream: bool) -> None:
    plain.answers = {}
    plain.ask(api, stream=stream, targets="first", fallback="chain", deadline_s="30", consent="all")
    (request,) = plain.upstream.requests
    assert not [name for name, _ in request.headers if name.startswith(b"x-pointsman")]


@by_all
@everywhere
def test_the_callers_deadline_ends_the_request(plain: Stage, api: str, stream: bool) -> None:
    plain.answers = {"first": scripted(json=completion(), delay_s=20)}
    answered, entry, (attempt,) = plain.ask(api, stream=stream, deadline_s="0.6")
    assert answered.status == 504
    assert plain.asked() == ["first"]
    assert (entry.fault, attempt.fault) == ("timed_out", "timed_out")


@by_all
@everywhere
@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("fallback", "no"),
        ("targets", "nobody"),
        ("deadline_s", "later"),
        ("consent", "yes"),
        ("deadline", "3"),
    ],
)
def test_one_that_cannot_be_read_is_a_400_that_names_it(
    plain: Stage, api: str, stream: bool, header: str, value: str
) -> None:
    answered, entry, attempts = plain.ask(api, stream=stream, **{header: value})
    assert answered.status == 400
    assert f"x-pointsman-{header.replace('_', '-')}".encode() in answered.body
    assert (entry.outcome, attempts, plain.asked()) == ("refused", (), [])


def test_a_dry_run_takes_wishes_and_refuses_what_it_cannot_read(plain: Stage) -> None:
    body = {"model": "auto", "messages": [{"role": "user", "content": "hi"}]}
    usual = plain.caller.post("/v1/route", body).json()["model"]
    other = "second" if usual == "first" else "first"

    assert plain.caller.post("/v1/route", body, {"x-pointsman-targets": other}).json()["model"] == other
    assert plain.caller.post("/v1/route", body, {"x-pointsman-targets": "nobody"}).status == 400


def withheld(api: str, body: bytes) -> dict[str, str]:
    """By target, as each API tells it."""
    error = json.loads(body)["error"]
    if api == "gemini":
        return next(
            detail["metadata"] for detail in error["details"] if detail.get("reason") == "consent_required"
        )
    if api == "messages":
        assert error["details"]["error_code"] == "consent_required"
        found = error["details"]["withheld"]
    else:
        assert error["code"] == "consent_required"
        found = error["withheld"]
    return {each["target"]: each["ceiling"] for each in found}


@by_all
@everywhere
def test_a_substitute_over_a_ceiling_is_named_and_not_asked(strict: Stage, api: str, stream: bool) -> None:
    strict.answers = {"first": DOWN}
    answered, entry, _ = strict.ask(api, stream=stream)
    assert answered.status == 502
    assert strict.asked() == ["first"]
    assert withheld(api, answered.body) == {"second": "price", "third": "price"}
    assert answered.headers["x-pointsman-withheld"] == "second=price,third=price"
    assert (entry.outcome, entry.fault) == ("refused", "consent_required")


@by_all
@everywhere
def test_consent_lets_it_be_asked(strict: Stage, api: str, stream: bool) -> None:
    strict.answers = {"first": DOWN}
    answered, entry, _ = strict.ask(api, stream=stream, consent="price")
    assert (answered.status, entry.model, strict.asked()) == (200, "second", ["first", "second"])
    assert answered.headers["x-pointsman-substituted"] == "second for first"


def test_a_target_that_is_named_needs_no_further_consent(strict: Stage) -> None:
    strict.answers = {"first": DOWN}
    answered, entry, _ = strict.ask("chat", stream=False, targets="first,third")
    assert (answered.status, entry.model) == (200, "third")


def test_the_chain_of_a_tier_is_the_order_of_its_requests(chained: Stage) -> None:
    chained.answers = {"third": DOWN}
    answered, entry, _ = chained.ask("chat", stream=False)
    assert (answered.status, chained.asked()) == (200, ["third", "first"])
    assert (entry.decision.card.name, entry.model) == ("third", "first")
    assert entry.decision.rules[-1] == "chain of tier simple"


def test_a_pinned_model_falls_back_to_its_chain_and_nobody_else(chained: Stage) -> None:
    chained.answers = {"first": DOWN, "second": DOWN, "third": DOWN}
    answered, _, _ = chained.ask("chat", stream=False, model="second")
    assert (answered.status, chained.asked()) == (502, ["second", "first"])
    answered, _, _ = chained.ask("chat", stream=False, model="third")
    assert (answered.status, chained.asked()) == (502, ["third"])


def test_a_dry_run_shows_the_chain_of_a_pinned_model(tmp_path: Path) -> None:
    file = tmp_path / "pointsman.yaml"
    file.write_text(YAML.format(url="http://127.0.0.1:1/v1") + "chains: {models: {second: [first]}}\n")
    settings = load(file, {"POINTSMAN_STATE_DIR": str(tmp_path)}, {}).settings

    async def nowhere(outgoing: Any) -> Any:
        raise AssertionError("a dry run sends nothing")

    pipeline = build(settings, Lasting(nowhere, lambda entry, attempts: None), now_s=0.0).pipeline
    body = json.dumps({"model": "second", **ASKED["chat"][1]}).encode()
    decision = pipeline.preview(OPENAI_CHAT, read_envelope(body))
    assert [card.name for card in decision.chain] == ["second", "first"]
