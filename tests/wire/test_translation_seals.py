"""What providers seal, through clients of both dialects and back: whole and streamed, to its maker and to others."""

import json
from typing import Any

import anthropic_checks as messages_side
import openai_chat_checks as chat_side
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.core.events import (
    BlockEnded,
    Finished,
    RedactedThinkingBlock,
    ReplyEvent,
    ReplyStarted,
    TextDelta,
    TextSealed,
    ThinkingDelta,
    ThinkingSealed,
    ToolCallDelta,
    ToolCallStarted,
    fold,
)
from pointsman.core.model_card import ModelCard
from pointsman.core.request import (
    Message,
    Part,
    RedactedThinking,
    Request,
    Seal,
    Text,
    Thinking,
    ToolCall,
)
from pointsman.wire.anthropic_messages import ANTHROPIC_MESSAGES
from pointsman.wire.dialect import Dialect
from pointsman.wire.envelope import Envelope, read_envelope
from pointsman.wire.openai_chat import OPENAI_CHAT
from pointsman.wire.seals import MARK

CALL_SEAL = Seal("b2YgY2FsbA==", "gemini")
TEXT_SEAL = Seal("b2YgdGV4dA==", "gemini")

SIGNED: list[ReplyEvent] = [
    ReplyStarted("r", "m"),
    ThinkingDelta("Hm"),
    ThinkingDelta("."),
    ThinkingSealed(Seal("c2ln", "anthropic")),
    RedactedThinkingBlock(Seal("aGlkZGVu", "anthropic")),
    TextDelta("Let me see."),
    ToolCallStarted(0, "call1", "weather"),
    ToolCallDelta(0, '{"city":"Oslo"}'),
    Finished("tool_calls"),
]
OF_PARTS: list[ReplyEvent] = [
    ReplyStarted("r", "m"),
    TextDelta("Let me "),
    TextDelta("see."),
    TextSealed(TEXT_SEAL),
    ToolCallStarted(0, "call1", "weather", CALL_SEAL),
    ToolCallDelta(0, "{}"),
    ToolCallStarted(1, "call2", "clock"),
    ToolCallDelta(1, "{}"),
    Finished("tool_calls"),
]
EMPTY_TEXT: list[ReplyEvent] = [
    ReplyStarted("r", "m"),
    TextDelta("Hi"),
    BlockEnded(),
    TextSealed(TEXT_SEAL),
    Finished("stop"),
]
UNSIGNED: list[ReplyEvent] = [
    ReplyStarted("r", "m"),
    ThinkingDelta("Hm."),
    ThinkingSealed(Seal("", "deepseek")),
    ToolCallStarted(0, "call1", "weather"),
    Finished("tool_calls"),
]


# Clients: the assistant's turn as it comes back with the next request


def of_messages_client(events: list[ReplyEvent], *, streamed: bool) -> dict[str, Any]:
    if streamed:
        encoder = ANTHROPIC_MESSAGES.reply_encoder(messages_side.CONTEXT)
        stream = b"".join(encoder.feed([event]) for event in events)
        messages_side.check_grammar(stream)
        content = messages_side.sdk_stream(stream).model_dump(exclude_none=True)["content"]
    else:
        whole = ANTHROPIC_MESSAGES.encode_reply(events, messages_side.CONTEXT)
        content = messages_side.sdk_message(whole).model_dump(exclude_none=True)["content"]
    return {"role": "assistant", "content": content}


def of_chat_client(events: list[ReplyEvent], *, streamed: bool) -> dict[str, Any]:
    """One that keeps what it does not know, as those do that were made for OpenRouter."""
    if not streamed:
        completion = chat_side.sdk_completion(OPENAI_CHAT.encode_reply(events, chat_side.CONTEXT))
        return completion.choices[0].message.model_dump(exclude_none=True)
    encoder = OPENAI_CHAT.reply_encoder(chat_side.CONTEXT)
    chunks = chat_side.sdk_chunks(b"".join(encoder.feed([event]) for event in events))
    turn: dict[str, Any] = {"role": "assistant", "content": ""}
    for chunk in chunks:
        for choice in chunk.choices:
            delta = choice.delta.model_dump(exclude_none=True)
            turn["content"] += delta.get("content", "")
            for name in ("reasoning_details", "tool_calls"):
                if name == "tool_calls":
                    for call in delta.get(name, []):
                        if "id" in call:
                            turn.setdefault(name, []).append(call)
                        else:
                            turn[name][call["index"]]["function"]["arguments"] += call["function"][
                                "arguments"
                            ]
                elif name in delta:
                    turn[name] = turn.get(name, []) + delta[name]
            if "extra_content" in delta:
                turn["extra_content"] = delta["extra_content"]
            turn["reasoning_content"] = turn.get("reasoning_content", "") + delta.get("reasoning_content", "")
    return turn


