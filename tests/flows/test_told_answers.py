"""The `_routing` object in answers: for those who ask, where their SDK reads over it, and nowhere else."""

import json
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest
from calls import CHAT, MESSAGES, Caller, GatewayFactory

from gateways import Gateway
from pointsman.testing import FakeUpstream, Received, Scripted, scripted
from replies import chat_error, chat_stream, completion, message, messages_stream

YAML = """
providers:
  chats: {{dialect: openai-chat, base_url: {url}}}
  messages: {{dialect: anthropic-messages, base_url: {url}}}
models:
  tiny: {{provider: chats, tier: simple}}
  claude: {{provider: messages}}
"""
RESPONSES = "/v1/responses"
ASK = {"x-pointsman-routing": "true"}


def answer(request: Received) -> Scripted:
    body = request.json()
    if request.path.endswith("/messages"):
        return scripted(sse=messages_stream("Hi")) if body.get("stream") else scripted(json=message("Hi"))
    if body.get("max_tokens") == 13:
        return scripted(json=chat_error("no"), status=400)
    return (
        scripted(sse=chat_stream("data: [DONE]", "\n")) if body.get("stream") else scripted(json=completion())
    )


@pytest.fixture
def upstream() -> Iterator[FakeUpstream]:
    with FakeUpstream.in_thread() as upstream:
        upstream.answer_with(answer)
        yield upstream


@pytest.fixture
def told(gateway: GatewayFactory, upstream: FakeUpstream) -> Gateway:
    return gateway(YAML.format(url=upstream.base_url))


def body_for(path: str, model: str = "auto", **more: Any) -> dict[str, Any]:
    if path == RESPONSES:
        return {"model": model, "input": "Hello!", **more}
    return {"model": model, "max_tokens": 9, "messages": [{"role": "user", "content": "Hello!"}], **more}


@pytest.mark.parametrize("path", [CHAT, MESSAGES, RESPONSES])
@pytest.mark.parametrize("model", ["auto", "tiny", "claude"])
def test_a_whole_answer_tells_how_it_was_routed(told: Gateway, path: str, model: str) -> None:
    with Caller(told) as caller:
        plain = caller.post(path, body_for(path, model)).json()
        answered = caller.post(path, body_for(path, model), ASK)
    assert "_routing" not in plain
    found = answered.json()
    routing = found.pop("_routing")
    assert found.keys() == plain.keys()
    assert routing["request_id"] == answered.headers["x-pointsman-request-id"]
    assert routing["model"] == answered.headers["x-pointsman-model"]
    assert routing["requested"] == model
    if model == "auto":
        assert routing["score"] == pytest.approx(float(answered.headers["x-pointsman-score"]), abs=0.001)
        assert routing["signals"][0]["signal"] == "base"
        assert sum(one["share"] for one in routing["signals"]) == pytest.approx(routing["score"], abs=0.001)
    else:
        assert (routing["profile"], routing["score"], routing["signals"]) == ("pinned", None, [])


def test_a_stream_of_chat_tells_it_before_its_end(told: Gateway) -> None:
    """What the model says may look like the end, and is not taken for it."""
    with Caller(told) as caller:
        answered = caller.post(CHAT, body_for(CHAT, stream=True), ASK)
    events = answered.body.decode().split("\n\n")
    assert events[-2:] == ["data: [DONE]", ""]
    routing = json.loads(events[-3].removeprefix("data: "))
    assert (routing["choices"], routing["_routing"]["model"]) == ([], "tiny")
    assert answered.body.count(b"_routing") == 1


@pytest.mark.parametrize("path", [MESSAGES, RESPONSES])
def test_other_streams_come_as_they_are(told: Gateway, path: str) -> None:
    with Caller(told) as caller:
        assert b"_routing" not in caller.post(path, body_for(path, stream=True), ASK).body


def test_errors_come_as_they_are(told: Gateway) -> None:
    with Caller(told) as caller:
        refused = caller.post(CHAT, body_for(CHAT, max_tokens=13), ASK)
        assert (refused.status, b"_routing" in refused.body) == (400, False)
        assert b"_routing" not in caller.post(CHAT, {"model": "nobody"}, ASK).body


def test_the_configuration_may_ask_for_all(gateway: GatewayFactory, upstream: FakeUpstream) -> None:
    yaml = YAML.format(url=upstream.base_url) + "routing: {told_in_answers: true}\n"
    with Caller(gateway(yaml)) as caller:
        assert caller.post(CHAT, body_for(CHAT)).json()["_routing"]["model"] == "tiny"


def test_sdks_read_over_it(told: Gateway) -> None:
    messages: Any = [{"role": "user", "content": "Hello!"}]
    with openai.OpenAI(
        base_url=f"{told.url}/v1", api_key="none", max_retries=0, default_headers=ASK
    ) as client:
        made = client.chat.completions.create(model="auto", messages=messages)
        assert made.choices[0].message.content == "Hello"
        assert made.model_extra is not None
        assert made.model_extra["_routing"]["tier"] == "simple"
        with client.chat.completions.stream(model="auto", messages=messages) as stream:
            assert stream.get_final_completion().choices[0].message.content == "data: [DONE]\n"
        assert client.responses.create(model="auto", input="Hello!").output_text == "Hello"
    with anthropic.Anthropic(base_url=told.url, api_key="none", max_retries=0, default_headers=ASK) as claude:
        said = claude.messages.create(model="auto", max_tokens=9, messages=messages)
        assert said.content[0].type == "text"
        assert said.model_extra is not None
        assert said.model_extra["_routing"]["model"] == "tiny"
