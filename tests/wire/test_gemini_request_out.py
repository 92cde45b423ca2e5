"""Requests written for Gemini models: what each may be sent, what is renamed, rewritten, refused or named as dropped."""

import json
from dataclasses import replace
from typing import Any

import pytest
from gemini_checks import check_request_rules
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.core.errors import BadRequest, Unsupported
from pointsman.core.events import Finished, TextDelta, ToolCallDelta, ToolCallStarted
from pointsman.core.model_card import ModelCard
from pointsman.core.request import (
    Audio,
    Document,
    Image,
    Message,
    OutputFormat,
    Part,
    Reasoning,
    RedactedThinking,
    Request,
    Role,
    Sampling,
    Seal,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from pointsman.wire.dialect import EncodedRequest
from pointsman.wire.gemini import GEMINI
from pointsman.wire.gemini.contents_out import SKIP_VALIDATOR
from pointsman.wire.gemini.paths import read_path
from pointsman.wire.gemini.schema_out import SchemaWriter
from pointsman.wire.undo import Undoing

GEMINI_2 = ModelCard("m", "gemini", "gemini-2.5-flash")
GEMINI_3 = ModelCard("m", "gemini", "gemini-3.8-flash")
HI = Message("user", (Text("Hi"),))
WEATHER = Tool("weather", "d", {"type": "object", "properties": {"city": {"type": "string"}}})
ANSWER = OutputFormat("json_schema", {"type": "object", "properties": {"a": {"type": "string"}}})


def said(role: Role, *parts: Part) -> Message:
    return Message(role, parts)


def encode(
    *messages: Message, card: ModelCard = GEMINI_3, **fields: Any
) -> tuple[dict[str, Any], EncodedRequest]:
    encoded = GEMINI.encode_request(Request("m", messages or (HI,), **fields), card)
    body = json.loads(encoded.body)
    check_request_rules(body, card.id)
    return body, encoded


def contents(*messages: Message, card: ModelCard = GEMINI_3) -> list[Any]:
    written = encode(*messages, card=card)[0]["contents"]
    assert written[0]["role"] == "user"
    is_made_up = written[0]["parts"] == [{"text": ""}]
    return written[1:] if is_made_up else written


# turns


def test_turns_are_merged_and_system_text_is_apart() -> None:
    body, _ = encode(
        said("system", Text("a")),
        said("developer", Text("b")),
        HI,
        said("user", Text("there")),
        said("assistant", Text("Hello")),
        said("system", Text("now in French")),
    )
    assert body == {
        "systemInstruction": {"parts": [{"text": "a"}, {"text": "b"}]},
        "contents": [
            {"role": "user", "parts": [{"text": "Hi"}, {"text": "there"}]},
            {"role": "model", "parts": [{"text": "Hello"}]},
            {"role": "user", "parts": [{"text": "<system>\nnow in French\n</system>"}]},
        ],
    }


def test_a_conversation_that_the_model_begins_gets_an_empty_turn_before_it() -> None:
    body, _ = encode(said("assistant", Text("Hello")), HI)
    assert body["contents"][0] == {"role": "user", "parts": [{"text": ""}]}
    assert [content["role"] for content in body["contents"]] == ["user", "model", "user"]


def test_results_come_first_in_the_turn_after_their_calls() -> None:
    written = contents(
        said(
            "assistant", ToolCall("c1", "weather", '{"city": "K", "n": 1.0}'), ToolCall("c2", "weather", "")
        ),
        said("user", ToolResult("c1", (Text("rain"), Text("wind")))),
        said("user", Text("and?"), ToolResult("c2", (Text("no"),), is_error=True)),
    )
    assert written[0]["parts"][0]["functionCall"] == {
        "id": "c1",
        "name": "weather",
        "args": {"city": "K", "n": 1.0},
    }
    assert written[1]["parts"] == [
        {"functionResponse": {"id": "c1", "name": "weather", "response": {"output": "rain\nwind"}}},
        {"functionResponse": {"id": "c2", "name": "weather", "response": {"error": "no"}}},
        {"text": "and?"},
    ]  # fmt: skip


def test_results_stand_in_the_order_of_their_calls() -> None:
    history = [
        said("assistant", *(ToolCall(f"c{at}", "f", "{}") for at in range(4))),
        said("user", ToolResult("c2", ()), Text("x"), ToolResult("c0", ())),
        said("user", ToolResult("c3", ()), ToolResult("c1", ())),
    ]
    parts = contents(*history)[1]["parts"]
    assert [part["functionResponse"]["id"] for part in parts[:4]] == ["c0", "c1", "c2", "c3"]
    assert parts[4:] == [{"text": "x"}]


@pytest.mark.parametrize(
    "messages",
    [
        [said("system", Text("only"))],
        [said("assistant", ToolCall("c", "f", "{}"))],
        [said("assistant", ToolCall("c", "f", "{}")), HI, said("assistant", Text("x"))],
        [HI, said("user", ToolResult("c", ()))],
        [said("assistant", ToolCall("c", "f", "[1]")), said("user", ToolResult("c", ()))],
        [said("assistant", ToolCall("c", "f", "{")), said("user", ToolResult("c", ()))],
    ],
)
def test_broken_histories_are_refused(messages: list[Message]) -> None:
    with pytest.raises(BadRequest):
        encode(*messages)


def test_media_are_written() -> None:
    body, encoded = encode(
        said(
            "user",
            Image("image/png", "aGk=", detail="high"),
            Image(url="https://x.test/a.jpg?size=1"),
            Image(url="https://x.test/a"),
            Document("application/pdf", "aGk=", name="a.pdf"),
            Document(text="plain"),
            Audio("aGk=", "mp3"),
        )
    )
    assert body["contents"][0]["parts"] == [
        {"inlineData": {"mimeType": "image/png", "data": "aGk="}},
        {"fileData": {"fileUri": "https://x.test/a.jpg?size=1", "mimeType": "image/jpeg"}},
        {"fileData": {"fileUri": "https://x.test/a"}},
        {"inlineData": {"mimeType": "application/pdf", "data": "aGk="}},
        {"text": "plain"},
        {"inlineData": {"mimeType": "audio/mp3", "data": "aGk="}},
    ]
    assert encoded.dropped == ("detail", "filename")


def test_media_of_a_result_stand_within_it_or_behind_it() -> None:
    history = (
        said("assistant", ToolCall("c", "look", "{}")),
        said("user", ToolResult("c", (Text("see"), Image("image/png", "aGk=")))),
    )
    image = {"inlineData": {"mimeType": "image/png", "data": "aGk="}}
    (within,) = contents(*history)[1]["parts"]
    assert within["functionResponse"]["parts"] == [image]
    result, behind = contents(*history, card=GEMINI_2)[1]["parts"]
    assert result["functionResponse"]["response"] == {"output": "see\n[image 1 attached below]"}
    assert behind == image


# seals


def test_seals_go_back_to_their_maker_only() -> None:
    mine, other = Seal("Cg==", "gemini"), Seal("EqQB", "anthropic")
    written = contents(
        HI,
        said(
            "assistant",
            Thinking("a secret", other),
            RedactedThinking(other),
            Thinking("unsealed"),
            Thinking("mine", mine),
            Text("Hi", seal=mine),
            Text("", seal=mine),
            Text("", seal=other),
            ToolCall("c", "f", "{}", mine),
        ),
        said("user", ToolResult("c", ())),
    )
    assert written[1]["parts"] == [
        {"text": "mine", "thought": True, "thoughtSignature": "Cg=="},
        {"text": "Hi", "thoughtSignature": "Cg=="},
        {"text": "", "thoughtSignature": "Cg=="},
        {"functionCall": {"id": "c", "name": "f", "args": {}}, "thoughtSignature": "Cg=="},
    ]


def signatures(written: list[Any]) -> list[str | None]:
    return [
        part.get("thoughtSignature")
        for content in written
        for part in content["parts"]
        if "functionCall" in part
    ]


def loop(*seals: Seal | None) -> list[Message]:
    messages = [HI]
    for at, seal in enumerate(seals):
        messages += [
            said("assistant", ToolCall(f"a{at}", "f", "{}", seal), ToolCall(f"b{at}", "f", "{}")),
            said("user", ToolResult(f"a{at}", ()), ToolResult(f"b{at}", ())),
        ]
    return messages


def test_first_call_of_each_step_is_signed_for_gemini_3() -> None:
    mine = Seal("Cg==", "gemini")
    history = [*loop(None), said("assistant", Text("Done")), *loop(mine, None, Seal("x", "other"))]
    assert signatures(contents(*history)) == [
        None, None,  # an earlier turn
        "Cg==", None, SKIP_VALIDATOR, None, SKIP_VALIDATOR, None,
    ]  # fmt: skip
    assert signatures(contents(*history, card=GEMINI_2)) == [None, None, "Cg==", None, None, None, None, None]


@pytest.mark.parametrize(
    ("model", "is_signed"),
    [
        ("gemini-3-pro", True),
        ("gemini-4-argon", True),
        ("gemini-flash-latest", True),
        ("models/gemini-3.1-pro-preview", True),
        ("gemini-2.0-flash", False),
        ("gemma-3-27b-it", False),
    ],
)
def test_only_models_that_ask_for_signatures_get_one(model: str, is_signed: bool) -> None:
    written = contents(*loop(None), card=ModelCard("m", "gemini", model))
    assert signatures(written) == [SKIP_VALIDATOR if is_signed else None, None]


# tools


def test_tools_and_choices_are_written() -> None:
    body, _ = encode(tools=(WEATHER, Tool("ping")), tool_choice=ToolChoice("tool", "ping"))
    assert body["tools"] == [
        {
            "functionDeclarations": [
                {"name": "weather", "description": "d", "parametersJsonSchema": WEATHER.schema},
                {"name": "ping"},
            ]
        }
    ]
    assert body["toolConfig"] == {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["ping"]}}
    assert "toolConfig" not in encode(tools=(WEATHER,), tool_choice=ToolChoice("auto"))[0]
    for mode, word in (("none", "NONE"), ("required", "ANY")):
        body, _ = encode(tools=(WEATHER,), tool_choice=ToolChoice(mode))  # type: ignore[arg-type]
        assert body["toolConfig"] == {"functionCallingConfig": {"mode": word}}


