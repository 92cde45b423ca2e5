"""Where the content of a stream begins: until there the caller hears nothing, and another model could still answer."""

import json
from typing import Any

import pytest

from pointsman.core.errors import UpstreamError, UpstreamFault
from pointsman.wire.anthropic_messages import ANTHROPIC_MESSAGES
from pointsman.wire.dialect import Dialect
from pointsman.wire.gemini import GEMINI
from pointsman.wire.openai_chat import OPENAI_CHAT
from pointsman.wire.openai_responses import OPENAI_RESPONSES
from replies import chat_event


def delta(**fields: Any) -> dict[str, Any]:
    return {"id": "1", "choices": [{"index": 0, "delta": fields, "finish_reason": None}]}


def part(**fields: Any) -> dict[str, Any]:
    return {"candidates": [{"content": {"parts": [fields], "role": "model"}}]}


def block(**fields: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": 0, "content_block": fields}


BEFORE: list[tuple[Dialect, dict[str, Any]]] = [
    (OPENAI_CHAT, delta(role="assistant", content="", refusal=None)),
    (OPENAI_CHAT, delta(role="assistant", content=None, tool_calls=[], reasoning_content="")),
    (OPENAI_CHAT, delta()),
    (OPENAI_CHAT, {"choices": [], "prompt_filter_results": [{"prompt_index": 0}]}),
    (OPENAI_CHAT, {"choices": [{"index": 0, "text": "", "finish_reason": None}]}),
    (ANTHROPIC_MESSAGES, {"type": "message_start", "message": {"content": [], "usage": {"input_tokens": 3}}}),
    (ANTHROPIC_MESSAGES, {"type": "ping"}),
    (ANTHROPIC_MESSAGES, block(type="text", text="")),
    (ANTHROPIC_MESSAGES, block(type="thinking", thinking="", signature="")),
    (OPENAI_RESPONSES, {"type": "response.created", "response": {"instructions": "say .delta or .done"}}),
    (OPENAI_RESPONSES, {"type": "response.in_progress", "response": {}}),
    (OPENAI_RESPONSES, {"type": "response.output_item.added", "item": {"type": "message"}}),
    (OPENAI_RESPONSES, {"type": "response.content_part.added", "part": {"type": "output_text", "text": ""}}),
    (GEMINI, {"usageMetadata": {"promptTokenCount": 3}, "modelVersion": "x"}),
    (GEMINI, part(text="")),
    (GEMINI, {"candidates": [{"index": 0}]}),
]
CONTENT: list[tuple[Dialect, dict[str, Any]]] = [
    (OPENAI_CHAT, delta(content="a")),
    (OPENAI_CHAT, delta(role="assistant", content=" ")),
    (OPENAI_CHAT, delta(reasoning="hm")),
    (OPENAI_CHAT, delta(refusal="no")),
    (OPENAI_CHAT, delta(tool_calls=[{"index": 0, "id": "c", "function": {"name": "f", "arguments": ""}}])),
    (OPENAI_CHAT, {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}),
    (OPENAI_CHAT, {"choices": [{"index": 0, "text": "a"}]}),
    (ANTHROPIC_MESSAGES, {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "a"}}),
    (ANTHROPIC_MESSAGES, block(type="tool_use", id="t", name="f", input={})),
    (ANTHROPIC_MESSAGES, block(type="text", text="a")),
    (ANTHROPIC_MESSAGES, block(type="redacted_thinking", data="x")),
    (ANTHROPIC_MESSAGES, {"type": "message_delta", "delta": {"stop_reason": "end_turn"}}),
    (OPENAI_RESPONSES, {"type": "response.output_text.delta", "delta": "a"}),
    (OPENAI_RESPONSES, {"type": "response.function_call_arguments.done", "arguments": "{}"}),
    (OPENAI_RESPONSES, {"type": "response.completed", "response": {}}),
    (GEMINI, part(text="a")),
    (GEMINI, part(text="", thoughtSignature="x")),
    (GEMINI, part(functionCall={"name": "f", "args": {}})),
    (GEMINI, {"candidates": [{"finishReason": "STOP"}]}),
    (GEMINI, {"promptFeedback": {"blockReason": "SAFETY"}}),
]


def event(data: dict[str, Any], *, named: bool = False) -> bytes:
    name = f"event: {data['type']}\n" if named and "type" in data else ""
    return f"{name}data: {json.dumps(data)}\n\n".encode()


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize(("dialect", "data"), BEFORE)
def test_what_opens_a_stream_is_no_content(dialect: Dialect, data: dict[str, Any], named: bool) -> None:
    assert not dialect.has_content(event(data, named=named))
    assert not dialect.has_content(b": wait\n\n" + event(data, named=named))


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize(("dialect", "data"), CONTENT)
def test_content_and_the_end_are_seen(dialect: Dialect, data: dict[str, Any], named: bool) -> None:
    assert dialect.has_content(event(data, named=named))
    opening = next(each for of, each in BEFORE if of is dialect)
    assert dialect.has_content(event(opening) + event(data, named=named) + event(opening))


def test_the_end_of_a_chat_stream_is_seen() -> None:
    end = chat_event({}, "stop") + b"data: [DONE]\n\n"
    assert OPENAI_CHAT.has_content(end)
    assert OPENAI_CHAT.has_content(end.replace(b"\n", b"\r\n"))


@pytest.mark.parametrize("dialect", [OPENAI_CHAT, OPENAI_RESPONSES, ANTHROPIC_MESSAGES, GEMINI])
def test_an_end_of_nothing_is_no_content(dialect: Dialect) -> None:
    assert not dialect.has_content(b"data: [DONE]\n\n")
    assert not dialect.has_content(b": wait\n\ndata: [DONE]\r\n\r\n")


@pytest.mark.parametrize("dialect", [OPENAI_CHAT, ANTHROPIC_MESSAGES, OPENAI_RESPONSES, GEMINI])
def test_data_that_is_no_json_is_a_bad_reply(dialect: Dialect) -> None:
    with pytest.raises(UpstreamError) as caught:
        dialect.has_content(b'data: {"id": <html>\n\n')
    assert caught.value.fault is UpstreamFault.BAD_REPLY


HALVES = [
    (OPENAI_CHAT, delta(content="a\ud83d")),
    (
        ANTHROPIC_MESSAGES,
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "\ude00"}},
    ),
    (GEMINI, part(text="\\\ud83d")),
]


@pytest.mark.parametrize(("dialect", "data"), HALVES)
def test_half_a_character_is_content_and_breaks_nothing(dialect: Dialect, data: dict[str, Any]) -> None:
    """Programs that cut text by UTF-16 units write such escapes, and SDKs read them."""
    sent = f"data: {json.dumps(data)}\n\n".encode()
    assert dialect.has_content(sent)
    watch = dialect.reply_watch()
    watch.feed(sent)
    assert watch.error is None
