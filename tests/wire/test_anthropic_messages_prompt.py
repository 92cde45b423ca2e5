"""What routing reads of a Messages request, and how wrong ones are refused."""

import json
from typing import Any

import pytest

from pointsman.core.errors import BadRequest
from pointsman.core.prompt import Prompt, Turn
from pointsman.wire.anthropic_messages import ANTHROPIC_MESSAGES
from pointsman.wire.envelope import Envelope, read_envelope

PNG = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}}
PDF = {"type": "document", "source": {"type": "url", "url": "https://example.org/a.pdf"}}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def envelope(**fields: object) -> Envelope:
    body = {"model": "auto", "max_tokens": 100, "messages": [{"role": "user", "content": "Hi"}], **fields}
    return read_envelope(json.dumps(body).encode())


def read(**fields: object) -> Prompt:
    return ANTHROPIC_MESSAGES.read_prompt(envelope(**fields))


def test_text_of_every_turn_is_read() -> None:
    prompt = read(
        system=[text("Be brief."), text("Be kind.")],
        messages=[
            {"role": "user", "content": [text("one"), text("two")]},
            {
                "role": "assistant",
                "content": [text("hm"), {"type": "tool_use", "id": "a", "name": "f", "input": {}}],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "a", "content": [text("found"), PNG]},
                    text("and now?"),
                ],
            },
            {"role": "system", "content": "Stay calm."},
        ],
    )
    assert prompt.system == "Be brief.\nBe kind.\nStay calm."
    assert prompt.turns == (
        Turn("user", "one\ntwo"),
        Turn("assistant", "hm"),
        Turn("tool", "found"),
        Turn("user", "and now?"),
    )


def test_billing_header_of_claude_code_is_not_prompt_text() -> None:
    header = text("x-anthropic-billing-header: cc_version=2.1.329; cc_entrypoint=cli;")
    assert read(system=[header, text("You are Claude Code.")]).system == "You are Claude Code."


def test_media_is_counted_apart_from_text() -> None:
    prompt = read(messages=[{"role": "user", "content": [PNG, PDF, text("What is this?")]}])
    assert (prompt.image_count, prompt.document_count) == (1, 1)
    assert prompt.media_bytes == len('"iVBORw0KGgo="')
    assert prompt.turns == (Turn("user", "What is this?"),)


