"""A model on one's own machine behind Ollama's API: the official SDKs see what they would see at home."""

import json
from typing import Any

import anthropic
import openai
import pytest
from calls import GatewayFactory, booked

from pointsman.core.usage import Usage
from pointsman.testing import FakeUpstream, Scripted

YAML = """
providers:
  ollama: {{base_url: {url}}}
models:
  local: {{provider: ollama, id: qwen3, context_tokens: 16384, abilities: [tools, thinking]}}
"""
ND = [(b"content-type", b"application/x-ndjson")]
TOOL = {"name": "weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}


def line(done: bool = False, **message: Any) -> bytes:
    told: dict[str, Any] = {"model": "qwen3", "created_at": "2025-06-09T17:58:55Z", "done": done}
    told["message"] = {"role": "assistant", "content": "", **message}
    if done:
        told |= {"done_reason": "stop", "prompt_eval_count": 20, "eval_count": 7}
    return json.dumps(told).encode() + b"\n"


def call(city: str) -> dict[str, Any]:
    return {"function": {"name": "weather", "arguments": {"city": city}}}


AGENT = [
    line(thinking="Two "),
    line(thinking="cities."),
    line(tool_calls=[call("Paris")]),
    line(tool_calls=[call("Rome")]),
    line(done=True),
]


@pytest.fixture
def upstream():
    with FakeUpstream.in_thread() as fake:
        yield fake


@pytest.fixture
def scene(gateway: GatewayFactory, upstream: FakeUpstream):
    return gateway(YAML.format(url=upstream.origin))


def stream(upstream: FakeUpstream, pieces: list[bytes]) -> None:
    answer = Scripted(headers=ND, pieces=tuple(pieces), framing="chunked")
    upstream.answer_with(lambda _: answer)


def test_an_openai_agent_gets_calls_whole_and_usage(scene, upstream):
    stream(upstream, AGENT)
    client = openai.OpenAI(api_key="any", base_url=f"{scene.url}/v1", max_retries=0)
    with client.chat.completions.stream(
        model="local",
        messages=[{"role": "user", "content": "Weather?"}],
        stream_options={"include_usage": True},
    ) as events:
        completion = events.get_final_completion()
    calls = completion.choices[0].message.tool_calls or []
    assert [each.function.arguments for each in calls] == ['{"city": "Paris"}', '{"city": "Rome"}']
    assert len({each.id for each in calls}) == 2
    assert completion.choices[0].finish_reason == "tool_calls"
    assert completion.usage is not None
    assert (completion.usage.prompt_tokens, completion.usage.completion_tokens) == (20, 7)
    sent = upstream.requests[0]
    assert (sent.path, sent.header("authorization")) == ("/api/chat", None)
    assert sent.json()["options"] == {"num_ctx": 16384}
    assert booked(scene)[0].usage == Usage(20, 7)


def test_an_anthropic_agent_gives_the_thinking_back(scene, upstream):
    stream(upstream, AGENT)
    client = anthropic.Anthropic(api_key="any", base_url=scene.url, max_retries=0)
    asked: list[Any] = [{"role": "user", "content": "Weather?"}]
    settings: dict[str, Any] = {
        "model": "local",
        "max_tokens": 2000,
        "tools": [TOOL],
        "thinking": {"type": "enabled", "budget_tokens": 1024},
    }
    with client.messages.stream(messages=asked, **settings) as events:
        message = events.get_final_message()
    assert [block.type for block in message.content] == ["thinking", "tool_use", "tool_use"]
    assert message.stop_reason == "tool_use"
    results = [
        {"type": "tool_result", "tool_use_id": block.id, "content": "rain"}
        for block in message.content
        if block.type == "tool_use"
    ]
    stream(upstream, [line(content="Rain in "), line(content="both."), line(done=True)])
    history = [
        *asked,
        {"role": "assistant", "content": message.content},
        {"role": "user", "content": results},
    ]
    with client.messages.stream(messages=history, **settings) as events:
        assert events.get_final_text() == "Rain in both."
    first, second = upstream.requests
    assert first.json()["think"] is True
    told = second.json()["messages"]
    assert told[1] == {
        "role": "assistant",
        "content": "",
        "thinking": "Two cities.",
        "tool_calls": [call("Paris"), call("Rome")],
    }
    assert told[2:] == [{"role": "tool", "tool_name": "weather", "content": "rain"}] * 2


def test_a_whole_answer_is_one_line(scene, upstream):
    upstream.answer(body=line(done=True, content="Paris", thinking="hm"), headers=ND)
    client = openai.OpenAI(api_key="any", base_url=f"{scene.url}/v1", max_retries=0)
    reply = client.chat.completions.create(model="local", messages=[{"role": "user", "content": "?"}])
    assert reply.choices[0].message.content == "Paris"
    assert upstream.requests[0].json()["stream"] is False


def test_a_stream_that_breaks_or_fails_is_told(scene, upstream):
    client = anthropic.Anthropic(api_key="any", base_url=scene.url, max_retries=0)
    for pieces in (
        [line(content="Hel")],
        [line(content="Hel"), b'{"error":"an error was encountered while running the model"}\n'],
    ):
        stream(upstream, pieces)
        with (
            pytest.raises(anthropic.APIStatusError),
            client.messages.stream(
                model="local", max_tokens=9, messages=[{"role": "user", "content": "?"}]
            ) as events,
        ):
            events.get_final_message()


def test_a_model_that_was_not_pulled_is_told(scene, upstream):
    upstream.answer(json={"error": "model 'qwen3' not found"}, status=404)
    client = openai.OpenAI(api_key="any", base_url=f"{scene.url}/v1", max_retries=0)
    # Not a 404: the caller's own name for the model is right, and another model might have answered.
    with pytest.raises(openai.InternalServerError, match="model 'qwen3' not found") as refused:
        client.chat.completions.create(model="local", messages=[{"role": "user", "content": "?"}])
    assert refused.value.status_code == 502
