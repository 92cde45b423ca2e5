"""Requests of Gemini's clients, read for models of other dialects: every spelling that they mix, and what is refused."""

import base64
import json
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.core.errors import BadRequest
from pointsman.core.prompt import Turn
from pointsman.core.request import (
    Audio,
    Document,
    Image,
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
from pointsman.wire.envelope import Address, read_envelope
from pointsman.wire.gemini import GEMINI
from pointsman.wire.gemini.schema_in import json_schema
from pointsman.wire.seals import Kind, tag

HI = [{"role": "user", "parts": [{"text": "Hi"}]}]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def envelope(**fields: Any) -> Any:
    body = json.dumps({"contents": HI, **fields}, ensure_ascii=False).encode()
    return read_envelope(body, Address("flash", stream=False))


def decode(**fields: Any) -> Request:
    GEMINI.read_prompt(envelope(**fields))
    return GEMINI.decode_request(envelope(**fields))


def parts_of(request: Request, at: int) -> tuple[Any, ...]:
    return request.messages[at].parts


def call(name: str, call_id: str | None = None, **args: Any) -> dict[str, Any]:
    return {"functionCall": {"name": name, "args": args, **({"id": call_id} if call_id else {})}}


def response(name: str, call_id: str | None = None, **result: Any) -> dict[str, Any]:
    return {"functionResponse": {"name": name, "response": result, **({"id": call_id} if call_id else {})}}


def turns(*contents: tuple[str, list[Any]]) -> list[dict[str, Any]]:
    return [{"role": role, "parts": parts} for role, parts in contents]


# spellings

CAMEL = {
    "systemInstruction": {"parts": [{"text": "Be brief."}]},
    "contents": turns(
        ("user", [{"text": "Look"}, {"inlineData": {"mimeType": "image/png", "data": "aGk="}}]),
        ("model", [{"functionCall": {"name": "look", "args": {"city": "Köln"}}}]),
        ("user", [{"functionResponse": {"name": "look", "response": {"output": "rain"}}}]),
    ),
    "tools": [
        {"functionDeclarations": [{"name": "look", "description": "d", "parametersJsonSchema": SCHEMA}]}
    ],
    "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["look"]}},
    "generationConfig": {
        "maxOutputTokens": 9,
        "topP": 0.5,
        "topK": 3,
        "stopSequences": ["x"],
        "responseMimeType": "application/json",
        "responseJsonSchema": SCHEMA,
        "thinkingConfig": {"thinkingBudget": 100, "includeThoughts": True},
    },
}


def snake(value: Any, *, is_schema: bool = False) -> Any:
    """The same in snake_case, but for what callers named themselves."""
    if isinstance(value, list):
        return [snake(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        "".join(f"_{c.lower()}" if c.isupper() else c for c in name): each
        if name in {"args", "response"}
        else snake(each)
        for name, each in value.items()
    }


def test_snake_case_is_read_as_camel_case() -> None:
    assert decode(**snake(CAMEL)) == decode(**CAMEL)
    one, other = (GEMINI.read_prompt(envelope(**fields)) for fields in (snake(CAMEL), CAMEL))
    assert msgspec.structs.replace(one, input_bytes=other.input_bytes) == other


@settings(deadline=None)
@given(st.lists(st.booleans(), min_size=7, max_size=7))
def test_any_mixture_of_spellings_is_read_the_same(choices: list[bool]) -> None:
    mixed: dict[str, Any] = {}
    for is_snake, (name, value) in zip(choices, CAMEL.items(), strict=False):
        if is_snake:
            mixed |= snake({name: value})
        else:
            mixed[name] = value
    assert decode(**mixed) == decode(**CAMEL)


def test_whole_request_is_read() -> None:
    request = decode(**CAMEL)
    assert parts_of(request, 0) == (Text("Be brief."),)
    assert parts_of(request, 1) == (Text("Look"), Image("image/png", "aGk="))
    (made,) = parts_of(request, 2)
    assert (made.name, made.arguments) == ("look", '{"city":"Köln"}')
    assert parts_of(request, 3) == (ToolResult(made.id, (Text("rain"),)),)
    assert request.tools == (Tool("look", "d", SCHEMA),)
    assert request.tool_choice == ToolChoice("tool", "look")
    assert request.sampling == Sampling(max_output_tokens=9, top_p=0.5, top_k=3, stop=("x",))
    assert request.output_format == OutputFormat("json_schema", SCHEMA)
    assert request.reasoning == Reasoning(budget_tokens=100, is_shown=True)
    assert (request.source, request.foreign, request.stream_usage) == ("gemini", {}, True)


@pytest.mark.parametrize(
    "system",
    ["Be brief.", {"text": "Be brief."}, {"parts": [{"text": "Be brief."}]}, {"parts": {"text": "Be brief."}},
     {"role": "user", "parts": [{"text": "Be brief."}]}, [{"text": "Be brief."}], ["Be brief."]],
)  # fmt: skip
@pytest.mark.parametrize("name", ["systemInstruction", "system_instruction"])
def test_system_instruction_of_any_shape_is_read(name: str, system: Any) -> None:
    request = decode(**{name: system})
    assert request.messages[0].role == "system"
    assert parts_of(request, 0) == (Text("Be brief."),)
    assert GEMINI.read_prompt(envelope(**{name: system})).system == "Be brief."


@pytest.mark.parametrize(
    "contents",
    ["Hi", {"parts": [{"text": "Hi"}]}, {"parts": {"text": "Hi"}}, ["Hi"], [{"parts": [{"text": "Hi"}]}],
     [{"role": "", "parts": ["Hi"]}], [{"role": "user", "parts": "Hi"}]],
)  # fmt: skip
def test_contents_of_any_shape_are_read(contents: Any) -> None:
    request = decode(contents=contents)
    assert [(m.role, m.parts) for m in request.messages] == [("user", (Text("Hi"),))]
    assert GEMINI.read_prompt(envelope(contents=contents)).turns == (Turn("user", "Hi"),)


def test_tools_may_be_one_object() -> None:
    assert decode(tools={"function_declarations": [{"name": "f"}]}).tools == (Tool("f"),)


# calls and responses


def test_calls_without_ids_get_their_own_and_responses_find_them_in_order() -> None:
    request = decode(
        contents=turns(
            ("user", [{"text": "both"}]),
            ("model", [call("look", key="bird"), call("look", key="tree"), call("other")]),
            ("user", [response("other", output="o"), response("look", output="b"), response("look", output="t")]),
            ("model", [call("look", key="bird")]),
            ("function", [response("look", output="again")]),
        )
    )  # fmt: skip
    bird, tree, other = (part.id for part in parts_of(request, 1))
    again = parts_of(request, 3)[0].id
    assert len({bird, tree, other, again}) == 4
    assert all(made.isalnum() and len(made) <= 40 for made in (bird, tree, other, again))
    assert [(part.call_id, part.content[0].text) for part in parts_of(request, 2)] == [
        (other, "o"),
        (bird, "b"),
        (tree, "t"),
    ]
    assert parts_of(request, 4)[0].call_id == again
    assert request.messages[4].role == "user"


def test_made_ids_stay_when_the_conversation_grows() -> None:
    contents = turns(("model", [call("f")]), ("user", [response("f")]))
    longer = [*contents, *turns(("user", [{"text": "go on"}]))]
    assert parts_of(decode(contents=contents), 0) == parts_of(decode(contents=longer), 0)


def test_own_ids_are_kept_and_matched_before_order() -> None:
    request = decode(
        contents=turns(
            ("model", [call("f", "call_1"), call("f", "functions.f:0")]),
            ("user", [response("f", "functions.f:0", output="2"), response("f", "call_1", output="1")]),
        )
    )
    assert [part.id for part in parts_of(request, 0)] == ["call_1", "functions.f:0"]
    assert [part.call_id for part in parts_of(request, 1)] == ["functions.f:0", "call_1"]


def test_one_id_for_two_calls_becomes_two() -> None:
    request = decode(
        contents=turns(("model", [call("f", "x"), call("f", "x")]), ("user", [response("f", "x"), response("f", "x")]))
    )  # fmt: skip
    ids = [part.id for part in parts_of(request, 0)]
    assert len(set(ids)) == 2
    assert [part.call_id for part in parts_of(request, 1)] == ids


def test_text_behind_the_responses_is_a_message_of_its_own_or_theirs() -> None:
    request = decode(
        contents=turns(("model", [call("f")]), ("user", [response("f", output="1")]), ("user", [{"text": "so?"}]))
    )  # fmt: skip
    assert [message.role for message in request.messages] == ["assistant", "user", "user"]


@pytest.mark.parametrize(
    ("result", "text", "is_error"),
    [
        ({"output": "rain"}, "rain", False),
        ({"result": "rain"}, "rain", False),
        ({"error": "no net"}, "no net", True),
        ({"output": {"a": 1.0}}, '{"a":1.0}', False),
        ({"rain": True, "wind": 3}, '{"rain":true,"wind":3}', False),
        ({"output": "a", "error": "b"}, '{"output":"a","error":"b"}', False),
        ({}, "{}", False),
    ],
)
def test_response_is_read_as_text(result: dict[str, Any], text: str, is_error: bool) -> None:
    contents = turns(("model", [call("f")]), ("user", [response("f", **result)]))
    (answer,) = parts_of(decode(contents=contents), 1)
    assert (answer.content, answer.is_error) == ((Text(text),), is_error)


def test_media_within_a_response_belong_to_it() -> None:
    answer = response("f", output="see")
    answer["functionResponse"]["parts"] = [{"inline_data": {"mime_type": "image/png", "data": "aGk="}}]
    contents = turns(("model", [call("f")]), ("user", [answer]))
    (result,) = parts_of(decode(contents=contents), 1)
    assert result.content == (Text("see"), Image("image/png", "aGk="))
    assert GEMINI.read_prompt(envelope(contents=contents)).image_count == 1


@pytest.mark.parametrize(
    ("contents", "param"),
    [
        (turns(("user", [response("f")])), "contents[0].parts[0].functionResponse"),
        (turns(("model", [call("f")]), ("user", [response("g")])), "contents[1].parts[0].functionResponse"),
        (turns(("model", [call("f")]), ("user", [{"text": "x"}])), "contents[0].parts[0].functionCall"),
        (
            turns(("model", [call("f")]), ("user", [{"text": "x"}]), ("model", [{"text": "y"}])),
            "contents[0].parts[0].functionCall",
        ),
        (turns(("system", [{"text": "x"}])), "contents[0].role"),
        (turns(("model", [{"functionCall": {"args": {}}}])), "contents[0].parts[0].functionCall.name"),
        (turns(("model", [{"functionCall": {"name": "f", "args": [1]}}])), "contents[0].parts[0].functionCall.args"),
        ([{"role": 5, "parts": []}], "contents[0].role"),
        ([{"role": "user", "parts": [{"text": 5}]}], "contents[0].parts[0].text"),
        ([], "contents"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_its_place(contents: Any, param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        GEMINI.decode_request(envelope(contents=contents))
    assert caught.value.param == param


# thoughts and seals


def test_pieces_of_a_streamed_answer_are_one_again() -> None:
    seal = Seal("EqQB", "anthropic")
    contents = turns(
        ("user", [{"text": "Hi"}]),
        ("model", [{"text": "I ", "thought": True}]),
        ("model", [{"text": "think", "thought": True}]),
        ("model", [{"text": "", "thought": True, "thoughtSignature": tag(seal, Kind.THINKING)}]),
        ("model", [{"text": "Hel"}]),
        ("model", [{"text": "lo"}, call("f", "c1")]),
        ("user", [response("f", "c1")]),
    )
    request = decode(contents=contents)
    assert parts_of(request, 1) == (Thinking("I think", seal), Text("Hello"), ToolCall("c1", "f", "{}"))


def test_seals_come_back_and_foreign_ones_do_not() -> None:
    mine = Seal("EqQB", "gemini")
    tagged = {kind: tag(mine, kind) for kind in Kind}
    request = decode(
        contents=turns(
            (
                "model",
                [
                    {"text": "", "thought": True, "thoughtSignature": tagged[Kind.REDACTED]},
                    {"text": "Hi", "thoughtSignature": tagged[Kind.TEXT]},
                    {**call("f", "1"), "thought_signature": tagged[Kind.CALL].replace("+", "-").replace("/", "_")},
                    {**call("f", "2"), "thoughtSignature": "c29tZSBvdGhlcg=="},
                    {**call("f", "3"), "thoughtSignature": tag(Seal("", ""), Kind.CALL)},
                ],
            ),
            ("user", [response("f", "1"), response("f", "2"), response("f", "3")]),
        )
    )  # fmt: skip
    redacted, text, first, second, third = parts_of(request, 0)
    assert redacted == RedactedThinking(mine)
    assert text == Text("Hi", seal=mine)
    assert (first.seal, second.seal, third.seal) == (mine, None, None)


# media


def test_media_are_read_in_either_alphabet() -> None:
    data = base64.urlsafe_b64encode(b"\xfb\xff\xfe\x01").decode().rstrip("=")
    kinds = ["image/png", "audio/mpeg", "audio/ogg", "application/pdf"]
    parts = [{"inline_data": {"mime_type": kind, "data": data}} for kind in kinds]
    plain = base64.b64encode(b"\xfb\xff\xfe\x01").decode()
    assert parts_of(decode(contents=turns(("user", parts))), 0) == (
        Image("image/png", plain),
        Audio(plain, "mp3"),
        Audio(plain, "ogg"),
        Document("application/pdf", plain),
    )
    prompt = GEMINI.read_prompt(envelope(contents=turns(("user", parts))))
    assert (prompt.image_count, prompt.audio_count, prompt.document_count) == (1, 2, 1)
    assert prompt.media_bytes == 4 * (len(data) + 2)


def test_files_anyone_can_fetch_are_read_by_address() -> None:
    parts = [
        {"fileData": {"fileUri": "https://x.test/a.png", "mimeType": "image/png"}},
        {"file_data": {"file_uri": "https://x.test/a.pdf", "mime_type": "application/pdf"}},
    ]
    image, document = parts_of(decode(contents=turns(("user", parts))), 0)
    assert image == Image(url="https://x.test/a.png")
    assert document == Document("application/pdf", url="https://x.test/a.pdf")


@pytest.mark.parametrize(
    "part",
    [
        {"fileData": {"fileUri": "gs://bucket/a.png", "mimeType": "image/png"}},
        {"fileData": {"fileUri": "https://generativelanguage.googleapis.com/v1beta/files/x"}},
        {"fileData": {"fileUri": "https://youtu.be/x"}},
        {"inlineData": {"mimeType": "video/mp4", "data": "aGk="}},
        {"executableCode": {"language": "PYTHON", "code": "1"}},
        {"codeExecutionResult": {"outcome": "OUTCOME_OK"}},
        {"toolCall": {"id": "1"}},
        {"somethingNew": {}},
    ],
)
def test_what_only_google_can_read_is_insisted_on(part: dict[str, Any]) -> None:
    request = decode(contents=turns(("user", [{"text": "x"}, part])))
    path = f"contents[0].parts[1].{next(iter(part))}"
    assert request.must_not_drop == {path}


def test_a_turn_of_nothing_but_that_is_insisted_on_too() -> None:
    video = {"inlineData": {"mimeType": "video/mp4", "data": "aGk="}}
    assert decode(contents=turns(("user", [video]))).must_not_drop == {"contents[0].parts[0].inlineData"}


# tools and settings


@pytest.mark.parametrize(
    ("config", "choice", "names"),
    [
        ({"mode": "AUTO"}, ToolChoice("auto"), "ab"),
        ({"mode": "auto"}, ToolChoice("auto"), "ab"),
        ({"mode": "VALIDATED"}, ToolChoice("auto"), "ab"),
        ({"mode": "NONE"}, ToolChoice("none"), "ab"),
        ({"mode": "ANY"}, ToolChoice("required"), "ab"),
        ({"mode": 2}, ToolChoice("required"), "ab"),
        ({"mode": "ANY", "allowedFunctionNames": ["b"]}, ToolChoice("tool", "b"), "b"),
        ({"mode": "ANY", "allowed_function_names": ["a", "b"]}, ToolChoice("required"), "ab"),
        ({"mode": "ANY", "allowedFunctionNames": []}, ToolChoice("required"), "ab"),
        ({"mode": "MODE_UNSPECIFIED"}, None, "ab"),
        ({}, None, "ab"),
    ],
)
def test_calling_modes(config: dict[str, Any], choice: ToolChoice | None, names: str) -> None:
    tools = [{"functionDeclarations": [{"name": "a"}, {"name": "b"}]}]
    request = decode(tools=tools, toolConfig={"functionCallingConfig": config})
    assert request.tool_choice == choice
    assert [tool.name for tool in request.tools] == list(names)


@pytest.mark.parametrize("config", [{"mode": "ANY"}, {"mode": "ANY", "allowedFunctionNames": ["f"]}])
def test_forcing_what_is_not_there_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(BadRequest):
        decode(toolConfig={"functionCallingConfig": config})


@pytest.mark.parametrize("tool", ["googleSearch", "urlContext", "google_search_retrieval"])
def test_a_search_beside_functions_is_an_offer(tool: str) -> None:
    request = decode(tools=[{"functionDeclarations": [{"name": "f"}]}, {tool: {}}])
    (named,) = request.foreign
    assert named.lower().startswith("tools[1].")
    assert not request.must_not_drop


@pytest.mark.parametrize("tool", ["googleSearch", "codeExecution", "urlContext", "google_search_retrieval"])
def test_tools_google_runs_are_insisted_on(tool: str) -> None:
    (name,) = decode(tools=[{tool: {}}]).must_not_drop
    assert name.startswith("tools[0].")


@pytest.mark.parametrize(
    ("fields", "foreign", "insisted"),
    [
        ({"safetySettings": [{"category": "X"}]}, {"safetySettings"}, set()),
        ({"safety_settings": []}, set(), set()),
        ({"cachedContent": "cachedContents/x"}, {"cachedContent"}, {"cachedContent"}),
        ({"labels": {"a": "b"}}, {"labels"}, set()),
        ({"generationConfig": {}}, set(), set()),
        ({"generationConfig": {"responseModalities": ["TEXT"]}}, set(), set()),
        (
            {"generationConfig": {"responseModalities": ["TEXT", "IMAGE"]}},
            {"generationConfig.responseModalities"},
            {"generationConfig.responseModalities"},
        ),
        (
            {"generation_config": {"response_modalities": ["AUDIO"]}},
            {"generationConfig.responseModalities"},
            {"generationConfig.responseModalities"},
        ),
        ({"generationConfig": {"candidateCount": 1}}, set(), set()),
        (
            {"generationConfig": {"candidateCount": 2}},
            {"generationConfig.candidateCount"},
            {"generationConfig.candidateCount"},
        ),
        (
            {"generationConfig": {"speechConfig": {"voice": "x"}}},
            {"generationConfig.speechConfig"},
            {"generationConfig.speechConfig"},
        ),
        ({"generationConfig": {"mediaResolution": "LOW"}}, {"generationConfig.mediaResolution"}, set()),
        ({"somethingNew": 5}, {"somethingNew"}, set()),
        ({"somethingNew": 0}, {"somethingNew"}, set()),
        ({"config": {"temperature": 1}}, {"config"}, set()),
        (
            {"toolConfig": {"functionCallingConfig": {"mode": "AUTO", "allowedFunctionNames": ["f"]}}},
            {"toolConfig.functionCallingConfig.allowedFunctionNames"},
            set(),
        ),
        ({"store": False, "serviceTier": "standard"}, set(), set()),
    ],
)
def test_fields_without_a_place_are_kept(fields: Any, foreign: set[str], insisted: set[str]) -> None:
    request = decode(**fields)
    assert request.foreign.keys() == foreign
    assert request.must_not_drop == insisted


@pytest.mark.parametrize(
    ("config", "reasoning"),
    [
        ({"thinkingBudget": 0}, Reasoning(effort="none", is_shown=False)),
        ({"thinkingBudget": -1}, Reasoning(adaptive=True, is_shown=False)),
        ({"thinkingBudget": -1, "includeThoughts": True}, Reasoning(adaptive=True)),
        ({"thinking_budget": 2048}, Reasoning(budget_tokens=2048, is_shown=False)),
        ({"thinkingLevel": "HIGH"}, Reasoning(effort="high", is_shown=False)),
        ({"thinking_level": "minimal", "include_thoughts": True}, Reasoning(effort="minimal")),
        ({"includeThoughts": False}, None),
        ({}, None),
    ],
)
def test_thinking_is_read(config: dict[str, Any], reasoning: Reasoning | None) -> None:
    assert decode(generationConfig={"thinkingConfig": config}).reasoning == reasoning


def test_asking_only_to_see_thoughts_asks_for_none() -> None:
    request = decode(generationConfig={"thinkingConfig": {"includeThoughts": True}})
    assert request.reasoning is None
    assert request.foreign == {"generationConfig.thinkingConfig.includeThoughts": True}


def test_numbers_of_any_writing_are_read() -> None:
    config = {"topK": 40.0, "maxOutputTokens": "100", "seed": 7, "responseLogprobs": True, "logprobs": 3}
    assert decode(generationConfig=config).sampling == Sampling(
        max_output_tokens=100, top_k=40, seed=7, logprobs=True, top_logprobs=3
    )


def test_prompt_of_a_conversation() -> None:
    prompt = GEMINI.read_prompt(
        envelope(
            contents=turns(
                ("user", [{"text": "a"}, {"text": "b"}]),
                ("model", [{"text": "hm", "thought": True}, {"text": "c"}, call("f")]),
                ("user", [response("f", output="d"), {"text": "e"}]),
            ),
            tools=[{"functionDeclarations": [{"name": "f"}, {"name": "g"}], "googleSearch": {}}],
            generationConfig={
                "responseMimeType": "application/json",
                "responseSchema": {"type": "OBJECT"},
                "thinkingConfig": {"thinkingBudget": 1},
            },
        )
    )
    assert prompt.turns == (
        Turn("user", "a\nb"),
        Turn("assistant", "c"),
        Turn("tool", '{"output":"d"}'),
        Turn("user", "e"),
    )
    assert (prompt.tool_count, prompt.output_format, prompt.wants_thinking) == (
        3, "json_schema", True,
    )  # fmt: skip


# schemas


def test_google_schema_becomes_json_schema() -> None:
    schema = {
        "type": "OBJECT",
        "property_ordering": ["b", "a"],
        "properties": {
            "a": {"type": "STRING", "nullable": True, "format": "enum", "enum": ["x"]},
            "b": {"any_of": [{"type": "INTEGER", "min_items": "1"}, {"type": "NULL"}], "nullable": True},
            "nullable": {"type": "BOOLEAN", "default": {"type": "STRING"}},
            "property_ordering": {
                "type": "ARRAY",
                "items": {"type": "NUMBER"},
                "minItems": "2",
                "example": [1],
            },
        },
        "required": ["nullable"],
    }
    written = json_schema(schema, "x")
    assert written == {
        "type": "object",
        "properties": {
            "b": {"anyOf": [{"type": "integer", "minItems": 1}, {"type": "null"}]},
            "a": {"type": ["string", "null"], "enum": ["x", None]},
            "nullable": {"type": "boolean", "default": {"type": "STRING"}},
            "property_ordering": {"type": "array", "items": {"type": "number"}, "minItems": 2, "examples": [[1]]},
        },
        "required": ["nullable"],
    }  # fmt: skip
    assert list(written["properties"])[:2] == ["b", "a"]


def test_json_schema_stays_as_it_is() -> None:
    schema = {
        "type": ["object", "null"],
        "properties": {"$ref": {"$ref": "#/$defs/x"}, "const": {"const": None}},
        "$defs": {"x": {"type": "string", "x-own": {"type": "STRING"}}},
        "additionalProperties": False,
    }
    assert json_schema(schema, "x") == schema


# robustness

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["role", "parts", "text", "thought", "functionCall", "function_response", "name", "args", "response",
             "inlineData", "mime_type", "data", "tools", "functionDeclarations", "parameters", "generationConfig",
             "thinkingConfig", "thinkingBudget", "responseSchema", "properties", "type", "x"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=20,
)  # fmt: skip


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["contents", "tools", "system_instruction", "generationConfig", "toolConfig"]), JSON
    )
)
def test_any_json_is_read_or_refused(fields: dict[str, Any]) -> None:
    for read in (GEMINI.read_prompt, GEMINI.decode_request, GEMINI.require_messages):
        with suppress(BadRequest):
            read(envelope(**fields))


@pytest.mark.parametrize("depth", [50, 900, 20_000])
def test_deep_nesting_is_read_or_refused(depth: int) -> None:
    deep = b'{"type":"ARRAY","items":' * depth + b"1" + b"}" * depth
    tools = b'[{"functionDeclarations":[{"name":"f","parameters":%b}]}]' % deep
    body = b'{"contents":"Hi","tools":%b}' % tools
    with suppress(BadRequest):
        GEMINI.decode_request(read_envelope(body, Address("flash", stream=False)))


@pytest.mark.parametrize("name", ["responseSchema", "response_json_schema"])
@pytest.mark.parametrize("kind", [{}, {"responseMimeType": "text/plain"}])
def test_a_schema_for_an_answer_in_plain_text_is_refused(name: str, kind: dict[str, Any]) -> None:
    """As Google does: a caller who wants it kept to is not to lose it without a word."""
    with pytest.raises(BadRequest, match=r"responseMimeType"):
        decode(generationConfig={name: {"type": "OBJECT"}, **kind})


def test_pieces_of_a_text_are_one_and_a_sealed_piece_ends_it() -> None:
    sealed = tag(Seal("s", "google"), Kind.TEXT)
    parts = [
        {"text": "a"},
        {"text": ""},
        {"text": "b", "thoughtSignature": sealed},
        {"text": "c"},
        {"text": "d"},
    ]
    (_, said) = decode(contents=[*HI, *({"role": "model", "parts": [part]} for part in parts)]).messages
    assert said.parts == (Text("ab", seal=Seal("s", "google")), Text("cd"))


@pytest.mark.parametrize("depth", [9, 200, 2000])
@pytest.mark.parametrize(("opening", "end"), [(b"[", b"]"), (b'{"parts":', b"}")])
def test_a_system_instruction_nested_deeply_is_refused(depth: int, opening: bytes, end: bytes) -> None:
    body = b'{"contents":"a","systemInstruction":%b"b"%b}' % (opening * depth, end * depth)
    with pytest.raises(BadRequest, match=r"nested too deeply"):
        GEMINI.decode_request(read_envelope(body, Address("m", stream=False)))
