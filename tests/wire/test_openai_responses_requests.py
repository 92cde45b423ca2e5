"""What a client of the responses dialect asks for, as a request for any model."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai_responses_checks import envelope

from pointsman.core.errors import BadRequest, ClientError, Unsupported
from pointsman.core.model_card import ModelCard
from pointsman.core.request import (
    Audio,
    Document,
    Image,
    Message,
    OutputFormat,
    Reasoning,
    RedactedThinking,
    Request,
    Seal,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from pointsman.wire.envelope import read_envelope
from pointsman.wire.openai_responses import OPENAI_RESPONSES
from pointsman.wire.seals import Kind, tag

CARD = ModelCard("tiny", "openai", "tiny-1")
CLOSED = {
    "type": "object",
    "properties": {"key": {"type": "string"}},
    "required": ["key"],
    "additionalProperties": False,
}


def read(**fields: Any) -> Request:
    return OPENAI_RESPONSES.decode_request(envelope(**fields))


def user(*parts: Any) -> Message:
    return Message("user", parts)


def call(call_id: str, name: str = "look", arguments: str = "{}", **fields: Any) -> dict[str, Any]:
    return {"type": "function_call", "call_id": call_id, "name": name, "arguments": arguments, **fields}


def output(call_id: str, content: Any = "done") -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": call_id, "output": content}


def sealed(data: str, kind: Kind, text: str = "", maker: str = "claude") -> dict[str, Any]:
    summary = [{"type": "summary_text", "text": text}] if text else []
    return {"type": "reasoning", "summary": summary, "encrypted_content": tag(Seal(data, maker), kind)}


# Input


def test_a_string_is_what_a_user_says():
    assert read(input="Hi").messages == (user(Text("Hi")),)


def test_instructions_lead_and_every_role_keeps_its_place():
    messages = read(
        instructions="Be brief.",
        input=[
            {"role": "developer", "content": "Use tools."},
            {"role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Ho"}]},
            {"role": "system", "content": "Now shout."},
            {"role": "user", "content": "Hi"},
        ],
    ).messages
    assert [message.role for message in messages] == [
        "system",
        "developer",
        "user",
        "assistant",
        "system",
        "user",
    ]
    assert messages[3] == Message("assistant", (Text("Ho"),))


def test_every_kind_of_content_is_a_part():
    content = [
        {"type": "input_text", "text": "Look"},
        {"type": "input_image", "image_url": "data:image/jpeg;base64,AAAA", "detail": "high"},
        {"type": "input_image", "image_url": "https://example.com/a.png", "detail": "auto"},
        {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,BBBB"},
        {"type": "input_file", "file_url": "https://example.com/a.pdf"},
        {"type": "input_audio", "input_audio": {"data": "CCCC", "format": "mp3"}},
    ]
    assert read(input=[{"role": "user", "content": content}]).messages == (
        user(
            Text("Look"),
            Image("image/jpeg", "AAAA", detail="high"),
            Image(url="https://example.com/a.png"),
            Document("application/pdf", "BBBB", name="a.pdf"),
            Document(url="https://example.com/a.pdf"),
            Audio("CCCC", "mp3"),
        ),
    )


def test_a_refusal_of_an_earlier_turn_is_one():
    content = [{"type": "refusal", "refusal": "No."}]
    messages = read(
        input=[{"role": "user", "content": "Hi"}, {"role": "assistant", "content": content}]
    ).messages
    assert messages[1].parts == (Text("No.", is_refusal=True),)


def test_calls_in_a_row_are_one_turn_and_their_outputs_one_answer():
    messages = read(
        input=[
            {"role": "user", "content": "Hi"},
            {"type": "message", "role": "assistant", "content": "I look."},
            call("a", arguments='{"key":"bird"}', id="fc_1", status="completed"),
            call("b", arguments=""),
            output("b", [{"type": "input_image", "image_url": "https://example.com/b.png"}]),
            output("a", "one"),
        ]
    ).messages
    assert messages[1:] == (
        Message(
            "assistant",
            (Text("I look."), ToolCall("a", "look", '{"key":"bird"}'), ToolCall("b", "look", "{}")),
        ),
        user(
            ToolResult("a", (Text("one"),)),
            ToolResult("b", (Image(url="https://example.com/b.png"),)),
        ),
    )


def test_an_output_is_found_wherever_it_stands():
    """A message that came while the tools ran stands between a call and its output."""
    messages = read(
        input=[call("a"), {"role": "user", "content": "Hurry"}, output("a"), call("b"), output("b")]
    ).messages
    assert messages == (
        Message("assistant", (ToolCall("a", "look", "{}"),)),
        user(ToolResult("a", (Text("done"),))),
        user(Text("Hurry")),
        Message("assistant", (ToolCall("b", "look", "{}"),)),
        user(ToolResult("b", (Text("done"),))),
    )


def test_calls_that_share_an_id_are_answered_in_order():
    messages = read(input=[call("0"), output("0", "one"), call("0"), output("0", "two")]).messages
    assert [message.parts[0] for message in messages[1::2]] == [
        ToolResult("0", (Text("one"),)),
        ToolResult("0", (Text("two"),)),
    ]


@pytest.mark.parametrize(
    ("items", "words"),
    [
        ([call("a")], "No tool output found for function call a."),
        ([output("a")], "No tool call found for function call output with call_id a."),
        (
            [call("a"), output("a"), output("a")],
            "No tool call found for function call output with call_id a.",
        ),
        ([call("a", arguments="{"), output("a")], "'input[0].arguments'"),
        ([call("a", arguments={"key": 1}), output("a")], "'input[0].arguments'"),
        ([{"type": "function_call", "name": "look"}], "'input[0].call_id'"),
        ([{"role": "robot", "content": "Hi"}], "Invalid value: 'robot'"),
        ([{"content": "Hi"}], "'input[0].role'"),
        ([], "empty array"),
        ([{"role": "user", "content": 1}], "'input[0].content'"),
    ],
)
def test_a_history_that_does_not_hold_together_is_refused(items, words):
    with pytest.raises(BadRequest) as caught:
        read(input=items)
    assert words in caught.value.message


@pytest.mark.parametrize(
    "item",
    [
        {"type": "item_reference", "id": "msg_1"},
        {"role": "user", "content": [{"type": "input_image", "file_id": "file_1"}]},
        {"role": "user", "content": [{"type": "input_file", "file_id": "file_1"}]},
        {"role": "user", "content": [{"type": "input_video"}]},
    ],
)
def test_what_only_the_provider_knows_is_refused_by_its_path(item):
    with pytest.raises(Unsupported) as caught:
        read(input=[item])
    assert caught.value.param.startswith("input[0]")


def test_what_the_provider_did_itself_is_named_and_its_text_kept():
    request = read(
        input=[
            {"role": "user", "content": "News?"},
            {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search"}},
            {"role": "assistant", "content": "None."},
            {"role": "user", "content": "More?"},
        ]
    )
    assert "input[].web_search_call" in request.foreign
    assert not request.must_not_drop
    assert request.messages[1] == Message("assistant", (Text("None."),))


def test_an_item_nobody_knows_is_not_lost():
    request = read(
        input=[{"role": "user", "content": "Hi"}, {"type": "compaction", "encrypted_content": "x"}]
    )
    assert request.must_not_drop == {"input[1].compaction"}


# Reasoning


def test_reasoning_that_was_sealed_here_returns_to_its_place():
    messages = read(
        input=[
            {"role": "user", "content": "Hi"},
            sealed("sig", Kind.THINKING, "Let me look."),
            sealed("red", Kind.REDACTED),
            sealed("thought", Kind.CALL),
            call("a"),
            output("a"),
        ]
    ).messages
    assert messages[1].parts == (
        Thinking("Let me look.", Seal("sig", "claude")),
        RedactedThinking(Seal("red", "claude")),
        ToolCall("a", "look", "{}", Seal("thought", "claude")),
    )


@pytest.mark.parametrize("is_behind", [False, True])
def test_the_seal_of_a_text_is_found_on_either_side_of_it(is_behind):
    items = [{"role": "assistant", "content": "Ho"}, sealed("sig", Kind.TEXT)]
    messages = read(
        input=[{"role": "user", "content": "Hi"}, *(items if is_behind else items[::-1])]
    ).messages
    assert messages[1].parts == (Text("Ho", seal=Seal("sig", "claude")),)


def test_the_seal_of_an_empty_text_is_kept():
    messages = read(input=[{"role": "user", "content": "Hi"}, sealed("sig", Kind.TEXT)]).messages
    assert messages[1].parts == (Text("", seal=Seal("sig", "claude")),)


def test_reasoning_of_another_vendor_is_left_out_without_a_word():
    request = read(
        input=[
            {"role": "user", "content": "Hi"},
            {"type": "reasoning", "id": "rs_1", "summary": [], "content": None, "encrypted_content": "gAAAA"},
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]},
            {"role": "assistant", "content": "Ho"},
        ]
    )
    assert request.messages[1] == Message("assistant", (Text("Ho"),))
    assert request.foreign == {}


def test_reasoning_that_led_to_nothing_is_no_turn():
    messages = read(input=[sealed("sig", Kind.THINKING), {"role": "user", "content": "Go on"}]).messages
    assert messages == (user(Text("Go on")),)


# Tools


def test_a_tool_is_strict_as_the_api_would_be():
    tools = [
        {"type": "function", "name": "a", "parameters": CLOSED},
        {"type": "function", "name": "b", "parameters": {**CLOSED, "required": []}, "description": "Bee"},
        {"type": "function", "name": "c", "parameters": CLOSED, "strict": False},
        {"type": "function", "name": "d", "parameters": {**CLOSED, "required": []}, "strict": True},
        {"type": "function", "name": "e", "parameters": None},
        {
            "type": "function",
            "name": "f",
            "parameters": {**CLOSED, "properties": {"key": {"type": ["object", "null"], "properties": {}}}},
        },
    ]
    assert [(tool.name, tool.strict) for tool in read(tools=tools).tools] == [
        ("a", True),
        ("b", False),
        ("c", False),
        ("d", True),
        ("e", False),
        ("f", False),
    ]


def test_a_custom_tool_is_a_function_of_one_string():
    tools = [
        {
            "type": "custom",
            "name": "patch",
            "description": "Patches.",
            "format": {"type": "grammar", "syntax": "lark", "definition": "start: /x/"},
        }
    ]
    items = [
        {"type": "custom_tool_call", "call_id": "a", "name": "patch", "input": 'say "x"\n'},
        {"type": "custom_tool_call_output", "call_id": "a", "output": "ok"},
    ]
    request = read(tools=tools, tool_choice={"type": "custom", "name": "patch"}, input=items)
    (tool,) = request.tools
    assert tool.schema["properties"] == {"input": {"type": "string"}}
    assert tool.description.startswith("Patches.\n\n")
    assert "start: /x/" in tool.description
    assert request.tool_choice == ToolChoice("tool", "patch")
    assert request.messages == (
        Message("assistant", (ToolCall("a", "patch", '{"input":"say \\"x\\"\\n"}'),)),
        user(ToolResult("a", (Text("ok"),))),
    )
    assert list(request.foreign) == ["tools[].format"]


NAMESPACE = {
    "type": "namespace",
    "name": "agents",
    "description": "Other agents.",
    "tools": [
        {
            "type": "function",
            "name": "close",
            "description": "Closes.",
            "parameters": CLOSED,
            "strict": False,
        },
        {"type": "function", "name": "open", "parameters": CLOSED},
    ],
}


def test_a_tool_in_a_namespace_is_known_by_both_names():
    request = read(
        tools=[NAMESPACE],
        tool_choice={"type": "function", "namespace": "agents", "name": "open"},
        input=[
            call("a", "close", namespace="agents"),
            output("a"),
            call("b", "x", namespace="x"),
            output("b"),
        ],
    )
    assert request.tools == (
        Tool("agents__close", "Closes.", CLOSED, strict=False),
        Tool("agents__open", None, CLOSED, strict=True),
    )
    assert request.tool_choice == ToolChoice("tool", "agents__open")
    calls = [
        part.name for message in request.messages for part in message.parts if isinstance(part, ToolCall)
    ]
    assert calls == ["agents__close", "x"]


def test_additional_tools_are_offered_with_the_others():
    tools = [{"type": "function", "name": "late", "parameters": CLOSED}]
    items = [
        {"role": "user", "content": "Hi"},
        {"type": "additional_tools", "role": "developer", "tools": tools},
    ]
    assert [tool.name for tool in read(input=items).tools] == ["late"]


FUNCTION = {"type": "function", "name": "look", "parameters": CLOSED}
OTHER = {"type": "function", "name": "leave", "parameters": CLOSED}


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, None),
        ("auto", ToolChoice("auto")),
        ("none", ToolChoice("none")),
        ("required", ToolChoice("required")),
        ({"type": "function", "name": "look"}, ToolChoice("tool", "look")),
    ],
)
def test_every_form_of_choice_is_read(choice, expected):
    assert read(tools=[FUNCTION, OTHER], tool_choice=choice).tool_choice == expected


def test_allowed_tools_leave_the_others_out():
    allowed = {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "look"}]}
    request = read(tools=[FUNCTION, OTHER], tool_choice=allowed)
    assert [tool.name for tool in request.tools] == ["look"]
    assert request.tool_choice == ToolChoice("required")


@pytest.mark.parametrize("choice", ["required", {"type": "function", "name": "look"}])
def test_a_choice_of_a_tool_that_is_not_there_is_refused(choice):
    with pytest.raises(BadRequest) as caught:
        read(tool_choice=choice)
    assert caught.value.param == "tool_choice"


@pytest.mark.parametrize(
    ("tools", "must_not_drop"),
    [
        ([FUNCTION, {"type": "web_search", "search_context_size": "low"}], set()),
        ([{"type": "web_search", "external_web_access": False}], set()),
        ([{"type": "web_search"}], {"tools[0].web_search"}),
        ([FUNCTION, {"type": "mcp", "server_label": "x"}], {"tools[1].mcp"}),
        ([{"type": "code_interpreter", "container": {"type": "auto"}}], {"tools[0].code_interpreter"}),
        ([{"type": "computer"}], {"tools[0].computer"}),
    ],
)
def test_a_search_beside_other_tools_is_an_offer_and_other_built_in_tools_are_relied_on(tools, must_not_drop):
    request = read(tools=tools)
    assert request.must_not_drop == must_not_drop
    assert len(request.foreign) == sum(tool["type"] != "function" for tool in tools)


# Parameters


def test_every_parameter_finds_its_place():
    request = read(
        stream=True,
        max_output_tokens=100,
        temperature=0.5,
        top_p=0.9,
        top_logprobs=2,
        include=["reasoning.encrypted_content", "message.output_text.logprobs"],
        parallel_tool_calls=False,
        safety_identifier="me",
        text={"format": {"type": "json_schema", "name": "w", "schema": CLOSED, "strict": True}},
    )
    sampling = request.sampling
    assert (sampling.max_output_tokens, sampling.temperature, sampling.top_p) == (100, 0.5, 0.9)
    assert (sampling.logprobs, sampling.top_logprobs) == (True, 2)
    assert request.output_format == OutputFormat("json_schema", CLOSED, "w", strict=True)
    assert (request.stream, request.parallel_tools, request.user) == (True, False, "me")
    assert request.source == OPENAI_RESPONSES.name
    assert request.foreign == {}


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (None, None),
        ({"effort": None, "summary": None}, None),
        ({"effort": "high"}, Reasoning(effort="high", is_shown=False)),
        ({"effort": "low", "summary": "auto"}, Reasoning(effort="low")),
        ({"summary": "auto"}, Reasoning()),
    ],
)
def test_reasoning_is_shown_only_where_a_summary_is_asked(asked, expected):
    assert read(reasoning=asked).reasoning == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"service_tier": "auto", "store": False, "truncation": "disabled", "metadata": {}}, {}),
        ({"background": False, "stream_options": {"include_obfuscation": False}}, {}),
        ({"service_tier": "flex", "store": True}, {"service_tier": "flex", "store": True}),
        ({"client_metadata": {"turn_id": "1"}, "prompt_cache_key": "k"}, None),
        ({"text": {"verbosity": "low"}}, {"text.verbosity": "low"}),
        (
            {"reasoning": {"effort": "least", "mode": "pro"}},
            {"reasoning.effort": "least", "reasoning.mode": "pro"},
        ),
        ({"include": ["web_search_call.action.sources"]}, {"include": ["web_search_call.action.sources"]}),
    ],
)
def test_what_has_no_place_is_named_unless_it_happens_anyway(fields, expected):
    request = read(**fields)
    assert request.foreign == (fields if expected is None else expected)
    assert not request.must_not_drop


@pytest.mark.parametrize("name", ["background", "conversation", "prompt"])
def test_what_the_caller_relies_on_must_not_be_dropped(name):
    assert read(**{name: True}).must_not_drop == {name}


def test_an_unknown_earlier_response_is_refused_as_openai_does():
    with pytest.raises(BadRequest) as caught:
        read(previous_response_id="resp_1")
    assert (caught.value.code, caught.value.param) == ("previous_response_not_found", "previous_response_id")


# What routing reads


def test_routing_reads_the_words_and_counts_the_rest():
    prompt = OPENAI_RESPONSES.read_prompt(
        envelope(
            instructions="Be brief.",
            input=[
                {"role": "developer", "content": "Use tools."},
                {
                    "role": "user",
                    "content": [
                        {"type": "input_text", "text": "Look"},
                        {"type": "input_image", "image_url": "data:image/png;base64,AAAA"},
                    ],
                },
                call("a"),
                output(
                    "a",
                    [{"type": "input_text", "text": "seen"}, {"type": "input_file", "file_data": "data:x"}],
                ),
                {"role": "assistant", "content": "Ho"},
            ],
            tools=[NAMESPACE, FUNCTION],
            tool_choice="required",
            text={"format": {"type": "json_object"}},
            reasoning={"effort": "high"},
            max_output_tokens=50,
        )
    )
    assert prompt.system == "Be brief.\n\nUse tools."
    assert [tuple(turn) for turn in prompt.turns] == [("user", "Look"), ("tool", "seen"), ("assistant", "Ho")]
    assert (prompt.image_count, prompt.document_count, prompt.tool_count) == (1, 1, 3)
    assert (prompt.wants_thinking, prompt.max_output_tokens) == (True, 50)
    assert prompt.output_format == "json_object"
    assert prompt.media_bytes > 30


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b'{"model":"m"}', "input"),
        (b'{"model":"m","input":null}', "input"),
        (b'{"model":"m","input":7}', "input"),
        (b'{"model":"m","input":[ ]}', "input"),
    ],
)
def test_a_request_without_input_is_refused(body, param):
    with pytest.raises(BadRequest) as caught:
        OPENAI_RESPONSES.require_messages(read_envelope(body))
    assert caught.value.param == param


@pytest.mark.parametrize("body", [b'{"model":"m","input":""}', b'{"model":"m","prompt":{}}'])
def test_what_stands_in_for_an_input_is_the_providers_to_judge(body):
    OPENAI_RESPONSES.require_messages(read_envelope(body))


# Any input

_SCALARS = st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "a", "user", "{}"])
_TYPES = st.sampled_from(
    ["message", "reasoning", "function_call", "function_call_output", "custom_tool_call", "input_text", "x"]
)
_FIELDS = st.dictionaries(
    st.sampled_from(
        [
            "role",
            "content",
            "call_id",
            "name",
            "arguments",
            "output",
            "input",
            "summary",
            "encrypted_content",
            "text",
        ]
    ),
    _SCALARS | st.lists(st.fixed_dictionaries({"type": _TYPES}, optional={"text": _SCALARS}), max_size=2),
    max_size=5,
)
_ITEMS = st.lists(st.builds(lambda kind, fields: {"type": kind, **fields}, _TYPES, _FIELDS), max_size=5)


@settings(deadline=None)
@given(_ITEMS, st.lists(st.fixed_dictionaries({"type": _TYPES}, optional={"name": _SCALARS}), max_size=2))
def test_any_input_is_read_or_refused(items, tools):
    asked = read_envelope(json.dumps({"model": "m", "input": items, "tools": tools}).encode())
    with suppress(ClientError):
        OPENAI_RESPONSES.read_prompt(asked)
        request = OPENAI_RESPONSES.decode_request(asked)
        assert request.messages or request.must_not_drop
        OPENAI_RESPONSES.encode_request(request, CARD)


@pytest.mark.parametrize("properties", [5, "a", [[]], True])
def test_properties_that_are_none_leave_a_schema_open(properties):
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    tool = {"type": "function", "name": "look", "parameters": schema}
    body = {"model": "m", "input": "Hi", "tools": [tool]}
    (read,) = OPENAI_RESPONSES.decode_request(read_envelope(json.dumps(body).encode())).tools
    assert read.strict is False
