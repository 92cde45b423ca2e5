"""A client's request: what routing reads of it, what it becomes for another dialect, and what is wrong with it."""

import json
from typing import Any

import pytest
from msgspec import Raw

from pointsman.core.errors import BadRequest, Unsupported
from pointsman.core.model_card import ModelCard
from pointsman.core.request import (
    Audio,
    Document,
    Image,
    Message,
    OutputFormat,
    Reasoning,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from pointsman.wire.envelope import Envelope, read_envelope
from pointsman.wire.openai_chat import OPENAI_CHAT

HI = [{"role": "user", "content": "Hi"}]
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
CLOCK = {"type": "function", "function": {"name": "clock", "description": "The time."}}


def envelope(messages: Any = HI, **fields: Any) -> Envelope:
    return read_envelope(json.dumps({"model": "auto", "messages": messages, **fields}).encode())


def prompt(messages: Any = HI, **fields: Any) -> Any:
    return OPENAI_CHAT.read_prompt(envelope(messages, **fields))


def request(messages: Any = HI, **fields: Any) -> Any:
    return OPENAI_CHAT.decode_request(envelope(messages, **fields))


def complaint(messages: Any = HI, **fields: Any) -> BadRequest:
    with pytest.raises(BadRequest) as caught:
        request(messages, **fields)
    return caught.value


def call(call_id: str, name: str = "weather", arguments: str = "{}") -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


# What routing reads


def test_a_prompt_tells_system_text_from_turns():
    read = prompt(
        [
            {"role": "system", "content": "Be brief."},
            {"role": "developer", "content": [{"type": "text", "text": "And kind."}]},
            {"role": "user", "content": [{"type": "text", "text": "One"}, {"type": "text", "text": "two"}]},
            {"role": "assistant", "content": None, "tool_calls": [call("1")]},
            {"role": "tool", "tool_call_id": "1", "content": "Rain"},
            {"role": "user", "content": "Thanks"},
        ]
    )
    assert read.system == "Be brief.\n\nAnd kind."
    assert [(turn.speaker, turn.text) for turn in read.turns] == [
        ("user", "One\ntwo"),
        ("assistant", ""),
        ("tool", "Rain"),
        ("user", "Thanks"),
    ]


def test_a_prompt_counts_media_and_their_bytes():
    data = "A" * 3000
    content = [
        {"type": "text", "text": "Look"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        {"type": "file", "file": {"file_data": f"data:application/pdf;base64,{data}"}},
        {"type": "input_audio", "input_audio": {"data": data, "format": "wav"}},
        {"type": "something_new", "something_new": {"a": 1}},
    ]
    read = prompt([{"role": "user", "content": content}])
    assert (read.image_count, read.document_count, read.audio_count) == (2, 1, 1)
    assert 9000 < read.media_bytes < 9400
    assert read.input_bytes > read.media_bytes


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, (0, "text", False, None)),
        ({"tools": [WEATHER, CLOCK]}, (2, "text", False, None)),
        ({"functions": [{"name": "f"}]}, (1, "text", False, None)),
        ({"response_format": {"type": "json_object"}}, (0, "json_object", False, None)),
        (
            {"response_format": {"type": "json_schema", "json_schema": {}}},
            (0, "json_schema", False, None),
        ),
        ({"response_format": {"type": "grammar"}}, (0, "text", False, None)),
        ({"reasoning_effort": "high"}, (0, "text", True, None)),
        ({"reasoning_effort": "minimal"}, (0, "text", False, None)),
        ({"reasoning": {"effort": "high", "enabled": True}}, (0, "text", True, None)),
        ({"reasoning": {"enabled": False}}, (0, "text", False, None)),
        ({"thinking": {"type": "enabled"}}, (0, "text", True, None)),
        ({"max_tokens": 5}, (0, "text", False, 5)),
        ({"max_tokens": 5, "max_completion_tokens": 9.0}, (0, "text", False, 9)),
    ],
)
def test_a_prompt_tells_what_is_asked_of_the_model(fields, expected):
    read = prompt(**fields)
    assert (
        read.tool_count,
        read.output_format,
        read.wants_thinking,
        read.max_output_tokens,
    ) == expected


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        (b'{"model":"m"}', "messages", "missing_required_parameter"),
        (b'{"model":"m","messages":[]}', "messages", "empty_array"),
        (b'{"model":"m","messages":[ \n]}', "messages", "empty_array"),
        (b'{"model":"m","messages":[' + b" " * 100 + b"]}", "messages", "empty_array"),
        (b'{"model":"m","messages":"Hi"}', "messages", "invalid_type"),
        (b'{"model":"m","messages":{}}', "messages", "invalid_type"),
        (b'{"model":"m","messages":null}', "messages", "invalid_type"),
        (b'{"model":"m","messages":-1}', "messages", "invalid_type"),
        (b'{"model":"m","messages":true}', "messages", "invalid_type"),
    ],
)
def test_messages_must_be_a_list_that_holds_something(body, param, code):
    outside = read_envelope(body)
    for read in (OPENAI_CHAT.require_messages, OPENAI_CHAT.read_prompt, OPENAI_CHAT.decode_request):
        with pytest.raises(BadRequest) as caught:
            read(outside)
        assert (caught.value.param, caught.value.code) == (param, code)


