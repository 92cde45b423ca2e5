"""Rules that translations between chat and Messages were seen to break elsewhere; the numbers are those of the design
notes. Those that need more room have their tests beside what they are about."""

import json
from typing import Any

import anthropic_checks as messages_side
import openai_chat_checks as chat_side
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.core.errors import UpstreamError, UpstreamFault
from pointsman.core.events import (
    Finished,
    ReplyEvent,
    ReplyStarted,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
    UsageReported,
    fold,
)
from pointsman.core.model_card import ModelCard
from pointsman.core.request import ToolCall
from pointsman.core.usage import Usage
from pointsman.wire.anthropic_messages import ANTHROPIC_MESSAGES
from pointsman.wire.dialect import Dialect
from pointsman.wire.envelope import read_envelope
from pointsman.wire.openai_chat import OPENAI_CHAT

CLAUDE = ModelCard("opus", "anthropic", "claude-opus-4-6")
GPT = ModelCard("gpt", "openai", "gpt-4.1", profile="openai")
BOTH = pytest.mark.parametrize("dialect", [OPENAI_CHAT, ANTHROPIC_MESSAGES], ids=["chat", "messages"])


def translated(source: Dialect, body: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """A request of one dialect as the other one's provider gets it, and what was dropped."""
    target, card = (ANTHROPIC_MESSAGES, CLAUDE) if source is OPENAI_CHAT else (OPENAI_CHAT, GPT)
    encoded = target.encode_request(source.decode_request(read_envelope(json.dumps(body).encode())), card)
    return json.loads(encoded.body), encoded.dropped


def streamed(dialect: Dialect, events: list[ReplyEvent], *, usage: bool = True) -> bytes:
    context = messages_side.CONTEXT._replace(stream_usage=usage)
    encoder = dialect.reply_encoder(context)
    return b"".join(encoder.feed([event]) for event in events)


@st.composite
def interleaved(draw: st.DrawFn) -> tuple[list[ReplyEvent], list[tuple[str, Any]]]:
    """One to eight calls whose pieces come in any order."""
    arguments = draw(
        st.lists(st.dictionaries(st.text(max_size=3), st.integers(), max_size=3), min_size=1, max_size=8)
    )
    texts = [json.dumps(each) for each in arguments]
    order = draw(st.permutations([at for at, text in enumerate(texts) for _ in range(3)]))
    pieces = {at: [text[:2], text[2:5], text[5:]] for at, text in enumerate(texts)}
    events: list[ReplyEvent] = [ToolCallStarted(at, f"id{at}", f"f{at}") for at in range(len(texts))]
    events += [ToolCallDelta(at, pieces[at].pop(0)) for at in order]
    calls = [(f"f{at}", each) for at, each in enumerate(arguments)]
    return [ReplyStarted("r", "m"), *events, Finished("tool_calls")], calls


@BOTH
@settings(deadline=None)  # the SDKs load slowly the first time
@given(reply=interleaved())
def test_parallel_calls_are_never_merged(
    dialect: Dialect, reply: tuple[list[ReplyEvent], list[tuple[str, Any]]]
) -> None:
    """Rules 3 and 5: distinct indexes and blocks, and every piece belongs to its own call."""
    events, calls = reply
    if dialect is OPENAI_CHAT:
        seen = chat_side.meaning_of_chunks(chat_side.sdk_chunks(streamed(dialect, events))).calls
        assert [(name, json.loads(arguments)) for name, arguments in seen] == calls
    else:
        stream = streamed(dialect, events)
        messages_side.check_grammar(stream)
        message = messages_side.meaning_of_message(messages_side.sdk_stream(stream))
        assert [(name, value) for _, name, value in message.calls] == calls


def test_made_ids_differ_from_turn_to_turn() -> None:
    """Rule 9: ids made for a provider that gives none are not counted from 0 in every reply."""

    def ids(reply_id: str | None, created: int) -> list[str]:
        call = {"function": {"name": "f", "arguments": "{}"}}
        choice = {"index": 0, "message": {"tool_calls": [call, call]}, "finish_reason": "tool_calls"}
        body = json.dumps({"id": reply_id, "created": created, "model": "m", "choices": [choice]}).encode()
        return [
            part.id for part in fold(OPENAI_CHAT.decode_reply(body, "p")).parts if isinstance(part, ToolCall)
        ]

    turns = [ids("a", 1), ids("b", 1), ids(None, 1), ids(None, 2)]
    made = [each for turn in turns for each in turn]
    assert len(set(made)) == len(made) == 8
    assert all(each.isalnum() and len(each) <= 40 for each in made)
    assert ids("a", 1) == turns[0]


def test_ids_reach_a_messages_client_in_the_letters_its_api_takes() -> None:
    """Rule 10: the client may go on with Claude, which refuses a history with other ones."""
    events: list[ReplyEvent] = [
        ReplyStarted("r", "m"),
        ToolCallStarted(0, "functions.add:0", "add"),
        Finished("tool_calls"),
    ]
    stream = messages_side.sdk_stream(streamed(ANTHROPIC_MESSAGES, events))
    whole = messages_side.sdk_message(ANTHROPIC_MESSAGES.encode_reply(events, messages_side.CONTEXT))
    assert stream.content[0].id == whole.content[0].id == "functions_add_0"  # type: ignore[union-attr]


USED: list[ReplyEvent] = [
    ReplyStarted("r", "m"),
    UsageReported(Usage(input_tokens=3)),
    TextDelta("Hi"),
    UsageReported(Usage(output_tokens=2, cache_read_tokens=1)),
    Finished("stop"),
]


def test_usage_is_the_last_chunk_if_asked_for_and_nowhere_else() -> None:
    """Rule 36."""
    chunks = chat_side.recorded_chunks(streamed(OPENAI_CHAT, USED).decode())
    assert [bool(chunk["usage"]) for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["prompt_tokens"] == 3
    assert all(chunk["choices"] for chunk in chunks[:-1])
    chunks = chat_side.recorded_chunks(streamed(OPENAI_CHAT, USED, usage=False).decode())
    assert not any("usage" in chunk or not chunk["choices"] for chunk in chunks)


def test_usage_counts_caches_as_each_dialect_does() -> None:
    """Rule 34: input and both caches are apart in Messages and together in chat, streamed or not."""
    usage = {
        "input_tokens": 10,
        "output_tokens": 5,
        "cache_read_input_tokens": 100,
        "cache_creation_input_tokens": 20,
    }
    body = {
        "type": "message",
        "content": [{"type": "text", "text": "Hi"}],
        "stop_reason": "end_turn",
        "usage": usage,
    }
    events = ANTHROPIC_MESSAGES.decode_reply(json.dumps(body).encode(), "anthropic")
    told = chat_side.sdk_completion(OPENAI_CHAT.encode_reply(events, chat_side.CONTEXT)).usage
    assert told is not None
    assert told.prompt_tokens_details is not None
    assert (told.prompt_tokens, told.total_tokens, told.prompt_tokens_details.cached_tokens) == (
        130,
        135,
        100,
    )
    back = messages_side.sdk_message(ANTHROPIC_MESSAGES.encode_reply(events, messages_side.CONTEXT)).usage
    assert (back.input_tokens, back.cache_read_input_tokens, back.cache_creation_input_tokens) == (
        10,
        100,
        20,
    )


@BOTH
def test_a_stream_without_its_end_is_no_answer(dialect: Dialect) -> None:
    """Rule 38: the fault is the provider's, and the words of it are no `invalid_request_error`."""
    stream = streamed(dialect, [ReplyStarted("r", "m"), TextDelta("Hi"), Finished("stop")])
    cut = stream[
        : stream.index(b'finish_reason":"stop' if dialect is OPENAI_CHAT else b"event: message_delta")
    ]
    decoder = dialect.reply_decoder("p")
    decoder.feed(cut[: cut.rindex(b"\n\n") + 2])
    with pytest.raises(UpstreamError) as caught:
        decoder.finish()
    assert caught.value.fault is UpstreamFault.BROKEN
    for client in (OPENAI_CHAT, ANTHROPIC_MESSAGES):
        assert b"invalid_request_error" not in client.encode_stream_error(caught.value, "pm_1")


@BOTH
def test_a_sign_of_life_between_events_is_no_event(dialect: Any) -> None:
    """Rule 42."""
    stream = streamed(dialect, USED)
    alive = dialect.keepalive + stream.replace(b"\n\n", b"\n\n" + dialect.keepalive)
    if dialect is OPENAI_CHAT:
        assert chat_side.sdk_chunks(alive) == chat_side.sdk_chunks(stream)
    else:
        assert messages_side.sdk_stream(alive) == messages_side.sdk_stream(stream)
    decoder, watch = dialect.reply_decoder("p"), dialect.reply_watch()
    watch.feed(alive)
    assert fold(decoder.feed(alive) + decoder.finish()).parts == fold(USED).parts
    assert watch.is_complete
    assert watch.error is None


MARKED = {"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral", "ttl": "1h"}}
NAMED_SO = {"type": "object", "properties": {"cache_control": {"type": "string"}}}


def test_marks_for_the_cache_are_taken_out_where_they_are_marks() -> None:
    """Rule 46: not inside a tool's input or schema."""
    call = {
        "type": "tool_use",
        "id": "a",
        "name": "f",
        "input": {"cache_control": "x"},
        "cache_control": {"type": "ephemeral"},
    }
    result = {
        "type": "tool_result",
        "tool_use_id": "a",
        "content": [MARKED],
        "cache_control": {"type": "ephemeral"},
    }
    body, dropped = translated(
        ANTHROPIC_MESSAGES,
        {
            "model": "m",
            "max_tokens": 9,
            "system": [MARKED],
            "messages": [
                {"role": "user", "content": [MARKED]},
                {"role": "assistant", "content": [call]},
                {"role": "user", "content": [result]},
            ],
            "tools": [{"name": "f", "input_schema": NAMED_SO, "cache_control": {"type": "ephemeral"}}],
        },
    )
    assert dropped == ("cache_control",)
    assert json.dumps(body).count("cache_control") == 2
    assert body["messages"][2]["tool_calls"][0]["function"]["arguments"] == '{"cache_control":"x"}'
    assert body["tools"][0]["function"]["parameters"] == NAMED_SO
    marked = [{"role": "user", "content": [MARKED]}]
    body, dropped = translated(OPENAI_CHAT, {"model": "m", "messages": marked})
    assert dropped == ("messages[].content[].cache_control",)
    assert "cache_control" not in json.dumps(body)


def test_beta_headers_are_of_one_dialect() -> None:
    """Rule 47: they go to providers of Messages only."""
    assert b"anthropic-beta" in ANTHROPIC_MESSAGES.passed_headers
    assert not any(name.startswith(b"anthropic") for name in OPENAI_CHAT.passed_headers)


def test_the_title_of_a_text_document_and_the_name_of_a_schema_are_named_as_dropped() -> None:
    document = {
        "type": "document",
        "title": "T",
        "source": {"type": "text", "media_type": "text/plain", "data": "x"},
    }
    asked: dict[str, Any] = {
        "model": "m",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": [document]}],
    }
    assert translated(ANTHROPIC_MESSAGES, asked)[1] == ("messages[].document.title",)
    schema = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}}
    asked = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "response_format": schema}
    assert translated(OPENAI_CHAT, asked)[1] == ("response_format.json_schema.name",)


def test_a_wish_not_to_see_the_thinking_is_named_where_it_cannot_be_said() -> None:
    asked: dict[str, Any] = {
        "model": "m",
        "max_tokens": 9000,
        "messages": [{"role": "user", "content": "Hi"}],
        "reasoning": {"effort": "low", "exclude": True},
    }
    body, dropped = translated(OPENAI_CHAT, asked)
    assert (body["thinking"]["type"], dropped) == ("enabled", ("reasoning.exclude",))
