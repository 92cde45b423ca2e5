"""Embeddings and token counts for callers of Gemini's API: the official Google SDK in front, each API behind."""

import json
from typing import Any

import pytest
from calls import Caller, GatewayFactory, booked
from google import genai
from google.genai import errors, types

from pointsman.core.usage import Usage
from pointsman.testing import FakeUpstream

YAML = """
providers:
  google: {{dialect: gemini, base_url: {url}/v1beta, api_key: $KEY}}
  chats: {{dialect: openai-chat, base_url: {url}/v1, api_key: $KEY}}
  local: {{dialect: ollama, base_url: {url}}}
  messages: {{dialect: anthropic-messages, base_url: {url}/v1, api_key: $KEY}}
models:
  vectors: {{provider: google, id: gemini-embedding-001}}
  embedder: {{provider: chats, id: text-embedding-3-small}}
  minilm: {{provider: local, id: all-minilm}}
  flash: {{provider: google, id: gemini-2.5-flash, tier: medium}}
  claude: {{provider: messages, id: claude-opus-4-6, tier: complex}}
"""
VECTORS = [[0.5, -0.25, 3.0], [1.0, 2.0, -4.0]]
GEMINI_REPLY = {
    "embeddings": [{"values": vector} for vector in VECTORS],
    "usageMetadata": {"promptTokenCount": 4},
}
OPENAI_REPLY = {
    "object": "list",
    "data": [
        {"object": "embedding", "index": index, "embedding": vector} for index, vector in enumerate(VECTORS)
    ],
    "model": "text-embedding-3-small",
    "usage": {"prompt_tokens": 5, "total_tokens": 5},
}
OLLAMA_REPLY = {"model": "all-minilm", "embeddings": VECTORS, "prompt_eval_count": 9}
SETTINGS = types.EmbedContentConfig(task_type="RETRIEVAL_QUERY", output_dimensionality=3)


@pytest.fixture
def upstream():
    with FakeUpstream.in_thread() as fake:
        yield fake


@pytest.fixture
def scene(gateway: GatewayFactory, upstream: FakeUpstream):
    return gateway(YAML.format(url=upstream.origin), KEY="sk-ours-0123456789")


def client(scene: Any, version: str = "v1beta") -> genai.Client:
    options = types.HttpOptions(base_url=scene.url, api_version=version)
    return genai.Client(api_key="any", vertexai=False, http_options=options)


@pytest.mark.parametrize("version", ["v1beta", "v1"])
def test_gemini_embeds_for_geminis_callers(scene, upstream, version):
    upstream.answer(json=GEMINI_REPLY)
    with client(scene, version) as google:
        reply = google.models.embed_content(model="vectors", contents=["a", "b"], config=SETTINGS)
    assert [each.values for each in reply.embeddings or ()] == VECTORS
    sent = upstream.requests[0]
    assert sent.path == "/v1beta/models/gemini-embedding-001:batchEmbedContents"
    assert [each["model"] for each in sent.json()["requests"]] == ["models/gemini-embedding-001"] * 2
    assert sent.header("x-goog-api-key") == "sk-ours-0123456789"
    assert booked(scene)[0].usage == Usage(4, 0)


@pytest.mark.parametrize(
    ("model", "answer", "path", "dropped", "usage"),
    [
        ("embedder", OPENAI_REPLY, "/v1/embeddings", ("taskType",), Usage(5, 0)),
        ("minilm", OLLAMA_REPLY, "/api/embed", ("taskType",), Usage(9, 0)),
    ],
)
def test_others_embed_for_geminis_callers(scene, upstream, model, answer, path, dropped, usage):
    upstream.answer(json=answer)
    with client(scene) as google:
        reply = google.models.embed_content(model=model, contents=["a", "b"], config=SETTINGS)
    assert [each.values for each in reply.embeddings or ()] == VECTORS
    sent = upstream.requests[0]
    assert (sent.path, sent.json()["input"], sent.json()["dimensions"]) == (path, ["a", "b"], 3)
    entry, _ = booked(scene)
    assert (entry.usage, entry.dropped) == (usage, dropped)


def test_one_content_is_answered_with_one_vector(scene, upstream):
    upstream.answer(json={**OPENAI_REPLY, "data": OPENAI_REPLY["data"][:1]})
    with Caller(scene) as caller:
        answered = caller.post(
            "/v1beta/models/embedder:embedContent", {"content": {"parts": [{"text": "a"}]}}
        )
    assert answered.json() == {"embedding": {"values": VECTORS[0]}, "usageMetadata": {"promptTokenCount": 5}}


@pytest.mark.parametrize(("model", "status"), [("auto", 400), ("claude", 400), ("nobody", 404)])
def test_what_cannot_be_embedded_is_refused(scene, upstream, model, status):
    with client(scene) as google, pytest.raises(errors.ClientError) as refused:
        google.models.embed_content(model=model, contents="a")
    assert refused.value.code == status
    assert upstream.requests == []


def test_openais_callers_get_geminis_vectors(scene, upstream):
    upstream.answer(json={"embeddings": [{"values": VECTORS[0]}]})
    with Caller(scene) as caller:
        answered = caller.post("/v1/embeddings", {"model": "vectors", "input": "a"})
    assert answered.json()["data"] == [{"object": "embedding", "index": 0, "embedding": VECTORS[0]}]
    assert answered.json()["usage"] is None  # this model does not tell
    assert upstream.requests[0].path == "/v1beta/models/gemini-embedding-001:batchEmbedContents"


def test_gemini_counts_for_geminis_callers(scene, upstream):
    upstream.answer(json={"totalTokens": 9})
    body = {"generateContentRequest": {"model": "models/flash", "contents": [{"parts": [{"text": "Hi"}]}]}}
    with client(scene) as google:
        assert google.models.count_tokens(model="flash", contents="Hi").total_tokens == 9
    with Caller(scene) as caller:
        answered = caller.post("/v1beta/models/flash:countTokens?key=x", body)
    assert answered.json() == {"totalTokens": 9}
    first, second = upstream.requests
    assert first.path == second.path == "/v1beta/models/gemini-2.5-flash:countTokens"
    assert second.body == json.dumps(body).replace("models/flash", "models/gemini-2.5-flash").encode()


@pytest.mark.parametrize("model", ["claude", "embedder", "auto"])
def test_every_other_model_gets_an_estimate(scene, upstream, model):
    upstream.answer(json={}, status=500)
    with client(scene) as google:
        found = google.models.count_tokens(model=model, contents="What is the capital of France?")
    assert found.total_tokens is not None
    assert 8 < found.total_tokens < 60


def test_an_estimate_for_geminis_callers_is_marked(scene):
    with Caller(scene) as caller:
        answered = caller.post(
            "/v1beta/models/claude:countTokens", {"contents": [{"parts": [{"text": "Hi"}]}]}
        )
    assert answered.headers["x-pointsman-estimated"] == "true"
    assert set(answered.json()) == {"totalTokens"}