def test_what_is_in_the_messages_is_not_looked_at_by_the_outside_check():
    OPENAI_CHAT.require_messages(envelope([3]))
    OPENAI_CHAT.require_messages(envelope([[]]))


@pytest.mark.parametrize(
    ("messages", "fields", "param"),
    [
        ([3], {}, "messages[0]"),
        ([{"content": "Hi"}], {}, "messages[0].role"),
        ([{"role": "wizard", "content": "Hi"}], {}, "messages[0].role"),
        ([*HI, {"role": "user", "content": 3}], {}, "messages[1].content"),
        ([{"role": "user", "content": ["Hi"]}], {}, "messages[0].content[0]"),
        ([{"role": "user", "content": [{"type": "text", "text": 1}]}], {}, "messages[0].content[0].text"),
        (HI, {"tools": {}}, "tools"),
        (HI, {"response_format": "json"}, "response_format"),
        (HI, {"max_tokens": "many"}, "max_tokens"),
    ],
)
def test_a_wrong_type_names_its_path(messages, fields, param):
    for read in (prompt, request):
        with pytest.raises(BadRequest) as caught:
            read(messages, **fields)
        assert caught.value.param == param
        assert param in str(caught.value) or caught.value.code == "invalid_value"


def test_complaints_are_worded_like_the_original():
    assert str(complaint([{"role": "user", "content": 3}])) == (
        "Invalid type for 'messages[0].content': expected one of a string or an array, but got an integer instead."
    )
    assert str(complaint([])) == (
        "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead."
    )


# What it becomes


def test_roles_are_kept_in_order_and_place():
    read = request(
        [
            {"role": "system", "content": "A"},
            {"role": "user", "content": "B"},
            {"role": "developer", "content": "C"},
            {"role": "assistant", "content": "D"},
        ]
    )
    assert read.messages == (
        Message("system", (Text("A"),)),
        Message("user", (Text("B"),)),
        Message("developer", (Text("C"),)),
        Message("assistant", (Text("D"),)),
    )