@pytest.mark.parametrize("choice", [ToolChoice("required"), ToolChoice("tool", "weather")])
def test_choice_of_what_is_not_there_is_refused(choice: ToolChoice) -> None:
    with pytest.raises(BadRequest):
        encode(tool_choice=choice)


@pytest.mark.parametrize("schema", [{}, {"type": "object"}, {"type": "object", "properties": {}}])
def test_function_without_parameters_has_no_schema(schema: dict[str, Any]) -> None:
    body, _ = encode(tools=(Tool("f", None, schema),))
    assert body["tools"] == [{"functionDeclarations": [{"name": "f"}]}]


def test_names_the_api_refuses_are_taken_back() -> None:
    names = ("mcp/search files", "9lives", "x" * 90, "mcp_search_files", "ok.name:v-1")
    body, encoded = encode(
        HI,
        said("assistant", ToolCall("c", names[0], "{}")),
        said("user", ToolResult("c", ())),
        tools=tuple(Tool(name) for name in names),
        tool_choice=ToolChoice("tool", names[1]),
    )
    sent = [function["name"] for function in body["tools"][0]["functionDeclarations"]]
    assert sent[3:] == list(names[3:])
    assert [encoded.undo.tool_names[name] for name in sent[:3]] == list(names[:3])
    assert body["contents"][1]["parts"][0]["functionCall"]["name"] == sent[0]
    assert body["contents"][2]["parts"][0]["functionResponse"]["name"] == sent[0]
    assert body["toolConfig"]["functionCallingConfig"]["allowedFunctionNames"] == [sent[1]]
    events = Undoing(encoded.undo).feed([ToolCallStarted(0, "c", sent[2])])
    assert events == [ToolCallStarted(0, "c", names[2])]


