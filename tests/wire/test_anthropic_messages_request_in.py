"""A Messages request read for a model of another dialect."""

import json
from typing import Any

import pytest

from pointsman.core.errors import BadRequest
from pointsman.core.request import (
    Document,
    Image,
    Message,
    OutputFormat,
    Reasoning,
    RedactedThinking,
    Request,
    Sampling,
    Seal,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from pointsman.wire.anthropic_messages import ANTHROPIC_MESSAGES
from pointsman.wire.envelope import read_envelope
from pointsman.wire.seals import NOBODYS, Kind, tag

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOL = {"name": "weather", "input_schema": SCHEMA}
CALL = {
    "type": "tool_use",
    "id": "toolu_1",
    "name": "weather",
    "input": {"city": "Oslo", "n": 12345678901234567890123},
}


def text(words: str, **more: object) -> dict[str, Any]:
    return {"type": "text", "text": words, **more}


def result(call_id: str = "toolu_1", **more: object) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": call_id, **more}


def user(*content: object) -> dict[str, Any]:
    return {"role": "user", "content": list(content)}


def assistant(*content: object) -> dict[str, Any]:
    return {"role": "assistant", "content": list(content)}


def decode(*messages: object, **fields: object) -> Request:
    body = {"model": "auto", "max_tokens": 100, "messages": messages or (user(text("Hi")),), **fields}
    return ANTHROPIC_MESSAGES.decode_request(read_envelope(json.dumps(body).encode()))


def refusal(*messages: object, **fields: object) -> str:
    with pytest.raises(BadRequest) as caught:
        decode(*messages, **fields)
    return caught.value.message


# turns


def test_system_string_and_blocks_lead_the_conversation() -> None:
    assert decode(system="Be brief.").messages[0] == Message("system", (Text("Be brief."),))
    header = text("x-anthropic-billing-header: cc_version=2.1.329")
    read = decode(system=[header, text("a", cache_control={"type": "ephemeral"}), text("b")])
    assert read.messages[0] == Message("system", (Text("a"), Text("b")))


def test_system_message_within_the_conversation_keeps_its_place() -> None:
    roles = [
        m.role for m in decode(user(text("a")), {"role": "system", "content": "b"}, user(text("c"))).messages
    ]
    assert roles == ["user", "system", "user"]


def test_media_is_read_in_every_form() -> None:
    def source(**fields: object) -> dict[str, object]:
        return dict(fields)

    parts = (
        decode(
            user(
                {"type": "image", "source": source(type="base64", media_type="image/png", data="aGk=")},
                {"type": "image", "source": source(type="url", url="https://x.org/a.png")},
                {
                    "type": "document",
                    "source": source(type="base64", media_type="application/pdf", data="aGk="),
                },
                {"type": "document", "source": source(type="url", url="https://x.org/a.pdf"), "title": "A"},
                {"type": "document", "source": source(type="text", media_type="text/plain", data="words")},
                {"type": "document", "source": source(type="content", content=[text("a"), text("b")])},
                {
                    "type": "document",
                    "source": source(type="content", content="c"),
                    "context": "From the files:",
                },
                {"type": "search_result", "source": "https://x.org", "title": "T", "content": [text("hit")]},
            )
        )
        .messages[0]
        .parts
    )
    assert parts == (
        Image("image/png", "aGk="),
        Image(url="https://x.org/a.png"),
        Document("application/pdf", "aGk="),
        Document(url="https://x.org/a.pdf", name="A"),
        Document(text="words"),
        Document(text="a\nb"),
        Text("From the files:"),
        Document(text="c"),
        Text("T\nhttps://x.org"),
        Document(text="hit"),
    )


def test_tool_turns_are_read_with_exact_arguments() -> None:
    image = {"type": "image", "source": {"type": "url", "url": "https://x.org/a.png"}}
    other = {**CALL, "id": "toolu_2", "input": {}}
    messages = decode(
        user(text("Weather?")),
        assistant(text("Looking."), CALL, other),
        user(
            result(content="cold"),
            result("toolu_2", content=[text("bad"), image], is_error=True),
            text("Well?"),
        ),
    ).messages
    assert messages[1].parts == (
        Text("Looking."),
        ToolCall("toolu_1", "weather", '{"city":"Oslo","n":12345678901234567890123}'),
        ToolCall("toolu_2", "weather", "{}"),
    )
    assert messages[2].parts == (
        ToolResult("toolu_1", (Text("cold"),)),
        ToolResult("toolu_2", (Text("bad"), Image(url="https://x.org/a.png")), is_error=True),
        Text("Well?"),
    )


def test_arguments_keep_their_strings_and_numbers() -> None:
    written = b'{ "a b" : "x  y \\" z" ,\n "n" : 1.50 }'
    body = (
        b'{"model":"m","max_tokens":1,"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"a",'
        b'"name":"f","input":' + written + b'}]},{"role":"user","content":[{"type":"tool_result",'
        b'"tool_use_id":"a"}]}]}'
    )
    call = ANTHROPIC_MESSAGES.decode_request(read_envelope(body)).messages[0].parts[0]
    assert call == ToolCall("a", "f", '{"a b":"x  y \\" z","n":1.50}')


def test_thinking_keeps_its_maker_and_unsigned_thinking_is_forgotten() -> None:
    """Rules 29 and 30: what another maker's model thought comes back unsigned and is shown to nobody."""
    mine, sealed = Seal("EqQB", "gemini"), Seal("Emwk", "gemini")
    thought = {"type": "thinking", "thinking": "hm", "signature": tag(mine, Kind.THINKING)}
    untagged = {"type": "thinking", "thinking": "so", "signature": "EqQB"}
    unsigned = {"type": "thinking", "thinking": "so", "signature": ""}
    nobodys = {"type": "thinking", "thinking": "so", "signature": tag(NOBODYS, Kind.THINKING)}
    redacted = {"type": "redacted_thinking", "data": tag(sealed, Kind.REDACTED)}
    blocks = (thought, untagged, unsigned, nobodys, redacted, text("b"))
    read = decode(user(text("a")), assistant(*blocks), user(text("c")))
    assert read.messages[1].parts == (
        Thinking("hm", mine),
        RedactedThinking(sealed),
        Text("b"),
    )


@pytest.mark.parametrize(
    ("messages", "where"),
    [
        ([user(result())], "messages.0.content.0: unexpected `tool_use_id`"),
        ([user(text("a")), assistant(CALL)], "messages.1: `tool_use` ids were found without `tool_result`"),
        ([user(text("a")), assistant(CALL), user(text("b"))], "messages.1: `tool_use` ids"),
        (
            [assistant(CALL), user(text("b")), assistant(text("c")), user(result())],
            "messages.0: `tool_use` ids",
        ),
        ([assistant(CALL), user(result("toolu_9"))], "messages.1.content.0: unexpected `tool_use_id`"),
        ([user(CALL)], "messages.0.content.0: `tool_use` blocks can only be in `assistant` messages"),
        ([assistant(result())], "messages.0.content.0: `tool_result` blocks can only be in `user` messages"),
    ],
)
def test_call_and_result_that_do_not_meet_are_refused(messages: list[Any], where: str) -> None:
    """Rule 12."""
    assert refusal(*messages).startswith(where)


def test_unknown_role_is_refused() -> None:
    assert refusal({"role": "tool", "content": "x"}).startswith("messages.0.role: Input should be")


def test_text_without_words_is_no_part() -> None:
    assert decode(user(text("")), user(text("a")), {"role": "assistant", "content": ""}).messages == (
        Message("user", (Text("a"),)),
    )


def test_citations_are_named_when_left_out() -> None:
    document = {"type": "document", "source": {"type": "text", "data": "a"}, "citations": {"enabled": True}}
    assert list(decode(user(document)).foreign) == ["citations"]
    assert list(decode(assistant(text("a", citations=[{"type": "char_location"}]))).foreign) == ["citations"]


def test_document_of_pictures_is_its_pictures() -> None:
    picture = {"type": "image", "source": {"type": "url", "url": "https://x.org/a.png"}}
    document = {"type": "document", "source": {"type": "content", "content": [picture]}}
    assert decode(user(document)).messages[0].parts == (Image(url="https://x.org/a.png"),)


def test_results_may_come_in_two_user_messages() -> None:
    other = {**CALL, "id": "toolu_2"}
    decode(assistant(CALL), assistant(other), user(result()), user(result("toolu_2"), text("and?")))


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"type": "image"}, "messages.0.content.0.image.source: Field required"),
        ({"text": "a"}, "messages.0.content.0.type: Field required"),
        (
            {"type": "image", "source": {"type": "base64", "data": ""}},
            "messages.0.content.0.image.source.media_type: Field required",
        ),
        ({"type": "document"}, "messages.0.content.0.document.source: Field required"),
        ({"type": "text"}, "messages.0.content.0.text: Field required"),
        (
            {"type": "tool_use", "id": "a", "name": "f", "input": "{}"},
            "messages.0.content.0.tool_use.input: Input should be a valid object",
        ),
        ({"type": "tool_result"}, "messages.0.content.0.tool_result.tool_use_id: Field required"),
        (
            result(content=[result()]),
            "messages.0.content.0.tool_result.content: Input should be text, images or documents",
        ),
    ],
)
def test_malformed_block_is_refused_by_its_path(block: dict[str, Any], message: str) -> None:
    assert refusal(user(block)) == message


