"""Embeddings in every API, recorded and made up: what is asked, what comes back, and what crosses from one to another."""

import base64
import contextlib
import json
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recordings import recorded, request_body, whole_answer

from pointsman.core.embeddings import EmbeddingRequest, Embeddings
from pointsman.core.errors import BadRequest, ClientError, Unsupported, UpstreamError, UpstreamFault
from pointsman.core.model_card import ModelCard
from pointsman.core.usage import Usage
from pointsman.wire.embeddings.contract import ClientEmbeddings, ProviderEmbeddings, packed, unpacked
from pointsman.wire.embeddings.gemini import GEMINI, GEMINI_BATCH_CLIENT, GEMINI_CLIENT
from pointsman.wire.embeddings.ollama import OLLAMA
from pointsman.wire.embeddings.openai import OPENAI, OPENAI_CLIENT
from pointsman.wire.envelope import Address, Envelope, read_envelope

NOT_OF_THESE_APIS = {
    "gemini-embed-ea274d37d021": "Vertex AI's older :predict",
    "openai-embeddings-7614915067d2": "Ollama's older /api/embeddings",
}

CARD = ModelCard("vectors", "somebody", "embed-1")
TWO = Embeddings(((0.5, -1.0), (0.25, 3.0)), Usage(7, 0))
FLOATS_32 = st.floats(width=32, allow_nan=False, allow_infinity=False)


def asked(**fields: Any) -> Envelope:
    return read_envelope(json.dumps({"model": "vectors", **fields}).encode())


def asked_google(body: dict[str, Any]) -> Envelope:
    return read_envelope(json.dumps(body).encode(), Address("vectors", stream=False))


def answered(body: Any) -> bytes:
    return json.dumps(body).encode()


# the numbers


@given(st.lists(FLOATS_32).map(tuple))
def test_packed_numbers_come_back_exactly(vector):
    assert unpacked(packed(vector)) == vector
    assert packed(vector) == base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


@given(st.text() | st.binary().map(lambda data: base64.b64encode(data).decode()))
def test_any_text_is_numbers_or_an_upstreams_fault(text):
    with contextlib.suppress(UpstreamError):
        assert len(text) == (4 * len(unpacked(text)) + 2) // 3 * 4


def test_a_number_too_large_for_its_packing_is_an_upstreams_fault():
    with pytest.raises(UpstreamError):
        packed((1e300,))


# OpenAI


@pytest.mark.parametrize(
    ("given_", "inputs"),
    [
        ("text", ("text",)),
        (["a", "b"], ("a", "b")),
        ([1, 2], ((1, 2),)),
        ([[1], [2, 3]], ((1,), (2, 3))),
    ],
)
def test_input_comes_in_four_shapes(given_, inputs):
    assert OPENAI_CLIENT.decode_request(asked(input=given_)).inputs == inputs


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({}, "input"),
        ({"input": []}, "input"),
        ({"input": 7}, "input"),
        ({"input": ["a", 1]}, "input"),
        ({"input": "a", "encoding_format": "hex"}, "encoding_format"),
        ({"input": "a", "dimensions": "many"}, "dimensions"),
    ],
)
def test_a_malformed_request_names_its_field(fields, param):
    with pytest.raises(BadRequest) as refused:
        OPENAI_CLIENT.decode_request(asked(**fields))
    assert refused.value.param == param


def test_the_answer_is_encoded_as_it_was_asked_for():
    floats = json.loads(OPENAI_CLIENT.encode_reply(TWO, asked(input=["a", "b"]), "embed-1"))
    coded = json.loads(
        OPENAI_CLIENT.encode_reply(TWO, asked(input=["a", "b"], encoding_format="base64"), "embed-1")
    )
    assert [each["embedding"] for each in floats["data"]] == [[0.5, -1.0], [0.25, 3.0]]
    assert [struct.unpack("<2f", base64.b64decode(each["embedding"])) for each in coded["data"]] == [
        (0.5, -1.0),
        (0.25, 3.0),
    ]
    assert floats["usage"] == {"prompt_tokens": 7, "total_tokens": 7}
    assert (floats["object"], floats["model"], floats["data"][1]["index"]) == ("list", "embed-1", 1)


def test_what_was_used_is_not_made_up():
    silent = replace(TWO, usage=None)
    assert json.loads(OPENAI_CLIENT.encode_reply(silent, asked(input="a"), "m"))["usage"] is None
    assert "usageMetadata" not in json.loads(GEMINI_BATCH_CLIENT.encode_reply(silent, asked_google({}), "m"))


def test_vectors_are_in_the_order_of_their_index():
    body = answered({"data": [{"index": 1, "embedding": [2.0]}, {"index": 0, "embedding": "AACAPw=="}]})
    assert OPENAI.decode_reply(body, 2).vectors == ((1.0,), (2.0,))