def test_content_parts_are_read():
    content = [
        {"type": "text", "text": "Look"},
        {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,QUJD"}},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "low"}},
        {"type": "image_url", "image_url": "https://example.com/b.png"},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,QUJD"}},
        {"type": "file", "file": {"file_data": "QUJD"}},
        {"type": "file", "file": {"file_data": "https://example.com/c.pdf"}},
        {"type": "document_url", "document_url": "https://example.com/d.pdf"},
        {"type": "input_audio", "input_audio": {"data": "QUJD", "format": "mp3"}},
    ]
    read = request([{"role": "user", "content": content}])
    assert read.messages[0].parts == (
        Text("Look"),
        Image(media_type="image/jpeg", data="QUJD"),
        Image(url="https://example.com/a.png", detail="low"),
        Image(url="https://example.com/b.png"),
        Document(media_type="application/pdf", data="QUJD", name="a.pdf"),
        Document(media_type="application/pdf", data="QUJD"),
        Document(url="https://example.com/c.pdf"),
        Document(url="https://example.com/d.pdf"),
        Audio("QUJD", "mp3"),
    )
    assert read.foreign == {}


@pytest.mark.parametrize(
    "part",
    [
        {"type": "video_url", "video_url": {"url": "https://example.com/v.mp4"}},
        {"type": "file", "file": {"file_id": "file-1"}},
        {"type": "from_the_future"},
    ],
)
def test_content_that_cannot_be_translated_is_refused(part):
    with pytest.raises(Unsupported) as caught:
        request([{"role": "user", "content": [part]}])
    assert caught.value.param.startswith("messages[0].content[0]")


@pytest.mark.parametrize("url", ["", "gs://bucket/a.png", "data:image/png,raw", "javascript:1"])
def test_an_image_address_that_is_none_is_refused(url):
    assert complaint(
        [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}]
    ).param == ("messages[0].content[0].image_url.url")


def test_a_part_without_its_content_is_missing_it():
    error = complaint([{"role": "user", "content": [{"type": "text"}]}])
    assert (error.param, error.code) == ("messages[0].content[0].text", "missing_required_parameter")


@pytest.mark.parametrize("content", [None, "", []])
def test_an_assistant_turn_of_calls_only_has_no_empty_text(content):
    read = request(
        [
            *HI,
            {"role": "assistant", "content": content, "tool_calls": [call("1")]},
            {"role": "tool", "tool_call_id": "1", "content": "Rain"},
        ]
    )
    assert read.messages[1].parts == (ToolCall("1", "weather", "{}"),)


@pytest.mark.parametrize(
    "call_id",
    ["call_1", "toolu_01", "toolu_bdrk_1", "fc_1", "0", "aB3dE6gH9", "functions.add:0", "callmock598x0"],
)
def test_tool_ids_are_opaque(call_id):
    read = request(
        [
            *HI,
            {"role": "assistant", "tool_calls": [call(call_id)]},
            {"role": "tool", "tool_call_id": call_id, "content": "Rain"},
        ]
    )
    assert read.messages[1].parts[0].id == call_id
    assert read.messages[2].parts[0].call_id == call_id


def test_all_results_of_one_turn_become_one_user_message():
    read = request(
        [
            *HI,
            {"role": "assistant", "tool_calls": [call("a"), call("b", "clock")]},
            {"role": "tool", "tool_call_id": "b", "content": "Noon"},
            {"role": "tool", "tool_call_id": "a", "content": [{"type": "text", "text": "Rain"}]},
            {"role": "user", "content": "And?"},
        ]
    )
    assert read.messages[2:] == (
        Message("user", (ToolResult("b", (Text("Noon"),)), ToolResult("a", (Text("Rain"),)))),
        Message("user", (Text("And?"),)),
    )


