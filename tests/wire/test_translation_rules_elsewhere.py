"""Rules that translations were seen to break elsewhere, for the Responses API, Gemini and Ollama; the numbers are those
of the design notes."""

import json
from typing import Any

from anthropic_checks import CONTEXT

from pointsman.core.events import (
    BlockEnded,
    Finished,
    ReplyEvent,
    ReplyStarted,
    TextDelta,
    ThinkingDelta,
    ThinkingSealed,
    ToolCallDelta,
    ToolCallStarted,
    UsageReported,
    fold,
)
from pointsman.core.model_card import ModelCard
from pointsman.core.request import Seal, ToolCall
from pointsman.core.usage import Usage
from pointsman.wire.anthropic_messages import ANTHROPIC_MESSAGES
from pointsman.wire.dialect import ClientDialect, ProviderDialect
from pointsman.wire.envelope import Address, read_envelope
from pointsman.wire.gemini import GEMINI
from pointsman.wire.ollama import OLLAMA
from pointsman.wire.openai_chat import OPENAI_CHAT
from pointsman.wire.openai_responses import OPENAI_RESPONSES
from pointsman.wire.seals import Kind, tag, untag

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
CHAT_TOOL = {"type": "function", "function": {"name": "f", "parameters": SCHEMA}}
CALL = {"id": "call1", "type": "function", "function": {"name": "f", "arguments": '{"city": "Rome"}'}}


def sent(
    source: ClientDialect,
    target: ProviderDialect,
    body: dict[str, Any],
    *,
    provider: str = "p",
    model: str = "m",
) -> dict[str, Any]:
    address = Address("m", stream=False) if source is GEMINI else None
    request = source.decode_request(read_envelope(json.dumps(body).encode(), address))
    encoded: dict[str, Any] = json.loads(target.encode_request(request, ModelCard("m", provider, model)).body)
    return encoded


def streamed(dialect: ClientDialect, events: list[ReplyEvent]) -> bytes:
    encoder = dialect.reply_encoder(CONTEXT)
    return b"".join(encoder.feed([event]) for event in events)


def data_of(stream: bytes) -> list[dict[str, Any]]:
    lines = stream.decode().splitlines()
    return [json.loads(line[6:]) for line in lines if line.startswith("data: {")]


REPLY: list[ReplyEvent] = [
    ReplyStarted("r", "m"),
    ThinkingDelta("Hm."),
    ThinkingSealed(Seal("abc", "openai")),
    TextDelta("Hel"),
    TextDelta("lo"),
    BlockEnded(),
    ToolCallStarted(0, "call1", "f"),
    ToolCallDelta(0, '{"city": '),
    ToolCallDelta(0, '"Rome"}'),
    UsageReported(Usage(input_tokens=3, output_tokens=2)),
    Finished("tool_calls"),
]


def test_ollamas_arguments_become_text_once() -> None:
    """Rule 8: an object of arguments is written as JSON once, under an id that is made the same way every time."""
    line = json.dumps(
        {
            "model": "m",
            "created_at": "2026-01-01T00:00:00Z",
            "message": {
                "role": "assistant",
                "tool_calls": [{"function": {"name": "f", "arguments": {"a": '"x"'}}}],
            },
            "done": True,
        }
    ).encode()
    first, second = (fold(OLLAMA.decode_reply(line, "ollama")) for _ in range(2))
    call = first.parts[0]
    assert isinstance(call, ToolCall)
    assert json.loads(call.arguments) == {"a": '"x"'}
    assert call.id.isalnum()
    assert len(call.id) <= 40
    assert first.parts == second.parts


def test_calls_in_a_row_are_one_turn_and_outputs_find_them() -> None:
    """Rules 13 and 14: one assistant turn, one turn of results, each output a string with its call."""
    body = {
        "model": "m",
        "tools": [{"type": "function", "name": "f", "parameters": SCHEMA}],
        "input": [
            {"role": "user", "content": "Hi"},
            {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"},
            {"type": "function_call", "call_id": "b", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "b", "output": "second"},
            {"type": "function_call_output", "call_id": "a", "output": "first"},
        ],
    }
    messages = sent(OPENAI_RESPONSES, ANTHROPIC_MESSAGES, body)["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant", "user"]
    assert {result["tool_use_id"]: result["content"] for result in messages[2]["content"]} == {
        "a": "first",
        "b": "second",
    }
    chat = {
        "model": "m",
        "tools": [CHAT_TOOL],
        "messages": [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
            {"role": "tool", "tool_call_id": "call1", "content": [{"type": "text", "text": "found"}]},
        ],
    }
    items = sent(OPENAI_CHAT, OPENAI_RESPONSES, chat)["input"]
    (output,) = [item for item in items if item.get("type") == "function_call_output"]
    assert (output["call_id"], output["output"]) == ("call1", "found")


def test_results_are_objects_said_by_the_user() -> None:
    """Rule 15: towards Gemini; from its callers the old role `function` is read as well."""
    chat = {
        "model": "m",
        "tools": [CHAT_TOOL],
        "messages": [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
            {"role": "tool", "tool_call_id": "call1", "content": "found"},
        ],
    }
    result = sent(OPENAI_CHAT, GEMINI, chat)["contents"][-1]
    assert result["role"] == "user"
    (part,) = result["parts"]
    assert part["functionResponse"]["name"] == "f"
    assert isinstance(part["functionResponse"]["response"], dict)
    answered = {"functionResponse": {"name": "f", "response": {"result": "found"}}}
    body = {
        "contents": [
            {"role": "user", "parts": [{"text": "Hi"}]},
            {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}}]},
            {"role": "function", "parts": [answered]},
        ]
    }
    assert sent(GEMINI, OPENAI_CHAT, body)["messages"][-1]["role"] == "tool"


