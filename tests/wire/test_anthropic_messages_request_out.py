"""A Request written for a model that speaks Messages: what it becomes, what is refused, what is named."""

import json
from dataclasses import replace
from typing import Any

import pytest

from pointsman.core.errors import BadRequest, Unsupported
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
from pointsman.wire.anthropic_messages import ANTHROPIC_MESSAGES
from pointsman.wire.anthropic_messages.families import version

CARD = ModelCard("opus", "anthropic", "claude-opus-4-6")
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
WEATHER = Tool("weather", "Looks outside.", SCHEMA)
CALL = ToolCall("call_1", "weather", '{"city":"Oslo"}')
RESULT = ToolResult("call_1", (Text("cold"),))


def say(role: Role, *parts: Part | str) -> Message:
    return Message(role, tuple(Text(part) if isinstance(part, str) else part for part in parts))


HI = Request("auto", (say("user", "Hi"),))


def written(request: Request, card: ModelCard = CARD) -> tuple[dict[str, Any], tuple[str, ...]]:
    encoded = ANTHROPIC_MESSAGES.encode_request(request, card)
    return json.loads(encoded.body), encoded.dropped


def body_of(*messages: Message, **fields: Any) -> dict[str, Any]:
    return written(Request("auto", messages or HI.messages, **fields))[0]


def turns(*messages: Message) -> list[dict[str, Any]]:
    return body_of(*messages)["messages"]


def test_plain_request_is_small() -> None:
    assert written(HI) == (
        {
            "model": "claude-opus-4-6",
            "max_tokens": 8192,
            "messages": [{"role": "user", "content": "Hi"}],
        },
        (),
    )


# turns


