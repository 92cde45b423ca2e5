"""What a provider of the responses dialect is sent, for a request of any dialect."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.core.errors import BadRequest, Unsupported
from pointsman.core.events import (
    BlockEnded,
    Finished,
    ReplyEvent,
    ReplyStarted,
    TextDelta,
    ThinkingDelta,
    UsageReported,
    fold,
)
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
    Sampling,
    Seal,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from pointsman.core.usage import Usage
from pointsman.wire.dialect import EncodedRequest
from pointsman.wire.openai_responses import OPENAI_RESPONSES
from pointsman.wire.undo import Undo, Undoing

CARD = ModelCard("tiny", "openai", "gpt-4.1")
THINKER = ModelCard("gpt", "openai", "gpt-5.2")
HI = Message("user", (Text("Hi"),))
LOOK = Tool("look", "Looks.", {"type": "object", "properties": {}})


def encode(*messages: Message, card: ModelCard = CARD, **fields: Any) -> EncodedRequest:
    return OPENAI_RESPONSES.encode_request(Request("m", messages or (HI,), **fields), card)


def body(*messages: Message, **fields: Any) -> dict[str, Any]:
    return json.loads(encode(*messages, **fields).body)


# Turns


def test_a_plain_question_is_a_small_body():
    assert body() == {"model": "gpt-4.1", "store": False, "input": [{"role": "user", "content": "Hi"}]}


def test_leading_system_text_becomes_instructions_and_all_else_keeps_its_place():
    written = body(
        Message("system", (Text("One."), Text("Two."))),
        Message("system", (Text("Three."),)),
        Message("developer", (Text("Four."),)),
        HI,
        Message("system", (Text("Five."),)),
    )
    assert written["instructions"] == "One.\n\nTwo.\n\nThree."
    assert written["input"] == [
        {"role": "developer", "content": "Four."},
        {"role": "user", "content": "Hi"},
        {"role": "system", "content": "Five."},
    ]


def test_media_are_written_in_the_forms_of_the_api():
    parts = (
        Text("Look"),
        Image("image/png", "AAAA", detail="low"),
        Image(url="https://example.com/a.png"),
        Document("application/pdf", "BBBB", name="a.pdf"),
        Document(url="https://example.com/a.pdf"),
        Document(text="plain"),
    )
    assert body(Message("user", parts))["input"][0]["content"] == [
        {"type": "input_text", "text": "Look"},
        {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "low"},
        {"type": "input_image", "image_url": "https://example.com/a.png", "detail": "auto"},
        {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,BBBB"},
        {"type": "input_file", "file_url": "https://example.com/a.pdf"},
        {"type": "input_text", "text": "plain"},
    ]


def test_speech_is_refused():
    with pytest.raises(Unsupported):
        encode(Message("user", (Audio("AAAA", "wav"),)))


def test_a_turn_with_tools_is_items_in_their_order():
    written = body(
        HI,
        Message(
            "assistant",
            (Text("I look."), ToolCall("a", "look", '{"x":1}'), Text(""), ToolCall("b" * 80, "look", "")),
        ),
        Message(
            "user",
            (
                ToolResult("a", (Text("one"), Text("two"))),
                ToolResult("b" * 80, (Text("no"),), is_error=True),
                Text("Go on"),
            ),
        ),
    )
    short = written["input"][3]["call_id"]
    assert len(short) <= 40
    assert written["input"][1:] == [
        {"type": "message", "role": "assistant", "content": "I look."},
        {"type": "function_call", "call_id": "a", "name": "look", "arguments": '{"x":1}'},
        {"type": "function_call", "call_id": short, "name": "look", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "a", "output": "one\ntwo"},
        {"type": "function_call_output", "call_id": short, "output": "Error: no"},
        {"role": "user", "content": "Go on"},
    ]


def test_an_image_in_a_tools_output_stays_in_it():
    call, result = ToolCall("a", "look", "{}"), ToolResult("a", (Image("image/png", "AAAA"),), is_error=True)
    written = body(HI, Message("assistant", (call,)), Message("user", (result,)))
    assert written["input"][-1]["output"] == [
        {"type": "input_text", "text": "Error:"},
        {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "auto"},
    ]


def test_an_empty_output_is_an_empty_string():
    call = Message("assistant", (ToolCall("a", "look", "{}"),))
    assert body(HI, call, Message("user", (ToolResult("a", ()),)))["input"][-1]["output"] == ""


def test_an_earlier_refusal_is_written_as_one():
    written = body(HI, Message("assistant", (Text("No.", is_refusal=True),)))
    assert written["input"][1]["content"] == [{"type": "refusal", "refusal": "No."}]


def test_reasoning_returns_to_its_maker_before_what_it_led_to():
    turn = Message(
        "assistant",
        (
            Thinking("Hm.", Seal("rs_1 gAAAA", "openai")),
            RedactedThinking(Seal(" gBBBB", "openai")),
            Thinking("Not mine.", Seal("sig", "anthropic")),
            Thinking("Unsigned."),
            ToolCall("a", "look", "{}"),
            Thinking("Led nowhere.", Seal("rs_2 gCCCC", "openai")),
        ),
    )
    assert body(HI, turn)["input"][1:] == [
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "Hm."}],
            "encrypted_content": "gAAAA",
        },
        {"type": "reasoning", "summary": [], "encrypted_content": "gBBBB"},
        {"type": "function_call", "call_id": "a", "name": "look", "arguments": "{}"},
    ]


def test_reasoning_of_an_open_model_returns_as_it_stood():
    turn = Message("assistant", (Thinking("Hm.", Seal("", "openai")), Text("Ho")))
    assert body(HI, turn)["input"][1] == {
        "type": "reasoning",
        "summary": [],
        "content": [{"type": "reasoning_text", "text": "Hm."}],
    }


def test_a_request_without_any_turn_is_refused():
    with pytest.raises(BadRequest):
        encode(Message("system", (Text("Be brief."),)))


# Tools


def test_a_tool_is_not_strict_unless_its_caller_said_so():
    tools = (LOOK, replace(LOOK, strict=True), Tool("bare"))
    written = body(tools=tools, parallel_tools=False)
    assert written["tools"] == [
        {
            "type": "function",
            "name": "look",
            "description": "Looks.",
            "parameters": LOOK.schema,
            "strict": False,
        },
        {
            "type": "function",
            "name": "look",
            "description": "Looks.",
            "parameters": LOOK.schema,
            "strict": True,
        },
        {
            "type": "function",
            "name": "bare",
            "parameters": {"type": "object", "properties": {}},
            "strict": False,
        },
    ]
    assert written["parallel_tool_calls"] is False


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (ToolChoice("auto"), "auto"),
        (ToolChoice("none"), "none"),
        (ToolChoice("required"), "required"),
        (ToolChoice("tool", "look"), {"type": "function", "name": "look"}),
    ],
)
def test_every_choice_is_written(choice, expected):
    assert body(tools=(LOOK,), tool_choice=choice)["tool_choice"] == expected


def test_a_choice_of_a_tool_that_is_not_there_is_refused():
    with pytest.raises(BadRequest):
        encode(tools=(LOOK,), tool_choice=ToolChoice("tool", "leave"))


def test_names_the_api_does_not_take_are_changed_and_changed_back():
    names = ["look.at", "look_at", "x" * 70, "look"]
    calls = tuple(ToolCall(str(number), name, "{}") for number, name in enumerate(names))
    encoded = encode(
        HI,
        Message("assistant", calls),
        tools=tuple(Tool(name) for name in names),
        tool_choice=ToolChoice("tool", "look.at"),
    )
    written = json.loads(encoded.body)
    sent = [tool["name"] for tool in written["tools"]]
    assert sent[1] == "look_at"
    assert sent[3] == "look"
    assert len(set(sent)) == 4
    assert all(len(name) <= 64 for name in sent)
    assert [item["name"] for item in written["input"][1:]] == sent
    assert written["tool_choice"]["name"] == sent[0]
    assert [encoded.undo.tool_names.get(name, name) for name in sent] == names


# Parameters


def test_every_parameter_the_api_knows_is_written():
    written = body(
        sampling=Sampling(100, 0.5, 0.9, logprobs=True, top_logprobs=3),
        output_format=OutputFormat("json_schema", {"type": "object"}, "w", strict=True),
        user="me",
        stream=True,
    )
    assert written["max_output_tokens"] == 100
    assert (written["temperature"], written["top_p"], written["top_logprobs"]) == (0.5, 0.9, 3)
    assert written["include"] == ["message.output_text.logprobs"]
    assert written["text"] == {
        "format": {"type": "json_schema", "name": "w", "schema": {"type": "object"}, "strict": True}
    }
    assert (written["safety_identifier"], written["stream"], written["store"]) == ("me", True, False)


def test_what_the_api_does_not_know_is_named():
    sampling = Sampling(top_k=5, seed=1, frequency_penalty=0.1, presence_penalty=0.1)
    assert encode(sampling=sampling).dropped == ("top_k", "seed", "frequency_penalty", "presence_penalty")


def test_a_model_that_reasons_takes_no_sampling_and_is_asked_for_its_reasoning():
    encoded = encode(card=THINKER, sampling=Sampling(temperature=0.5, top_p=0.9))
    written = json.loads(encoded.body)
    assert encoded.dropped == ("temperature", "top_p")
    assert "temperature" not in written
    assert written["include"] == ["reasoning.encrypted_content"]


@pytest.mark.parametrize(("asked", "sent", "dropped"), [(1, 16, True), (16, 16, False), (9000, 4096, True)])
def test_a_limit_the_model_does_not_take_is_moved_and_named(asked, sent, dropped):
    encoded = encode(card=replace(CARD, max_output_tokens=4096), sampling=Sampling(asked))
    assert json.loads(encoded.body)["max_output_tokens"] == sent
    assert bool(encoded.dropped) == dropped


@pytest.mark.parametrize(
    ("model", "reasoning", "expected", "dropped"),
    [
        ("gpt-5.2", Reasoning("high"), {"effort": "high", "summary": "auto"}, ()),
        ("gpt-5.2", Reasoning("high", is_shown=False), {"effort": "high"}, ()),
        ("gpt-5.2", Reasoning("none"), {"effort": "none"}, ()),
        ("gpt-5.2", Reasoning("minimal", is_shown=False), {"effort": "none"}, ("reasoning",)),
        ("gpt-5.2", Reasoning("xhigh", is_shown=False), {"effort": "xhigh"}, ()),
        ("gpt-5", Reasoning("xhigh", is_shown=False), {"effort": "high"}, ("reasoning",)),
        ("o3", Reasoning(budget_tokens=2000, is_shown=False), {"effort": "low"}, ()),
        ("gpt-5.2", Reasoning(budget_tokens=0, is_shown=False), {"effort": "none"}, ()),
        ("o3", Reasoning(budget_tokens=30000, is_shown=False), {"effort": "high"}, ()),
        ("openai.gpt-5.2", Reasoning(adaptive=True), {"summary": "auto"}, ()),
        ("gpt-4.1", Reasoning("high"), None, ("reasoning",)),
        ("gpt-4.1", Reasoning("none"), None, ()),
        ("gpt-4.1", Reasoning(adaptive=True), None, ("reasoning",)),
    ],
)
def test_reasoning_is_asked_in_the_words_the_model_knows(model, reasoning, expected, dropped):
    encoded = encode(card=ModelCard("m", "openai", model), reasoning=reasoning)
    assert json.loads(encoded.body).get("reasoning") == expected
    assert encoded.dropped == dropped


def test_a_caller_of_chat_is_shown_no_summary():
    assert body(card=THINKER, reasoning=Reasoning("high"), source="openai-chat")["reasoning"] == {
        "effort": "high"
    }


def test_a_model_known_to_think_is_asked_like_one_of_openai():
    card = ModelCard("grok", "xai", "grok-4", abilities=frozenset({"thinking"}))
    written = body(
        card=card, reasoning=Reasoning("xhigh", is_shown=False), sampling=Sampling(temperature=0.5)
    )
    assert written["reasoning"] == {"effort": "high"}
    assert written["include"] == ["reasoning.encrypted_content"]
    assert written["temperature"] == 0.5


# What has no place


SHARED = {
    "metadata": {"a": "b"},
    "service_tier": "flex",
    "prompt_cache_key": "k",
    "store": True,
    "verbosity": "low",
}


def test_fields_that_mean_the_same_in_chat_are_carried():
    encoded = encode(foreign=SHARED, source="openai-chat")
    written = json.loads(encoded.body)
    assert encoded.dropped == ()
    assert {name: written[name] for name in SHARED if name != "verbosity"} == {
        name: value for name, value in SHARED.items() if name != "verbosity"
    }
    assert written["text"] == {"verbosity": "low"}


def test_the_same_words_of_another_vendor_are_not():
    encoded = encode(foreign=SHARED, source="anthropic-messages")
    assert encoded.dropped == tuple(SHARED)
    assert json.loads(encoded.body)["store"] is False


def test_what_the_caller_relies_on_is_refused_by_its_name():
    with pytest.raises(Unsupported) as caught:
        encode(foreign={"n": 2}, must_not_drop=frozenset({"n"}), source="openai-chat")
    assert caught.value.param == "n"
    assert "tiny" in caught.value.message


# Stop strings


def stopped(stop: tuple[str, ...], pieces: list[str]) -> tuple[str, Finished]:
    events: list[ReplyEvent] = [ReplyStarted("r", "m"), *map(TextDelta, pieces)]
    events += [UsageReported(Usage(1, 2)), Finished("stop")]
    undoing = Undoing(encode(sampling=Sampling(stop=stop)).undo)
    reply = fold([taken for event in events for taken in undoing.feed([event])])
    assert reply.usage == Usage(1, 2)
    return "".join(part.text for part in reply.parts if isinstance(part, Text)), reply.finished


@pytest.mark.parametrize(
    ("stop", "text", "expected", "found"),
    [
        (("END",), "one END two", "one ", "END"),
        (("END",), "one EN two E", "one EN two E", None),
        (("b", "abc"), "xabcb", "xa", "b"),
        (("",), "one", "one", None),
        (("\n\n",), "one\n\ntwo", "one", "\n\n"),
        (("one",), "one", "", "one"),
    ],
)
def test_a_text_ends_at_its_stop_string_however_it_comes(stop, text, expected, found):
    for size in (1, 2, 3, len(text)):
        pieces = [text[at : at + size] for at in range(0, len(text), size)]
        said, finished = stopped(stop, pieces)
        assert said == expected
        assert finished == (Finished("stop") if found is None else Finished("stop_sequence", found))


def test_what_comes_behind_a_stop_string_is_not_heard():
    undoing = Undoing(Undo(stop=("END",)))
    events = [TextDelta("one E"), ThinkingDelta("hm"), TextDelta("xEND"), BlockEnded(), TextDelta("two")]
    assert undoing.feed([*events, Finished("length")]) == [
        TextDelta("one "),
        TextDelta("E"),
        ThinkingDelta("hm"),
        TextDelta("x"),
        Finished("stop_sequence", "END"),
    ]


@settings(deadline=None)
@given(st.text("ab", max_size=30), st.lists(st.text("ab", min_size=1, max_size=4), min_size=1, max_size=3))
def test_a_cut_text_is_the_longest_beginning_without_a_stop_string(text, stop):
    said, finished = stopped(tuple(stop), list(text))
    ends = [text.find(each) for each in stop if each in text]
    # One letter at a time, the string that is whole first ends the text.
    whole = min((text.find(each) + len(each) for each in stop if each in text), default=None)
    if whole is None:
        assert (said, finished.reason) == (text, "stop")
    else:
        assert finished.reason == "stop_sequence"
        assert len(said) + len(finished.stop_sequence) == whole
        assert text.startswith(said + finished.stop_sequence)
        assert min(ends) <= len(said) <= whole


def test_stop_strings_beside_logprobs_are_refused():
    with pytest.raises(Unsupported) as caught:
        encode(sampling=Sampling(stop=("END",), logprobs=True))
    assert caught.value.param == "stop"