@settings(deadline=None)
@given(st.lists(st.text(min_size=1, max_size=80), unique=True, max_size=6))
def test_any_names_are_sent_and_taken_back(names: list[str]) -> None:
    body, encoded = encode(tools=tuple(Tool(name) for name in names))
    sent = [f["name"] for tool in body.get("tools", []) for f in tool["functionDeclarations"]]
    assert [encoded.undo.tool_names.get(name, name) for name in sent] == names


# schemas


def rewritten(schema: dict[str, Any]) -> tuple[dict[str, Any], set[str]]:
    writer = SchemaWriter()
    return writer.write(schema, "x"), set(writer.dropped)


def test_keywords_without_support_are_rewritten_or_named() -> None:
    schema, dropped = rewritten(
        {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "type": ["object", "null"],
            "additionalProperties": False,
            "propertyNames": {"pattern": "x"},
            "properties": {
                "kind": {"const": "a"},
                "one": {"oneOf": [{"type": "string"}, {"const": 1}]},
                "all": {"allOf": [{"properties": {"a": {}}, "required": ["a"]}, {"properties": {"b": {}}, "required": ["b"]}]},
                "list": {"type": "array", "items": {"$schema": "x", "not": {}}, "prefixItems": [{"const": 2}]},
            },
        }
    )  # fmt: skip
    assert schema == {
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": {
            "kind": {"enum": ["a"]},
            "one": {"anyOf": [{"type": "string"}, {"enum": [1]}]},
            "all": {"properties": {"a": {}, "b": {}}, "required": ["a", "b"]},
            "list": {"type": "array", "items": {}, "prefixItems": [{"enum": [2]}]},
        },
    }
    assert dropped == {"schema.propertyNames", "schema.not"}