def test_leading_system_messages_become_system() -> None:
    body = body_of(say("system", "a"), say("developer", "b", " "), say("user", "Hi"))
    assert body["system"] == [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert body_of(say("system", "a"), say("user", "Hi"))["system"] == "a"


def test_later_system_message_stays_in_place_as_marked_text() -> None:
    """Rule 45."""
    assert turns(say("user", "a"), say("assistant", "b"), say("developer", "c"), say("user", "d")) == [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b"},
        {
            "role": "user",
            "content": [{"type": "text", "text": "<system>\nc\n</system>"}, {"type": "text", "text": "d"}],
        },
    ]


def test_consecutive_messages_of_one_role_are_merged() -> None:
    assert turns(say("user", "a"), say("user", "b"), say("assistant", "c"), say("assistant", "d")) == [
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
        {"role": "assistant", "content": [{"type": "text", "text": "c"}, {"type": "text", "text": "d"}]},
    ]


def test_all_results_of_a_turn_come_first_in_one_user_message() -> None:
    """Rule 11."""
    other = ToolCall("call_2", "weather", "")
    late = ToolResult("call_2", (), is_error=True)
    assert turns(
        say("assistant", CALL, other), say("user", RESULT, "and"), say("system", "x"), say("user", late)
    ) == [
        {
            "role": "assistant",
            "content": [
                {"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "Oslo"}},
                {"type": "tool_use", "id": "call_2", "name": "weather", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "call_1", "content": "cold"},
                {"type": "tool_result", "tool_use_id": "call_2", "is_error": True},
                {"type": "text", "text": "and"},
                {"type": "text", "text": "<system>\nx\n</system>"},
            ],
        },
    ]


def test_turn_with_only_calls_has_no_empty_text() -> None:
    """Rule 17."""
    blocks = turns(say("assistant", "", CALL), say("user", RESULT))[0]["content"]
    assert [block["type"] for block in blocks] == ["tool_use"]


def test_turn_without_content_is_left_out() -> None:
    assert turns(say("user", "a"), say("assistant", "  "), say("user", "b")) == [
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}
    ]
    with pytest.raises(BadRequest, match="at least one message"):
        body_of(say("system", "a"), say("user", ""), say("system", " "))


def test_beginning_of_the_answer_ends_without_space() -> None:
    assert turns(say("user", "a"), say("assistant", "It is \n"))[-1] == {
        "role": "assistant",
        "content": "It is",
    }
    twice = turns(say("user", "a"), say("assistant", "It ", "is "))[-1]["content"]
    assert [block["text"] for block in twice] == ["It ", "is"]


def test_only_signed_thinking_of_the_same_maker_is_sent() -> None:
    """Rules 29 and 30."""
    assert turns(
        say("user", "a"),
        say(
            "assistant",
            Thinking("mine", Seal("EqQB", "anthropic")),
            Thinking("unsigned"),
            Thinking("other", Seal("xyz", "deepseek")),
            RedactedThinking(Seal("Emwk", "anthropic")),
            RedactedThinking(Seal("abc", "openai")),
            "b",
        ),
    )[1]["content"] == [
        {"type": "thinking", "thinking": "mine", "signature": "EqQB"},
        {"type": "redacted_thinking", "data": "Emwk"},
        {"type": "text", "text": "b"},
    ]


def test_media_is_written_in_every_form() -> None:
    parts: list[Part] = [
        Image("image/jpg", "aGk="),
        Image(url="https://x.org/a.png"),
        Document("application/pdf", "aGk=", name="a.pdf"),
        Document(url="https://x.org/a.pdf"),
        Document(text="words"),
        Document("text/csv", "YSxi"),
    ]
    blocks = turns(say("user", *parts))[0]["content"]
    assert [block["source"] for block in blocks] == [
        {"type": "base64", "media_type": "image/jpeg", "data": "aGk="},
        {"type": "url", "url": "https://x.org/a.png"},
        {"type": "base64", "media_type": "application/pdf", "data": "aGk="},
        {"type": "url", "url": "https://x.org/a.pdf"},
        {"type": "text", "media_type": "text/plain", "data": "words"},
        {"type": "text", "media_type": "text/plain", "data": "a,b"},
    ]
    assert blocks[2]["title"] == "a.pdf"


@pytest.mark.parametrize(
    "part", [Audio("aGk=", "wav"), Image("image/tiff", "aGk="), Document("application/zip", "aGk=")]
)
def test_media_the_api_does_not_take_is_refused(part: Part) -> None:
    with pytest.raises(Unsupported):
        body_of(say("user", part))


def test_text_file_that_is_no_text_is_refused() -> None:
    for data in ("/w==", "no base64"):
        with pytest.raises(BadRequest, match="base64 of UTF-8"):
            body_of(say("user", Document("text/plain", data)))


def test_system_message_with_a_picture_is_refused() -> None:
    with pytest.raises(Unsupported):
        body_of(say("system", Image(url="https://x.org/a.png")), say("user", "Hi"))


def test_media_in_a_tool_result_reaches_the_model() -> None:
    """Rule 16."""
    result = ToolResult("call_1", (Text("see"), Text(" "), Image(url="https://x.org/a.png")))
    block = turns(say("assistant", CALL), say("user", result))[1]["content"][0]
    assert [part["type"] for part in block["content"]] == ["text", "image"]


# ids


def ids(*messages: Message) -> tuple[list[str], list[str]]:
    blocks = [
        block for turn in turns(*messages) if isinstance(turn["content"], list) for block in turn["content"]
    ]
    calls = [block["id"] for block in blocks if block["type"] == "tool_use"]
    return calls, [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]


def call(call_id: str) -> ToolCall:
    return ToolCall(call_id, "f", "{}")


def result(call_id: str) -> ToolResult:
    return ToolResult(call_id, (Text("ok"),))


def test_ids_are_rewritten_alike_in_call_and_result() -> None:
    """Rule 10, and the ids of Kimi, which hold dots and colons."""
    calls, results = ids(
        say("assistant", call("functions.add:0"), call("functions_add_0"), call("")),
        say("user", result("functions_add_0"), result("functions.add:0"), result("")),
    )
    assert calls == ["functions_add_0", "functions_add_0_2", "call"]
    assert results == ["functions_add_0_2", "functions_add_0", "call"]


def test_id_that_comes_twice_is_made_unique() -> None:
    calls, results = ids(
        say("assistant", call("x"), call("x")),
        say("user", result("x"), result("x")),
        say("assistant", call("x")),
        say("user", result("x")),
    )
    assert calls == results == ["x", "x_2", "x_3"]


@pytest.mark.parametrize(
    "messages",
    [
        (say("user", RESULT),),
        (say("assistant", CALL),),
        (say("assistant", CALL), say("user", "never mind")),
        (say("assistant", CALL), say("user", "x"), say("assistant", "y"), say("user", RESULT)),
        (say("assistant", CALL), say("user", RESULT, RESULT)),
    ],
)
def test_call_and_result_that_do_not_meet_are_refused(messages: tuple[Message, ...]) -> None:
    """Rule 12."""
    with pytest.raises(BadRequest, match="call_1"):
        body_of(*messages)


@pytest.mark.parametrize("arguments", ["[1]", "{", "nonsense"])
def test_arguments_that_are_no_object_are_refused(arguments: str) -> None:
    with pytest.raises(BadRequest, match="not a JSON object"):
        body_of(say("assistant", ToolCall("call_1", "f", arguments)), say("user", RESULT))


# tools


def test_tool_is_written_without_a_wrapper() -> None:
    """Rule 19."""
    tools = (WEATHER, Tool("now"), Tool("open", schema={"properties": {}}, strict=True))
    assert body_of(tools=tools)["tools"] == [
        {"name": "weather", "description": "Looks outside.", "input_schema": SCHEMA},
        {"name": "now", "input_schema": {"type": "object", "properties": {}}},
        {"name": "open", "input_schema": {"type": "object", "properties": {}}, "strict": True},
    ]


@pytest.mark.parametrize(
    ("choice", "parallel", "wanted"),
    [
        (None, None, None),
        (None, True, None),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        (ToolChoice("auto"), None, {"type": "auto"}),
        (ToolChoice("required"), None, {"type": "any"}),
        (ToolChoice("none"), False, {"type": "none"}),
        (
            ToolChoice("tool", "weather"),
            False,
            {"type": "tool", "name": "weather", "disable_parallel_tool_use": True},
        ),
    ],
)
def test_tool_choice_is_written(choice: ToolChoice | None, parallel: bool | None, wanted: object) -> None:
    body = body_of(tools=(WEATHER,), tool_choice=choice, parallel_tools=parallel)
    assert body.get("tool_choice") == wanted


def test_choice_without_tools_says_nothing() -> None:
    assert "tool_choice" not in body_of(tool_choice=ToolChoice("none"), parallel_tools=False)


@pytest.mark.parametrize("choice", [ToolChoice("required"), ToolChoice("tool", "gone")])
def test_forced_tool_must_be_there(choice: ToolChoice) -> None:
    """Rule 20."""
    with pytest.raises(BadRequest, match="not in tools"):
        body_of(tool_choice=choice, tools=() if choice.mode == "required" else (WEATHER,))


# limits and sampling


@pytest.mark.parametrize(
    ("wanted", "most", "sent", "dropped"),
    [
        (None, None, 8192, ()),
        (None, 64000, 64000, ()),
        (500, 64000, 500, ()),
        (90000, 64000, 64000, ("max_tokens",)),
        (90000, None, 90000, ()),
    ],
)
def test_max_tokens_is_always_sent(
    wanted: int | None, most: int | None, sent: int, dropped: tuple[str, ...]
) -> None:
    request = replace(HI, sampling=Sampling(max_output_tokens=wanted))
    body, left_out = written(request, replace(CARD, max_output_tokens=most))
    assert (body["max_tokens"], left_out) == (sent, dropped)


@pytest.mark.parametrize(
    ("sampling", "sent", "dropped"),
    [
        (Sampling(temperature=0.3), {"temperature": 0.3}, ()),
        (Sampling(temperature=1.7), {"temperature": 1}, ("temperature",)),
        (Sampling(top_p=0.5), {"top_p": 0.5}, ()),
        (Sampling(temperature=0, top_p=0.5), {"temperature": 0}, ("top_p",)),
        (Sampling(top_k=4), {"top_k": 4}, ()),
        (Sampling(stop=("a", "b")), {"stop_sequences": ["a", "b"]}, ()),
        (
            Sampling(seed=0, frequency_penalty=0.5, presence_penalty=1),
            {},
            ("seed", "frequency_penalty", "presence_penalty"),
        ),
        (Sampling(frequency_penalty=0, presence_penalty=0), {}, ()),
    ],
)
def test_sampling_is_written_or_named(
    sampling: Sampling, sent: dict[str, Any], dropped: tuple[str, ...]
) -> None:
    body, left_out = written(replace(HI, sampling=sampling))
    assert {name: body[name] for name in body.keys() - {"model", "max_tokens", "messages"}} == sent
    assert left_out == dropped


def test_stop_string_of_white_space_is_refused() -> None:
    with pytest.raises(Unsupported):
        body_of(sampling=Sampling(stop=("\n",)))


def test_user_becomes_the_user_id_and_a_long_one_its_hash() -> None:
    assert body_of(user="ada")["metadata"] == {"user_id": "ada"}
    hashed = body_of(user="x" * 257)["metadata"]["user_id"]
    assert len(hashed) == 64
    assert hashed == body_of(user="x" * 257)["metadata"]["user_id"]


def test_stream_is_asked_for() -> None:
    assert body_of(stream=True)["stream"] is True


# output and thinking


def test_schema_is_closed_as_the_api_insists() -> None:
    schema = {
        "type": "object",
        "properties": {
            "list": {
                "type": "array",
                "items": {"type": "object", "properties": {"type": {"type": "string"}}},
            },
            "either": {"anyOf": [{"$ref": "#/$defs/a"}, {"type": ["object", "null"], "properties": {}}]},
            "free": {"type": "object", "additionalProperties": False},
        },
        "$defs": {"a": {"type": "object"}},
        "required": ["list"],
    }
    sent = body_of(output_format=OutputFormat("json_schema", schema, name="x", strict=True))["output_config"]
    shut = {"additionalProperties": False}
    assert sent == {
        "format": {
            "type": "json_schema",
            "schema": {
                "type": "object",
                "properties": {
                    "list": {
                        "type": "array",
                        "items": {"type": "object", "properties": {"type": {"type": "string"}}, **shut},
                    },
                    "either": {
                        "anyOf": [
                            {"$ref": "#/$defs/a"},
                            {"type": ["object", "null"], "properties": {}, **shut},
                        ]
                    },
                    "free": {"type": "object", **shut},
                },
                "$defs": {"a": {"type": "object", **shut}},
                "required": ["list"],
                **shut,
            },
        }
    }
    assert "additionalProperties" not in schema


def test_schema_for_a_model_that_cannot_hold_it_is_refused() -> None:
    request = replace(HI, output_format=OutputFormat("json_schema", SCHEMA))
    with pytest.raises(Unsupported):
        written(request, replace(CARD, abilities=frozenset()))


def test_json_mode_becomes_a_sentence() -> None:
    body = body_of(say("system", "a"), say("user", "Hi"), output_format=OutputFormat("json_object"))
    first, hint = body["system"]
    assert first["text"] == "a"
    assert "JSON object" in hint["text"]


@pytest.mark.parametrize(
    ("reasoning", "max_tokens", "thinking"),
    [
        (Reasoning(effort="minimal"), 64000, 1024),
        (Reasoning(effort="low"), 64000, 1024),
        (Reasoning(effort="medium"), 64000, 4096),
        (Reasoning(effort="high"), 64000, 16384),
        (Reasoning(effort="xhigh"), 80000, 32768),
        (Reasoning(effort="high"), 8192, 4096),
        (Reasoning(effort="high"), 1500, 1024),
        (Reasoning(budget_tokens=100), 8192, 1024),
        (Reasoning(budget_tokens=9000), 8192, 8191),
        (Reasoning(budget_tokens=5000), 8192, 5000),
    ],
)
def test_budget_stays_within_its_bounds(reasoning: Reasoning, max_tokens: int, thinking: int) -> None:
    """Rule 23."""
    body, dropped = written(replace(HI, reasoning=reasoning, sampling=Sampling(max_output_tokens=max_tokens)))
    assert body["thinking"] == {"type": "enabled", "budget_tokens": thinking}
    assert 1024 <= thinking < max_tokens
    assert dropped == ()


@pytest.mark.parametrize(
    ("fields", "dropped"),
    [
        ({"reasoning": Reasoning(effort="none")}, ()),
        (
            {"reasoning": Reasoning(effort="high"), "sampling": Sampling(max_output_tokens=1024)},
            ("reasoning_effort",),
        ),
        (
            {"reasoning": Reasoning(budget_tokens=9), "sampling": Sampling(max_output_tokens=9)},
            ("reasoning",),
        ),
        ({"reasoning": Reasoning(effort="enormous")}, ("reasoning_effort",)),
        (
            {
                "reasoning": Reasoning(effort="low"),
                "tools": (WEATHER,),
                "tool_choice": ToolChoice("required"),
            },
            ("reasoning_effort",),
        ),
        (
            {
                "reasoning": Reasoning(effort="low"),
                "messages": (say("user", "a"), say("assistant", CALL), say("user", RESULT)),
            },
            ("reasoning_effort",),
        ),
    ],
)
def test_thinking_that_would_be_refused_is_left_out(fields: dict[str, Any], dropped: tuple[str, ...]) -> None:
    """Rule 21 among them: a forced tool and a budget for thinking exclude each other."""
    body, left_out = written(replace(HI, **fields))
    assert "thinking" not in body
    assert left_out == dropped


def test_thinking_goes_on_in_a_tool_loop_that_began_with_it() -> None:
    loop = (
        say("user", "a"),
        say("assistant", Thinking("hm", Seal("EqQB", "anthropic")), CALL),
        say("user", RESULT),
    )
    assert "thinking" in body_of(*loop, reasoning=Reasoning(effort="low"))


def test_adaptive_thinking_stands_a_forced_tool() -> None:
    body = body_of(
        tools=(WEATHER,),
        tool_choice=ToolChoice("required"),
        reasoning=Reasoning(effort="high", adaptive=True),
    )
    assert body["thinking"] == {"type": "adaptive"}
    assert body["output_config"] == {"effort": "high"}


@pytest.mark.parametrize(
    ("reasoning", "thinking", "effort", "left_out"),
    [
        (Reasoning(effort="xhigh"), {"type": "adaptive", "display": "summarized"}, "xhigh", ()),
        (Reasoning(effort="minimal", is_shown=False), {"type": "adaptive"}, "low", ("reasoning_effort",)),
        (Reasoning(budget_tokens=20000), {"type": "adaptive", "display": "summarized"}, "high", ()),
        (Reasoning(adaptive=True), {"type": "adaptive", "display": "summarized"}, None, ()),
        (Reasoning(effort="none"), None, None, ()),
    ],
)
@pytest.mark.parametrize("model", ["claude-opus-4-7", "anthropic.claude-opus-4-8-v1:0", "claude-sonnet-5"])
def test_newest_models_are_told_an_effort_and_no_budget(
    model: str,
    reasoning: Reasoning,
    thinking: dict[str, str] | None,
    effort: str | None,
    left_out: tuple[str, ...],
) -> None:
    body, dropped = written(replace(HI, reasoning=reasoning), replace(CARD, id=model))
    assert body.get("thinking") == thinking
    assert body.get("output_config", {}).get("effort") == effort
    assert dropped == left_out


def test_newest_models_take_no_sampling_of_their_callers() -> None:
    card = replace(CARD, id="claude-opus-4-7")
    body, dropped = written(replace(HI, sampling=Sampling(temperature=0.2, top_p=0.9, top_k=3)), card)
    assert not body.keys() & {"temperature", "top_p", "top_k"}
    assert dropped == ("temperature", "top_p", "top_k")
    assert written(replace(HI, sampling=Sampling(temperature=1, top_p=1)), card)[1] == ()


def test_a_model_that_thinks_by_a_budget_only_is_given_one() -> None:
    card = replace(CARD, id="claude-sonnet-4-5")
    body, dropped = written(replace(HI, reasoning=Reasoning(adaptive=True)), card)
    assert (body["thinking"], dropped) == ({"type": "enabled", "budget_tokens": 4096}, ())


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("claude-opus-4-7", (4, 7)),
        ("claude-3-5-haiku-20241022", (3, 5)),
        ("claude-sonnet-4-20250514", (4, 0)),
        ("anthropic/claude-sonnet-4.6", (4, 6)),
        ("eu.anthropic.claude-opus-4-8-v1:0", (4, 8)),
        ("claude-opus-5", (5, 0)),
        ("my-own-name", None),
    ],
)
def test_generation_is_told_by_the_name(name: str, found: tuple[int, int] | None) -> None:
    assert version(name) == found


