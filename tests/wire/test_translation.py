"""Chat to Messages and Messages to chat: recorded requests and answers of each, through to the other side."""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import anthropic_checks as messages_side
import openai_chat_checks as chat_side
import pytest
from anthropic_checks import check_grammar, check_request_rules
from hypothesis import given
from hypothesis import strategies as st
from recordings import golden, recorded, request_body, streamed_answer, whole_answer

from pointsman.core.errors import ClientError, UpstreamError, UpstreamFault
from pointsman.core.events import Reply, ReplyEvent, fold
from pointsman.core.model_card import ModelCard
from pointsman.core.request import (
    Document,
    Image,
    Message,
    Request,
    Text,
    ToolCall,
    ToolResult,
)
from pointsman.wire.anthropic_messages import ANTHROPIC_MESSAGES
from pointsman.wire.dialect import Dialect
from pointsman.wire.envelope import read_envelope
from pointsman.wire.openai_chat import OPENAI_CHAT

Record = dict[str, Any]

CLAUDE = ModelCard("opus", "anthropic", "claude-opus-4-6")
GPT = ModelCard("gpt", "openai", "gpt-4.1")


def chat_records(shared: Path) -> Iterator[Record]:
    yield from recorded(shared, "openai_chat", "openai.chat")
    yield from recorded(shared, "openai_compat_chat", "openai.chat")


def messages_records(shared: Path) -> Iterator[Record]:
    yield from recorded(shared, "anthropic", "anthropic.messages")


def golden_records(dialect: str) -> list[Record]:
    return [json.loads(path.read_text()) for path in golden(dialect)]


# requests


def squeezed(text: str) -> str:
    return "".join(text.split())


def said(messages: Sequence[Message]) -> list[tuple[str, ...]]:
    """What a conversation says, whoever says it in how many messages and text parts: white space, unsigned
    thinking and the marks around later system text do not count."""
    lines: list[tuple[str, ...]] = []
    ids: dict[str, int] = {}

    def say(role: str, kind: str, *what: str) -> None:
        if kind == "text" and lines and lines[-1][:2] == (role, "text"):
            lines[-1] = (role, "text", lines[-1][2] + what[0])
        elif what != ("",):
            lines.append((role, kind, *what))

    is_leading = True
    turn: list[tuple[str, Any]] = []

    def close() -> None:
        for role, part in sorted(turn, key=lambda item: not isinstance(item[1], ToolResult)):
            match part:
                case Text(text):
                    say(role, "text", squeezed(text).replace("<system>", "").replace("</system>", ""))
                case ToolCall(call_id, name, arguments):
                    ids[call_id] = len(ids)
                    say(role, "call", str(ids[call_id]), name, json.dumps(json.loads(arguments or "{}")))
                case ToolResult(call_id, content):
                    for each in content:
                        assert isinstance(each, Text), "media in results is compared apart"
                    words = squeezed("".join(each.text for each in content if isinstance(each, Text)))
                    say(role, "result", str(ids[call_id]), words)
                case Image(media_type, data, url):
                    say(role, "image", url or f"{media_type}:{data}")
                case Document(text=str(text)):
                    say(role, "text", squeezed(text))
                case Document(data=data, url=url):
                    say(role, "document", url or str(data))
                case _:
                    pass  # thinking is for its maker only
        turn.clear()

    for message in messages:
        is_leading = is_leading and message.role in {"system", "developer"}
        role = "system" if is_leading else "assistant" if message.role == "assistant" else "user"
        if turn and turn[-1][0] != role:
            close()
        turn.extend((role, part) for part in message.parts)
    close()
    return lines


def tools_of(request: Request) -> list[tuple[object, ...]]:
    """Names, descriptions and arguments: an object without any is one way to say so."""
    return [
        (tool.name, tool.description or None, {"type": "object", "properties": {}, **(tool.schema or {})})
        for tool in request.tools
    ]


def translated(
    record: Record, source: Dialect, target: Dialect, card: ModelCard
) -> tuple[Request, Request, Record] | ClientError:
    """The request as it was read, as it is read on the other side, and the body between."""
    body = request_body(record)
    assert body is not None
    try:
        asked = source.decode_request(read_envelope(body))
        encoded = target.encode_request(asked, card)
    except ClientError as error:
        return error
    return asked, target.decode_request(read_envelope(encoded.body)), json.loads(encoded.body)