def test_an_image_in_a_tool_message_stays_in_its_result():
    content = [
        {"type": "text", "text": "Here"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,QQ"}},
    ]
    read = request(
        [
            *HI,
            {"role": "assistant", "tool_calls": [call("a")]},
            {"role": "tool", "tool_call_id": "a", "content": content},
        ]
    )
    assert read.messages[2].parts[0].content == (Text("Here"), Image(media_type="image/png", data="QQ"))


def test_a_result_without_its_call_is_refused_with_its_index():
    error = complaint([*HI, {"role": "tool", "tool_call_id": "x", "content": "Rain"}])
    assert error.param == "messages[1].tool_call_id"
    assert "Message 1" in str(error)
    late = [
        *HI,
        {"role": "assistant", "tool_calls": [call("a")]},
        {"role": "tool", "tool_call_id": "b", "content": ""},
    ]
    assert complaint(late).param == "messages[2].tool_call_id"


@pytest.mark.parametrize(
    "after",
    [[], [{"role": "user", "content": "Well?"}], [{"role": "tool", "tool_call_id": "a", "content": ""}]],
)
def test_a_call_without_its_result_is_refused_with_its_index(after):
    error = complaint([*HI, {"role": "assistant", "tool_calls": [call("a"), call("b")]}, *after])
    assert error.param == "messages[1].tool_calls"
    assert "b" in str(error)


@pytest.mark.parametrize("arguments", ["{", "[1]", '"text"', "{} {}", "NaN"])
def test_invalid_arguments_in_history_name_their_message(arguments):
    error = complaint([*HI, {"role": "assistant", "tool_calls": [call("a", arguments=arguments)]}])
    assert error.param == "messages[1].tool_calls[0].function.arguments"


@pytest.mark.parametrize("arguments", ["", "null", None])
def test_empty_arguments_mean_an_empty_object(arguments):
    messages = [
        *HI,
        {"role": "assistant", "tool_calls": [call("a", arguments=arguments)]},
        {"role": "tool", "tool_call_id": "a", "content": ""},
    ]
    assert request(messages).messages[1].parts == (ToolCall("a", "weather", "{}"),)


def test_the_legacy_function_roles_are_read():
    read = request(
        [
            *HI,
            {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": '{"a":1}'}},
            {"role": "function", "name": "f", "content": "7"},
        ],
        functions=[{"name": "f", "parameters": {"type": "object"}}],
        function_call={"name": "f"},
    )
    (made,) = read.messages[1].parts
    assert (made.name, made.arguments) == ("f", '{"a":1}')
    assert read.messages[2].parts == (ToolResult(made.id, (Text("7"),)),)
    assert read.tools == (Tool("f", schema={"type": "object"}),)
    assert read.tool_choice == ToolChoice("tool", "f")


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_reasoning_in_history_is_unsigned_thinking(field):
    read = request([*HI, {"role": "assistant", field: "Hm.", "content": "Yes"}])
    assert read.messages[1].parts == (Thinking("Hm."), Text("Yes"))


def test_refusals_in_history_are_kept():
    read = request([*HI, {"role": "assistant", "content": None, "refusal": "No."}])
    assert read.messages[1].parts == (Text("No.", is_refusal=True),)
    listed = request([*HI, {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}])
    assert listed.messages[1].parts == (Text("No.", is_refusal=True),)


def test_thinking_parts_in_history_are_unsigned_thinking():
    parts = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "H"}, {"text": "m."}, "junk"]},
        {"type": "thinking", "thinking": "Ah."},
    ]
    read = request([*HI, {"role": "assistant", "content": parts}])
    assert read.messages[1].parts == (Thinking("Hm."), Thinking("Ah."))


