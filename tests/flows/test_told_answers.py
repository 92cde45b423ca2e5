"""The `_routing` object in answers: for those who ask, where their SDK reads over it, and nowhere else."""

import json
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest
from calls import CHAT, MESSAGES, Caller, GatewayFactory
from google import genai

from gateways import Gateway
from pointsman.testing import FakeUpstream, Received, Scripted, scripted
from replies import chat_error, chat_stream, completion, message, messages_stream

YAML = """
providers:
  chats: {{dialect: openai-chat, base_url: {url}}}
  messages: {{dialect: anthropic-messages, base_url: {url}}}
  gemini: {{dialect: gemini, base_url: {url}}}
models:
  tiny: {{provider: chats, tier: simple}}
  claude: {{provider: messages}}
  gem: {{provider: gemini}}
"""
RESPONSES = "/v1/responses"
GEMINI = "/v1beta/models/{model}:generateContent"
GEMINI_STREAM_PATH = "/v1beta/models/{model}:streamGenerateContent"
GEMINI_REPLY = {
    "candidates": [
        {"content": {"role": "model", "parts": [{"text": 'Hi "finishReason": "'}]}, "finishReason": "STOP"}
    ],
    "usageMetadata": {"promptTokenCount": 2, "candidatesTokenCount": 1, "totalTokenCount": 3},
}
GEMINI_STREAM = [f"data: {json.dumps(GEMINI_REPLY)}\r\n\r\n".encode()]
ASK = {"x-pointsman-routing": "true"}


def answer(request: Received) -> Scripted:
    body = request.json()
    if request.path.endswith("/messages"):
        return scripted(sse=messages_stream("Hi")) if body.get("stream") else scripted(json=message("Hi"))
    if body.get("max_tokens") == 13:
        return scripted(json=chat_error("no"), status=400)
    if "streamGenerateContent" in request.path:
        return scripted(sse=GEMINI_STREAM)
    if "generateContent" in request.path:
        return scripted(json=GEMINI_REPLY)
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


@pytest.mark.parametrize(
    ("path", "ending"),
    [(MESSAGES, '"type":"message_stop"'), (RESPONSES, '"type":"response.completed"')],
)
@pytest.mark.parametrize("model", ["auto", "claude", "gem"])
def test_other_streams_tell_it_in_the_event_that_ends_them(
    told: Gateway, path: str, ending: str, model: str
) -> None:
    with Caller(told) as caller:
        plain = caller.post(path, body_for(path, model, stream=True)).body
        answered = caller.post(path, body_for(path, model, stream=True), ASK).body.decode()
    assert b"_routing" not in plain
    assert answered.count("_routing") == 1
    last = [json.loads(line[6:]) for line in answered.splitlines() if line.startswith("data: ")][-1]
    assert last["type"] == json.loads(f"{{{ending}}}")["type"]
    assert last["_routing"]["requested"] == model


@pytest.mark.parametrize("model", ["auto", "claude", "gem"])
def test_answers_of_gemini_tell_it_too(told: Gateway, model: str) -> None:
    body = {"contents": [{"parts": [{"text": "Hello!"}]}]}
    stream = GEMINI_STREAM_PATH.format(model=model)
    with Caller(told) as caller:
        whole = caller.post(GEMINI.format(model=model), body, ASK).json()
        events = caller.post(stream + "?alt=sse", body, ASK).body.decode()
        pieces = caller.post(stream, body, ASK).json()
    last = json.loads(events.split("\r\n\r\n")[-2].removeprefix("data: "))
    for found in (whole, last, pieces[-1]):
        assert found["_routing"]["requested"] == model
        assert found["candidates"][0]["finishReason"] == "STOP"
    assert events.count("_routing") == 1
    assert ["_routing" in piece for piece in pieces].count(True) == 1


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
        with claude.messages.stream(model="auto", max_tokens=9, messages=messages) as claude_stream:
            assert claude_stream.get_final_text() == "data: [DONE]\n"
    with (
        openai.OpenAI(
            base_url=f"{told.url}/v1", api_key="none", max_retries=0, default_headers=ASK
        ) as client,
        client.responses.stream(model="auto", input="Hello!") as responses,
    ):
        assert responses.get_final_response().output_text == "data: [DONE]\n"
    options = genai.types.HttpOptions(base_url=told.url, headers=ASK)
    google = genai.Client(api_key="none", http_options=options)
    assert google.models.generate_content(model="gem", contents="Hello!").text == 'Hi "finishReason": "'
    chunks = list(google.models.generate_content_stream(model="auto", contents="Hello!"))
    assert "".join(chunk.text or "" for chunk in chunks) == "data: [DONE]\n"