# what has no place in another dialect


@pytest.mark.parametrize(
    ("kind", "name", "fields"),
    [
        ("bash_20250124", "bash", {"command", "restart"}),
        ("text_editor_20250124", "str_replace_editor", {"command", "path", "new_str", "view_range"}),
        ("text_editor_20250728", "str_replace_based_edit_tool", {"command", "path", "insert_text"}),
        ("memory_20250818", "memory", {"command", "path", "old_path", "new_path"}),
    ],
)
def test_tools_that_the_caller_runs_are_functions(kind: str, name: str, fields: set[str]) -> None:
    request = decode(
        user(text("Hi")), tools=[{"type": kind, "name": name, "max_characters": 9, "cache_control": {}}]
    )
    (tool,) = request.tools
    assert tool.name == name
    assert tool.schema is not None
    assert fields <= tool.schema["properties"].keys()
    assert request.foreign.keys() == {"tools.max_characters", "cache_control"}
    assert not request.must_not_drop


def test_a_search_beside_other_tools_is_an_offer_unless_it_is_insisted_on() -> None:
    search = {"type": "web_search_20250305", "name": "web_search"}
    offered = decode(user(text("Hi")), tools=[TOOL, search])
    assert (offered.foreign.keys(), offered.must_not_drop) == ({"tools.1.web_search_20250305"}, frozenset())
    insisted = decode(
        user(text("Hi")), tools=[TOOL, search], tool_choice={"type": "tool", "name": "web_search"}
    )
    assert insisted.must_not_drop == {"tools.1.web_search_20250305"}