@pytest.mark.parametrize("api", [OPENAI, OLLAMA, GEMINI], ids=lambda api: api.name)
@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"{}", b"[]", b'{"error":"no"}', b'{"error":{"message":"no"}}', b"[" * 9999]
)
def test_an_answer_without_vectors_is_an_upstreams_fault(api, body):
    with pytest.raises(UpstreamError) as failed:
        api.decode_reply(body, 1)
    assert failed.value.fault is UpstreamFault.BAD_REPLY


@pytest.mark.parametrize("client", [OPENAI_CLIENT, GEMINI_CLIENT])
@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"error":{"message":"no"}}'])
def test_a_relayed_answer_without_vectors_is_an_upstreams_fault(client, body):
    with pytest.raises(UpstreamError):
        client.read_usage(body)


@pytest.mark.parametrize(
    ("api", "body"),
    [
        (OPENAI, {"data": [{"embedding": [1.0]}]}),
        (OLLAMA, {"embeddings": [[1.0]]}),
        (GEMINI, {"embeddings": [{"values": [1.0]}]}),
    ],
)
def test_a_missing_vector_is_an_upstreams_fault(api, body):
    with pytest.raises(UpstreamError):
        api.decode_reply(answered(body), 2)


# crossing


def test_ollama_is_asked_not_to_cut():
    request = EmbeddingRequest("vectors", ("a", "b"), dimensions=64, user="u", task="CLUSTERING")
    encoded = OLLAMA.encode_request(request, replace(CARD, context_tokens=2048))
    assert json.loads(encoded.body) == {
        "model": "embed-1",
        "input": ["a", "b"],
        "truncate": False,
        "dimensions": 64,
        "options": {"num_ctx": 2048},
    }
    assert encoded.dropped == ("user", "taskType")


def test_gemini_gets_each_text_with_its_settings():
    request = EmbeddingRequest("vectors", ("a", "b"), 64, "RETRIEVAL_DOCUMENT", ("T", None), "u")
    encoded = GEMINI.encode_request(request, CARD)
    common = {"model": "models/embed-1", "taskType": "RETRIEVAL_DOCUMENT", "outputDimensionality": 64}
    assert json.loads(encoded.body) == {
        "requests": [
            {**common, "content": {"parts": [{"text": "a"}]}, "title": "T"},
            {**common, "content": {"parts": [{"text": "b"}]}},
        ]
    }
    assert encoded.dropped == ("user",)
    assert GEMINI.endpoint("embed-1") == "/models/embed-1:batchEmbedContents"
    assert GEMINI.endpoint("tunedModels/x") == "/tunedModels/x:batchEmbedContents"


def test_openai_is_told_what_it_knows():
    request = EmbeddingRequest("vectors", ("a", (1, 2)), 64, "CLUSTERING", ("T",), "u", {"extra": 1})
    encoded = OPENAI.encode_request(request, CARD)
    assert json.loads(encoded.body) == {
        "model": "embed-1",
        "input": ["a", [1, 2]],
        "dimensions": 64,
        "user": "u",
    }
    assert encoded.dropped == ("taskType", "title", "extra")


@pytest.mark.parametrize("api", [OLLAMA, GEMINI], ids=lambda api: api.name)
def test_tokens_are_refused_by_those_with_another_tokenizer(api: ProviderEmbeddings):
    with pytest.raises(Unsupported) as refused:
        api.encode_request(OPENAI_CLIENT.decode_request(asked(input=[1, 2])), CARD)
    assert refused.value.param == "input"


def test_another_type_of_vector_is_refused():
    request = OPENAI_CLIENT.decode_request(asked(input="a", output_dtype="int8"))
    with pytest.raises(Unsupported) as refused:
        OLLAMA.encode_request(request, CARD)
    assert refused.value.param == "output_dtype"


# Gemini's callers


@pytest.mark.parametrize(
    "one",
    [
        {"content": {"parts": [{"text": "a"}, {"text": "b"}]}, "taskType": "CLUSTERING", "outputDimensionality": 8},
        {"content": {"parts": [{"text": "a"}, {"text": "b"}]}, "task_type": "CLUSTERING", "output_dimensionality": 8},
    ],
)  # fmt: skip
def test_both_spellings_and_both_verbs_mean_the_same(one):
    single = GEMINI_CLIENT.decode_request(asked_google(one))
    batch = GEMINI_BATCH_CLIENT.decode_request(
        asked_google({"requests": [{"model": "models/vectors", **one}]})
    )
    assert single == batch
    assert (single.inputs, single.task, single.dimensions) == (("a\nb",), "CLUSTERING", 8)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"requests": []},
        {"requests": [7]},
        {"requests": [{"content": {"parts": []}}]},
        {"requests": [{"content": {"parts": [{"inlineData": {}}]}}]},
        {"requests": [{"content": {"parts": [{"text": "a"}]}, "outputDimensionality": "8"}]},
        {
            "requests": [
                {"content": {"parts": [{"text": "a"}]}, "taskType": task} for task in ("CLUSTERING", None)
            ]
        },
    ],
)
def test_what_is_malformed_or_googles_alone_is_refused(body):
    with pytest.raises(ClientError) as refused:
        GEMINI_BATCH_CLIENT.decode_request(asked_google(body))
    assert refused.value.param


