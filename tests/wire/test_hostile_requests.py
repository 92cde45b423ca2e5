"""Requests that no honest client sends. What each of them once did to a decoder or encoder is in the name of its test."""

import json
from typing import Any

import pytest

from pointsman.core.errors import BadRequest, ClientError, Unsupported
from pointsman.core.model_card import ModelCard
from pointsman.core.request import Message, Request, Sampling, Text, ToolCall, ToolResult
from pointsman.wire.anthropic_messages import ANTHROPIC_MESSAGES
from pointsman.wire.dialect import Dialect
from pointsman.wire.embeddings.gemini import GEMINI_BATCH_CLIENT, GEMINI_CLIENT
from pointsman.wire.embeddings.openai import OPENAI_CLIENT
from pointsman.wire.envelope import Address, Envelope, read_envelope
from pointsman.wire.gemini import GEMINI
from pointsman.wire.openai_chat import OPENAI_CHAT
from pointsman.wire.openai_responses import OPENAI_RESPONSES

CARD = ModelCard("m", "here", "a-model")


def of_google(body: bytes) -> Envelope:
    return read_envelope(body, Address("m", stream=False))


def chat(**fields: Any) -> Request:
    body = {"model": "m", "messages": [{"role": "user", "content": "a"}], **fields}
    return OPENAI_CHAT.decode_request(read_envelope(json.dumps(body).encode()))