def test_properties_called_like_keywords_survive() -> None:
    names = [
        "$schema",
        "$ref",
        "$defs",
        "const",
        "additionalProperties",
        "propertyNames",
        "not",
        "title",
        "oneOf",
    ]
    schema = {"type": "object", "properties": {name: {"type": "string"} for name in names}}
    assert rewritten(schema) == (schema, set())
    default = {"type": "object", "default": {"$ref": "x", "const": 1}, "enum": [{"const": 1}]}
    assert rewritten(default) == (default, set())


def test_local_references_are_written_out() -> None:
    schema, dropped = rewritten(
        {
            "type": "object",
            "properties": {
                "a": {"$ref": "#/$defs/city", "description": "here"},
                "b": {"$ref": "#/definitions/x~1y"},
                "c": {"$ref": "#/properties/a"},
            },
            "$defs": {"city": {"type": "string", "description": "a city"}},
            "definitions": {"x/y": {"type": "array", "items": {"$ref": "#/$defs/city"}}},
        }
    )
    here = {"type": "string", "description": "here"}
    assert schema["properties"] == {
        "a": here,
        "b": {"type": "array", "items": {"type": "string", "description": "a city"}},
        "c": here,
    }
    assert schema.keys() == {"type", "properties"}
    assert not dropped


def test_references_that_go_nowhere_or_round_are_open_and_named() -> None:
    schema, dropped = rewritten(
        {
            "type": "object",
            "properties": {"next": {"$ref": "#"}, "gone": {"$ref": "#/$defs/x"}, "far": {"$ref": "http://x"}},
        }
    )
    inner = schema["properties"]["next"]
    assert inner["properties"]["next"] == {"type": "object"}
    assert schema["properties"]["gone"] == schema["properties"]["far"] == {}
    assert dropped == {"schema.$ref"}


def test_references_that_multiply_are_refused() -> None:
    doubling = {
        f"d{at}": {"anyOf": [{"$ref": f"#/$defs/d{at + 1}"}, {"$ref": f"#/$defs/d{at + 1}"}]} for at in range(40)
    }  # fmt: skip
    with pytest.raises(BadRequest, match="too large"):
        rewritten({"$ref": "#/$defs/d0", "$defs": doubling})


# settings


def test_sampling_is_written() -> None:
    sampling = Sampling(9, 0.5, 0.6, 7, ("a", "b"), 3, 0.1, 0.2, logprobs=True, top_logprobs=2)
    body, encoded = encode(sampling=sampling)
    assert body["generationConfig"] == {
        "maxOutputTokens": 9, "temperature": 0.5, "topP": 0.6, "topK": 7, "stopSequences": ["a", "b"], "seed": 3,
        "frequencyPenalty": 0.1, "presencePenalty": 0.2, "responseLogprobs": True, "logprobs": 2,
    }  # fmt: skip
    assert encoded.dropped == ()