def test_forwarded_bytes_differ_in_the_model_alone():
    body = b'{ "requests" : [ {"model":"models/vectors", "content":{}} ,\n{"content":{},"model": "x"}, {} ] , "z":1}'
    envelope = read_envelope(body, Address("vectors", stream=False))
    assert GEMINI_BATCH_CLIENT.forwarded(envelope, "embed-1") == body.replace(
        b'"models/vectors"', b'"models/embed-1"'
    ).replace(b'"x"', b'"models/embed-1"')
    assert GEMINI_BATCH_CLIENT.forwarded_endpoint("embed-1") == "/models/embed-1:batchEmbedContents"
    assert GEMINI_CLIENT.forwarded_endpoint("embed-1") == "/models/embed-1:embedContent"
    odd = read_envelope(b'{"requests":7}', Address("vectors", stream=False))
    assert GEMINI_BATCH_CLIENT.forwarded(odd, "embed-1") == odd.body
    openai = b'{"input": "a",  "model":"vectors" }'
    assert OPENAI_CLIENT.forwarded(read_envelope(openai), "embed-1") == openai.replace(b"vectors", b"embed-1")


@given(st.recursive(st.none() | st.integers() | st.text() | st.booleans(), lambda x: st.lists(x) | st.dictionaries(st.sampled_from(["requests", "content", "parts", "text", "input", "taskType"]), x)))  # fmt: skip
def test_any_json_is_read_or_refused(value):
    for client in (OPENAI_CLIENT, GEMINI_CLIENT, GEMINI_BATCH_CLIENT):
        for body in ({"input": value}, {"requests": value}, {"requests": [value]}, {"content": value}):
            envelope = read_envelope(answered({"model": "vectors", **body}))
            with contextlib.suppress(ClientError):
                client.decode_request(envelope)
            client.forwarded(envelope, "embed-1")


# recordings


def recordings_of(shared: Path, endpoint: str) -> list[tuple[dict[str, Any], bytes]]:
    return [
        (record, body)
        for record in recorded(shared, "embeddings", endpoint)
        if record["response"]["status"] == 200 and (body := whole_answer(record)) is not None
    ]


def test_every_recorded_answer_is_read_and_written_again(shared: Path):
    count = 0
    apis: tuple[tuple[str, ProviderEmbeddings, ClientEmbeddings | None], ...] = (
        ("openai.embeddings", OPENAI, OPENAI_CLIENT),
        ("gemini.embed", GEMINI, GEMINI_BATCH_CLIENT),
        ("ollama.embed", OLLAMA, None),
    )
    for endpoint, api, client in apis:
        for record, body in recordings_of(shared, endpoint):
            if record["id"] in NOT_OF_THESE_APIS:
                continue
            told = record["response"]["body"]
            data = told.get("data") or told.get("embeddings") or [told["embedding"]]
            if "response:embedding_b64" in record["elided"]:
                for each in data:  # cut where the recording was shortened
                    each["embedding"] = each["embedding"][: len(each["embedding"]) // 16 * 16]
                body = answered(told)  # noqa: PLW2901 - the same answer, whole again
            found = api.decode_reply(body, len(data))
            used = told.get("usage", told.get("usageMetadata", told)) or {}
            names = ("prompt_tokens", "promptTokenCount", "prompt_eval_count")
            assert (found.usage and found.usage.input_tokens) == next(
                (used[name] for name in names if name in used), None
            )
            if client is not None:
                assert client.read_usage(body) == found.usage
                again = client.encode_reply(found, asked(input="a", encoding_format="float"), "m")
                assert api.decode_reply(again, len(data)) == found
            count += 1
    assert count == 57


def test_every_recorded_request_is_read_and_written_again(shared: Path):
    count = 0
    for record in recorded(shared, "embeddings", "openai.embeddings"):
        body = request_body(record)
        if body is None or record["response"]["status"] != 200 or record["id"] in NOT_OF_THESE_APIS:
            continue
        request = OPENAI_CLIENT.decode_request(read_envelope(body))
        written = OPENAI.encode_request(request, CARD).body
        assert OPENAI_CLIENT.decode_request(read_envelope(written)) == replace(
            request, model="embed-1", foreign={}
        )
        assert not request.foreign
        count += 1
    for record in recorded(shared, "embeddings", "gemini.embed"):
        body = request_body(record)
        if body is None or "batch" not in record["request"]["path"]:
            continue
        request = GEMINI_BATCH_CLIENT.decode_request(read_envelope(body, Address("vectors", stream=False)))
        sent = record["request"]["body"]
        for one in sent["requests"]:
            one["model"] = "models/embed-1"
        assert json.loads(GEMINI.encode_request(request, CARD).body) == sent
        count += 1
    assert count == 45
