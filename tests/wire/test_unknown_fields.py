"""A field that nobody here knows is named wherever it stands in a request of another dialect, and one that says nothing
is not."""

import json
from typing import Any

import pytest

from pointsman.app import DIALECTS
from pointsman.core.model_card import ModelCard
from pointsman.wire.dialect import Dialect, EncodedRequest
from pointsman.wire.envelope import Address, read_envelope

NEW = {"brandNew": {"deep": 1}}
SCHEMA = {"type": "object", "properties": {}}
CALL = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "c", "output": "found"}
USE = {"type": "tool_use", "id": "c", "name": "f", "input": {}}
HI = {"role": "user", "content": "Hi"}

CHAT: dict[str, Any] = {
    "part": {"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi", **NEW}]}]},
    "message": {"messages": [{**HI, **NEW}]},
    "tool": {"tools": [{"type": "function", "function": {"name": "f", "parameters": SCHEMA, **NEW}}]},
    "body": NEW,
}
RESPONSES: dict[str, Any] = {
    "part": {"input": [{"role": "user", "content": [{"type": "input_text", "text": "Hi", **NEW}]}]},
    "message": {"input": [{**HI, **NEW}]},
    "call": {"input": [HI, {**CALL, **NEW}, OUTPUT]},
    "output": {"input": [HI, CALL, {**OUTPUT, **NEW}]},
    "part of an output": {
        "input": [HI, CALL, {**OUTPUT, "output": [{"type": "input_text", "text": "a", **NEW}]}]
    },
    "reasoning": {"input": [{"type": "reasoning", "summary": [], **NEW}, {"role": "assistant", "content": "Hm"}, HI]},
    "tool": {"tools": [{"type": "function", "name": "f", "parameters": SCHEMA, **NEW}]},
    "custom tool": {"tools": [{"type": "custom", "name": "f", **NEW}]},
    "tool in a namespace": {
        "tools": [{"type": "namespace", "name": "n", "tools": [{"type": "function", "name": "f", **NEW}]}]
    },
    "text": {"text": {"verbosity": "medium", **NEW}},
    "format": {"text": {"format": {"type": "json_schema", "name": "n", "schema": SCHEMA, **NEW}}},
    "reasoning settings": {"reasoning": {"effort": "low", **NEW}},
    "body": NEW,
}  # fmt: skip
MESSAGES: dict[str, Any] = {
    "block": {"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi", **NEW}]}]},
    "turn": {"messages": [{**HI, **NEW}]},
    "system": {"system": [{"type": "text", "text": "Be brief.", **NEW}]},
    "call": {
        "messages": [
            HI,
            {"role": "assistant", "content": [{**USE, **NEW}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": "found"}]},
        ]
    },
    "block of a result": {
        "messages": [
            HI,
            {"role": "assistant", "content": [USE]},
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "c", "content": [{"type": "text", "text": "a", **NEW}]}
                ],
            },
        ]
    },
    "tool": {"tools": [{"name": "f", "input_schema": SCHEMA, **NEW}]},
    "thinking": {"thinking": {"type": "adaptive", **NEW}},
    "output_config": {"output_config": {"effort": "low", **NEW}},
    "body": NEW,
}  # fmt: skip
GEMINI: dict[str, Any] = {
    "text": {"contents": [{"role": "user", "parts": [{"text": "Hi", **NEW}]}]},
    "call": {
        "contents": [
            {"role": "user", "parts": [{"text": "Hi"}]},
            {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}, **NEW}]},
            {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {}}}]},
        ]
    },
    "response": {
        "contents": [
            {"role": "user", "parts": [{"text": "Hi"}]},
            {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}}]},
            {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {}}, **NEW}]},
        ]
    },
    "declaration": {"tools": [{"functionDeclarations": [{"name": "f", **NEW}]}]},
    "calling": {
        "tools": [{"functionDeclarations": [{"name": "f"}]}],
        "toolConfig": {"functionCallingConfig": {"mode": "AUTO", **NEW}},
    },
    "thinkingConfig": {"generationConfig": {"thinkingConfig": {"thinkingLevel": "LOW", **NEW}}},
    "generationConfig": {"generationConfig": NEW},
    "body": NEW,
}
PLACES = {
    "openai-chat": CHAT, "openai-responses": RESPONSES, "anthropic-messages": MESSAGES, "gemini": GEMINI
}  # fmt: skip
PLAIN: dict[str, Any] = {
    "openai-chat": {"messages": [HI]},
    "openai-responses": {"input": [HI]},
    "anthropic-messages": {"max_tokens": 1000, "messages": [HI]},
    "gemini": {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]},
}
CASES = [
    (source, place, target)
    for source, places in PLACES.items()
    for place in places
    for target in DIALECTS
    if target != source
]


def sent(source: str, target: str, body: dict[str, Any]) -> EncodedRequest:
    caller: Dialect = DIALECTS[source]
    address = Address("m", stream=False) if source == "gemini" else None
    told = json.dumps(body if source == "gemini" else {"model": "m", **body}).encode()
    request = caller.decode_request(read_envelope(told, address))  # type: ignore[attr-defined]
    return DIALECTS[target].encode_request(request, ModelCard("m", "other", "some-model"))


@pytest.mark.parametrize(("source", "place", "target"), CASES)
def test_a_field_that_nobody_knows_is_named(source: str, place: str, target: str) -> None:
    encoded = sent(source, target, {**PLAIN[source], **PLACES[source][place]})
    assert any("brandNew" in name for name in encoded.dropped)
    assert b"brandNew" not in encoded.body


@pytest.mark.parametrize("target", DIALECTS)
@pytest.mark.parametrize(
    ("source", "body"),
    [
        (
            "openai-responses",
            {
                "input": [
                    {**HI, "id": "msg_1", "status": "completed", "type": "message"},
                    {**CALL, "id": "fc_1", "status": "completed", "caller": {"type": "direct"}},
                    {**OUTPUT, "id": "fco_1", "status": None},
                    {
                        "type": "message",
                        "role": "assistant",
                        "content": [{"type": "output_text", "text": "a", "annotations": [], "logprobs": []}],
                    },
                    HI,
                ]
            },
        ),
        (
            "anthropic-messages",
            {
                "max_tokens": 1000,
                "messages": [
                    HI,
                    {"role": "assistant", "content": [{**USE, "caller": {"type": "direct"}}]},
                    {
                        "role": "user",
                        "content": [{"type": "tool_result", "tool_use_id": "c", "content": "found", "is_error": False}],
                    },
                ],
            },
        ),
    ],
)  # fmt: skip
def test_a_field_that_says_nothing_is_not_named(source: str, body: dict[str, Any], target: str) -> None:
    if source != target:
        assert not sent(source, target, body).dropped