def test_history_that_cannot_be_translated_is_refused():
    unheard_of = {"id": "a", "type": "unheard_of"}
    for message in ({"audio": {"id": "audio_1"}}, {"tool_calls": [unheard_of]}):
        with pytest.raises(Unsupported) as caught:
            request([*HI, {"role": "assistant", **message}])
        assert caught.value.param.startswith("messages[1].")
    spoken = {
        "role": "tool",
        "tool_call_id": "a",
        "content": [{"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}],
    }
    with pytest.raises(Unsupported):
        request([*HI, {"role": "assistant", "tool_calls": [call("a")]}, spoken])


def test_a_call_without_an_id_is_missing_it():
    nameless = {"type": "function", "function": {"name": "f", "arguments": "{}"}}
    error = complaint([*HI, {"role": "assistant", "tool_calls": [nameless]}])
    assert (error.param, error.code) == ("messages[1].tool_calls[0].id", "missing_required_parameter")


@pytest.mark.parametrize("number", ["1e999", "-1e999"])
def test_a_number_beyond_all_bounds_is_refused(number):
    outside = read_envelope(
        b'{"model":"m","messages":[{"role":"user"}],"max_tokens":' + number.encode() + b"}"
    )
    for read in (OPENAI_CHAT.read_prompt, OPENAI_CHAT.decode_request):
        with pytest.raises(BadRequest) as caught:
            read(outside)
        assert (caught.value.param, caught.value.code) == ("max_tokens", "invalid_value")


@pytest.mark.parametrize("field", ["tool_choice", "made_up"])
def test_nesting_that_passed_the_outside_is_refused_further_in(field):
    """The outside is read with a shallower stack, so what only just passes there may be too much later."""
    deep = b"[" * 200_000 + b"]" * 200_000
    body = b'{"model":"m","messages":[{"role":"user","content":"Hi"}],"tool_choice":%b}' % deep
    if field == "made_up":
        body = b'{"model":"m","messages":[{"role":"user","content":"Hi"}]}'
    outside = Envelope(body, {"made_up": Raw(deep)}, "m", stream=False)
    with pytest.raises(BadRequest, match="nested too deeply"):
        OPENAI_CHAT.decode_request(outside)
    if field == "tool_choice":
        with pytest.raises(BadRequest, match="nested too deeply"):
            OPENAI_CHAT.read_prompt(outside)


def test_names_of_speakers_are_noted():
    assert request([{"role": "user", "name": "ann", "content": "Hi"}]).foreign == {"messages[].name": "ann"}


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, None),
        ("auto", ToolChoice("auto")),
        ("none", ToolChoice("none")),
        ("required", ToolChoice("required")),
        ("any", ToolChoice("required")),
        ({"type": "function", "function": {"name": "clock"}}, ToolChoice("tool", "clock")),
        ({"function": {"name": "clock"}}, ToolChoice("tool", "clock")),
        ({"type": "function", "name": "clock"}, ToolChoice("tool", "clock")),
    ],
)
def test_tool_choice_is_read_in_every_shape(choice, expected):
    read = request(tools=[WEATHER, CLOCK], tool_choice=choice, parallel_tool_calls=False)
    assert read.tool_choice == expected
    assert read.tools == (Tool("weather", schema={"type": "object"}), Tool("clock", "The time."))
    assert read.parallel_tools is False


def test_allowed_tools_send_only_those_tools():
    allowed = {"mode": "required", "tools": [{"type": "function", "function": {"name": "clock"}}]}
    read = request(tools=[WEATHER, CLOCK], tool_choice={"type": "allowed_tools", "allowed_tools": allowed})
    assert [tool.name for tool in read.tools] == ["clock"]
    assert read.tool_choice == ToolChoice("required")


def test_a_choice_of_a_tool_that_is_not_there_is_refused():
    assert (
        complaint(tools=[WEATHER], tool_choice={"type": "function", "function": {"name": "x"}}).param
        == "tool_choice"
    )
    assert complaint(tool_choice="required").param == "tool_choice"


def test_a_malformed_tool_names_its_path():
    assert complaint(tools=[WEATHER, {"type": "function", "function": {}}]).param == "tools[1].function.name"
    assert complaint(tools=[{"type": "function", "function": {"name": "f", "parameters": []}}]).param == (
        "tools[0].function.parameters"
    )


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ({"n": 2}, "n"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"audio": {"voice": "alloy"}}, "audio"),
        ({"web_search_options": {}}, "web_search_options"),
        ({"tools": [{"type": "unheard_of"}]}, "tools"),
        ({"tools": [WEATHER], "tool_choice": {"type": "unheard_of"}}, "tool_choice"),
        ({"response_format": {"type": "grammar"}}, "response_format"),
    ],
)
def test_what_the_caller_relies_on_must_not_be_dropped(fields, kept):
    read = request(**fields)
    assert kept in read.foreign
    assert read.must_not_drop == {kept}


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ({"logit_bias": {"50256": -100}}, {"logit_bias"}),
        ({"prediction": {"type": "content", "content": "x"}}, {"prediction"}),
        (
            {"service_tier": "flex", "verbosity": "low", "prompt_cache_key": "k"},
            {"service_tier", "verbosity", "prompt_cache_key"},
        ),
        ({"made_up": 1}, {"made_up"}),
        ({"reasoning_effort": "default"}, {"reasoning_effort"}),
        ({"reasoning": {"exclude": True}}, {"reasoning"}),
        ({"reasoning": {"effort": "low", "exclude": True, "summary": "auto"}}, {"reasoning.summary"}),
        ({"thinking": {"type": "enabled", "clear_thinking": False}}, {"thinking.clear_thinking"}),
        ({"thinking": {"clear_thinking": False}}, {"thinking"}),
        # asks for what happens anyway
        (
            {
                "n": 1,
                "logprobs": False,
                "modalities": ["text"],
                "store": False,
                "logit_bias": None,
                "metadata": {},
            },
            set(),
        ),
    ],
)
def test_hints_without_a_place_are_foreign(fields, kept):
    read = request(**fields)
    assert set(read.foreign) == kept
    assert not read.must_not_drop