# Why a recorded request cannot go to the other side: a word of its refusal. Everything else must go.
CHAT_REFUSED = {
    "n cannot": "several choices",
    "logprobs cannot": "token probabilities",
    "modalities cannot": "spoken answers",
    "audio cannot": "spoken questions",
    "web_search_options cannot": "a search the provider runs",
    "tools cannot": "tools that are not functions",
    "(file_id)": "a file that only its own provider has",
    "video_url": "moving pictures",
}
MESSAGES_REFUSED = {
    "cannot be expressed": "server tools, their results, containers and files of the provider",
    "document content by its address": "a PDF by its address: chat takes files as data only",
    "messages.0: Input": "a message that is a string; the API refused it as well",
}


def refused(error: ClientError, reasons: dict[str, str]) -> bool:
    return any(word in error.message for word in reasons)


def check_chat_request(record: Record) -> bool:
    outcome = translated(record, OPENAI_CHAT, ANTHROPIC_MESSAGES, CLAUDE)
    if isinstance(outcome, ClientError):
        assert refused(outcome, CHAT_REFUSED), (record["id"], outcome.message)
        return False
    asked, got, written = outcome
    check_request_rules(written)
    media = [part for m in asked.messages for p in m.parts if isinstance(p, ToolResult) for part in p.content]
    if all(isinstance(part, Text) for part in media):
        lines, wanted = said(got.messages), said(asked.messages)
        if asked.output_format is not None and asked.output_format.kind == "json_object":
            assert lines[0][0] == "system", "the mode became a sentence"
            lines, wanted = ([line for line in both if line[0] != "system"] for both in (lines, wanted))
        assert lines == wanted
    assert tools_of(got) == tools_of(asked)
    assert got.sampling.max_output_tokens == (asked.sampling.max_output_tokens or 8192)
    assert got.sampling.stop == asked.sampling.stop
    if asked.tools and asked.tool_choice is not None:
        assert got.tool_choice == asked.tool_choice
    if (
        asked.tools
        and asked.parallel_tools is False
        and got.tool_choice is not None
        and got.tool_choice.mode != "none"
    ):
        assert got.parallel_tools is False
    assert (got.output_format is not None) == (
        asked.output_format is not None and asked.output_format.kind == "json_schema"
    )
    assert got.stream == asked.stream
    assert got.foreign == {}
    return True


def check_messages_request(record: Record) -> bool:
    outcome = translated(record, ANTHROPIC_MESSAGES, OPENAI_CHAT, GPT)
    if isinstance(outcome, ClientError):
        assert refused(outcome, MESSAGES_REFUSED), (record["id"], outcome.message)
        return False
    asked, got, _ = outcome
    assert asked.must_not_drop == frozenset()
    results = [
        part for m in asked.messages for p in m.parts if isinstance(p, ToolResult) for part in p.content
    ]
    media = [part for part in results if not isinstance(part, Text)]
    if media:
        shown = [part for m in got.messages for part in m.parts if isinstance(part, Image | Document)]
        assert len([p for p in media if not (isinstance(p, Document) and p.text is not None)]) <= len(shown)
    else:
        errors = [p for m in asked.messages for p in m.parts if isinstance(p, ToolResult) and p.is_error]
        if not errors:
            assert said(got.messages) == said(asked.messages)
    assert tools_of(got) == tools_of(asked)
    assert got.sampling.max_output_tokens == asked.sampling.max_output_tokens
    assert (got.sampling.temperature, got.sampling.top_p) == (
        asked.sampling.temperature,
        asked.sampling.top_p,
    )
    assert got.sampling.stop == asked.sampling.stop
    if asked.tools:
        assert got.tool_choice == asked.tool_choice
        assert got.parallel_tools == asked.parallel_tools
    if asked.output_format is not None:
        assert got.output_format is not None
        assert got.output_format.schema == asked.output_format.schema
    assert got.user == asked.user
    assert got.stream == asked.stream
    return True


@pytest.mark.parametrize("record", golden_records("openai_chat"), ids=lambda record: record["id"])
def test_golden_chat_request_reaches_messages(record: Record) -> None:
    if request_body(record) is not None:
        check_chat_request(record)


@pytest.mark.parametrize("record", golden_records("anthropic_messages"), ids=lambda record: record["id"])
def test_golden_messages_request_reaches_chat(record: Record) -> None:
    if request_body(record) is not None:
        check_messages_request(record)


def test_recorded_chat_requests_reach_messages(shared: Path) -> None:
    went = [check_chat_request(record) for record in chat_records(shared) if request_body(record)]
    assert went.count(True) > 400


