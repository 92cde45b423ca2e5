"""Counting tokens through the gateway with the official Anthropic SDK: there is an answer for every model."""

import json
from typing import Any

import anthropic
import pytest
from calls import Caller, GatewayFactory, booked

from pointsman.core.usage import Usage
from pointsman.testing import FakeUpstream

YAML = """
providers:
  messages: {{dialect: anthropic-messages, base_url: {url}/v1, api_key: $KEY}}
  chats: {{dialect: openai-chat, base_url: {url}/v1, api_key: $KEY}}
  local: {{dialect: ollama, base_url: {url}}}
models:
  claude: {{provider: messages, id: claude-opus-4-6, tier: complex}}
  gpt: {{provider: chats, id: gpt-4.1, tier: simple, usd_per_million_input: 1, usd_per_million_output: 1}}
  llama: {{provider: local, id: llama3, context_tokens: 100}}
"""
PATH = "/v1/messages/count_tokens"
HI = [{"role": "user", "content": "What is the capital of France?"}]


@pytest.fixture
def upstream():
    with FakeUpstream.in_thread() as fake:
        yield fake


@pytest.fixture
def scene(gateway: GatewayFactory, upstream: FakeUpstream):
    return gateway(YAML.format(url=upstream.origin), KEY="sk-ours-0123456789")


def client(scene: Any) -> anthropic.Anthropic:
    return anthropic.Anthropic(api_key="any", base_url=scene.url, max_retries=0)


def test_a_provider_of_the_callers_api_counts_itself(scene, upstream):
    upstream.answer(body=b'{"input_tokens": 11}', headers=[(b"content-type", b"application/json")])
    body = json.dumps({"model": "claude", "messages": HI}).encode()
    with Caller(scene) as caller:
        answered = caller.post(f"{PATH}?beta=true", body, {"anthropic-beta": "x-1"})
    sent = upstream.requests[0]
    assert (sent.path, sent.query) == (PATH, "beta=true")
    assert sent.body == body.replace(b"claude", b"claude-opus-4-6")
    assert sent.header("anthropic-beta") == "x-1"
    assert answered.body == b'{"input_tokens": 11}'
    assert "x-pointsman-estimated" not in answered.headers
    entry, attempts = booked(scene)
    assert (entry.usage, entry.baseline, len(attempts)) == (Usage(0, 0), None, 1)


@pytest.mark.parametrize("model", ["gpt", "llama", "auto", "eco"])
def test_every_other_model_gets_an_estimate(scene, upstream, model):
    """Rule 48."""
    upstream.answer(json={}, status=500)
    raw = client(scene).messages.with_raw_response.count_tokens(model=model, messages=HI)
    assert 11 < raw.parse().input_tokens < 60
    assert raw.headers["x-pointsman-estimated"] == "true"
    assert raw.headers["x-pointsman-model"] in {"gpt", "llama", "claude"}
    entry, _ = booked(scene)
    assert (entry.status, entry.outcome, entry.fault, entry.usage) == (200, "complete", None, Usage(0, 0))


def test_more_than_any_model_can_take_is_counted_all_the_same(scene):
    long = [{"role": "user", "content": "words " * 1000}]
    assert client(scene).messages.count_tokens(model="llama", messages=long).input_tokens > 1000


@pytest.mark.parametrize("status", [401, 404, 405, 429, 500, 529])
def test_a_provider_that_does_not_count_is_stood_in_for(scene, upstream, status):
    upstream.answer(json={"type": "error", "error": {"type": "x", "message": "no"}}, status=status)
    raw = client(scene).messages.with_raw_response.count_tokens(model="claude", messages=HI)
    assert raw.parse().input_tokens > 11
    assert raw.headers["x-pointsman-estimated"] == "true"
    _, attempts = booked(scene)
    assert [attempt.outcome for attempt in attempts] == ["failed"]


def test_an_answer_that_is_no_count_is_stood_in_for(scene, upstream):
    upstream.answer(json={"hello": 1})
    assert client(scene).messages.count_tokens(model="claude", messages=HI).input_tokens > 11


def test_a_request_that_is_wrong_in_itself_is_told(scene, upstream):
    error = {"type": "error", "error": {"type": "invalid_request_error", "message": "messages.0: no"}}
    upstream.answer(json=error, status=400)
    with pytest.raises(anthropic.BadRequestError) as refused:
        client(scene).messages.count_tokens(model="claude", messages=HI)
    assert refused.value.body == error
    with pytest.raises(anthropic.BadRequestError):
        client(scene).messages.count_tokens(model="gpt", messages=[])
    with pytest.raises(anthropic.BadRequestError):
        client(scene).messages.count_tokens(model="gpt", messages=[{"role": "user", "content": 7}])  # type: ignore[typeddict-item]
    with pytest.raises(anthropic.NotFoundError):
        client(scene).messages.count_tokens(model="nobody", messages=HI)