def test_thinking_is_left_out_for_a_model_without_it() -> None:
    card = replace(CARD, abilities=frozenset({"tools"}))
    assert written(replace(HI, reasoning=Reasoning(effort="low")), card)[1] == ("reasoning_effort",)


def test_sampling_that_thinking_excludes_is_named() -> None:
    sampling = Sampling(temperature=0.5, top_p=0.5, top_k=3)
    body, dropped = written(replace(HI, sampling=sampling, reasoning=Reasoning(effort="low")))
    assert not {"temperature", "top_p", "top_k"} & body.keys()
    assert dropped == ("temperature", "top_p", "top_k")
    body, dropped = written(
        replace(HI, sampling=Sampling(temperature=1, top_p=None), reasoning=Reasoning(effort="low"))
    )
    assert (body["temperature"], dropped) == (1, ())


# fields of other dialects


def test_field_the_caller_relies_on_is_refused() -> None:
    """It is the decoder that knows: no name means anything by itself here."""
    with pytest.raises(Unsupported) as caught:
        written(replace(HI, foreign={"n": 3}, must_not_drop=frozenset({"n"})))
    assert caught.value.param == "n"


def test_hint_is_dropped_and_named() -> None:
    assert written(replace(HI, foreign={"n": 3, "unheard_of": None}))[1] == ("n", "unheard_of")


