"""A caller's own provider key: where it goes when it is let through, and that it goes nowhere else."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from calls import CHAT, MESSAGES, Answered, Caller, booked, settle

from gateways import Gateway, running_gateway
from pointsman.testing import FakeUpstream, Received, Scripted, scripted
from replies import chat_error, completion, message, messages_error

MASTER = "master-key-0123456789"
ANTHROPIC_KEY = "sk-ant-api03-the-callers-own"
OAUTH_TOKEN = "sk-ant-oat01-the-callers-subscription"
OPENAI_KEY = "sk-proj-the-callers-own"
OUR_KEY = "sk-ours-0123"
YAML = """
server: {{master_key: $POINTSMAN_MASTER_KEY}}
providers:
  anthropic:            # a caller's key or none
    base_url: {url}
    pass_through_caller_key: true
  openai:               # a caller's key, else ours
    base_url: {url}
    api_key: $OUR_KEY
    pass_through_caller_key: true
    headers: {{api-key: $OUR_KEY, x-team: blue}}
  closed: {{dialect: anthropic-messages, base_url: {url}, api_key: $OUR_KEY}}
models:
  claude: {{provider: anthropic, tier: simple, usd_per_million_input: 1, usd_per_million_output: 1}}
  gpt: {{provider: openai, tier: simple, usd_per_million_input: 2, usd_per_million_output: 2}}
  kept: {{provider: closed}}