def test_recorded_messages_requests_reach_chat(shared: Path) -> None:
    went = [check_messages_request(record) for record in messages_records(shared) if request_body(record)]
    assert went.count(True) > 150


# answers


def answered(record: Record, dialect: Dialect) -> list[ReplyEvent]:
    stream = streamed_answer(record)
    if stream is None:
        body = whole_answer(record)
        assert body is not None
        return dialect.decode_reply(body, "provider")
    decoder = dialect.reply_decoder("provider")
    return decoder.feed(stream) + decoder.finish()


def has_answer(record: Record) -> bool:
    return record["response"]["status"] == 200 and (
        streamed_answer(record) is not None or whole_answer(record) is not None
    )


def piecewise(dialect: Dialect, events: list[ReplyEvent], context: Any) -> bytes:
    encoder = dialect.reply_encoder(context)
    return b"".join(encoder.feed([event]) for event in events)


def meaning_in_messages(reply: Reply) -> messages_side.Meaning:
    """What a chat reply means in Messages: a refusal is text, content filters are refusals, and the seal of a text that
    ends it is left out."""
    wanted = messages_side.meaning_of_reply(reply)
    if reply.parts and isinstance(last := reply.parts[-1], Text) and last.seal is not None:
        wanted.seals.pop()
    wanted.calls = [
        (re.sub("[^a-zA-Z0-9_-]", "_", call_id), name, value) for call_id, name, value in wanted.calls
    ]
    wanted.stop_reason = {"content_filter": "refusal"}.get(wanted.stop_reason or "", wanted.stop_reason)
    return wanted


def is_whole(reply: Reply) -> bool:
    def is_object(text: str) -> bool:
        try:
            return isinstance(json.loads(text), dict)
        except ValueError:
            return False

    return all(is_object(part.arguments) for part in reply.parts if isinstance(part, ToolCall))


CHAT_WITHOUT_ANSWER = {
    "openai-chat-eb67f7c69897": "no answer: content_filter",  # a content filter, told within a stream
    "openai-chat-bcab7b3718ec": "no answer: auth",  # an error with status 200
    "openai-chat-591386957f6d": "no answer: rejected",  # a tool call of the model that failed validation
    "openai-chat-848e5af8fff1": "no answer: rejected",  # the same, after some text
    "openai-chat-b23746fa92c2": "no answer: rejected",  # an error in the middle of a stream
    "openai-chat-987af8b88f26": "no answer: bad_reply",  # a body that is no completion, on purpose
}
MESSAGES_WITHOUT_ANSWER = {
    "anthropic-messages-115b05978d81": "no answer: broken",  # a second reply spliced into the first
}


def check_chat_answer(record: Record) -> str:
    try:
        events = answered(record, OPENAI_CHAT)
        reply = fold(events)
    except UpstreamError as error:
        return f"no answer: {error.fault}"
    if not is_whole(reply):
        with pytest.raises(UpstreamError) as caught:
            ANTHROPIC_MESSAGES.encode_reply(events, messages_side.CONTEXT)
        assert caught.value.fault is UpstreamFault.BAD_REPLY
        return "broken call"
    wanted = meaning_in_messages(reply)
    whole = ANTHROPIC_MESSAGES.encode_reply(events, messages_side.CONTEXT)
    assert messages_side.meaning_of_message(messages_side.sdk_message(whole)) == wanted
    stream = piecewise(ANTHROPIC_MESSAGES, events, messages_side.CONTEXT)
    check_grammar(stream)
    assert messages_side.meaning_of_message(messages_side.sdk_stream(stream)) == wanted
    return "same"


def meaning_in_chat(reply: Reply) -> chat_side.Meaning:
    """What a Messages reply means in chat, which knows fewer reasons to end and one text per answer."""
    wanted = chat_side.meaning_of_reply(reply)
    reasons = {"stop_sequence": "stop", "pause": "length", "refusal": "content_filter"}
    finish = reply.finished.reason
    wanted.finish_reason = reasons.get(finish, finish)
    if wanted.refusal:
        wanted.finish_reason = "stop"
    return chat_side.shown(wanted)


def check_messages_answer(record: Record) -> str:
    try:
        events = answered(record, ANTHROPIC_MESSAGES)
        reply = fold(events)
    except UpstreamError as error:
        return f"no answer: {error.fault}"
    wanted = meaning_in_chat(reply)
    whole = OPENAI_CHAT.encode_reply(events, chat_side.CONTEXT)
    assert chat_side.meaning_of_completion(chat_side.sdk_completion(whole)) == wanted
    stream = piecewise(OPENAI_CHAT, events, chat_side.CONTEXT)
    assert stream.endswith(b"data: [DONE]\n\n")
    assert chat_side.meaning_of_chunks(chat_side.sdk_chunks(stream)) == wanted
    return "same"