def test_tools_that_could_be_searched_for_are_all_there() -> None:
    request = decode(
        user(text("Hi")),
        tools=[
            {"type": "tool_search_tool_regex_20251119", "name": "tool_search_tool_regex"},
            {**TOOL, "defer_loading": True},
        ],
    )
    assert [tool.name for tool in request.tools] == [TOOL["name"]]
    assert request.foreign.keys() == {"tools.0.tool_search_tool_regex_20251119"}
    assert not request.must_not_drop


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "tools.0.web_search_20250305"),
        ({"tools": [TOOL, {"type": "computer_20250124", "name": "computer"}]}, "tools.1.computer_20250124"),
        ({"mcp_servers": [{"type": "url", "url": "https://x.org", "name": "x"}]}, "mcp_servers"),
        ({"container": "container_1"}, "container"),
        ({"inference_geo": "eu"}, "inference_geo"),
    ],
)
def test_what_the_model_would_miss_must_not_be_dropped(fields: dict[str, Any], name: str) -> None:
    read = decode(**fields)
    assert name in read.must_not_drop
    assert name in read.foreign


@pytest.mark.parametrize(
    ("block", "name"),
    [
        ({"type": "container_upload", "file_id": "f"}, "container_upload"),
        ({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}, "server_tool_use"),
        ({"type": "web_search_tool_result", "tool_use_id": "s", "content": []}, "web_search_tool_result"),
        ({"type": "image", "source": {"type": "file", "file_id": "f"}}, "image.source.file"),
        ({"type": "document", "source": {"type": "file", "file_id": "f"}}, "document.source.file"),
        ({"type": "hologram"}, "hologram"),
    ],
)
def test_block_without_a_place_must_not_be_dropped(block: dict[str, Any], name: str) -> None:
    assert decode(user(text("a"), block)).must_not_drop == {f"messages.0.content.1.{name}"}


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"context_management": {"edits": [{"type": "clear_thinking_20251015"}]}}, "context_management"),
        ({"service_tier": "auto"}, "service_tier"),
        ({"cache_control": {"type": "ephemeral"}}, "cache_control"),
        ({"system": [text("a", cache_control={"type": "ephemeral"})]}, "cache_control"),
        ({"tools": [{**TOOL, "cache_control": {"type": "ephemeral", "ttl": "1h"}}]}, "cache_control"),
        ({"tools": [{**TOOL, "eager_input_streaming": True}]}, "tools.eager_input_streaming"),
        ({"thinking": {"type": "adaptive", "display": "omitted"}}, "thinking.display"),
        ({"thinking": {"type": "between_tools"}}, "thinking"),
        ({"output_config": {"task_budget": {"total": 9}}}, "output_config.task_budget"),
        ({"metadata": {"team": "x"}}, "metadata"),
    ],
)
def test_hint_is_named_when_left_out(fields: dict[str, Any], name: str) -> None:
    read = decode(**fields)
    assert list(read.foreign) == [name]
    assert read.must_not_drop == frozenset()


