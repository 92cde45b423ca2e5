"""Lists of models as servers really give them, over real sockets."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.fleet.listed import Listed, Rates, is_wanted, seems_to_write_text
from pointsman.lab.scripted import FakeUpstream, Received, Scripted, scripted
from pointsman.upstream.discovery import NoList, list_models
from pointsman.upstream.listings import NotAList, read_litellm, read_ollama, read_ollama_shown, read_openai
from pointsman.upstream.provider import Provider

VLLM = {
    "object": "list",
    "data": [
        {
            "id": "Qwen/Qwen3-30B-A3B",
            "object": "model",
            "created": 1,
            "owned_by": "vllm",
            "root": "Qwen/Qwen3-30B-A3B",
            "parent": None,
            "max_model_len": 40960,
            "permission": [],
        }
    ],
}
LLAMA_CPP = {
    "models": [{"name": "local.gguf", "model": "local.gguf"}],
    "object": "list",
    "data": [
        {
            "id": "local.gguf",
            "object": "model",
            "owned_by": "llamacpp",
            "meta": {
                "vocab_type": 2,
                "n_vocab": 128256,
                "n_ctx_train": 131072,
                "n_embd": 4096,
                "n_params": 8030261312,
                "size": 4912898304,
            },
        }
    ],
}
OPENROUTER = {
    "data": [
        {
            "id": "qwen/qwen3-coder",
            "context_length": 262144,
            "architecture": {
                "modality": "text->text",
                "input_modalities": ["text", "image"],
                "output_modalities": ["text"],
            },
            "pricing": {
                "prompt": "0.00000022",
                "completion": "0.00000095",
                "request": "0",
                "input_cache_read": "0.00000002",
            },
            "top_provider": {"context_length": 262144, "max_completion_tokens": 65536, "is_moderated": False},
            "supported_parameters": ["max_tokens", "tools", "structured_outputs"],
        },
        {"id": "openrouter/auto", "context_length": 2000000, "pricing": {"prompt": "-1", "completion": "-1"}},
        {
            "id": "google/gemini-image",
            "architecture": {"input_modalities": ["text"], "output_modalities": ["image"]},
            "pricing": {"prompt": "0.0000003", "completion": "0.0000025"},
        },
    ]
}
GROQ = {
    "object": "list",
    "data": [
        {
            "id": "llama-3.3-70b-versatile",
            "active": True,
            "context_window": 131072,
            "max_completion_tokens": 32768,
        },
        {"id": "whisper-large-v3", "active": True, "context_window": 448},
        {"id": "gone-8b", "active": False},
    ],
}
MISTRAL = {
    "data": [
        {
            "id": "mistral-small-2506",
            "max_context_length": 131072,
            "capabilities": {
                "completion_chat": True,
                "function_calling": True,
                "vision": True,
                "completion_fim": False,
            },
        },
        {"id": "mistral-embed", "capabilities": {"completion_chat": False, "function_calling": False}},
    ]
}
TOGETHER = [
    {
        "id": "meta-llama/Llama-3.3-70B-Instruct-Turbo",
        "type": "chat",
        "context_length": 131072,
        "pricing": {"input": 0.88, "output": 0.88},
    },
    {"id": "BAAI/bge-large-en-v1.5", "type": "embedding", "context_length": 512},
]
LITELLM = {
    "data": [
        {
            "model_name": "fast",
            "litellm_params": {"model": "openai/gpt-4o-mini"},
            "model_info": {
                "id": "1",
                "mode": "chat",
                "max_tokens": 16384,
                "max_input_tokens": 128000,
                "max_output_tokens": 16384,
                "input_cost_per_token": 1.5e-07,
                "output_cost_per_token": 6e-07,
                "cache_read_input_token_cost": 7.5e-08,
                "supports_vision": True,
                "supports_function_calling": True,
                "supports_response_schema": True,
                "supports_audio_input": None,
            },
        },
        {
            "model_name": "fast",
            "litellm_params": {"model": "azure/x"},
            "model_info": {"id": "2", "mode": "chat"},
        },
        {
            "model_name": "home",
            "model_info": {"id": "3", "mode": None, "input_cost_per_token": 0, "output_cost_per_token": 0},
        },
        {"model_name": "vectors", "model_info": {"id": "4", "mode": "embedding"}},
        {"model_name": "anthropic/*", "model_info": {"id": "5", "mode": "chat"}},
    ]
}
TAGS = {
    "models": [
        {
            "name": "qwen3:30b-a3b",
            "details": {"family": "qwen3moe", "parameter_size": "30.5B", "quantization_level": "Q4_K_M"},
        },
        {"name": "nomic-embed-text:latest", "details": {"family": "nomic-bert", "parameter_size": "137M"}},
        {
            "name": "kimi-k2:1t-cloud",
            "remote_host": "https://ollama.com:443",
            "details": {"parameter_size": "1T"},
        },
    ]
}
SHOWN = {
    "details": {"parameter_size": "30.5B", "quantization_level": "Q4_K_M"},
    "model_info": {
        "general.architecture": "qwen3moe",
        "general.parameter_count": 30532122624,
        "qwen3moe.context_length": 40960,
    },
    "capabilities": ["completion", "tools", "thinking"],
}


def provider(upstream: FakeUpstream, **more: Any) -> Provider:
    return Provider(**{"name": "p", "dialect": "openai-chat", "base_url": upstream.base_url, **more})


def of(listed: tuple[Listed, ...], model_id: str) -> Listed:
    return next(one for one in listed if one.id == model_id)


async def ask(upstream: FakeUpstream, **more: Any) -> tuple[Listed, ...]:
    import asyncio

    timeout_s = more.pop("timeout_s", 20.0)
    return await asyncio.to_thread(list_models, provider(upstream, **more), timeout_s)


async def test_vllm_tells_the_context_size() -> None:
    async with FakeUpstream() as upstream:
        upstream.answer(json=VLLM)
        (found,) = await ask(upstream, api_key="sk-1")

        assert (found.id, found.context_tokens) == ("Qwen/Qwen3-30B-A3B", 40960)
        assert upstream.requests[0].method == "GET"
        assert upstream.requests[0].path == "/v1/models"
        assert upstream.requests[0].header("authorization") == "Bearer sk-1"


def test_llama_cpp_tells_how_many_parameters_there_are() -> None:
    (found,) = read_openai(LLAMA_CPP)

    assert found.billions == pytest.approx(8.03, abs=0.01)
    assert found.context_tokens == 131072


def test_openrouter_tells_prices_and_abilities() -> None:
    listed = read_openai(OPENROUTER)
    coder = of(listed, "qwen/qwen3-coder")

    assert coder.rates == Rates(Decimal("0.22"), Decimal("0.95"), Decimal("0.02"))
    assert coder.abilities == {"vision", "tools", "json_schema"}
    assert (coder.context_tokens, coder.max_output_tokens) == (262144, 65536)
    assert of(listed, "openrouter/auto").rates is None
    assert not of(listed, "google/gemini-image").writes_text


def test_groq_mistral_and_together_tell_it_in_their_own_words() -> None:
    groq, mistral, together = map(read_openai, (GROQ, MISTRAL, TOGETHER))

    assert [one.id for one in groq if one.writes_text] == ["llama-3.3-70b-versatile"]
    assert (groq[0].context_tokens, groq[0].max_output_tokens) == (131072, 32768)
    assert [one.id for one in mistral if one.writes_text] == ["mistral-small-2506"]
    assert mistral[0].abilities == {"tools", "vision", "json_schema"}
    assert [one.id for one in together if one.writes_text] == ["meta-llama/Llama-3.3-70B-Instruct-Turbo"]
    assert together[0].rates is None, "its numbers are per million, and another field"


async def test_litellm_tells_what_it_knows_of_each_model() -> None:
    def answer(request: Received) -> Scripted:
        if request.path == "/model/info":
            return scripted(json=LITELLM)
        names = ["fast", "home", "vectors", "team-only"]
        return scripted(json={"data": [{"id": name, "object": "model"} for name in names]})

    async with FakeUpstream() as upstream:
        upstream.answer_with(answer)
        listed = await ask(upstream, name="litellm")

    fast = of(listed, "fast")
    assert fast.rates == Rates(Decimal("0.15"), Decimal("0.6"), Decimal("0.075"))
    assert fast.abilities == {"vision", "tools", "json_schema"}
    assert (fast.context_tokens, fast.max_output_tokens) == (128000, 16384)
    assert of(listed, "home").rates is None, "it says 0 for what it does not know"
    assert not of(listed, "vectors").writes_text
    assert [one.id for one in listed] == ["fast", "home", "vectors", "team-only"]


async def test_litellm_that_tells_only_names_is_taken_at_them() -> None:
    def answer(request: Received) -> Scripted:
        if request.path == "/model/info":
            return scripted(json={"error": "admins only"}, status=403)
        return scripted(json={"data": [{"id": "fast"}]})

    async with FakeUpstream() as upstream:
        upstream.answer_with(answer)
        assert [one.id for one in await ask(upstream, name="litellm")] == ["fast"]


async def test_ollama_is_asked_for_each_model() -> None:
    def answer(request: Received) -> Scripted:
        if request.path == "/api/tags":
            return scripted(json=TAGS)
        if request.json()["model"] == "qwen3:30b-a3b":
            return scripted(json=SHOWN)
        return scripted(json={"error": "model not found"}, status=404)

    async with FakeUpstream() as upstream:
        upstream.answer_with(answer)
        listed = await ask(upstream, dialect="ollama", base_url=upstream.origin, credential_header="none")

    qwen = of(listed, "qwen3:30b-a3b")
    assert qwen.billions == pytest.approx(30.53, abs=0.01)
    assert qwen.context_tokens == 40960
    assert qwen.abilities == {"tools", "thinking", "json_schema"}
    assert qwen.rates == Rates(Decimal(0), Decimal(0))
    assert not of(listed, "nomic-embed-text:latest").writes_text
    cloud = of(listed, "kimi-k2:1t-cloud")
    assert (cloud.rates, cloud.billions) == (None, 1000.0)


def test_ollama_that_says_what_a_model_is_for_is_believed() -> None:
    listed = Listed("vectors")

    assert not read_ollama_shown(listed, {"capabilities": ["embedding"]}).writes_text


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (scripted(json={"error": "no"}, status=401), "401"),
        (scripted(body=b"<html>"), "JSON"),
        (scripted(json={"data": 5}), "no list"),
        (scripted(json=[1, "x"]), ""),
        (scripted(raw=b"", ending="close"), "cannot be asked"),
        (scripted(body=b"{}", cut_after_bytes=0, ending="stall"), "cannot be asked"),
    ],
)
async def test_whoever_gives_no_list_is_told_why(answer: Scripted, word: str) -> None:
    async with FakeUpstream() as upstream:
        upstream.answer_with(lambda request: answer)
        if word:
            with pytest.raises(NoList, match=word) as caught:
                await ask(
                    upstream, api_key="sk-very-secret", timeout_s=0.5 if answer.ending == "stall" else 60
                )
            assert "sk-very-secret" not in str(caught.value)
        else:
            assert await ask(upstream) == ()


def test_nobody_there_is_told() -> None:
    nobody = Provider("p", "openai-chat", "http://127.0.0.1:1/v1")

    with pytest.raises(NoList, match="ConnectionRefusedError"):
        list_models(nobody, 5.0)


@pytest.mark.parametrize(
    "model_id",
    [
        "text-embedding-3-small",
        "BAAI/bge-m3",
        "whisper-1",
        "tts-1-hd",
        "rerank-v3.5",
        "jina-reranker-v2",
        "dall-e-3",
        "nomic-embed-text",
        "omni-moderation-latest",
        "gpt-4o-transcribe",
        "mxbai-embed-large:latest",
        "llama-guard-3-8b",
        "sora-2",
        "mistral-ocr-latest",
    ],
)
def test_what_writes_no_text_is_known_by_its_name(model_id: str) -> None:
    assert not seems_to_write_text(model_id)


@pytest.mark.parametrize(
    "model_id", ["gpt-4o-mini", "qwen3:8b", "embedded-dev/coder", "deepseek-r1", "o3", "command-r"]
)
def test_what_writes_text_is_not_taken_for_something_else(model_id: str) -> None:
    assert seems_to_write_text(model_id)


@pytest.mark.parametrize(
    ("allow", "block", "wanted"),
    [
        ((), (), True),
        (("qwen*",), (), True),
        (("QWEN3:*",), (), True),
        (("llama*",), (), False),
        ((), ("*30b*",), False),
        (("qwen*",), ("*-a3b",), False),
    ],
)
def test_block_has_the_last_word(allow: tuple[str, ...], block: tuple[str, ...], wanted: bool) -> None:
    assert is_wanted("qwen3:30b-a3b", allow, block) is wanted


def test_names_that_cannot_be_asked_for_are_left_out() -> None:
    assert read_openai({"data": [{"id": ""}, {"id": "two words"}, {"id": 5}, {}, {"id": "ok"}]}) == (
        Listed("ok"),
    )


json_values: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "id",
                    "data",
                    "models",
                    "name",
                    "details",
                    "model_info",
                    "capabilities",
                    "pricing",
                    "prompt",
                    "completion",
                    "meta",
                    "n_params",
                    "top_provider",
                    "architecture",
                    "input_modalities",
                    "output_modalities",
                    "supported_parameters",
                    "model_name",
                    "mode",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=30,
)


@given(json_values)
def test_any_json_is_a_list_or_is_none(body: Any) -> None:
    for read in (read_openai, read_litellm, read_ollama):
        try:
            listed = read(body)
        except NotAList:
            continue
        assert all(isinstance(one, Listed) for one in listed)
    assert isinstance(read_ollama_shown(Listed("x"), body), Listed)
    json.dumps(body)


def test_litellm_as_it_really_answers() -> None:
    recorded = json.loads((Path(__file__).parents[1] / "golden" / "listings" / "litellm.json").read_text())
    listed = read_litellm(recorded["model_info"])

    fast = of(listed, "fast")
    assert fast.rates == Rates(Decimal("0.15"), Decimal("0.6"), Decimal("0.075"))
    assert (fast.context_tokens, fast.max_output_tokens) == (128000, 16384)
    assert fast.abilities is not None
    assert {"vision", "tools", "json_schema"} <= fast.abilities
    assert not of(listed, "vectors").writes_text
    assert of(listed, "home").rates is None
    assert {one.id for one in read_openai(recorded["models"])} == {"fast", "vectors", "home"}
