"""A Request as an OpenAI-compatible provider is sent it: the shape, what is dropped by name, what is refused."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.errors import BadRequest, Unsupported
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
from pointsman.wire.envelope import read_envelope
from pointsman.wire.openai_chat import OPENAI_CHAT

HI = (Message("user", (Text("Hi"),)),)
PNG = Image(media_type="image/png", data="QUJD")
PDF = Document(media_type="application/pdf", data="QUJD", name="a.pdf")
WEATHER = Tool("weather", "Tells it.", {"type": "object", "properties": {}})


def card(model_id: str = "tiny-1", **facts: Any) -> ModelCard:
    return ModelCard("tiny", "local", model_id, **facts)


def sent(
    messages: Any = HI, to: ModelCard | None = None, **fields: Any
) -> tuple[dict[str, Any], tuple[str, ...]]:
    encoded = OPENAI_CHAT.encode_request(Request("auto", tuple(messages), **fields), to or card())
    return json.loads(encoded.body), encoded.dropped


def turns(*messages: Message) -> list[dict[str, Any]]:
    return sent(messages)[0]["messages"]


def test_the_model_is_the_one_of_the_card():
    assert sent()[0] == {"model": "tiny-1", "messages": [{"role": "user", "content": "Hi"}]}


def test_a_stream_always_asks_for_usage():
    body, _ = sent(stream=True)
    assert (body["stream"], body["stream_options"]) == (True, {"include_usage": True})


def test_leading_system_messages_are_one_and_later_ones_stay_in_place():
    assert turns(
        Message("system", (Text("A"), Text("B"))),
        Message("developer", (Text("C"),)),
        *HI,
        Message("system", (Text("D"),)),
    ) == [
        {"role": "system", "content": "A\n\nB\n\nC"},
        {"role": "user", "content": "Hi"},
        {"role": "system", "content": "D"},
    ]


def test_the_developer_role_is_for_models_that_know_it():
    messages = (Message("developer", (Text("C"),)), *HI)
    assert sent(messages, card("gpt-5"))[0]["messages"][0]["role"] == "developer"
    assert sent(messages, card("llama-3"))[0]["messages"][0]["role"] == "system"


def test_media_are_parts():
    (turn,) = turns(
        Message(
            "user",
            (
                Text("Look"),
                PNG,
                Image(url="https://example.com/a"),
                PDF,
                Document(text="plain"),
                Audio("QQ", "wav"),
            ),
        )
    )
    assert turn["content"] == [
        {"type": "text", "text": "Look"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}},
        {"type": "image_url", "image_url": {"url": "https://example.com/a"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,QUJD"}},
        {"type": "text", "text": "plain"},
        {"type": "input_audio", "input_audio": {"data": "QQ", "format": "wav"}},
    ]


def test_a_document_by_address_is_refused():
    with pytest.raises(Unsupported, match="document"):
        turns(Message("user", (Document(url="https://example.com/a.pdf"),)))


def test_an_assistant_turn_of_calls_only_has_null_content():
    assert turns(
        Message("assistant", (ToolCall("toolu_1", "weather", '{"a": 1}'), ToolCall("b", "clock", "")))
    ) == [
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": "toolu_1",
                    "type": "function",
                    "function": {"name": "weather", "arguments": '{"a": 1}'},
                },
                {"id": "b", "type": "function", "function": {"name": "clock", "arguments": "{}"}},
            ],
        }
    ]


def test_thinking_of_history_is_left_out_and_named():
    body, dropped = sent(
        [
            *HI,
            Message(
                "assistant",
                (
                    Thinking("Secret.", Seal("sig", "anthropic")),
                    RedactedThinking(Seal("xx", "anthropic")),
                    Text("Yes"),
                ),
            ),
            Message("assistant", (Thinking("Only this."),)),
        ]
    )
    assert body["messages"][1:] == [{"role": "assistant", "content": "Yes"}]
    assert "ecret" not in json.dumps(body)
    assert dropped == ("messages[].thinking",)


def test_refusals_of_history_are_refusals():
    assert turns(Message("assistant", (Text("No.", is_refusal=True),))) == [
        {"role": "assistant", "content": None, "refusal": "No."}
    ]


def test_images_and_documents_of_results_follow_the_last_result_of_the_turn():
    results = (
        ToolResult("a", (Text("Here:"), PNG)),
        ToolResult("b", (PDF, Document(text="inline")), is_error=True),
        Text("Compare them."),
    )
    assert turns(Message("user", results)) == [
        {"role": "tool", "tool_call_id": "a", "content": "Here:\n[image 1 attached below]"},
        {"role": "tool", "tool_call_id": "b", "content": "Error: [document 2 attached below]\ninline"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "[image 1]"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}},
                {"type": "text", "text": "[document 2]"},
                {
                    "type": "file",
                    "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,QUJD"},
                },
                {"type": "text", "text": "Compare them."},
            ],
        },
    ]


def test_an_empty_result_is_empty_text():
    assert turns(Message("user", (ToolResult("a", ()),))) == [
        {"role": "tool", "tool_call_id": "a", "content": ""}
    ]


def test_tools_are_functions():
    body, _ = sent(
        tools=(WEATHER, Tool("clock", strict=True)),
        tool_choice=ToolChoice("tool", "clock"),
        parallel_tools=False,
    )
    assert body["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "weather",
                "description": "Tells it.",
                "parameters": {"type": "object", "properties": {}},
            },
        },
        {
            "type": "function",
            "function": {"name": "clock", "parameters": {"type": "object", "properties": {}}, "strict": True},
        },
    ]
    assert body["tool_choice"] == {"type": "function", "function": {"name": "clock"}}
    assert body["parallel_tool_calls"] is False


@pytest.mark.parametrize("mode", ["auto", "none", "required"])
def test_a_tool_choice_goes_with_tools_only(mode):
    assert sent(tools=(WEATHER,), tool_choice=ToolChoice(mode))[0]["tool_choice"] == mode
    if mode != "required":
        assert sent(tool_choice=ToolChoice(mode), parallel_tools=True)[0].keys() == {"model", "messages"}


@pytest.mark.parametrize("choice", [ToolChoice("required"), ToolChoice("tool", "weather")])
def test_a_forced_tool_that_is_not_there_is_refused(choice):
    with pytest.raises(BadRequest) as caught:
        sent(tool_choice=choice)
    assert caught.value.param == "tool_choice"


FULL = Sampling(100, 0.5, 0.9, 40, ("END",), 7, 0.1, 0.2)


def test_sampling_goes_to_compatible_models():
    body, dropped = sent(sampling=FULL)
    del body["model"], body["messages"]
    assert body == {
        "max_tokens": 100,
        "temperature": 0.5,
        "top_p": 0.9,
        "frequency_penalty": 0.1,
        "presence_penalty": 0.2,
        "stop": ["END"],
        "seed": 7,
    }
    assert dropped == ("top_k",)


@pytest.mark.parametrize(
    "model_id",
    [
        "o1",
        "o3-mini",
        "o4-mini-2025-04-16",
        "gpt-5",
        "gpt-5.2-mini",
        "openai/gpt-5-nano",
        "openai.gpt-5.5",
        "codex-mini-latest",
    ],
)
def test_reasoning_models_take_max_completion_tokens_and_no_sampling(model_id):
    body, dropped = sent(sampling=FULL, to=card(model_id))
    assert body["max_completion_tokens"] == 100
    assert not body.keys() & {
        "max_tokens",
        "temperature",
        "top_p",
        "frequency_penalty",
        "presence_penalty",
        "top_k",
    }
    assert dropped == ("temperature", "top_p", "frequency_penalty", "presence_penalty", "top_k")


@pytest.mark.parametrize(
    "model_id",
    ["gpt-4o", "gpt-5-chat-latest", "openai/gpt-oss-120b", "olmo-2", "deepseek-reasoner", "qwen3-o1"],
)
def test_other_models_take_max_tokens(model_id):
    body, _ = sent(sampling=FULL, to=card(model_id))
    assert body["max_tokens"] == 100
    assert body["temperature"] == 0.5


def test_a_limit_above_the_models_is_lowered_and_named():
    body, dropped = sent(sampling=Sampling(32_000), to=card(max_output_tokens=16_384))
    assert body["max_tokens"] == 16_384
    assert dropped == ("max_tokens",)


def test_too_many_stops_are_refused():
    with pytest.raises(Unsupported) as caught:
        sent(sampling=Sampling(stop=("a", "b", "c", "d", "e")))
    assert caught.value.param == "stop"


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (OutputFormat("json_object"), {"type": "json_object"}),
        (
            OutputFormat("json_schema", {"type": "object"}, strict=True),
            {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": {"type": "object"}, "strict": True},
            },
        ),
        (
            OutputFormat("json_schema", {}, "city"),
            {"type": "json_schema", "json_schema": {"name": "city", "schema": {}}},
        ),
    ],
)
def test_structured_output_is_asked_for(wanted, expected):
    assert sent(output_format=wanted)[0]["response_format"] == expected


THINKER = card("qwen3", abilities=frozenset(("thinking",)))


@pytest.mark.parametrize(
    ("to", "reasoning", "expected", "dropped"),
    [
        (card("o3"), Reasoning(effort="high"), "high", ()),
        (card("o3"), Reasoning(effort="xhigh"), "high", ("reasoning_effort",)),
        (card("o3"), Reasoning(effort="minimal"), "low", ("reasoning_effort",)),
        (card("gpt-5"), Reasoning(effort="minimal"), "minimal", ()),
        (card("gpt-5"), Reasoning(effort="none"), "minimal", ("reasoning_effort",)),
        (card("gpt-5.1"), Reasoning(effort="none"), "none", ()),
        (card("gpt-5.1"), Reasoning(effort="minimal"), "low", ("reasoning_effort",)),
        (card("o3"), Reasoning(budget_tokens=1024), "low", ()),
        (card("gpt-5.2"), Reasoning(budget_tokens=0), "none", ()),
        (card("o3"), Reasoning(budget_tokens=8000), "medium", ()),
        (card("o3"), Reasoning(budget_tokens=31_999), "high", ()),
        (card("o3"), Reasoning(adaptive=True), None, ()),
        (card("o3"), Reasoning(effort="odd"), None, ("reasoning_effort",)),
        (THINKER, Reasoning(effort="max"), "high", ("reasoning_effort",)),
        (card("gpt-4o"), Reasoning(effort="high"), None, ("reasoning_effort",)),
        (card("gpt-4o"), Reasoning(budget_tokens=8000), None, ("thinking",)),
        (card("gpt-4o"), Reasoning(adaptive=True), None, ("thinking",)),
        (card("gpt-4o"), Reasoning(effort="none"), None, ()),
    ],
)
def test_reasoning_is_asked_for_as_far_as_the_model_knows_it(to, reasoning, expected, dropped):
    body, left_out = sent(reasoning=reasoning, to=to)
    assert body.get("reasoning_effort") == expected
    assert left_out == dropped


def test_a_long_user_is_hashed():
    assert sent(user="ann")[0]["user"] == "ann"
    first, again, other = (sent(user=text)[0]["user"] for text in ("a" * 200, "a" * 200, "b" * 200))
    assert len(first) == 64
    assert first == again != other


def test_foreign_fields_that_must_not_be_dropped_are_refused():
    with pytest.raises(Unsupported) as caught:
        sent(
            foreign={"tools.3.web_search_20250305": {}},
            must_not_drop=frozenset({"tools.3.web_search_20250305"}),
        )
    assert caught.value.param == "tools.3.web_search_20250305"


def test_other_foreign_fields_are_dropped_by_name():
    foreign = {
        "context_management": {},
        "cache_control": True,
        "service_tier": "auto",
        "unheard_of": 1,
        "thinking.display": "x",
    }
    assert sent(foreign=foreign)[1] == tuple(foreign)


def test_a_schema_nested_too_deeply_is_refused():
    schema: dict[str, Any] = {}
    for _ in range(200_000):
        schema = {"items": schema}
    with pytest.raises(BadRequest, match="nested too deeply"):
        sent(tools=(Tool("f", schema=schema),))


# decode(encode(x)) == x, for what chat can say

words = st.text(min_size=1, max_size=12)
ids = st.text(alphabet="abcXYZ019_-.:", min_size=1, max_size=10)
objects = st.dictionaries(st.text(max_size=4), st.integers() | st.text(max_size=4), max_size=3)
images = st.sampled_from([PNG, Image(url="https://example.com/a.png")])
user_turns = st.lists(
    words.map(Text) | images | st.just(PDF) | st.just(Audio("QQ", "wav")), min_size=1, max_size=3
).map(lambda parts: Message("user", tuple(parts)))


@st.composite
def exchanges(draw):
    """A call round: what the assistant said, and every result."""
    names = draw(st.lists(ids, min_size=0, max_size=3, unique=True))
    calls = tuple(ToolCall(call_id, "f", json.dumps(draw(objects))) for call_id in names)
    text = (Text(draw(words)),) if not calls or draw(st.booleans()) else ()
    yielded = [Message("assistant", (*text, *calls))]
    if calls:
        results = tuple(ToolResult(call_id, (Text(draw(words)),)) for call_id in names)
        yielded.append(Message("user", results))
    return yielded


@st.composite
def requests(draw):
    system = [Message("system", (Text(draw(words)),))] if draw(st.booleans()) else []
    rounds = draw(st.lists(st.tuples(user_turns, exchanges()), max_size=3))
    messages = [*system, *(message for asked, said in rounds for message in [asked, *said]), draw(user_turns)]
    tools = draw(
        st.lists(
            st.builds(
                Tool,
                st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True),
                st.none() | words,
                objects.map(lambda schema: {"type": "object", **schema}),
                st.none() | st.booleans(),
            ),
            max_size=2,
        )
    )
    numbers = st.none() | st.floats(0, 2)
    return Request(
        model="tiny-1",
        messages=tuple(messages),
        tools=tuple(tools),
        tool_choice=draw(
            st.sampled_from(
                [None, ToolChoice("auto"), ToolChoice("required"), ToolChoice("tool", tools[0].name)]
            )
        )
        if tools
        else None,
        parallel_tools=draw(st.none() | st.booleans()) if tools else None,
        sampling=Sampling(
            draw(st.none() | st.integers(1, 10**6)),
            draw(numbers),
            draw(numbers),
            stop=tuple(draw(st.lists(words, max_size=4))),
            seed=draw(st.none() | st.integers(0, 2**31)),
        ),
        output_format=draw(
            st.sampled_from(
                [None, OutputFormat("json_object"), OutputFormat("json_schema", {"a": 1}, "n", True)]
            )
        ),
        user=draw(st.none() | words),
        **draw(st.sampled_from([{}, {"stream": True, "stream_usage": True}])),
    )


@given(requests())
def test_a_request_that_chat_can_express_comes_back_as_it_was(request_):
    encoded = OPENAI_CHAT.encode_request(request_, card())
    assert encoded.dropped == ()
    assert OPENAI_CHAT.decode_request(read_envelope(encoded.body)) == replace(request_, source="openai-chat")