def test_parameters_are_read():
    read = request(
        max_tokens=100,
        max_completion_tokens=200,
        temperature=0,
        top_p=0.5,
        top_k=40,
        seed=7,
        stop="END",
        frequency_penalty=0.1,
        presence_penalty=0,
        user="ann",
        stream=True,
        stream_options={"include_usage": True},
    )
    sampling = read.sampling
    assert (sampling.max_output_tokens, sampling.temperature, sampling.top_p, sampling.top_k) == (
        200,
        0,
        0.5,
        40,
    )
    assert (sampling.seed, sampling.stop, sampling.frequency_penalty) == (7, ("END",), 0.1)
    assert sampling.presence_penalty is None
    assert (read.user, read.stream, read.stream_usage) == ("ann", True, True)
    assert request(stop=["a", "b"], safety_identifier="s", user="u").sampling.stop == ("a", "b")
    assert request(safety_identifier="s", user="u").user == "s"


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_below_one_is_refused(limit):
    assert complaint(max_completion_tokens=limit).param == "max_completion_tokens"
    assert complaint(max_tokens=limit).code == "integer_below_min_value"


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"type": "text"}, None),
        ({"type": "json_object"}, OutputFormat("json_object")),
        (
            {
                "type": "json_schema",
                "json_schema": {"name": "city", "schema": {"type": "object"}, "strict": True},
            },
            OutputFormat("json_schema", {"type": "object"}, "city", True),
        ),
        ({"type": "json_schema", "json_schema": {"schema": {}}}, OutputFormat("json_schema", {})),
    ],
)
def test_the_output_format_is_read(asked, expected):
    assert request(response_format=asked).output_format == expected


def test_a_schema_format_without_a_schema_is_refused():
    error = complaint(response_format={"type": "json_schema", "json_schema": {"name": "x"}})
    assert error.param == "response_format.json_schema.schema"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"reasoning_effort": "low"}, Reasoning(effort="low")),
        ({"reasoning": {"effort": "high", "enabled": True}}, Reasoning(effort="high")),
        ({"reasoning": {"max_tokens": 2000}}, Reasoning(budget_tokens=2000)),
        ({"reasoning": {"enabled": True}}, Reasoning(adaptive=True)),
        ({"reasoning": {"enabled": False}}, Reasoning(effort="none")),
        ({"thinking": {"type": "enabled"}}, Reasoning(adaptive=True)),
        ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, Reasoning(budget_tokens=2000)),
        ({"thinking": {"type": "disabled"}}, Reasoning(effort="none")),
    ],
)
def test_reasoning_is_read_in_every_spelling(fields, expected):
    assert request(**fields).reasoning == expected


# What lies deeper and has no place

CACHED = {"cache_control": {"type": "ephemeral"}}


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"tools": [{**WEATHER, **CACHED}]}, {"tools[].cache_control"}),
        (
            {
                "tools": [
                    {"type": "function", "function": {**WEATHER["function"], "examples": [1], "x": None}}
                ]
            },
            {"tools[].function.examples"},
        ),
        (
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "n", "schema": {}, "description": "d"},
                }
            },
            {"response_format.json_schema.description"},
        ),
        ({"functions": [{"name": "f", "parameters": {}, "returns": "x"}]}, {"functions[].returns"}),
        ({"tools": [WEATHER], "parallel_tool_calls": None}, set()),
    ],
)
def test_fields_of_tools_and_formats_without_a_place_are_named(fields, names):
    """Rule 46: among them marks for caches, which only some providers take."""
    read = request(**fields)
    assert set(read.foreign) == names
    assert not read.must_not_drop
    encoded = OPENAI_CHAT.encode_request(read, ModelCard("tiny", "local", "tiny"))
    assert set(encoded.dropped) == names
    assert b"cache_control" not in encoded.body