def test_tool_result_without_content_is_a_turn() -> None:
    prompt = read(messages=[{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a"}]}])
    assert prompt.turns == (Turn("tool", ""),)


@pytest.mark.parametrize(
    ("fields", "name", "value"),
    [
        ({"tools": [{"name": "f"}, {"name": "g"}]}, "tool_count", 2),
        ({"tools": []}, "tool_count", 0),
        (
            {"output_config": {"format": {"type": "json_schema", "schema": {}}}},
            "output_format",
            "json_schema",
        ),
        ({"output_format": {"type": "json_schema", "schema": {}}}, "output_format", "json_schema"),
        ({"output_config": {"effort": "low"}}, "output_format", "text"),
        ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, "wants_thinking", True),
        ({"thinking": {"type": "adaptive"}}, "wants_thinking", True),
        ({"thinking": {"type": "disabled"}}, "wants_thinking", False),
        ({"thinking": None}, "wants_thinking", False),
        ({"max_tokens": 7}, "max_output_tokens", 7),
    ],
)
def test_request_setting_is_read(fields: dict[str, Any], name: str, value: object) -> None:
    assert getattr(read(**fields), name) == value


@pytest.mark.parametrize(
    "result",
    [
        {"type": "code_execution_result", "stdout": "4", "stderr": "", "return_code": 0, "content": []},
        [{"type": "web_search_result", "title": "Tides", "encrypted_content": "x"}],
        [["of", "no", "known"], {"shape": True}],
        7,
    ],
)
def test_results_of_tools_are_read_beside_those_of_the_providers_own(result: object) -> None:
    own = {"type": "some_tool_result", "tool_use_id": "b", "content": result}
    theirs = {"type": "tool_result", "tool_use_id": "a", "content": [text("found"), PNG]}

    prompt = read(
        messages=[
            {"role": "user", "content": "Look"},
            {"role": "assistant", "content": [own, text("hm")]},
            {"role": "user", "content": [theirs]},
        ]
    )

    assert prompt.turns == (Turn("user", "Look"), Turn("assistant", "hm"), Turn("tool", "found"))
    assert prompt.image_count == 1


def test_unknown_blocks_and_fields_are_no_error() -> None:
    blocks = [{"type": "hologram", "content": {"x": [1]}, "source": 3}, text("Hi")]
    prompt = read(messages=[{"role": "user", "content": blocks, "mood": "good"}], warp=9)
    assert prompt.turns == (Turn("user", "Hi"),)


@pytest.mark.parametrize(
    ("fields", "message", "param"),
    [
        ({"messages": None}, "messages: Field required", "messages"),
        ({"messages": []}, "messages: at least one message is required", "messages"),
        ({"messages": {}}, "messages: Input should be a valid list", "messages"),
        ({"max_tokens": None}, "max_tokens: Field required", "max_tokens"),
        ({"max_tokens": "9"}, "max_tokens: Input should be a valid integer", "max_tokens"),
        ({"messages": ["Hi"]}, "messages.0: Input should be a valid object", "messages.0"),
        (
            {"messages": [{"role": "user", "content": 3}]},
            "messages.0.content: Input should be a valid string or list",
            "messages.0.content",
        ),
        ({"messages": [{"role": "user"}]}, "messages.0.content: Field required", "messages.0.content"),
        (
            {"messages": [{"role": "user", "content": [{"text": "Hi"}]}]},
            "messages.0.content.0.type: Field required",
            "messages.0.content.0.type",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": 3}]}]},
            "messages.0.content.0.text: Input should be a valid string",
            "messages.0.content.0.text",
        ),
        (
            {"messages": [{"role": "tool", "content": "x"}]},
            "messages.0.role: Input should be 'user', 'assistant' or 'system'",
            "messages.0.role",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "tool_result", "content": 3}]}]},
            "messages.0.content.0.content: Input should be a valid string or list",
            "messages.0.content.0.content",
        ),
        ({"system": 3}, "system: Input should be a valid string or list", "system"),
        ({"tools": {}}, "tools: Input should be a valid list", "tools"),
        ({"thinking": []}, "thinking: Input should be a valid object", "thinking"),
    ],
)
def test_wrong_field_is_refused_by_its_path(fields: dict[str, Any], message: str, param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read(**fields)
    assert caught.value.message == message
    assert caught.value.param == param


@pytest.mark.parametrize("messages", [b"[ ]", b"[\n]", b"null", b'"Hi"', b"{}"])
def test_body_without_messages_is_not_forwarded(messages: bytes) -> None:
    body = b'{"model":"opus","max_tokens":1,"messages":' + messages + b"}"
    with pytest.raises(BadRequest):
        ANTHROPIC_MESSAGES.require_messages(read_envelope(body))


def test_deep_nesting_is_refused() -> None:
    body = b'{"model":"opus","max_tokens":1,"messages":[{"role":"user","content":"Hi"}],"thinking":{"b":%b}}'
    deep = b'{"a":' * 5000 + b"1" + b"}" * 5000
    with pytest.raises(BadRequest):
        ANTHROPIC_MESSAGES.read_prompt(read_envelope(body % deep))


@pytest.mark.parametrize("rest", [b"\\ud800", b"\xff"])
def test_string_that_is_not_unicode_is_refused(rest: bytes) -> None:
    body = b'{"model":"opus","max_tokens":1,"messages":[{"role":"user","content":"%b"}]}' % rest
    with pytest.raises(BadRequest, match="not valid JSON"):
        ANTHROPIC_MESSAGES.read_prompt(read_envelope(body))