"""


class Bench:
    def __init__(self, gateway: Gateway, upstream: FakeUpstream, caller: Caller) -> None:
        self.gateway = gateway
        self.upstream = upstream
        self.caller = caller
        self.answers: dict[str, Scripted] = {}
        upstream.answer_with(self._answer)

    def _answer(self, request: Received) -> Scripted:
        good = completion() if request.path.endswith("/chat/completions") else message()
        return self.answers.get(request.json()["model"]) or scripted(json=good)

    def ask(self, model: str, path: str, **headers: str) -> Answered:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        body = {"model": model, "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}
        return self.caller.post(path, body, named)

    def credentials(self) -> dict[str, str]:
        """What the provider was shown last."""
        names = {b"authorization", b"x-api-key", b"x-goog-api-key", b"api-key"}
        received = self.upstream.requests[-1]
        assert MASTER.encode() not in b" ".join(value for _, value in received.headers)
        return {name.decode(): value.decode() for name, value in received.headers if name in names}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with FakeUpstream.in_thread() as upstream:
        environ = {"POINTSMAN_MASTER_KEY": MASTER, "OUR_KEY": OUR_KEY}
        yaml = YAML.format(url=upstream.base_url)
        with (
            running_gateway(yaml, tmp_path_factory.mktemp("keys"), environ) as gateway,
            Caller(gateway) as caller,
        ):
            yield Bench(gateway, upstream, caller)


@pytest.fixture
def bench(stage: Bench) -> Bench:
    stage.upstream.requests.clear()
    stage.answers.clear()
    settle(stage.gateway)
    return stage


def test_a_callers_key_stays_behind_unless_it_is_let_through(bench: Bench) -> None:
    assert (
        bench.ask("kept", MESSAGES, x_api_key=ANTHROPIC_KEY, authorization=f"Bearer {MASTER}").status == 200
    )
    assert bench.credentials() == {"x-api-key": OUR_KEY}


def test_a_callers_key_goes_to_its_own_provider_as_it_came(bench: Bench) -> None:
    assert (
        bench.ask("claude", MESSAGES, x_api_key=ANTHROPIC_KEY, authorization=f"Bearer {MASTER}").status == 200
    )
    assert bench.credentials() == {"x-api-key": ANTHROPIC_KEY}
    assert bench.ask("gpt", CHAT, authorization=f"Bearer {OPENAI_KEY}", x_api_key=MASTER).status == 200
    assert bench.credentials() == {"authorization": f"Bearer {OPENAI_KEY}"}, "and no second account beside it"
    assert bench.upstream.requests[-1].header("x-team") == "blue"


def test_a_subscriptions_token_is_passed_on_untouched(bench: Bench) -> None:
    body = b'{ "model":"claude", "system":[{"type":"text","text":"first"}], "max_tokens":9, "messages":[{"role":"user","content":"Hi"}] }'
    beta = "claude-code-20250219,oauth-2025-04-20"
    headers = {
        "authorization": f"Bearer {OAUTH_TOKEN}",
        "x-api-key": MASTER,
        "anthropic-beta": beta,
        "anthropic-version": "2023-06-01",
        "user-agent": "claude-cli/2.0",
        "x-app": "cli",
    }
    assert bench.caller.post(f"{MESSAGES}?beta=true", body, headers).status == 200
    received = bench.upstream.requests[-1]
    assert bench.credentials() == {"authorization": f"Bearer {OAUTH_TOKEN}"}
    assert (received.body, received.query, received.header("anthropic-beta")) == (body, "beta=true", beta)
    assert (received.header("x-app"), received.header("user-agent")) == ("cli", "claude-cli/2.0")


def test_a_callers_key_crosses_dialects_in_the_providers_own_header(bench: Bench) -> None:
    assert bench.ask("claude", CHAT, authorization=f"Bearer {ANTHROPIC_KEY}", x_api_key=MASTER).status == 200
    assert bench.credentials() == {"x-api-key": ANTHROPIC_KEY}
    assert bench.ask("gpt", MESSAGES, x_api_key=OPENAI_KEY, authorization=f"Bearer {MASTER}").status == 200
    assert bench.credentials() == {"authorization": f"Bearer {OPENAI_KEY}"}


@pytest.mark.parametrize("key", [OPENAI_KEY, "sk-or-v1-abc", "AIzaSyAbc", "sk-abc", "gsk_abc"])
def test_a_key_of_another_kind_is_not_passed_on(bench: Bench, key: str) -> None:
    answered = bench.ask("claude", MESSAGES, x_api_key=key, authorization=f"Bearer {MASTER}")
    assert answered.status == 401
    assert "your own anthropic key" in answered.json()["error"]["message"]
    assert key not in answered.body.decode()
    assert bench.upstream.requests == []
    entry, attempts = booked(bench.gateway, len(bench.gateway.booked) or 1)
    assert key not in repr(entry)
    assert attempts == ()


def test_our_key_is_used_where_the_caller_sends_none_of_the_kind(bench: Bench) -> None:
    assert bench.ask("gpt", CHAT, authorization=f"Bearer {MASTER}", x_api_key=ANTHROPIC_KEY).status == 200
    assert bench.credentials() == {"authorization": f"Bearer {OUR_KEY}", "api-key": OUR_KEY}


def test_a_routed_request_passes_over_a_model_it_has_no_key_for(bench: Bench) -> None:
    answered = bench.ask("auto", CHAT, authorization=f"Bearer {MASTER}")
    assert (answered.status, answered.headers["x-pointsman-model"]) == (200, "gpt")
    assert answered.headers["x-pointsman-attempts"] == "1"
    answered = bench.ask("auto", CHAT, authorization=f"Bearer {MASTER}", x_api_key=ANTHROPIC_KEY)
    assert (answered.status, answered.headers["x-pointsman-model"]) == (200, "claude")


@pytest.mark.parametrize("status", [401, 403, 429, 500])
def test_with_a_callers_key_no_other_account_is_tried(bench: Bench, status: int) -> None:
    bench.answers["claude"] = scripted(json=messages_error("no"), status=status)
    answered = bench.ask("auto", MESSAGES, x_api_key=ANTHROPIC_KEY, authorization=f"Bearer {MASTER}")
    assert len(bench.upstream.requests) == 1
    assert answered.status == (502 if status == 500 else status)
    assert answered.headers["x-pointsman-attempts"] == "1"


LIMITS = [
    (b"content-type", b"application/json"),
    (b"x-request-id", b"req_theirs"),
    (b"anthropic-ratelimit-tokens-remaining", b"7"),
    (b"x-ratelimit-remaining-tokens", b"8"),
    (b"set-cookie", b"a=b"),
]


@pytest.mark.parametrize("status", [200, 429])
def test_what_is_left_of_an_account_is_told_to_its_owner_alone(bench: Bench, status: int) -> None:
    body = json.dumps(message("Hi") if status == 200 else messages_error("slow down")).encode()
    bench.answers["claude"] = scripted(body=body, status=status, headers=LIMITS)
    own = bench.ask("claude", MESSAGES, x_api_key=ANTHROPIC_KEY, authorization=f"Bearer {MASTER}").headers
    bench.answers["gpt"] = scripted(body=json.dumps(completion("Hi")).encode(), headers=LIMITS)
    ours = bench.ask("gpt", CHAT, authorization=f"Bearer {MASTER}").headers

    assert own["anthropic-ratelimit-tokens-remaining"] == "7"
    assert own["x-pointsman-upstream-request-id"] == ours["x-pointsman-upstream-request-id"] == "req_theirs"
    assert own["x-request-id"] == own["x-pointsman-request-id"]
    assert not any("ratelimit" in name for name in ours)
    assert "set-cookie" not in own | ours


ERRORS: list[tuple[str, str, Any, str]] = [
    ("claude", MESSAGES, messages_error("invalid x-api-key", "authentication_error"), ANTHROPIC_KEY),
    ("gpt", CHAT, chat_error("Incorrect API key provided", code="invalid_api_key"), OPENAI_KEY),
]


@pytest.mark.parametrize(("model", "path", "error", "key"), ERRORS)
@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_of_the_callers_key_reaches_the_caller_as_it_is(
    bench: Bench, model: str, path: str, error: Any, key: str, status: int
) -> None:
    body = json.dumps(error, indent=1).encode()
    bench.answers[model] = scripted(
        body=body, status=status, headers=[(b"content-type", b"application/json")]
    )
    answered = bench.ask(model, path, x_api_key=key, authorization=f"Bearer {MASTER}")
    assert (answered.status, answered.body) == (status, body)


@pytest.mark.parametrize("status", [400, 404, 413])
@pytest.mark.parametrize(
    ("model", "path", "error"), [("kept", MESSAGES, messages_error), ("gpt", CHAT, chat_error)]
)
def test_our_key_is_masked_where_a_provider_quotes_it(
    bench: Bench, model: str, path: str, error: Any, status: int
) -> None:
    bench.answers[model] = scripted(json=error(f"no {OUR_KEY} here"), status=status)
    answered = bench.ask(model, path, authorization=f"Bearer {MASTER}")
    assert answered.status == status
    assert answered.json()["error"]["message"] == "no *** here"


@pytest.mark.parametrize(("model", "path", "error", "key"), ERRORS)
@pytest.mark.parametrize(("status", "kind"), [(401, "authentication_error"), (403, "permission_error")])
def test_a_refusal_of_the_callers_key_crosses_dialects(
    bench: Bench, model: str, path: str, error: Any, key: str, status: int, kind: str
) -> None:
    bench.answers[model] = scripted(json=error, status=status)
    other = CHAT if path == MESSAGES else MESSAGES
    answered = bench.ask(model, other, x_api_key=key, authorization=f"Bearer {MASTER}")
    assert answered.status == status
    told = answered.json()["error"]
    assert "refused your key" in told["message"]
    assert told["type"] == (kind if other == MESSAGES else "invalid_request_error")
    assert key not in answered.body.decode()


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, "invalid_api_key"), (402, "billing"), (429, "insufficient_quota"), (429, "slow_down")],
)
def test_no_account_closes_a_backend_for_another(tmp_path: Path, status: int, code: str) -> None:
    """Neither is a caller shut out because ours is refused, nor are we because a caller's is."""
    refused = chat_error("no", code=code)
    with FakeUpstream.in_thread() as upstream:
        environ = {"POINTSMAN_MASTER_KEY": MASTER, "OUR_KEY": OUR_KEY}
        yaml = YAML.format(url=upstream.base_url)
        with running_gateway(yaml, tmp_path, environ, is_guarded=True) as gateway, Caller(gateway) as caller:
            bench = Bench(gateway, upstream, caller)
            refuses = OPENAI_KEY

            def answer(request: Received) -> Scripted:
                is_callers = OPENAI_KEY in (request.header("x-api-key"), request.header("authorization"))
                is_refused = is_callers is (refuses == OPENAI_KEY)
                return scripted(json=refused, status=status) if is_refused else scripted(json=completion())

            def ask(own: str = "") -> int:
                keys = {"x_api_key": own} if own else {}
                return bench.ask("gpt", CHAT, authorization=f"Bearer {MASTER}", **keys).status

            upstream.answer_with(answer)
            assert [ask(OPENAI_KEY) for _ in range(5)] == [status] * 5
            assert ask() == 200
            refuses = OUR_KEY
            assert ask() != 200
            upstream.requests.clear()
            assert ask() == 503, "it is not asked again with our key"
            assert not upstream.requests
            assert [ask(OPENAI_KEY) for _ in range(3)] == [200] * 3
            assert ask() == 503, "what a caller's account has says nothing of ours"


@pytest.mark.parametrize("status", [200, 429])
def test_headers_of_a_provider_cost_no_caller_its_answer(bench: Bench, status: int) -> None:
    """There are clients that read 16 KB of headers, and no more."""
    names = (b"x-request-id", b"x-ratelimit-remaining-tokens", b"retry-after-ms", b"x-should-retry")
    said = completion("Hi") if status == 200 else chat_error("slow down")
    long = [(name, b"1" * 10_000) for name in names]
    bench.answers["gpt"] = scripted(json=said, status=status, headers=long)
    answered = bench.ask("gpt", CHAT, x_api_key=OPENAI_KEY, authorization=f"Bearer {MASTER}")
    assert answered.status == status
    assert sum(len(name) + len(value) for name, value in answered.headers.items()) < 4000