CLIENTS = {"messages": (ANTHROPIC_MESSAGES, of_messages_client), "chat": (OPENAI_CHAT, of_chat_client)}


def next_envelope(dialect: Dialect, turn: dict[str, Any]) -> Envelope:
    if dialect is ANTHROPIC_MESSAGES:
        results: list[dict[str, Any]] = [
            {"type": "tool_result", "tool_use_id": block["id"], "content": "cold"}
            for block in turn["content"]
            if block["type"] == "tool_use"
        ]
        after = [{"role": "user", "content": results or "And?"}]
    else:
        after = [
            {"role": "tool", "tool_call_id": call["id"], "content": "cold"}
            for call in turn.get("tool_calls", [])
        ] or [{"role": "user", "content": "And?"}]
    messages = [{"role": "user", "content": "Hi"}, turn, *after]
    return read_envelope(json.dumps({"model": "auto", "max_tokens": 50, "messages": messages}).encode())


def came_back(client: str, events: list[ReplyEvent], *, streamed: bool) -> Request:
    dialect, answered = CLIENTS[client]
    return dialect.decode_request(next_envelope(dialect, answered(events, streamed=streamed)))


def assistant(request: Request) -> tuple[Part, ...]:
    (turn,) = (message for message in request.messages if message.role == "assistant")
    return turn.parts


whole_and_streamed = pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
every_client = pytest.mark.parametrize("client", CLIENTS)


@whole_and_streamed
@every_client
@pytest.mark.parametrize("events", [SIGNED, OF_PARTS], ids=["signed", "of parts"])
def test_every_seal_comes_back_onto_its_part(client: str, events: list[ReplyEvent], streamed: bool) -> None:
    """Rules 29 and 31."""
    assert assistant(came_back(client, events, streamed=streamed)) == fold(events).parts


@whole_and_streamed
def test_the_seal_of_a_text_that_has_none_is_kept_by_a_chat_client(streamed: bool) -> None:
    """Gemini puts its signature on an empty text at the end."""
    parts = assistant(came_back("chat", EMPTY_TEXT, streamed=streamed))
    assert parts in (
        (Text("Hi"), Text("", seal=TEXT_SEAL)),
        (Text("Hi", seal=TEXT_SEAL),),
    )


@whole_and_streamed
@pytest.mark.parametrize("is_apart", [True, False])
def test_a_messages_reply_ends_with_its_text(is_apart: bool, streamed: bool) -> None:
    """Claude Code prints the last block alone, so that no seal may stand behind the text."""
    events = [event for event in EMPTY_TEXT if is_apart or not isinstance(event, BlockEnded)]
    turn = of_messages_client(events, streamed=streamed)
    assert turn["content"] == [{"type": "text", "text": "Hi"}]


@whole_and_streamed
def test_thinking_that_nobody_signed_comes_back_with_its_makers_name(streamed: bool) -> None:
    """Rule 32: through a client of Messages; a chat client's is remembered by its calls."""
    parts = assistant(came_back("messages", UNSIGNED, streamed=streamed))
    assert parts == (Thinking("Hm.", Seal("", "deepseek")), ToolCall("call1", "weather", "{}"))
    request = came_back("messages", UNSIGNED, streamed=streamed)
    encoded = OPENAI_CHAT.encode_request(request, ModelCard("m", "deepseek", "v4", profile="deepseek"))
    assert json.loads(encoded.body)["messages"][1]["reasoning_content"] == "Hm."
    assert encoded.dropped == ()


@whole_and_streamed
@every_client
def test_signed_thinking_goes_to_its_maker_byte_for_byte(client: str, streamed: bool) -> None:
    """Rule 29."""
    request = came_back(client, SIGNED, streamed=streamed)
    body = json.loads(ANTHROPIC_MESSAGES.encode_request(request, ModelCard("m", "anthropic", "opus")).body)
    assert body["messages"][1]["content"][:2] == [
        {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "aGlkZGVu"},
    ]


@whole_and_streamed
@every_client
@pytest.mark.parametrize("target", [ANTHROPIC_MESSAGES, OPENAI_CHAT], ids=["messages", "chat"])
def test_nobody_else_sees_what_a_maker_sealed(client: str, target: Dialect, streamed: bool) -> None:
    """Rules 29 and 30: neither sealed nor as text."""
    for events in (SIGNED, OF_PARTS, UNSIGNED):
        request = came_back(client, events, streamed=streamed)
        sent = target.encode_request(request, ModelCard("m", "another", "m")).body.decode()
        for word in ("c2ln", "aGlkZGVu", CALL_SEAL.data, TEXT_SEAL.data, MARK, "Hm."):
            assert word not in sent