def test_empty_fields_are_not_there() -> None:
    assert decode(mcp_servers=[], container=None, context_management={}).foreign == {}


def test_cache_control_on_a_block_is_named_once() -> None:
    cached = {"cache_control": {"type": "ephemeral"}}
    assert list(decode(user(text("a", **cached), text("b", **cached))).foreign) == ["cache_control"]


# tools


def test_tools_and_choice_are_read() -> None:
    read = decode(
        tools=[
            {**TOOL, "type": "custom", "description": "Looks outside.", "strict": True},
            {**TOOL, "name": "other"},
        ],
        tool_choice={"type": "tool", "name": "weather", "disable_parallel_tool_use": True},
    )
    assert read.tools == (Tool("weather", "Looks outside.", SCHEMA, strict=True), Tool("other", None, SCHEMA))
    assert read.tool_choice == ToolChoice("tool", "weather")
    assert read.parallel_tools is False


@pytest.mark.parametrize(("kind", "mode"), [("auto", "auto"), ("any", "required"), ("none", "none")])
def test_tool_choice_is_read(kind: str, mode: str) -> None:
    read = decode(tools=[TOOL], tool_choice={"type": kind})
    assert read.tool_choice is not None
    assert read.tool_choice.mode == mode
    assert read.parallel_tools is None


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"tools": [{"input_schema": SCHEMA}]}, "tools.0.custom.name: Field required"),
        ({"tools": [{"name": "f"}]}, "tools.0.custom.input_schema: Field required"),
        (
            {"tools": [{"name": "f", "input_schema": 3}]},
            "tools.0.custom.input_schema: Input should be a valid object",
        ),
        ({"tools": [{"name": 3, "input_schema": {}}]}, "tools.0.custom.name: Input should be a valid string"),
        (
            {"tools": [TOOL], "tool_choice": {"type": "tool", "name": "gone"}},
            "tool_choice.tool.name: Tool 'gone' not found in provided tools",
        ),
        ({"tool_choice": {"type": "tool"}}, "tool_choice.tool.name: Field required"),
        ({"tool_choice": {"type": "x"}}, "tool_choice.type: Input should be 'auto', 'any', 'tool' or 'none'"),
    ],
)
def test_malformed_tools_are_refused(fields: dict[str, Any], message: str) -> None:
    """Rule 20 among them: a choice names a tool that is there."""
    assert refusal(**fields) == message


