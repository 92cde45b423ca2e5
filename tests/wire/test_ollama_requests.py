"""Requests of both client dialects as Ollama takes them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from recordings import recorded, request_body

from pointsman.core.errors import BadRequest, ClientError, Unsupported
from pointsman.core.model_card import ModelCard
from pointsman.core.request import (
    Audio,
    Document,
    Image,
    Message,
    OutputFormat,
    Reasoning,
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
from pointsman.wire.ollama import OLLAMA
from pointsman.wire.openai_chat import OPENAI_CHAT
from pointsman.wire.undo import Undo

CARD = ModelCard("local", "ollama", "qwen3:14b")
THINKS = replace(CARD, abilities=frozenset({"thinking"}))
HI = (Message("user", (Text("Hi"),)),)
WEATHER = Tool("weather", "Tells it.", {"type": "object", "properties": {"city": {"type": "string"}}})


def sent(request: Request, card: ModelCard = CARD) -> tuple[dict[str, Any], tuple[str, ...]]:
    encoded = OLLAMA.encode_request(request, card)
    return json.loads(encoded.body), encoded.dropped


def asking(**fields: Any) -> Request:
    return Request("local", fields.pop("messages", HI), **fields)


def test_a_plain_request_says_whether_to_stream():
    plain = {"model": "qwen3:14b", "stream": False, "messages": [{"role": "user", "content": "Hi"}]}
    assert sent(asking()) == (plain, ())
    assert sent(asking(stream=True))[0]["stream"] is True


def test_sampling_becomes_options():
    sampling = Sampling(100, 0.5, 0.9, 40, ("a", "b"), 7, 0.1, 0.2)
    assert sent(asking(sampling=sampling))[0]["options"] == {
        "num_predict": 100,
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 40,
        "seed": 7,
        "stop": ["a", "b"],
        "frequency_penalty": 0.1,
        "presence_penalty": 0.2,
    }


def test_the_context_that_the_configuration_names_is_asked_for():
    card = replace(CARD, context_tokens=32768)
    assert sent(asking(), card)[0]["options"] == {"num_ctx": 32768}
    own = asking(foreign={"options": {"num_ctx": 8192, "mirostat": 1}, "keep_alive": "5m", "num": 1})
    body, dropped = sent(own, card)
    assert body["options"] == {"num_ctx": 8192, "mirostat": 1}
    assert body["keep_alive"] == "5m"
    assert dropped == ("num",)


def test_what_must_not_be_dropped_is_refused():
    with pytest.raises(Unsupported) as refused:
        sent(asking(foreign={"n": 2}, must_not_drop=frozenset({"n"})))
    assert refused.value.param == "n"
    assert "local" in refused.value.message


def test_log_probabilities_are_asked_for():
    body, _ = sent(asking(sampling=Sampling(logprobs=True, top_logprobs=2)))
    assert (body["logprobs"], body["top_logprobs"]) == (True, 2)


@pytest.mark.parametrize(
    ("wanted", "written"),
    [
        (OutputFormat("json_object"), "json"),
        (OutputFormat("json_schema", {"type": "object"}), {"type": "object"}),
    ],
)
def test_structured_output_is_a_format(wanted, written):
    assert sent(asking(output_format=wanted))[0]["format"] == written


@pytest.mark.parametrize(
    ("reasoning", "card", "think", "dropped"),
    [
        (Reasoning(effort="none"), CARD, False, ()),
        (Reasoning(effort="high"), CARD, None, ("reasoning_effort",)),
        (Reasoning(adaptive=True), CARD, None, ()),
        (Reasoning(adaptive=True), THINKS, True, ()),
        (Reasoning(effort="high"), THINKS, True, ("reasoning_effort",)),
        (Reasoning(budget_tokens=5000), THINKS, True, ("thinking",)),
        (Reasoning(effort="high"), replace(CARD, abilities=frozenset()), None, ("reasoning_effort",)),
        (Reasoning(effort="high"), replace(CARD, id="gpt-oss:20b"), "high", ()),
        (Reasoning(effort="none"), replace(CARD, id="gpt-oss:20b"), "low", ("reasoning_effort",)),
        (Reasoning(adaptive=True), replace(CARD, id="gpt-oss:20b"), None, ()),
    ],
)
def test_thinking_is_asked_for_as_the_model_knows_it(reasoning, card, think, dropped):
    body, left_out = sent(asking(reasoning=reasoning), card)
    assert body.get("think") == think
    assert left_out == dropped


def test_an_agents_turn_keeps_its_own_thinking_and_names_the_tool():
    mine, other = Seal("", "ollama"), Seal("", "deepseek")
    call = ToolCall("c1", "weather", ' {"city": "Paris", "n": 1.10} ')
    messages = (
        Message("system", (Text("A"),)),
        Message("developer", (Text("B"),)),
        *HI,
        Message("assistant", (Thinking("hm", mine), Thinking("no", other), Text("I look."), call)),
        Message(
            "user", (ToolResult("c1", (Text("rain"), Image("image/png", "QUJD")), is_error=True), Text("so?"))
        ),
    )
    encoded = OLLAMA.encode_request(asking(messages=messages, tools=(WEATHER,)), CARD)
    assert b'{"city": "Paris", "n": 1.10}' in encoded.body
    assert encoded.dropped == ("messages[].thinking",)
    assert json.loads(encoded.body)["messages"] == [
        {"role": "system", "content": "A\n\nB"},
        {"role": "user", "content": "Hi"},
        {
            "role": "assistant",
            "content": "I look.",
            "thinking": "hm",
            "tool_calls": [{"function": {"name": "weather", "arguments": {"city": "Paris", "n": 1.1}}}],
        },
        {"role": "tool", "tool_name": "weather", "content": "Error: rain\n[image 1 attached below]"},
        {"role": "user", "content": "[image 1]\nso?", "images": ["QUJD"]},
    ]


def test_results_come_in_the_order_of_their_calls():
    """Tools finish in any order, and there are no ids here."""
    calls = tuple(ToolCall(f"c{number}", "weather", "{}") for number in range(3))
    results = tuple(ToolResult(f"c{number}", (Text(f"result {number}"),)) for number in (2, 0, 1))
    body, _ = sent(asking(messages=(*HI, Message("assistant", calls), Message("user", results))))
    assert [message["content"] for message in body["messages"][2:]] == ["result 0", "result 1", "result 2"]


def test_tools_are_left_out_when_none_may_be_called():
    assert "tools" not in sent(asking(tools=(WEATHER,), tool_choice=ToolChoice("none")))[0]
    body, dropped = sent(asking(tools=(replace(WEATHER, strict=True),), parallel_tools=False))
    assert body["tools"][0]["function"]["name"] == "weather"
    assert dropped == ("parallel_tool_calls", "tools[].strict")


@pytest.mark.parametrize("choice", [ToolChoice("required"), ToolChoice("tool", "weather")])
def test_a_call_that_must_be_made_is_asked_for_as_an_answer_in_its_form(choice):
    tool = replace(WEATHER, strict=True)
    asked = asking(tools=(tool,), tool_choice=choice, parallel_tools=False)
    body, dropped = sent(asked)
    assert "tools" not in body
    assert body["format"] == WEATHER.schema
    assert "weather" in body["messages"][0]["content"]
    assert dropped == ()
    assert OLLAMA.encode_request(asked, CARD).undo == Undo(said_tools=("weather",))


def test_a_call_of_one_of_several_tools_says_which():
    clock = Tool("clock", "Tells the time.", None)
    body, _ = sent(asking(tools=(WEATHER, clock), tool_choice=ToolChoice("required")))
    first, second = body["format"]["anyOf"]
    assert first["properties"] == {"name": {"const": "weather"}, "arguments": WEATHER.schema}
    assert second["properties"]["name"] == {"const": "clock"}
    assert first["required"] == second["required"] == ["name", "arguments"]


def test_the_one_tool_that_must_be_called_is_the_only_one_told_of():
    clock = Tool("clock", "Tells the time.", None)
    body, _ = sent(asking(tools=(WEATHER, clock), tool_choice=ToolChoice("tool", "clock")))
    assert body["format"] == {"type": "object", "properties": {}}
    assert "weather" not in body["messages"][0]["content"]


def test_what_schemas_define_stays_apart_where_they_are_put_together():
    """Frameworks write a model within a model as a reference, which begins at the root."""

    def tool(name, kind):
        place = {"type": "array", "items": {"$ref": "#/$defs/Place"}}
        return Tool(
            name, None, {"type": "object", "properties": {"p": place}, "$defs": {"Place": {"type": kind}}}
        )

    body, _ = sent(
        asking(tools=(tool("a", "string"), tool("b", "integer")), tool_choice=ToolChoice("required"))
    )
    wanted = body["format"]
    kinds = []
    for call in wanted["anyOf"]:
        pointer = call["properties"]["arguments"]["properties"]["p"]["items"]["$ref"]
        kinds.append(wanted["$defs"][pointer.removeprefix("#/$defs/")]["type"])
    assert kinds == ["string", "integer"]


def test_a_call_must_be_of_a_tool_that_there_is():
    with pytest.raises(BadRequest, match="not in tools"):
        sent(asking(tools=(WEATHER,), tool_choice=ToolChoice("tool", "clock")))


def test_an_answer_that_must_be_a_call_has_no_other_form():
    form = OutputFormat("json_schema", {"type": "string"})
    body, _ = sent(asking(tools=(WEATHER,), tool_choice=ToolChoice("required"), output_format=form))
    assert body["format"] == WEATHER.schema


@pytest.mark.parametrize(
    "request_",
    [
        asking(messages=(Message("user", (Image(url="https://example.com/a.png"),)),)),
        asking(messages=(Message("user", (Audio("QUJD", "wav"),)),)),
        asking(messages=(Message("user", (Document("application/pdf", "QUJD"),)),)),
    ],
)
def test_what_ollama_cannot_say_is_refused(request_):
    with pytest.raises(Unsupported) as refused:
        sent(request_)
    assert refused.value.param


@pytest.mark.parametrize("arguments", ["[1]", "{", '"x"', "nonsense"])
def test_arguments_that_are_no_object_are_the_callers_to_mend(arguments):
    with pytest.raises(BadRequest):
        sent(asking(messages=(Message("assistant", (ToolCall("c", "f", arguments),)),)))


def test_a_result_without_its_call_is_the_callers_to_mend():
    with pytest.raises(BadRequest):
        sent(asking(messages=(Message("user", (ToolResult("c", (Text("x"),)),)),)))


@pytest.mark.parametrize(
    ("dialect", "files", "endpoint", "whole"),
    [
        (OPENAI_CHAT, ("openai_chat", "openai_compat_chat"), "openai.chat", 430),
        (ANTHROPIC_MESSAGES, ("anthropic",), "anthropic.messages", 167),
    ],
)
def test_every_recorded_request_is_written_or_refused_with_its_field(
    shared: Path, dialect, files, endpoint, whole
):
    written = 0
    reasons: list[str | None] = []
    for record in (record for file in files for record in recorded(shared, file, endpoint)):
        body = request_body(record)
        if body is None:
            continue
        try:
            request = dialect.decode_request(read_envelope(body))
            told, _ = sent(request)
        except ClientError as refused:
            reasons.append(refused.param)
            continue
        written += 1
        texts = [part.text for m in request.messages for part in m.parts if isinstance(part, Text)]
        all_said = "\n".join(message["content"] for message in told["messages"])
        assert all(text in all_said for text in texts)
        calls = [part for m in request.messages for part in m.parts if isinstance(part, ToolCall)]
        assert [json.loads(call.arguments or "{}") for call in calls] == [
            call["function"]["arguments"] for m in told["messages"] for call in m.get("tool_calls", ())
        ]
        assert set(told) <= {
            "model",
            "messages",
            "stream",
            "tools",
            "format",
            "logprobs",
            "top_logprobs",
            "options",
            "think",
            "keep_alive",
        }
    assert written == whole
    assert all(reasons)