@whole_and_streamed
@every_client
def test_a_forwarded_history_holds_nothing_that_others_sealed(client: str, streamed: bool) -> None:
    dialect, answered = CLIENTS[client]
    for events in (SIGNED, OF_PARTS, EMPTY_TEXT, UNSIGNED):
        envelope = next_envelope(dialect, answered(events, streamed=streamed))
        body, _ = dialect.forwarded(envelope, ModelCard("m", "another", "m"))
        assert MARK.encode() not in body
        again = dialect.decode_request(read_envelope(body))
        seen = [part for part in assistant(again) if not isinstance(part, Thinking | RedactedThinking)]
        said = [part for part in fold(events).parts if isinstance(part, Text | ToolCall)]
        assert [getattr(part, "seal", None) for part in seen] == [None] * len(seen)
        assert [part.id for part in seen if isinstance(part, ToolCall)] == [
            part.id for part in said if isinstance(part, ToolCall)
        ]
        assert "".join(part.text for part in seen if isinstance(part, Text)) == "".join(
            part.text for part in said if isinstance(part, Text)
        )


@whole_and_streamed
def test_a_forwarded_history_gives_its_maker_its_own_back(streamed: bool) -> None:
    turn = of_messages_client(SIGNED, streamed=streamed)
    envelope = next_envelope(ANTHROPIC_MESSAGES, turn)
    body, _ = ANTHROPIC_MESSAGES.forwarded(envelope, ModelCard("auto", "anthropic", "auto"))
    content = json.loads(body)["messages"][1]["content"]
    assert [block.get("signature", block.get("data")) for block in content[:2]] == ["c2ln", "aGlkZGVu"]
    assert content[2:] == turn["content"][2:]
    # what stands around it keeps its bytes
    start = envelope.body.index(b'{"role": "assistant"')
    assert body.startswith(envelope.body[: envelope.body.index(b'"messages"')])
    assert b'{"role": "user", "content": "Hi"}' in body
    assert start > 0


def test_google_gets_its_signature_back_on_a_forwarded_call() -> None:
    envelope = next_envelope(OPENAI_CHAT, of_chat_client(OF_PARTS, streamed=False))
    body, _ = OPENAI_CHAT.forwarded(envelope, ModelCard("auto", "gemini", "auto"))
    turn = json.loads(body)["messages"][1]
    assert turn["tool_calls"][0]["extra_content"] == {"google": {"thought_signature": CALL_SEAL.data}}
    assert turn["extra_content"] == {"google": {"thought_signature": TEXT_SEAL.data}}
    assert "extra_content" not in turn["tool_calls"][1]


def test_state_of_other_gateways_is_left_alone_when_forwarded() -> None:
    details = [{"type": "reasoning.text", "text": "Hm.", "signature": "c2ln"}]
    turn = {"role": "assistant", "content": "Hi", "reasoning_details": details}
    envelope = next_envelope(OPENAI_CHAT, turn)
    assert OPENAI_CHAT.forwarded(envelope, ModelCard("auto", "openrouter", "auto")).body is envelope.body


@pytest.mark.parametrize(
    "messages", ["3", "[3]", '[{"role":"user","tool_calls":3}]', '[{"reasoning_details":{}}]']
)
def test_a_history_that_cannot_be_read_is_the_providers_to_judge(messages: str) -> None:
    body = b'{"model":"auto","x":"%b","messages":%b}' % (MARK.encode(), messages.encode())
    for dialect in (OPENAI_CHAT, ANTHROPIC_MESSAGES):
        assert dialect.forwarded(read_envelope(body), ModelCard("auto", "openai", "auto")).body == body


texts = st.text(st.characters(codec="utf-8"), max_size=8)
thoughts = st.builds(Thinking, texts, st.builds(Seal, texts.filter(bool), st.just("anthropic")))
hidden = st.builds(RedactedThinking, st.builds(Seal, texts, st.just("anthropic")))


@settings(deadline=None)  # the SDKs load slowly the first time
@given(st.lists(thoughts | hidden, max_size=4), st.booleans(), st.sampled_from(sorted(CLIENTS)))
def test_any_thinking_comes_back_in_its_order(parts: list[Part], streamed: bool, client: str) -> None:
    """Rule 28."""
    events: list[ReplyEvent] = [ReplyStarted("r", "m")]
    for part in parts:
        if isinstance(part, Thinking):
            assert part.seal is not None
            events += [ThinkingDelta(part.text), ThinkingSealed(part.seal)]
        elif isinstance(part, RedactedThinking):
            events.append(RedactedThinkingBlock(part.seal))
    events += [TextDelta("Yes"), Finished("stop")]
    assert assistant(came_back(client, events, streamed=streamed)) == (*parts, Text("Yes"))


def test_messages_of_a_request_name_their_source() -> None:
    for client, name in (("chat", "openai-chat"), ("messages", "anthropic-messages")):
        request = came_back(client, UNSIGNED, streamed=False)
        assert request.source == name
        assert isinstance(request.messages[0], Message)