@pytest.mark.parametrize(
    ("sampling", "name"),
    [
        (Sampling(logprobs=True), "logprobs"),
        (Sampling(top_logprobs=3), "top_logprobs"),
    ],
)
def test_log_probabilities_are_refused(sampling: Sampling, name: str) -> None:
    with pytest.raises(Unsupported) as caught:
        written(replace(HI, sampling=sampling))
    assert caught.value.param == name


def test_how_closely_to_look_is_dropped_and_named() -> None:
    def look(detail: str) -> tuple[str, ...]:
        image = Image(url="https://example.com/a.png", detail=detail)
        return written(replace(HI, messages=(Message("user", (image,)),)))[1]

    assert look("low") == ("messages[].content[].image_url.detail",)
    assert look("auto") == ()


OLD = ModelCard("old", "anthropic", "claude-3-haiku", abilities=frozenset({"tools", "thinking"}))
ANSWER = OutputFormat("json_schema", SCHEMA, name="person")


def emulated(request: Request) -> tuple[dict[str, Any], tuple[str, ...], str | None]:
    encoded = ANTHROPIC_MESSAGES.encode_request(request, OLD)
    return json.loads(encoded.body), encoded.dropped, encoded.undo.answer_tool


def test_a_schema_is_asked_for_as_a_tool_where_the_model_knows_no_schemas() -> None:
    """Rule 7: what comes back is text again, see the tests of undoing."""
    body, dropped, tool = emulated(replace(HI, output_format=ANSWER))
    assert tool == "person"
    (sent,) = body["tools"]
    assert (sent["name"], sent["input_schema"]["properties"]) == ("person", SCHEMA["properties"])
    assert body["tool_choice"] == {"type": "tool", "name": "person", "disable_parallel_tool_use": True}
    assert "output_config" not in body
    assert dropped == ()


