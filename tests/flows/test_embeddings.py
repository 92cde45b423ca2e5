"""Embeddings through the gateway: the official OpenAI SDK in front, each API behind."""

import base64
import json
import struct
from typing import Any

import openai
import pytest
from calls import Caller, GatewayFactory, booked

from pointsman.core.usage import Usage
from pointsman.testing import FakeUpstream

YAML = """
providers:
  chats: {{dialect: openai-chat, base_url: {url}/v1, api_key: $KEY}}
  local: {{dialect: ollama, base_url: {url}}}
  messages: {{dialect: anthropic-messages, base_url: {url}, api_key: $KEY}}
models:
  embedder:
    {{provider: chats, id: text-embedding-3-small, usd_per_million_input: 0.02, usd_per_million_output: 0}}
  minilm: {{provider: local, id: all-minilm}}
  claude: {{provider: messages, id: claude-opus-4-6}}
"""
VECTORS = [[0.5, -0.25, 3.0], [1.0, 2.0, -4.0]]
OPENAI_REPLY = {
    "object": "list",
    "data": [{"object": "embedding", "index": 0, "embedding": VECTORS[0]}],
    "model": "text-embedding-3-small",
    "usage": {"prompt_tokens": 5, "total_tokens": 5},
}
OLLAMA_REPLY = {"model": "all-minilm", "embeddings": VECTORS, "prompt_eval_count": 9}


@pytest.fixture
def upstream():
    with FakeUpstream.in_thread() as fake:
        yield fake


@pytest.fixture
def scene(gateway: GatewayFactory, upstream: FakeUpstream):
    return gateway(YAML.format(url=upstream.origin), KEY="sk-ours-0123456789")


def client(scene: Any) -> openai.OpenAI:
    return openai.OpenAI(api_key="any", base_url=f"{scene.url}/v1", max_retries=0)


def test_the_same_api_passes_as_bytes_and_is_booked(scene, upstream):
    answer = json.dumps(OPENAI_REPLY, indent=1).encode()
    upstream.answer(body=answer, headers=[(b"content-type", b"application/json")])
    body = b'{"input" : [[1,2,3]], "model":"embedder","encoding_format":"float", "extra":1}'
    with Caller(scene) as caller:
        answered = caller.post("/v1/embeddings", body)
    sent = upstream.requests[0]
    assert (sent.path, sent.body) == ("/v1/embeddings", body.replace(b"embedder", b"text-embedding-3-small"))
    assert sent.header("authorization") == "Bearer sk-ours-0123456789"
    assert answered.body == answer
    assert answered.headers["x-pointsman-model"] == "embedder"
    entry, attempts = booked(scene)
    assert (entry.usage, entry.outcome, len(attempts)) == (Usage(5, 0), "complete", 1)
    assert entry.price is not None
    assert entry.baseline is None  # nobody saves by it


@pytest.mark.parametrize("encoding", ["float", "base64", None])
def test_the_sdk_gets_ollamas_vectors_however_it_asks(scene, upstream, encoding):
    upstream.answer(json=OLLAMA_REPLY)
    asked = {} if encoding is None else {"encoding_format": encoding}
    reply = client(scene).embeddings.create(model="minilm", input=["a", "b"], dimensions=3, user="u", **asked)
    vectors: list[Any] = [each.embedding for each in reply.data]
    if encoding == "base64":
        vectors = [list(struct.unpack("<3f", base64.b64decode(vector))) for vector in vectors]
    assert vectors == VECTORS
    assert (reply.usage.prompt_tokens, reply.usage.total_tokens, reply.model) == (9, 9, "all-minilm")
    sent = upstream.requests[0]
    assert sent.path == "/api/embed"
    assert sent.json() == {"model": "all-minilm", "input": ["a", "b"], "truncate": False, "dimensions": 3}
    entry, _ = booked(scene)
    assert (entry.usage, entry.dropped) == (Usage(9, 0), ("user",))


@pytest.mark.parametrize(
    ("model", "fields", "says"),
    [
        ("auto", {}, "own name"),
        ("claude", {}, "has no embeddings"),
        ("minilm", {"input": [1, 2]}, "in tokens"),
        ("minilm", {"input": []}, "nothing to embed"),
    ],
)
def test_what_cannot_be_embedded_is_refused_before_anything_is_sent(scene, upstream, model, fields, says):
    with pytest.raises(openai.BadRequestError) as refused:
        client(scene).embeddings.create(**{"model": model, "input": "a", **fields})
    assert says in str(refused.value)
    assert upstream.requests == []


def test_a_simulated_model_says_that_it_only_chats(gateway):
    with pytest.raises(openai.BadRequestError) as refused:
        client(gateway("providers: {demo: {}}\nmodels: {demo-small: {provider: demo}}")).embeddings.create(
            model="demo-small", input="a"
        )
    assert "only chat" in str(refused.value)


def test_an_unknown_model_is_not_found(scene):
    with pytest.raises(openai.NotFoundError):
        client(scene).embeddings.create(model="nobody", input="a")


def test_a_providers_own_refusal_reaches_the_caller(scene, upstream):
    error = {"error": {"message": "too long", "type": "invalid_request_error", "param": "input", "code": "x"}}
    upstream.answer(json=error, status=400)
    with Caller(scene) as caller:
        answered = caller.post("/v1/embeddings", {"model": "embedder", "input": "a"})
    assert (answered.status, answered.json()) == (400, error)
    upstream.answer(json={"error": "the input length exceeds the context length"}, status=400)
    with pytest.raises(openai.BadRequestError) as refused:
        client(scene).embeddings.create(model="minilm", input="a")
    assert refused.value.code == "context_length_exceeded"


def test_fewer_vectors_than_inputs_are_a_bad_reply(scene, upstream):
    upstream.answer(json=OLLAMA_REPLY)
    with pytest.raises(openai.InternalServerError):
        client(scene).embeddings.create(model="minilm", input=["a"])
    assert booked(scene)[0].fault == "bad_reply"


def test_a_stream_is_not_made_of_vectors(scene, upstream):
    upstream.answer(json=OPENAI_REPLY)
    with Caller(scene) as caller:
        answered = caller.post("/v1/embeddings", {"model": "embedder", "input": "a", "stream": True})
    assert answered.headers["content-type"] == "application/json"
    assert answered.json() == OPENAI_REPLY
