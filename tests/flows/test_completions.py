"""The older endpoint for bare prompts: through to those who have it, byte for byte, and to nobody else."""

import gzip
import json
from pathlib import Path
from typing import Any

import openai
import pytest
from calls import Caller, GatewayFactory, booked

from pointsman.core.usage import Usage
from pointsman.testing import FakeUpstream

YAML = """
providers:
  chats: {{dialect: openai-chat, base_url: {url}/v1, api_key: $KEY{usage}}}
  messages: {{dialect: anthropic-messages, base_url: {url}, api_key: $KEY}}
models:
  instruct: {{provider: chats, id: gpt-3.5-turbo-instruct, tier: complex}}
  claude: {{provider: messages, id: claude-opus-4-6, tier: simple}}
"""
PATH = "/v1/completions"


@pytest.fixture
def upstream():
    with FakeUpstream.in_thread() as fake:
        yield fake


def scene_of(gateway: GatewayFactory, upstream: FakeUpstream, usage: str = "") -> Any:
    return gateway(YAML.format(url=upstream.origin, usage=usage), KEY="sk-ours-0123456789")


def client(scene: Any) -> openai.OpenAI:
    return openai.OpenAI(api_key="any", base_url=f"{scene.url}/v1", max_retries=0)


def chunk(text: str, reason: str | None = None, **more: Any) -> bytes:
    choice = {"text": text, "index": 0, "logprobs": None, "finish_reason": reason}
    told = {
        "id": "cmpl-1",
        "object": "text_completion",
        "created": 1,
        "choices": [choice],
        "model": "m",
        **more,
    }
    return b"data: %b\n\n" % json.dumps(told).encode()


STREAM = [chunk("On"), chunk("ce", "stop"), b"data: [DONE]\n\n"]
USED = b'data: {"id":"cmpl-1","object":"text_completion","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}\n\n'


@pytest.mark.parametrize("model", ["instruct", "auto"])
def test_a_prompt_goes_through_whole_and_is_booked(gateway, upstream, model):
    scene = scene_of(gateway, upstream)
    answer = b'{"id":"cmpl-1","object":"text_completion","created":1,"model":"m", "choices":[{"text":"x","index":0,"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}'
    upstream.answer(body=answer, headers=[(b"content-type", b"application/json")])
    body = b'{"model": "%b", "prompt":["Once"],  "echo":true,"suffix":"end"}' % model.encode()
    with Caller(scene) as caller:
        answered = caller.post(PATH, body)
    sent = upstream.requests[0]
    assert sent.path == PATH
    assert sent.body == body.replace(b'"%b"' % model.encode(), b'"gpt-3.5-turbo-instruct"')
    assert answered.body == answer
    assert booked(scene)[0].usage == Usage(3, 1)


@pytest.mark.parametrize("usage", ["", ", include_stream_usage: true"])
def test_a_stream_reaches_the_sdk_as_it_comes(gateway, upstream, usage):
    scene = scene_of(gateway, upstream, usage)
    upstream.answer(sse=[*STREAM[:2], *([USED] if usage else []), STREAM[2]])
    with client(scene).completions.create(model="instruct", prompt="Once", stream=True) as chunks:
        assert "".join(each.choices[0].text for each in chunks) == "Once"
    assert booked(scene)[0].usage == (Usage(3, 2) if usage else None)


def test_a_stream_that_breaks_is_told(gateway, upstream):
    scene = scene_of(gateway, upstream)
    upstream.answer(sse=STREAM[:1])
    with (
        pytest.raises(openai.APIError),
        client(scene).completions.create(model="instruct", prompt="Once", stream=True) as chunks,
    ):
        list(chunks)


def test_a_stream_that_breaks_behind_the_first_of_two_prompts_is_told(gateway, upstream):
    scene = scene_of(gateway, upstream)
    upstream.answer(sse=[chunk("x", "stop")])
    with (
        pytest.raises(openai.APIError),
        client(scene).completions.create(model="instruct", prompt=["a", "b"], stream=True) as chunks,
    ):
        list(chunks)


def test_a_whole_answer_to_a_stream_is_no_stream(gateway, upstream):
    scene = scene_of(gateway, upstream)
    upstream.answer(json={"id": "cmpl-1", "choices": [{"text": "x", "index": 0, "finish_reason": "stop"}]})
    with pytest.raises(openai.InternalServerError):
        client(scene).completions.create(model="instruct", prompt="Once", stream=True)


def test_a_provider_without_the_endpoint_is_refused(gateway, upstream):
    scene = scene_of(gateway, upstream)
    with pytest.raises(openai.BadRequestError) as refused:
        client(scene).completions.create(model="claude", prompt="Once")
    assert "does not complete bare prompts" in str(refused.value)
    with pytest.raises(openai.BadRequestError):
        client(scene).completions.create(model="auto", prompt=[1, 2])
    with pytest.raises(openai.BadRequestError):
        client(scene).completions.create(model="auto", prompt=7)  # type: ignore[call-overload]
    assert upstream.requests == []


def test_every_recorded_completion_crosses_as_it_is(gateway, upstream, shared: Path):
    scene = scene_of(gateway, upstream)
    played = 0
    with (
        gzip.open(shared / "wire" / "misc.jsonl.gz", "rt", encoding="utf-8") as lines,
        Caller(scene) as caller,
    ):
        for line in lines:
            record = json.loads(line)
            response, asked = record["response"], record["request"]["body"]
            if record["endpoint"] != "openai.completions" or not asked or response["status"] != 200:
                continue
            stream = response.get("sse")
            if "error" in (response.get("body") or {}) or bool(asked.get("stream")) != (stream is not None):
                continue  # an error in a 200, and a stream whose request was recorded without the wish for one
            if stream is None:
                answer = json.dumps(response["body"]).encode()
                upstream.answer(body=answer, headers=[(b"content-type", b"application/json")])
            else:
                answer = "".join(stream).encode()
                upstream.answer(sse=[answer])
            answered = caller.post(PATH, json.dumps({**asked, "model": "instruct"}).encode())
            assert (answered.status, answered.body) == (200, answer), record["id"]
            assert upstream.requests[-1].json() == {**asked, "model": "gpt-3.5-turbo-instruct"}
            played += 1
    assert played > 30