def test_what_is_over_the_limits_is_cut_and_named_or_refused() -> None:
    card = replace(GEMINI_3, max_output_tokens=100)
    body, encoded = encode(card=card, sampling=Sampling(max_output_tokens=200, temperature=3))
    assert body["generationConfig"] == {"maxOutputTokens": 100, "temperature": 2.0}
    assert encoded.dropped == ("max_tokens", "temperature")
    with pytest.raises(Unsupported):
        encode(sampling=Sampling(stop=tuple("abcdef")))


@pytest.mark.parametrize(
    ("model", "reasoning", "config", "dropped"),
    [
        ("gemini-2.5-flash", Reasoning(effort="none"), {"thinkingBudget": 0}, ()),
        ("gemini-2.5-flash", Reasoning(effort="low"), {"thinkingBudget": 1024, "includeThoughts": True}, ()),
        ("gemini-2.5-flash", Reasoning(effort="max", is_shown=False), {"thinkingBudget": 24576}, ()),
        ("gemini-2.5-flash", Reasoning(adaptive=True, is_shown=False), {"thinkingBudget": -1}, ()),
        ("gemini-2.5-flash", Reasoning(budget_tokens=99, is_shown=False), {"thinkingBudget": 99}, ()),
        ("gemini-2.5-flash-lite", Reasoning(budget_tokens=99, is_shown=False), {"thinkingBudget": 512}, ("reasoning",)),
        ("gemini-2.5-pro", Reasoning(budget_tokens=64000, is_shown=False), {"thinkingBudget": 32768}, ("reasoning",)),
        ("gemini-2.5-pro", Reasoning(effort="none"), {"thinkingBudget": 128}, ("reasoning_effort",)),
        ("gemini-3.8-flash", Reasoning(effort="medium"), {"thinkingLevel": "medium", "includeThoughts": True}, ()),
        ("gemini-3.8-flash", Reasoning(effort="none"), {"thinkingLevel": "minimal"}, ("reasoning_effort",)),
        ("gemini-3-pro", Reasoning(effort="minimal", is_shown=False), {"thinkingLevel": "low"}, ("reasoning_effort",)),
        ("gemini-4-argon", Reasoning(effort="xhigh", is_shown=False), {"thinkingLevel": "high"}, ("reasoning_effort",)),
        ("gemini-3-pro", Reasoning(adaptive=True), {"includeThoughts": True}, ()),
        ("gemini-flash-latest", Reasoning(effort="high", is_shown=False), {"thinkingBudget": 24576}, ()),
    ],
)  # fmt: skip
def test_thinking_is_asked_for_as_the_model_takes_it(
    model: str, reasoning: Reasoning, config: dict[str, Any], dropped: tuple[str, ...]
) -> None:
    body, encoded = encode(card=ModelCard("m", "gemini", model), reasoning=reasoning)
    assert body["generationConfig"] == {"thinkingConfig": config}
    assert encoded.dropped == dropped


def test_thinking_of_a_model_that_cannot_is_named() -> None:
    card = replace(GEMINI_2, abilities=frozenset())
    body, encoded = encode(card=card, reasoning=Reasoning(effort="high"))
    assert "generationConfig" not in body
    assert encoded.dropped == ("reasoning_effort",)


def test_json_answers_are_asked_for() -> None:
    body, _ = encode(output_format=OutputFormat("json_object"))
    assert body["generationConfig"] == {"responseMimeType": "application/json"}
    body, _ = encode(output_format=ANSWER, tools=(WEATHER,))
    assert body["generationConfig"]["responseJsonSchema"] == ANSWER.schema
    with pytest.raises(Unsupported):
        encode(output_format=ANSWER, card=replace(GEMINI_3, abilities=frozenset()))


def test_schema_beside_tools_is_a_tool_of_its_own_for_gemini_2() -> None:
    body, encoded = encode(output_format=ANSWER, tools=(WEATHER,), card=GEMINI_2)
    names = [function["name"] for function in body["tools"][0]["functionDeclarations"]]
    assert names == ["weather", "json_answer"]
    assert body["toolConfig"] == {"functionCallingConfig": {"mode": "ANY"}}
    events = Undoing(encoded.undo).feed(
        [ToolCallStarted(0, "c", "json_answer"), ToolCallDelta(0, '{"a":"b"}'), Finished("tool_calls")]
    )
    assert events == [TextDelta('{"a":"b"}'), Finished("stop")]


