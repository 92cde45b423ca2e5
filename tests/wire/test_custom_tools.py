"""Tools of chat that take free text: a function elsewhere, and their own shape again for the caller, as OpenAI's SDK
reads it."""

import json
from typing import Any

import pytest
from openai.types.chat import ChatCompletion

from pointsman.core.events import (
    Finished,
    ReplyEvent,
    ReplyStarted,
    ToolCallDelta,
    ToolCallStarted,
    fold,
)
from pointsman.core.request import Request, ToolCall, ToolChoice
from pointsman.wire.custom_tools import SCHEMA, as_arguments, as_free_text
from pointsman.wire.dialect import ReplyContext
from pointsman.wire.envelope import Envelope, read_envelope
from pointsman.wire.openai_chat import OPENAI_CHAT

GRAMMAR = {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: /[a-z]+/"}}
PATCH = {"type": "custom", "custom": {"name": "patch", "description": "Changes files.", "format": GRAMMAR}}
LOOK = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
CALL = {"id": "call_1", "type": "custom", "custom": {"name": "patch", "input": 'a "b"\n'}}


def envelope(**fields: Any) -> Envelope:
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "tools": [PATCH, LOOK], **fields}
    return read_envelope(json.dumps(body).encode())


def decoded(**fields: Any) -> Request:
    return OPENAI_CHAT.decode_request(envelope(**fields))


def test_a_custom_tool_is_a_function_of_one_text_that_is_told_its_grammar() -> None:
    request = decoded(tool_choice={"type": "custom", "custom": {"name": "patch"}})
    patch, look = request.tools
    assert (patch.name, patch.schema, patch.strict) == ("patch", SCHEMA, False)
    assert patch.description is not None
    assert patch.description.startswith("Changes files.")
    assert "start: /[a-z]+/" in patch.description
    assert look.name == "look"
    assert request.tool_choice == ToolChoice("tool", "patch")
    assert (request.foreign, request.must_not_drop) == ({"tools[].custom.format": "lark"}, frozenset())


def test_only_allowed_custom_tools_are_offered() -> None:
    allowed = {"mode": "required", "tools": [{"type": "custom", "custom": {"name": "patch"}}]}
    request = decoded(tool_choice={"type": "allowed_tools", "allowed_tools": allowed})
    assert [tool.name for tool in request.tools] == ["patch"]
    assert request.tool_choice == ToolChoice("required")


def test_an_earlier_call_of_a_custom_tool_is_a_call_of_the_function() -> None:
    messages = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "call_1", "content": "done"},
    ]
    (call,) = decoded(messages=messages).messages[1].parts
    assert call == ToolCall("call_1", "patch", as_arguments('a "b"\n'))


def made(arguments: str = as_arguments('a "b"\n')) -> list[ReplyEvent]:
    return [
        ReplyStarted("r", "m"),
        ToolCallStarted(0, "call_1", "patch"),
        ToolCallDelta(0, arguments[:7]),
        ToolCallStarted(1, "call_2", "look"),
        ToolCallDelta(0, arguments[7:]),
        ToolCallDelta(1, "{}"),
        Finished("tool_calls"),
    ]


CONTEXT = ReplyContext("pm_1", "m", 1, envelope=envelope())


def test_a_whole_reply_calls_it_as_the_caller_knows_it() -> None:
    reply = ChatCompletion.model_validate_json(OPENAI_CHAT.encode_reply(made(), CONTEXT))
    custom, function = reply.choices[0].message.tool_calls or ()
    assert custom.model_dump() == CALL
    assert (function.type, function.id) == ("function", "call_2")


def test_a_stream_adds_up_to_the_same() -> None:
    sent = OPENAI_CHAT.reply_encoder(CONTEXT).feed(made()).decode()
    chunks = [json.loads(line[6:]) for line in sent.splitlines() if line.startswith("data: {")]
    calls = [call for chunk in chunks for call in chunk["choices"][0]["delta"].get("tool_calls", ())]
    text = "".join(call["custom"].get("input", "") for call in calls if call["index"] == 0)
    assert (calls[0]["type"], calls[0]["custom"]["name"], text) == ("custom", "patch", 'a "b"\n')
    assert not any("function" in call for call in calls if call["index"] == 0)


@pytest.mark.parametrize("arguments", ["", "{", '{"input": 3}', '{"other": "x"}'])
def test_other_arguments_are_given_as_they_are(arguments: str) -> None:
    assert as_free_text(arguments) == arguments


def test_a_provider_that_calls_one_in_pieces_is_read_whole() -> None:
    pieces: list[dict[str, Any]] = [
        {"index": 0, "id": "call_1", "type": "custom", "custom": {"name": "patch", "input": ""}},
        {"index": 0, "custom": {"input": 'a "b'}},
        {"index": 0, "custom": {"input": '"\n'}},
    ]
    chunks: list[dict[str, Any]] = [
        {"choices": [{"index": 0, "delta": {"tool_calls": [piece]}}]} for piece in pieces
    ]
    chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]})
    stream = b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks)
    decoder = OPENAI_CHAT.reply_decoder("p")
    streamed = fold([*decoder.feed(stream + b"data: [DONE]\n\n"), *decoder.finish()])
    message = {"role": "assistant", "content": None, "tool_calls": [CALL]}
    whole = {"id": "c", "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}
    for reply in (streamed, fold(OPENAI_CHAT.decode_reply(json.dumps(whole).encode(), "p"))):
        (call,) = reply.parts
        assert isinstance(call, ToolCall)
        assert as_free_text(call.arguments) == 'a "b"\n'
        assert (call.id, call.name, reply.finished.reason) == ("call_1", "patch", "tool_calls")


def test_a_call_of_a_function_with_an_empty_custom_beside_it_is_one() -> None:
    function = {"name": "look", "arguments": "{}"}
    call = {"id": "call_1", "type": "function", "function": function, "custom": {"name": "", "input": ""}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    whole = {"id": "c", "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}
    assert fold(OPENAI_CHAT.decode_reply(json.dumps(whole).encode(), "p")).parts == (
        ToolCall("call_1", "look", "{}"),
    )