def test_an_emulated_schema_leaves_the_callers_tools_a_choice() -> None:
    tools = (Tool("person"), Tool("clock"))
    body, _, tool = emulated(replace(HI, tools=tools, output_format=ANSWER))
    assert tool == "person_"
    assert [each["name"] for each in body["tools"]] == ["person", "clock", "person_"]
    assert body["tool_choice"] == {"type": "any", "disable_parallel_tool_use": True}
    forced = replace(HI, tools=tools, tool_choice=ToolChoice("tool", "clock"), output_format=ANSWER)
    body, _, tool = emulated(forced)
    assert (body["tool_choice"], tool) == ({"type": "tool", "name": "clock"}, None)


def test_an_emulated_schema_goes_without_thinking() -> None:
    """Rule 21: the force comes from the schema."""
    body, dropped, _ = emulated(replace(HI, output_format=ANSWER, reasoning=Reasoning(effort="high")))
    assert "thinking" not in body
    assert dropped == ("reasoning_effort",)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "additionalProperties": {"type": "string"}},
        {"type": "object", "properties": {"a": {"type": "array", "items": {"additionalProperties": True}}}},
        {"type": "object", "$defs": {"a": {"anyOf": [{"type": "null"}, {"additionalProperties": {}}]}}},
    ],
)
def test_a_schema_with_properties_of_any_name_is_asked_for_as_a_tool(schema: dict[str, Any]) -> None:
    """The API takes closed objects only in the schema of an answer, and any in the schema of a tool."""
    encoded = ANTHROPIC_MESSAGES.encode_request(
        replace(HI, output_format=OutputFormat("json_schema", schema)), CARD
    )
    assert encoded.undo.answer_tool == "answer"
    assert json.loads(encoded.body)["tools"][0]["input_schema"] == schema


def test_a_property_of_that_name_is_no_such_thing() -> None:
    schema = {"type": "object", "properties": {"additionalProperties": {"type": "string"}}}
    assert "output_config" in body_of(output_format=OutputFormat("json_schema", schema))


def test_a_schema_of_a_list_cannot_be_emulated() -> None:
    with pytest.raises(Unsupported, match="anything but an object"):
        emulated(replace(HI, output_format=OutputFormat("json_schema", {"type": "array"})))


def test_a_schema_nested_without_end_is_refused() -> None:
    schema: dict[str, Any] = {"type": "object"}
    for _ in range(5000):
        schema = {"type": "object", "properties": {"a": schema}}
    with pytest.raises(BadRequest, match="nested too deeply"):
        written(replace(HI, output_format=OutputFormat("json_schema", schema)))