def test_fields_of_messages_without_a_place_are_named():
    messages = [
        {"role": "user", "content": [{"type": "text", "text": "Hi", **CACHED}], "weight": 0.5},
        {
            "role": "assistant",
            "content": "a",
            "prefix": True,
            "refusal": None,
            "tool_calls": [{**call("a"), "x": 1}],
        },
        {"role": "tool", "tool_call_id": "a", "content": "b", "made_up": []},
        {
            "role": "user",
            "content": [{"type": "image_url", "image_url": {"url": "https://a.org/b.png", "y": 2}}],
        },
    ]
    read = request(messages)
    assert set(read.foreign) == {
        "messages[].content[].cache_control",
        "messages[].weight",
        "messages[].prefix",
        "messages[].tool_calls[].x",
        "messages[].content[].image_url.y",
    }
    known = [
        {key: value for key, value in message.items() if key not in {"weight", "prefix"}}
        for message in messages
    ]
    del (
        known[0]["content"][0]["cache_control"],
        known[1]["tool_calls"][0]["x"],
        known[3]["content"][0]["image_url"]["y"],
    )
    assert request(known).messages == read.messages
    assert request(known).foreign == {}


def test_a_schema_and_arguments_may_hold_anything():
    """Rule 46: nothing in them is a mark for a cache."""
    schema = {"type": "object", "properties": {"cache_control": {"type": "string"}}}
    tool_ = {"type": "function", "function": {"name": "f", "parameters": schema}}
    called = {"role": "assistant", "tool_calls": [call("a", "f", '{"cache_control":"x"}')]}
    read = request([*HI, called, {"role": "tool", "tool_call_id": "a", "content": "b"}], tools=[tool_])
    assert read.foreign == {}
    assert read.tools[0].schema == schema


def test_a_wrong_type_beside_an_unknown_field_still_names_its_path():
    messages = [{"role": "user", "content": [{"type": "text", "text": 3, **CACHED}]}]
    assert complaint(messages).param == "messages[0].content[0].text"
    assert (
        complaint(tools=[{"type": "function", "function": {"name": 3, "x": 1}}]).param
        == "tools[0].function.name"
    )


def test_mistrals_seed_is_a_seed():
    assert request(random_seed=3).sampling.seed == 3


def test_log_probabilities_have_a_place():
    read = request(logprobs=True, top_logprobs=3).sampling
    assert (read.logprobs, read.top_logprobs) == (True, 3)
    read = request(logprobs=False, top_logprobs=0).sampling
    assert (read.logprobs, read.top_logprobs) == (False, None)
    assert request(top_logprobs=3).sampling.top_logprobs == 3


def test_details_of_others_are_left_out_without_a_word():
    """Rule 29: what is not tagged was made by another vendor."""
    turn = {
        "role": "assistant",
        "content": "a",
        "reasoning_details": [{"type": "reasoning.text", "text": "Hm.", "signature": "c2ln"}, 3],
        "extra_content": {"google": {"thought_signature": "c2ln"}},
        "tool_calls": [{**call("a"), "extra_content": {"google": {"thought_signature": "c2ln"}}}],
    }
    read = request([*HI, turn, {"role": "tool", "tool_call_id": "a", "content": "b"}])
    assert read.messages[1].parts == (Text("a"), ToolCall("a", "weather", "{}"))
    assert read.foreign == {}


@pytest.mark.parametrize("listed", [5, True, "a", None, [[]], [{"name": []}], [{"function": {"name": {}}}]])
def test_allowed_tools_that_name_none_allow_none(listed):
    allowed = {"mode": "auto", "tools": listed}
    read = request(tools=[WEATHER], tool_choice={"type": "allowed_tools", "allowed_tools": allowed})
    assert read.tools == ()
