"""How requests differ by the provider they are written for, and that what was recorded with each can be said."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import pytest
from recordings import recorded, request_body

from pointsman.core.errors import BadRequest, Unsupported
from pointsman.core.model_card import ABILITIES, ModelCard
from pointsman.core.request import (
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
from pointsman.wire.dialect import EncodedRequest
from pointsman.wire.envelope import read_envelope
from pointsman.wire.openai_chat import OPENAI_CHAT
from pointsman.wire.openai_chat.profiles import ALL_EFFORTS, GENERIC, PROFILES, Knob, profile_of

HI = Message("user", (Text("Hi"),))
WEATHER = Tool("weather", "Looks outside.", {"type": "object", "properties": {}}, strict=True)
SCHEMA = OutputFormat("json_schema", {"type": "object", "properties": {"a": {}}}, "person")


def card(profile: str, model: str = "tiny-1") -> ModelCard:
    return ModelCard("tiny", profile or "mine", model, abilities=frozenset(ABILITIES), profile=profile)


def encoded(profile: str, *messages: Message, model: str = "tiny-1", **fields: Any) -> EncodedRequest:
    return OPENAI_CHAT.encode_request(Request("auto", messages or (HI,), **fields), card(profile, model))


def body(profile: str, *messages: Message, model: str = "tiny-1", **fields: Any) -> dict[str, Any]:
    written: dict[str, Any] = json.loads(encoded(profile, *messages, model=model, **fields).body)
    return written


def refused(profile: str, *messages: Message, **fields: Any) -> str | None:
    with pytest.raises(Unsupported) as caught:
        encoded(profile, *messages, **fields)
    return caught.value.param


# the table itself


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_holds_together(name: str) -> None:
    profile = PROFILES[name]
    assert set(profile.efforts) <= set(ALL_EFFORTS)
    assert all(set(efforts) <= set(ALL_EFFORTS) for _, efforts in profile.efforts_of_models)
    assert profile.refused_knobs <= set(get_args(Knob))
    assert profile.images or not profile.image_urls
    assert profile.files != "none" or not profile.file_urls
    assert profile.tools or profile.forced_tool == "none"


def test_an_unknown_provider_gets_the_middle_way() -> None:
    assert profile_of("nobody") is profile_of("") is GENERIC


# fields


@pytest.mark.parametrize(
    ("profile", "model", "name"),
    [
        ("openai", "gpt-4.1", "max_completion_tokens"),
        ("openai", "o3", "max_completion_tokens"),
        ("", "gpt-5-mini", "max_completion_tokens"),
        ("azure", "gpt-4.1", "max_tokens"),
        ("groq", "llama-3", "max_completion_tokens"),
        ("cerebras", "llama-3", "max_completion_tokens"),
        ("mistral", "small", "max_tokens"),
        ("deepseek", "deepseek-chat", "max_tokens"),
        ("openrouter", "openai/gpt-5", "max_tokens"),
        ("", "llama-3", "max_tokens"),
    ],
)
def test_the_limit_has_its_providers_name(profile: str, model: str, name: str) -> None:
    """Rule 22."""
    written = body(profile, model=model, sampling=Sampling(max_output_tokens=5))
    assert {key: written[key] for key in written if key.startswith("max")} == {name: 5}


@pytest.mark.parametrize(
    ("profile", "model", "reasoning", "said"),
    [
        ("openai", "o3", Reasoning(effort="xhigh"), {"reasoning_effort": "high"}),
        ("openai", "gpt-5", Reasoning(effort="minimal"), {"reasoning_effort": "minimal"}),
        ("openai", "gpt-5.2", Reasoning(effort="none"), {"reasoning_effort": "none"}),
        ("openrouter", "x", Reasoning(effort="low"), {"reasoning": {"effort": "low"}}),
        ("openrouter", "x", Reasoning(budget_tokens=2000), {"reasoning": {"max_tokens": 2000}}),
        ("openrouter", "x", Reasoning(adaptive=True), {"reasoning": {"enabled": True}}),
        ("openrouter", "x", Reasoning(effort="none"), {"reasoning": {"effort": "none"}}),
        (
            "openrouter",
            "x",
            Reasoning(effort="low", is_shown=False),
            {"reasoning": {"effort": "low", "exclude": True}},
        ),
        ("snowflake", "x", Reasoning(effort="none"), {"reasoning": {"enabled": False}}),
        ("groq", "openai/gpt-oss-120b", Reasoning(effort="high"), {"reasoning_effort": "high"}),
        ("groq", "qwen/qwen3-32b", Reasoning(effort="none"), {"reasoning_effort": "none"}),
        ("groq", "qwen/qwen3-32b", Reasoning(effort="high"), {}),
        ("mistral", "mistral-small", Reasoning(effort="low"), {"reasoning_effort": "high"}),
        ("mistral", "mistral-small", Reasoning(effort="minimal"), {"reasoning_effort": "none"}),
        ("deepseek", "v4", Reasoning(effort="none"), {"thinking": {"type": "disabled"}}),
        (
            "deepseek",
            "v4",
            Reasoning(effort="high"),
            {"thinking": {"type": "enabled"}, "reasoning_effort": "high"},
        ),
        ("zai", "glm-4.7", Reasoning(effort="high"), {"thinking": {"type": "enabled"}}),
        (
            "zai",
            "glm-5.3",
            Reasoning(effort="max"),
            {"thinking": {"type": "enabled"}, "reasoning_effort": "max"},
        ),
        ("moonshot", "kimi", Reasoning(adaptive=True), {"thinking": {"type": "enabled"}}),
        (
            "databricks",
            "claude",
            Reasoning(effort="medium"),
            {"thinking": {"type": "enabled", "budget_tokens": 8192}},
        ),
        ("databricks", "claude", Reasoning(effort="none"), {}),
        (
            "alibaba",
            "qwen3",
            Reasoning(budget_tokens=5000),
            {"enable_thinking": True, "thinking_budget": 5000},
        ),
        ("alibaba", "qwen3", Reasoning(effort="none"), {"enable_thinking": False}),
        ("vllm", "qwen3", Reasoning(adaptive=True), {"chat_template_kwargs": {"enable_thinking": True}}),
        ("vllm", "qwen3", Reasoning(effort="none"), {"chat_template_kwargs": {"enable_thinking": False}}),
        ("xai", "grok-4", Reasoning(effort="high"), {}),
        ("xai", "grok-3-mini", Reasoning(effort="medium"), {"reasoning_effort": "low"}),
        ("cerebras", "zai-glm-4.7", Reasoning(effort="none"), {"reasoning_effort": "none"}),
    ],
)
def test_how_hard_to_think_is_said_in_the_providers_words(
    profile: str, model: str, reasoning: Reasoning, said: Mapping[str, Any]
) -> None:
    """Rule 23 among them: an effort that the model does not know becomes the nearest it does."""
    written = body(profile, model=model, reasoning=reasoning)
    assert {key: value for key, value in written.items() if key not in {"model", "messages"}} == said


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    "reasoning", [Reasoning(effort="high"), Reasoning(budget_tokens=9000), Reasoning(adaptive=True)]
)
def test_a_wish_to_think_is_said_or_named_as_dropped(profile: str, reasoning: Reasoning) -> None:
    written = encoded(profile, reasoning=reasoning)
    said = json.loads(written.body).keys() - {"model", "messages"}
    assert said or written.dropped or reasoning.adaptive


def test_what_a_provider_has_no_field_for_is_dropped_and_named() -> None:
    knobs = Sampling(temperature=1.5, seed=1, top_k=3, frequency_penalty=0.5)
    written = encoded("zai", sampling=knobs, user="u", parallel_tools=False, tools=(WEATHER,))
    assert json.loads(written.body).keys() == {"model", "messages", "temperature", "tools"}
    assert json.loads(written.body)["temperature"] == 1
    assert set(written.dropped) == {
        "temperature",
        "seed",
        "top_k",
        "frequency_penalty",
        "user",
        "parallel_tool_calls",
        "tools[].function.strict",
    }


def test_mistral_has_other_words() -> None:
    written = body(
        "mistral",
        sampling=Sampling(seed=3),
        tools=(WEATHER,),
        tool_choice=ToolChoice("required"),
        stream=True,
    )
    assert (written["random_seed"], written["tool_choice"]) == (3, "any")
    assert "stream_options" not in written
    assert "seed" not in written


@pytest.mark.parametrize(
    ("profile", "fields", "param"),
    [
        ("perplexity", {"tools": (WEATHER,)}, "tools"),
        ("moonshot", {"tools": (WEATHER,), "tool_choice": ToolChoice("required")}, "tool_choice"),
        ("zai", {"tools": (WEATHER,), "tool_choice": ToolChoice("tool", "weather")}, "tool_choice"),
        ("groq", {"sampling": Sampling(logprobs=True)}, "logprobs"),
        ("openai", {"sampling": Sampling(logprobs=True), "reasoning": Reasoning(effort="low")}, None),
        ("zai", {"sampling": Sampling(stop=("a", "b"))}, "stop"),
        ("perplexity", {"sampling": Sampling(stop=("a",))}, "stop"),
        ("moonshot", {"output_format": SCHEMA}, "response_format"),
        ("perplexity", {"output_format": OutputFormat("json_object")}, "response_format"),
    ],
)
def test_what_the_caller_relies_on_is_refused(
    profile: str, fields: dict[str, Any], param: str | None
) -> None:
    if param is None:
        assert body(profile, **fields)["logprobs"] is True
    else:
        assert refused(profile, **fields) == param


def test_log_probabilities_are_asked_of_models_that_tell_them() -> None:
    asked = Sampling(logprobs=True, top_logprobs=2)
    written = body("openai", model="gpt-4.1", sampling=asked)
    assert (written["logprobs"], written["top_logprobs"]) == (True, 2)
    assert body("openai", model="gpt-5.4", sampling=asked)["logprobs"] is True
    for model, reasoning in (("o3", None), ("gpt-5.4", Reasoning(effort="low"))):
        with pytest.raises(Unsupported):
            encoded("openai", model=model, sampling=asked, reasoning=reasoning)


def test_a_schema_becomes_a_tool_where_the_provider_knows_no_schemas() -> None:
    """Rule 7: DeepSeek takes JSON without a schema only."""
    written = encoded("deepseek", output_format=SCHEMA, reasoning=Reasoning(effort="high"))
    sent = json.loads(written.body)
    assert written.undo.answer_tool == "person"
    assert sent["tool_choice"] == {"type": "function", "function": {"name": "person"}}
    assert sent["thinking"] == {"type": "disabled"}
    assert "response_format" not in sent
    assert written.dropped == ("reasoning_effort",)


def test_fields_of_the_kin_dialect_are_carried_where_they_mean_the_same() -> None:
    asked = {"service_tier": "flex", "metadata": {"a": "b"}, "text.verbosity": "low", "truncation": "auto"}
    written = encoded("openai", foreign=asked, source="openai-responses")
    sent = json.loads(written.body)
    assert (sent["service_tier"], sent["metadata"], sent["verbosity"]) == ("flex", {"a": "b"}, "low")
    assert written.dropped == ("truncation",)
    for profile, source in (("openai", "anthropic-messages"), ("groq", "openai-responses")):
        written = encoded(profile, foreign=asked, source=source)
        assert set(written.dropped) == set(asked)


# messages


def test_system_messages_stand_where_the_provider_takes_them() -> None:
    """Rule 45."""
    system, late = Message("system", (Text("A"),)), Message("developer", (Text("B"),))
    asked = (system, late, HI, late)
    roles = {
        name: [turn["role"] for turn in body(name, *asked)["messages"]] for name in ("xai", "groq", "vllm")
    }
    assert roles == {
        "xai": ["system", "system", "user", "system"],
        "groq": ["system", "user", "system"],
        "vllm": ["system", "user", "user"],
    }
    assert body("vllm", *asked)["messages"][-1]["content"] == "<system>\nB\n</system>"
    assert body("openai", late, HI, model="gpt-5")["messages"][0]["role"] == "developer"


def call_and_result(call_id: str) -> tuple[Message, Message]:
    return (
        Message("assistant", (ToolCall(call_id, "weather", "{}"),)),
        Message("user", (ToolResult(call_id, (Text("cold"),)),)),
    )


def ids(profile: str, call_id: str) -> tuple[str, str]:
    called, answered = body(profile, *call_and_result(call_id))["messages"]
    return called["tool_calls"][0]["id"], answered["tool_call_id"]


@pytest.mark.parametrize("call_id", ["toolu_01A", "functions.add:0", "0", "x" * 200, "é", "abcDEF123"])
def test_ids_are_rewritten_to_the_providers_rule_and_stay_pairs(call_id: str) -> None:
    """Rule 10: Mistral wants exactly nine letters and digits, OpenAI at most forty characters."""
    called, answered = ids("mistral", call_id)
    assert called == answered == ids("mistral", call_id)[0]
    assert re.fullmatch("[A-Za-z0-9]{9}", called)
    assert (called == call_id) == (call_id == "abcDEF123")
    called, answered = ids("openai", call_id)
    assert called == answered
    assert len(called) <= 40
    assert (called == call_id) == (len(call_id) <= 40)


def test_ids_that_differ_stay_different() -> None:
    assert len({ids("mistral", f"call_{number}")[0] for number in range(500)}) == 500


def remembered(
    profile: str, seal_data: str = "", text: str = "Hm.", *, maker: str | None = None
) -> dict[str, Any]:
    thought = Thinking(text, Seal(seal_data, maker or profile))
    called = Message("assistant", (thought, ToolCall("abcDEF123", "weather", "{}")))
    written: dict[str, Any] = body(profile, HI, called, call_and_result("abcDEF123")[1])["messages"][1]
    return {key: written[key] for key in written.keys() - {"role", "tool_calls"} if written[key] is not None}


def test_reasoning_goes_back_to_its_maker_in_the_field_it_wants() -> None:
    """Rule 32: DeepSeek insists on it within a tool loop."""
    for name in ("deepseek", "zai", "moonshot", "alibaba", "llamacpp", "fireworks"):
        assert remembered(name) == {"reasoning_content": "Hm."}
    for name in ("groq", "cerebras", "together", "vllm", "ollama"):
        assert remembered(name) == {"reasoning": "Hm."}
    assert remembered("mistral") == {
        "content": [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}]
    }
    assert remembered("deepseek", text="") == {"reasoning_content": ""}


def test_details_go_back_to_their_maker_as_they_came() -> None:
    details = [{"type": "reasoning.text", "text": "Hm.", "signature": "s", "index": 0, "format": "f"}]
    assert remembered("openrouter", json.dumps(details)) == {"reasoning_details": details}
    assert remembered("openrouter") == {"reasoning": "Hm."}
    assert remembered("openrouter", "not json") == {"reasoning": "Hm."}


@pytest.mark.parametrize("profile", ["", *PROFILES])
def test_reasoning_of_another_maker_is_never_sent(profile: str) -> None:
    """Rules 29 and 30: not as reasoning, and not as visible text."""
    assert remembered(profile, "c2VhbA", maker="another") == {}


def test_googles_signatures_go_back_on_their_call_and_message() -> None:
    """Rule 31: Gemini refuses a call that has lost its own."""
    seal = Seal("c2ln", "gemini")
    said = Message("assistant", (Text("Hi", seal=seal), ToolCall("a", "weather", "{}", seal)))
    turn = body("gemini", said, call_and_result("a")[1])["messages"][0]
    signed = {"google": {"thought_signature": "c2ln"}}
    assert (turn["extra_content"], turn["tool_calls"][0]["extra_content"]) == (signed, signed)
    for name in ("openai", "groq"):
        assert "c2ln" not in json.dumps(body(name, said, call_and_result("a")[1]))
    foreign = Message("assistant", (ToolCall("a", "weather", "{}", Seal("c2ln", "vertex")),))
    assert "c2ln" not in json.dumps(body("gemini", foreign, call_and_result("a")[1]))


PICTURE = Message("user", (Image(media_type="image/png", data="QUJD"),))
LINKED = Message("user", (Image(url="https://example.com/a.png", detail="low"),))
PDF = Message("user", (Document("application/pdf", data="QUJD", name="a.pdf"),))
LINKED_PDF = Message("user", (Document(url="https://example.com/a.pdf"),))


def test_pictures_and_files_are_sent_as_the_provider_takes_them_or_refused() -> None:
    assert refused("deepseek", PICTURE) == refused("ollama", LINKED) == refused("groq", PDF) == "messages"
    assert body("openai", LINKED)["messages"][0]["content"][0]["image_url"] == {
        "url": "https://example.com/a.png",
        "detail": "low",
    }
    assert refused("openai", LINKED_PDF) == "messages"
    (part,) = body("openrouter", LINKED_PDF)["messages"][0]["content"]
    assert part["file"]["file_data"] == "https://example.com/a.pdf"
    (part,) = body("mistral", LINKED_PDF)["messages"][0]["content"]
    assert part == {"type": "document_url", "document_url": "https://example.com/a.pdf"}
    written = encoded("mistral", PDF)
    assert json.loads(written.body)["messages"][0]["content"][0]["document_url"].startswith(
        "data:application/pdf"
    )
    assert written.dropped == ("messages[].document.title",)


# what was recorded

_PROFILE_OF = {"azure_openai": "azure"}

# Why a recorded request cannot be written again: a word of the refusal.
_REFUSED = (
    "'n' cannot",
    "'tools' cannot",
    "'modalities' cannot",
    "'web_search_options' cannot",
    "'moderation' cannot",
)

# Fields that a Request has no place for, and those written under another name.
_NOT_CARRIED = frozenset(
    [
        "functions",
        "function_call",
        "provider",
        "models",
        "transforms",
        "preset",
        "usage",
        "reasoning_format",
        "service_tier",
        "search_settings",
        "clear_thinking",
        "prompt_cache_key",
        "prompt_cache_options",
        "prediction",
        "store",
        "metadata",
        "user",
    ]
)
_LIMITS = {"max_tokens", "max_completion_tokens"}


def test_what_was_recorded_with_a_provider_can_be_said_to_it(shared: Path) -> None:
    """Every field that it took, it is sent again: a profile may not be stricter than its provider."""
    count, refusals = 0, dict[str, str]()
    for file in ("openai_chat", "openai_compat_chat"):
        for record in recorded(shared, file, "openai.chat"):
            name = _PROFILE_OF.get(record["provider"], record["provider"])
            asked, sent = request_body(record), record["request"]["body"]
            if asked is None or name not in PROFILES or record["response"]["status"] != 200:
                continue
            try:
                request = OPENAI_CHAT.decode_request(read_envelope(asked))
                written = OPENAI_CHAT.encode_request(request, card(name, request.model))
            except Unsupported as error:
                refusals[record["id"]] = error.message
                continue
            again = json.loads(written.body)
            meant = {key for key in sent if sent[key] not in (None, [], {}, False)} - _NOT_CARRIED
            lost = meant - again.keys() - {"n", "stream_options"} - _LIMITS
            if "response_format" in lost and sent["response_format"]["type"] == "text":
                lost.remove("response_format")
            if sent.get("thinking", {}).keys() == {"clear_thinking"}:
                lost.discard("thinking")
            if sent.get("reasoning_effort") == "default":
                lost.discard("reasoning_effort")
            assert not lost, (record["id"], name, lost)
            assert (_LIMITS & meant == set()) == (_LIMITS & again.keys() == set())
            count += 1
    assert count > 400
    for name, refusal in refusals.items():
        assert refusal.startswith(_REFUSED) or "cannot be translated" in refusal, (name, refusal)


def test_a_text_file_is_sent_as_its_text() -> None:
    file = Document("text/plain", data="w6Q=", name="a.txt")
    result = Message("user", (ToolResult("a", (file,)),))
    called = Message("assistant", (ToolCall("a", "f", "{}"),))
    written = encoded("groq", Message("user", (file,)), called, result)
    turns = json.loads(written.body)["messages"]
    assert (turns[0]["content"], turns[2]["content"]) == ("ä", "ä")
    assert written.dropped == ("messages[].document.title",)
    with pytest.raises(BadRequest, match="not base64"):
        encoded("groq", Message("user", (Document("text/plain", data="!"),)))


def test_a_refusal_names_what_and_the_model() -> None:
    with pytest.raises(Unsupported, match=r"'messages': document content by its address .* model tiny"):
        encoded("groq", LINKED_PDF)
