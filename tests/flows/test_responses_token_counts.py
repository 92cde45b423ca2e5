"""Counting tokens for callers of the Responses API, with the official OpenAI SDK."""

from typing import Any

import openai
import pytest
from calls import GatewayFactory

from pointsman.testing import FakeUpstream

YAML = """
providers:
  responses: {{dialect: openai-responses, base_url: {url}/v1, api_key: $KEY}}
  messages: {{dialect: anthropic-messages, base_url: {url}/v1, api_key: $KEY}}
models:
  gpt: {{provider: responses, id: gpt-5.4, tier: simple}}
  claude: {{provider: messages, id: claude-opus-4-6, tier: complex}}
"""


@pytest.fixture
def upstream():
    with FakeUpstream.in_thread() as fake:
        yield fake


@pytest.fixture
def client(gateway: GatewayFactory, upstream: FakeUpstream) -> Any:
    scene = gateway(YAML.format(url=upstream.origin), KEY="sk-ours-0123456789")
    return openai.OpenAI(api_key="any", base_url=f"{scene.url}/v1", max_retries=0)


def test_a_provider_of_the_callers_api_counts_itself(client, upstream):
    upstream.answer(json={"object": "response.input_tokens", "input_tokens": 11})
    assert client.responses.input_tokens.count(model="gpt", input="What is the weather?").input_tokens == 11
    sent = upstream.requests[0]
    assert (sent.path, sent.json()["model"]) == ("/v1/responses/input_tokens", "gpt-5.4")


@pytest.mark.parametrize("model", ["claude", "gpt", "auto"])
def test_every_other_model_gets_an_estimate(client, upstream, model):
    upstream.answer(json={"error": {"message": "no such path"}}, status=404)
    raw = client.responses.input_tokens.with_raw_response.count(model=model, input="What is the weather?")
    assert 11 < raw.parse().input_tokens < 60
    assert raw.parse().object == "response.input_tokens"
    assert raw.headers["x-pointsman-estimated"] == "true"