def tool(name: str, schema: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": schema}}


# numbers that no number can hold


@pytest.mark.parametrize("number", [b"1E400", b"-1e400", b"9" * 5000])
@pytest.mark.parametrize(
    "body",
    [
        b'{"contents":[{"parts":[{"text":"a"}]}],"unknown":%b}',
        b'{"contents":[{"parts":[{"text":"a"}]}],"generationConfig":{"responseModalities":%b}}',
        b'{"contents":[{"parts":[{"text":"a"}]}],"generationConfig":{"unknown":{"a":[%b]}}}',
        b'{"contents":[{"parts":[{"text":"a"}]}],"toolConfig":{"unknown":%b}}',
    ],
)
def test_a_number_out_of_range_is_a_gemini_callers_fault(body, number):
    with pytest.raises(BadRequest):
        GEMINI.decode_request(of_google(body % number))


def test_a_number_out_of_range_is_the_fault_of_who_wants_vectors():
    with pytest.raises(BadRequest):
        OPENAI_CLIENT.decode_request(read_envelope(b'{"model":"m","input":"a","unknown":1E400}'))
    for client in (GEMINI_CLIENT, GEMINI_BATCH_CLIENT):
        with pytest.raises(BadRequest):
            client.decode_request(of_google(b'{"unknown":[1E400]}'))


@pytest.mark.parametrize("kind", [{}, [], None, 1, "enabled"])
def test_thinking_of_any_kind_is_read_for_routing(kind):
    body = {"model": "m", "messages": [{"role": "user", "content": "a"}], "thinking": {"type": kind}}
    prompt = OPENAI_CHAT.read_prompt(read_envelope(json.dumps(body).encode()))
    assert prompt.wants_thinking is (kind == "enabled")


@pytest.mark.parametrize("tier", [[], {}, 1, "unknown"])
def test_a_tier_that_is_none_is_named_as_left_out(tier):
    body = {"model": "m", "input": "a", "service_tier": tier}
    request = OPENAI_RESPONSES.decode_request(read_envelope(json.dumps(body).encode()))
    encoded = OPENAI_RESPONSES.encode_request(request, CARD)
    assert "service_tier" not in json.loads(encoded.body)
    assert "service_tier" in encoded.dropped


# schemas


def test_a_deep_schema_is_read_level_by_level():
    schema: Any = {"type": "string"}
    for _ in range(300):
        schema = {"anyOf": [schema]}
    body = {
        "model": "m",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": "a"}],
        "output_config": {"format": {"type": "json_schema", "schema": schema}},
    }
    request = ANTHROPIC_MESSAGES.decode_request(read_envelope(json.dumps(body).encode()))
    assert request.output_format is not None
    assert request.output_format.strict is True


@pytest.mark.parametrize("required", [[[]], [{}], 6, "a", {"a": 1}, [1, None]])
def test_required_names_that_are_no_names_leave_a_schema_open(required):
    schema = {"properties": {"a": {}}, "additionalProperties": False, "required": required}
    body = {
        "model": "m",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": "a"}],
        "output_config": {"format": {"type": "json_schema", "schema": schema}},
    }
    request = ANTHROPIC_MESSAGES.decode_request(read_envelope(json.dumps(body).encode()))
    assert request.output_format is not None
    assert request.output_format.strict is None


@pytest.mark.parametrize(
    ("properties", "required"), [([{"a": 1}], ["a"]), ("a", ["a"]), ({"a": {}}, [[]]), ({"a": {}}, {"a": 1}), ({"a": {}}, "a")]
)  # fmt: skip
def test_properties_that_are_none_leave_a_tool_open(properties, required):
    schema = {"type": "object", "additionalProperties": False, "properties": properties, "required": required}
    tools = [{"type": "function", "name": "f", "parameters": schema}]
    body = {"model": "m", "input": "a", "tools": tools}
    (read,) = OPENAI_RESPONSES.decode_request(read_envelope(json.dumps(body).encode())).tools
    assert not read.strict


def test_required_names_that_are_no_names_are_not_merged():
    parts = [
        {"required": ["a"]},
        {"required": [[], "b", "a"]},
        {"properties": {"a": {}}},
        {"properties": {"b": {}}},
    ]
    encoded = GEMINI.encode_request(chat(tools=[tool("f", {"type": "object", "allOf": parts})]), CARD)
    (declared,) = json.loads(encoded.body)["tools"][0]["functionDeclarations"]
    assert declared["parametersJsonSchema"]["required"] == ["a", "b"]
    assert list(declared["parametersJsonSchema"]["properties"]) == ["a", "b"]


def doubling(levels: int) -> dict[str, Any]:
    """References that become 2 ** levels objects when they are written out."""
    steps = {f"d{n}": {"anyOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(levels)}
    last = {f"d{levels}": {"type": "string"}}
    return {"type": "object", "properties": {"a": {"$ref": "#/$defs/d0"}}, "$defs": steps | last}


def test_references_of_all_tools_together_are_bounded():
    one = GEMINI.encode_request(chat(tools=[tool("f", doubling(10))]), CARD)
    assert len(one.body) > 2**10
    with pytest.raises(BadRequest) as caught:
        GEMINI.encode_request(chat(tools=[tool(f"f{n}", doubling(10)) for n in range(20)]), CARD)
    assert "references" in caught.value.message


def test_a_large_value_behind_many_references_is_bounded():
    properties = {f"p{n}": {"$ref": "#/$defs/d"} for n in range(100)}
    schema = {"type": "object", "properties": properties, "$defs": {"d": {"enum": ["x" * 100] * 200}}}
    with pytest.raises(BadRequest):
        GEMINI.encode_request(chat(tools=[tool("f", schema)]), CARD)


def test_large_schemas_without_references_are_not_bounded():
    schema = {"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(500)}}
    encoded = GEMINI.encode_request(chat(tools=[tool(f"f{n}", schema) for n in range(50)]), CARD)
    assert len(json.loads(encoded.body)["tools"][0]["functionDeclarations"]) == 50


# calls and their results


def test_calls_of_one_id_keep_their_order_and_get_ids_of_their_own():
    calls = tuple(ToolCall("c", "f", f'{{"n":{n}}}') for n in range(4))
    results = tuple(ToolResult("c", (Text(str(n)),)) for n in range(4))
    turns = (Message("user", (Text("a"),)), Message("assistant", calls), Message("user", results))
    sent = json.loads(ANTHROPIC_MESSAGES.encode_request(Request("m", (*turns, *turns[1:])), CARD).body)[
        "messages"
    ]
    made = [block["id"] for turn in sent if turn["role"] == "assistant" for block in turn["content"]]
    answered = [block["tool_use_id"] for turn in sent[2::2] for block in turn["content"]]
    assert made == answered == ["c", *(f"c_{n}" for n in range(2, 9))]


@pytest.mark.parametrize("encoder", [ANTHROPIC_MESSAGES, GEMINI])
def test_a_result_of_a_call_long_answered_is_refused(encoder: Dialect):
    call, result = ToolCall("c", "f", "{}"), ToolResult("c", (Text("r"),))
    turns = (Message("user", (Text("a"),)), Message("assistant", (call,)), Message("user", (result,)))
    again = (Message("assistant", (Text("b"),)), Message("user", (result,)))
    with pytest.raises(ClientError):
        encoder.encode_request(Request("m", turns + again), CARD)


def answered_by_google(calls: list[dict[str, Any]], responses: list[dict[str, Any]]) -> list[str]:
    """The numbers of the calls, in the order of the responses."""
    contents = [
        {"role": "user", "parts": [{"text": "a"}]},
        {
            "role": "model",
            "parts": [{"functionCall": {"args": {"n": n}, **call}} for n, call in enumerate(calls)],
        },
        {
            "role": "user",
            "parts": [{"functionResponse": {"response": {"a": 1}, **each}} for each in responses],
        },
    ]
    request = GEMINI.decode_request(of_google(json.dumps({"contents": contents}).encode()))
    parts = [part for message in request.messages for part in message.parts]
    numbers = {part.id: json.loads(part.arguments)["n"] for part in parts if isinstance(part, ToolCall)}
    return [numbers[part.call_id] for part in parts if isinstance(part, ToolResult)]


def test_responses_find_their_calls_by_id_then_by_name_in_order():
    f, g = {"name": "f"}, {"name": "g"}
    assert answered_by_google([f, g, f], [f, f, g]) == [0, 2, 1]
    assert answered_by_google([{**f, "id": "x"}, f, {**f, "id": "y"}], [{**f, "id": "y"}, f, f]) == [2, 0, 1]
    assert answered_by_google([{**f, "id": "x"}, f], [{**f, "id": "other"}, f]) == [1, 0]
    assert answered_by_google([{**f, "id": "x"}, {**f, "id": "x"}], [{**f, "id": "x"}] * 2) == [0, 1]
    with pytest.raises(BadRequest):
        answered_by_google([f, f], [f, f, f])
    with pytest.raises(BadRequest):
        answered_by_google([f, f], [f])


def test_every_call_of_one_id_wants_a_result_of_its_own():
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "tool_calls": [call, call]}]
    result = {"role": "tool", "tool_call_id": "c", "content": "r"}
    assert len(chat(messages=[*turns, result, result]).messages[-1].parts) == 2
    for results in ([result], [result] * 3):
        with pytest.raises(BadRequest):
            chat(messages=[*turns, *results])


# stop strings


@pytest.mark.parametrize("stop", [tuple(f"s{n}" for n in range(17)), ("s" * 1001,)])
def test_more_stop_strings_than_can_be_looked_for_are_refused(stop):
    request = Request("m", (Message("user", (Text("a"),)),), sampling=Sampling(stop=stop))
    with pytest.raises(Unsupported) as caught:
        OPENAI_RESPONSES.encode_request(request, CARD)
    assert caught.value.param == "stop"