def test_schemas_are_written_as_gemini_takes_them() -> None:
    """Rule 18: what the API does not know is rewritten at every depth; properties of the same names survive."""
    inner = {"type": "object", "additionalProperties": False, "properties": {"const": {"const": 1}}}
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "properties": {
            "additionalProperties": {"type": ["string", "null"]},
            "title": {"type": "string"},
            "in": inner,
        },
    }
    body = {
        "model": "m",
        "tools": [{"type": "function", "function": {"name": "f", "parameters": schema}}],
        "messages": [{"role": "user", "content": "Hi"}],
    }
    (declared,) = sent(OPENAI_CHAT, GEMINI, body, model="gemini-2.5-pro")["tools"][0]["functionDeclarations"]
    written = declared.get("parametersJsonSchema") or declared["parameters"]
    assert "$schema" not in written
    assert set(written["properties"]) == {"additionalProperties", "title", "in"}
    assert "const" in written["properties"]["in"]["properties"]


def test_encrypted_reasoning_goes_back_to_its_maker_alone() -> None:
    """Rule 33."""
    seal = tag(Seal("rs_1 secret", "openai"), Kind.THINKING)
    body = {
        "model": "m",
        "max_tokens": 100,
        "messages": [
            {"role": "user", "content": "Hi"},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "Hm.", "signature": seal},
                    {"type": "text", "text": "Hello"},
                ],
            },
            {"role": "user", "content": "Go on"},
        ],
    }
    to_maker = json.dumps(sent(ANTHROPIC_MESSAGES, OPENAI_RESPONSES, body, provider="openai", model="gpt-5"))
    to_another = json.dumps(sent(ANTHROPIC_MESSAGES, OPENAI_RESPONSES, body, provider="azure", model="gpt-5"))
    assert '"secret"' in to_maker
    assert "secret" not in to_another
    assert seal not in to_another
    assert "Hm." not in to_another


def test_responses_stream_says_everything_in_order() -> None:
    """Rule 37: `type` in the data, items opened before they grow and each one closed, the whole response at the end."""
    events = data_of(streamed(OPENAI_RESPONSES, REPLY))
    kinds = [event["type"] for event in events]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert kinds.count("response.output_item.added") == kinds.count("response.output_item.done") == 3
    assert kinds.index("response.content_part.added") < kinds.index("response.output_text.delta")
    opened = kinds.index("response.output_item.added")
    assert opened < kinds.index("response.reasoning_summary_text.delta")
    whole = events[-1]["response"]
    assert kinds[-1] == "response.completed"
    assert whole["id"]
    assert whole["model"]
    assert whole["usage"]["total_tokens"] == 5
    assert [item["type"] for item in whole["output"]] == ["reasoning", "message", "function_call"]


def test_gemini_client_gets_nothing_but_geminis_words() -> None:
    """Rule 41: no [DONE], no chunks of another API, no comments and no event names."""
    lines = [line for line in streamed(GEMINI, REPLY).decode().splitlines() if line]
    assert all(line.startswith("data: {") for line in lines)
    assert all("candidates" in json.loads(line[6:]) for line in lines)
    assert not GEMINI.keepalive.strip()


def test_seal_of_a_call_survives_a_responses_client() -> None:
    """Rule 31, for the one dialect that keeps it in an item of its own."""
    seal = Seal("sig", "gemini")
    events: list[ReplyEvent] = [
        ReplyStarted("r", "m"),
        ToolCallStarted(0, "call1", "f", seal),
        ToolCallDelta(0, "{}"),
        Finished("tool_calls"),
    ]
    items = json.loads(OPENAI_RESPONSES.encode_reply(events, CONTEXT))["output"]
    (kept,) = [item["encrypted_content"] for item in items if item["type"] == "reasoning"]
    tagged = untag(kept)
    assert tagged is not None
    assert tagged.seal == seal
    body = {
        "model": "m",
        "tools": [{"type": "function", "name": "f", "parameters": SCHEMA}],
        "input": [
            {"role": "user", "content": "Hi"},
            *items,
            {"type": "function_call_output", "call_id": "call1", "output": "found"},
        ],
    }
    contents = sent(OPENAI_RESPONSES, GEMINI, body, provider="gemini", model="gemini-3-pro")["contents"]
    assert contents[1]["parts"][0]["thoughtSignature"] == "sig"