def test_deferred_tool_is_left_out_until_the_conversation_loads_it() -> None:
    deferred = {**TOOL, "name": "later", "defer_loading": True}
    read = decode(tools=[TOOL, deferred])
    assert [tool.name for tool in read.tools] == ["weather"]
    assert read.foreign == {"tools.1.defer_loading": "later"}
    reference = {"type": "tool_reference", "tool_name": "later"}
    search = {"type": "tool_use", "id": "s", "name": "weather", "input": {}}
    added = {
        "role": "system",
        "content": [{"type": "tool_addition", "tool": {"type": "tool_reference", "name": "later"}}],
    }
    for messages in (
        [assistant(search), user(result("s", content=[reference]))],
        [user(text("a")), added],
        [assistant({**search, "name": "later"}), user(result("s"))],
    ):
        read = decode(*messages, tools=[TOOL, deferred])
        assert [tool.name for tool in read.tools] == ["weather", "later"]
        assert read.foreign == {}


# settings


def test_sampling_is_read() -> None:
    read = decode(temperature=1, top_p=0.5, top_k=40, stop_sequences=["END"], stream=True)
    assert read.sampling == Sampling(100, temperature=1.0, top_p=0.5, top_k=40, stop=("END",))
    assert read.stream
    assert read.stream_usage


def test_user_is_the_user_id() -> None:
    assert decode(metadata={"user_id": '{"device":"x"}'}).user == '{"device":"x"}'


@pytest.mark.parametrize(
    ("fields", "reasoning"),
    [
        ({"thinking": {"type": "enabled", "budget_tokens": 2048}}, Reasoning(budget_tokens=2048)),
        ({"thinking": {"type": "adaptive"}}, Reasoning(adaptive=True)),
        (
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}},
            Reasoning(effort="max", adaptive=True),
        ),
        ({"thinking": {"type": "disabled"}}, Reasoning(effort="none")),
        ({"output_config": {"effort": "low"}}, Reasoning(effort="low")),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 2048}, "output_config": {"effort": "low"}},
            Reasoning(effort="low"),
        ),
        ({}, None),
    ],
)
def test_reasoning_is_read(fields: dict[str, Any], reasoning: Reasoning | None) -> None:
    assert decode(**fields).reasoning == reasoning


def test_output_format_is_read_under_both_names() -> None:
    wanted = {"type": "json_schema", "schema": SCHEMA}
    for fields in ({"output_config": {"format": wanted}}, {"output_format": wanted}):
        assert decode(**fields).output_format == OutputFormat("json_schema", SCHEMA)


EXACT = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("schema", "is_strict"),
    [
        (EXACT, True),
        ({"type": "array", "items": EXACT}, True),
        ({"anyOf": [EXACT, {"type": "null"}]}, True),
        ({"$ref": "#/$defs/a", "$defs": {"a": EXACT}}, True),
        ({**EXACT, "additionalProperties": True}, False),
        ({**EXACT, "required": []}, False),
        ({**EXACT, "properties": {"a": SCHEMA}}, False),
        ({"$ref": "#/$defs/a", "$defs": {"a": SCHEMA}}, False),
        ({"type": "object"}, False),
        ({**EXACT, "properties": []}, False),
    ],
)
def test_schema_is_strict_where_every_dialect_could_hold_to_it(
    schema: dict[str, Any], is_strict: bool
) -> None:
    read = decode(output_config={"format": {"type": "json_schema", "schema": schema}})
    assert read.output_format == OutputFormat("json_schema", schema, strict=True if is_strict else None)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"temperature": "hot"}, "temperature: Input should be a valid number"),
        ({"stop_sequences": "END"}, "stop_sequences: Input should be a valid list"),
        ({"thinking": {"type": "enabled"}}, "thinking.enabled.budget_tokens: Field required"),
        ({"output_config": {"effort": 3}}, "output_config.effort: Input should be a valid string"),
        ({"output_config": {"format": 3}}, "output_config.format: Input should be a valid object"),
        ({"output_format": {"type": "xml"}}, "output_format.type: Input should be 'json_schema'"),
        ({"output_format": {"type": "json_schema"}}, "output_format.schema: Input should be a valid object"),
        ({"metadata": {"user_id": 3}}, "metadata.user_id: Input should be a valid string"),
    ],
)
def test_malformed_setting_is_refused(fields: dict[str, Any], message: str) -> None:
    assert refusal(**fields) == message