@pytest.mark.parametrize(
    "record", [r for r in golden_records("openai_chat") if has_answer(r)], ids=lambda record: record["id"]
)
def test_golden_chat_answer_reaches_a_messages_client(record: Record) -> None:
    check_chat_answer(record)


@pytest.mark.parametrize(
    "record",
    [r for r in golden_records("anthropic_messages") if has_answer(r)],
    ids=lambda record: record["id"],
)
def test_golden_messages_answer_reaches_a_chat_client(record: Record) -> None:
    check_messages_answer(record)


def test_recorded_chat_answers_reach_a_messages_client(shared: Path) -> None:
    """Rules 1 to 6 and 24 to 28: of every provider that speaks chat."""
    outcomes = {
        record["id"]: check_chat_answer(record) for record in chat_records(shared) if has_answer(record)
    }
    assert {name: outcome for name, outcome in outcomes.items() if outcome != "same"} == CHAT_WITHOUT_ANSWER
    assert len(outcomes) > 500


def test_recorded_messages_answers_reach_a_chat_client(shared: Path) -> None:
    """Rule 34 among them: the usage shown includes the caches."""
    records = messages_records(shared)
    outcomes = {record["id"]: check_messages_answer(record) for record in records if has_answer(record)}
    assert {
        name: outcome for name, outcome in outcomes.items() if outcome != "same"
    } == MESSAGES_WITHOUT_ANSWER
    assert len(outcomes) > 250


CHAT_STREAMS = [
    (record["id"], stream)
    for record in golden_records("openai_chat")
    if (stream := streamed_answer(record)) is not None and check_chat_answer(record) == "same"
]


@given(st.sampled_from(CHAT_STREAMS), st.lists(st.integers(0, 20_000), max_size=10))
def test_chat_stream_cut_anywhere_becomes_the_same_messages_stream(
    stream: tuple[str, bytes], cuts: list[int]
) -> None:
    data = stream[1]
    ends = sorted(cut % (len(data) + 1) for cut in cuts)
    decoder, encoder = (
        OPENAI_CHAT.reply_decoder("openai"),
        ANTHROPIC_MESSAGES.reply_encoder(messages_side.CONTEXT),
    )
    written = b"".join(
        encoder.feed(decoder.feed(data[a:b])) for a, b in zip([0, *ends], [*ends, len(data)], strict=True)
    )
    written += encoder.feed(decoder.finish())
    check_grammar(written)
    whole = messages_side.body_of_stream(
        ANTHROPIC_MESSAGES.reply_encoder(messages_side.CONTEXT).feed(decoded(data))
    )
    assert messages_side.meaning_of_body(
        messages_side.body_of_stream(written)
    ) == messages_side.meaning_of_body(whole)


def decoded(data: bytes) -> list[ReplyEvent]:
    decoder = OPENAI_CHAT.reply_decoder("openai")
    return decoder.feed(data) + decoder.finish()


# errors


def check_error(record: Record, source: Dialect, target: Dialect) -> None:
    """The caller sees what the provider said, and never as a fault of the caller's own key."""
    answer = record["response"]
    said = json.dumps(answer["body"]).encode() if "body" in answer else answer.get("text", "").encode()
    error = source.decode_error(answer["status"], [], said)
    encoded = target.encode_error(error, "pm_1")
    is_messages = target is ANTHROPIC_MESSAGES
    sdk_error = messages_side.sdk_error if is_messages else chat_side.sdk_error
    seen = sdk_error(encoded.status, encoded.body)
    assert seen.status_code not in {401, 403}
    assert (400 <= seen.status_code < 500) == (
        error.fault in {UpstreamFault.REJECTED, UpstreamFault.RATE_LIMITED}
    )
    assert error.message in encoded.body.decode() or json.dumps(error.message)[1:-1] in encoded.body.decode()


def test_recorded_errors_reach_the_other_side(shared: Path) -> None:
    for record in chat_records(shared):
        if record["response"]["status"] != 200:
            check_error(record, OPENAI_CHAT, ANTHROPIC_MESSAGES)
    for record in messages_records(shared):
        if record["response"]["status"] != 200:
            check_error(record, ANTHROPIC_MESSAGES, OPENAI_CHAT)