def test_schema_beside_tools_that_are_not_called_stays_one_for_gemini_2() -> None:
    body, _ = encode(output_format=ANSWER, tools=(WEATHER,), tool_choice=ToolChoice("none"), card=GEMINI_2)
    assert "tools" not in body
    assert body["generationConfig"]["responseJsonSchema"] == ANSWER.schema


def test_schema_beside_a_forced_tool_is_named_as_dropped_for_gemini_2() -> None:
    body, encoded = encode(
        output_format=ANSWER, tools=(WEATHER,), tool_choice=ToolChoice("required"), card=GEMINI_2
    )
    assert "generationConfig" not in body
    assert encoded.dropped == ("response_format",)


def test_foreign_fields_are_refused_or_named() -> None:
    foreign = {"logit_bias": {"1": 1}, "service_tier": "auto", "tools.1.defer_loading": "x"}
    _, encoded = encode(foreign=foreign, user="u", parallel_tools=False, tools=(WEATHER,))
    assert encoded.dropped == ("logit_bias", "tools.1.defer_loading", "parallel_tool_calls", "user")
    with pytest.raises(Unsupported) as caught:
        encode(foreign={"n": 2}, must_not_drop=frozenset({"n"}))
    assert caught.value.param == "n"
    assert "m" in caught.value.message


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("gemini-2.5-flash", "/models/gemini-2.5-flash:{}"),
        ("models/gemini-2.5-flash", "/models/gemini-2.5-flash:{}"),
        ("tunedModels/x-1", "/tunedModels/x-1:{}"),
        ("publishers/google/models/x", "/publishers/google/models/x:{}"),
        ("openai/gpt-5:free", "/models/openai%2Fgpt-5%3Afree:{}"),
        ("models/../../x?y#z", "/models/models%2F..%2F..%2Fx%3Fy%23z:{}"),
        ("ä b", "/models/%C3%A4%20b:{}"),
    ],
)
def test_endpoint_names_the_model(model: str, path: str) -> None:
    assert GEMINI.endpoint(model, stream=False) == path.format("generateContent")
    assert GEMINI.endpoint(model, stream=True) == path.format("streamGenerateContent?alt=sse")


@pytest.mark.parametrize(
    ("tail", "model", "verb"),
    [
        ("models/gemini-2.5-pro:generateContent", "gemini-2.5-pro", "generateContent"),
        ("models/openai/gpt-5:free:streamGenerateContent", "openai/gpt-5:free", "streamGenerateContent"),
        ("models/openai%2Fgpt-5%3Afree:countTokens", "openai/gpt-5:free", "countTokens"),
        ("publishers/google/models/x:generateContent", "x", "generateContent"),
        ("projects/p/locations/l/publishers/google/models/x:generateContent", "x", "generateContent"),
        ("x:embedContent", "x", "embedContent"),
        ("models/a/models/b", "a/models/b", ""),
        ("models/a:b/c", "a:b/c", ""),
    ],
)
def test_path_names_model_and_verb(tail: str, model: str, verb: str) -> None:
    assert read_path(tail) == (model, verb)


@pytest.mark.parametrize("own", [["json_answer"], ["json_answer", "json_answer_"]])
def test_the_tool_that_stands_for_the_answer_has_a_name_of_its_own(own: list[str]) -> None:
    tools = tuple(Tool(name, None, {"type": "object"}) for name in own)
    wanted = OutputFormat("json_schema", {"type": "object"})
    request = Request("m", (Message("user", (Text("Hi"),)),), tools=tools, output_format=wanted)
    encoded = GEMINI.encode_request(request, ModelCard("m", "gemini", "gemini-2.5-flash"))
    declared = json.loads(encoded.body)["tools"][0]["functionDeclarations"]
    assert len({tool["name"] for tool in declared}) == len(own) + 1
    assert encoded.undo.answer_tool == declared[-1]["name"]
