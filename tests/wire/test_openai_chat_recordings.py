"""Every recorded chat exchange, in and out, against a plain reading of the recording and the official SDK."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openai_chat_checks import (
    CONTEXT,
    comparable,
    decoded,
    meaning_of_chunks,
    meaning_of_completion,
    meaning_of_recorded,
    meaning_of_reply,
    outcome,
    recorded_chunks,
    sdk_chunks,
    sdk_completion,
    shown,
)
from recordings import recorded, request_body, streamed_answer, whole_answer

from pointsman.core.errors import Unsupported, UpstreamError, UpstreamFault
from pointsman.core.events import Failed, Finished, ReplyEvent, ToolCallStarted, fold
from pointsman.core.model_card import ModelCard
from pointsman.wire.envelope import read_envelope
from pointsman.wire.openai_chat import OPENAI_CHAT

FILES = ("openai_chat", "openai_compat_chat")

NOT_TRANSLATABLE = {
    "openai-chat-4c3d27c7454d": "a file_id is known to its own provider only",
    "openai-chat-86b7467ebd72": "a file_id is known to its own provider only",
    "openai-chat-79de7d10b5a2": "video has no place in any other dialect here",
    "openai-chat-d5c26fd3732b": "video has no place in any other dialect here",
}
DOCUMENT_BY_URL = {"openai-chat-4e0a8dd67e46", "openai-chat-5de358090336", "openai-chat-d8f718e50774"}
"""Mistral and OpenRouter fetch documents themselves; chat in general has no place for their address."""

FAILED = {
    "openai-chat-eb67f7c69897": (UpstreamFault.CONTENT_FILTER, "Azure: an error in a 200"),
    "openai-chat-bcab7b3718ec": (UpstreamFault.AUTH, "OpenAI behind a gateway: an error in a 200"),
    "openai-chat-987af8b88f26": (UpstreamFault.BAD_REPLY, "an echo server: JSON, but no completion"),
    "openai-chat-591386957f6d": (UpstreamFault.REJECTED, "Groq: event error in the stream"),
    "openai-chat-848e5af8fff1": (UpstreamFault.REJECTED, "Groq: event error in the stream"),
    "openai-chat-b23746fa92c2": (UpstreamFault.REJECTED, "OpenRouter: chunk with error and choices"),
}


@pytest.fixture(scope="module")
def records(shared: Path) -> list[dict[str, Any]]:
    return [record for file in FILES for record in recorded(shared, file, "openai.chat")]


def streams(records: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], bytes]]:
    for record in records:
        if stream := streamed_answer(record):
            yield record, stream


def wholes(records: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], bytes]]:
    for record in records:
        if record["response"]["status"] == 200 and (body := whole_answer(record)):
            yield record, body


def test_every_recorded_request_is_read(records):
    count = 0
    for record in records:
        body = request_body(record)
        if body is None:
            continue
        envelope = read_envelope(body)
        OPENAI_CHAT.require_messages(envelope)
        prompt = OPENAI_CHAT.read_prompt(envelope)
        asked = record["request"]["body"]
        assert len(prompt.turns) == sum(
            message["role"] not in {"system", "developer"} for message in asked["messages"]
        )
        assert prompt.tool_count == len(asked.get("tools") or asked.get("functions") or [])
        assert 0 < prompt.input_bytes < len(body)
        assert prompt.media_bytes < len(body)
        count += 1
    assert count == 505


def test_every_recorded_request_is_translated_or_says_why_not(records):
    for record in records:
        body = request_body(record)
        if body is None:
            continue
        envelope = read_envelope(body)
        if record["id"] in NOT_TRANSLATABLE:
            with pytest.raises(Unsupported):
                OPENAI_CHAT.decode_request(envelope)
            continue
        request = OPENAI_CHAT.decode_request(envelope)
        assert request.model == envelope.model
        assert (
            len(request.tools) + len(request.foreign.get("tools", ()))
            == OPENAI_CHAT.read_prompt(envelope).tool_count
        )
        assert request.messages


def test_every_recorded_request_survives_being_written_and_read_again(records):
    """What can be said in chat comes back: only the order of keys and the spelling may differ."""
    card = ModelCard("tiny", "local", "tiny-1")
    for record in records:
        body = request_body(record)
        if body is None or record["id"] in NOT_TRANSLATABLE:
            continue
        request = OPENAI_CHAT.decode_request(read_envelope(body))
        try:
            encoded = OPENAI_CHAT.encode_request(request, card)
        except Unsupported:
            assert request.must_not_drop or record["id"] in DOCUMENT_BY_URL, record["id"]
            continue
        again = OPENAI_CHAT.decode_request(read_envelope(encoded.body))
        assert again.tools == tuple(request.tools) or any(tool.schema is None for tool in request.tools)
        assert again.tool_choice == request.tool_choice
        assert again.output_format == request.output_format or request.output_format.name is None
        assert set(encoded.dropped) >= set(request.foreign)


def test_every_recorded_stream_keeps_its_meaning(records):
    count = 0
    for record, stream in streams(records):
        events = decoded([stream])
        if record["id"] in FAILED:
            assert isinstance(events[-1], Failed)
            assert events[-1].error.fault is FAILED[record["id"]][0]
            continue
        _check(record, events, meaning_of_recorded(recorded_chunks(stream.decode()), "delta"))
        count += 1
    assert count == 180


def test_every_recorded_whole_answer_keeps_its_meaning(records):
    count = 0
    for record, body in wholes(records):
        if record["id"] in FAILED:
            for read in (lambda reply: OPENAI_CHAT.decode_reply(reply, "openai"), OPENAI_CHAT.read_usage):
                with pytest.raises(UpstreamError) as caught:
                    read(body)
                assert caught.value.fault is FAILED[record["id"]][0]
            continue
        events = OPENAI_CHAT.decode_reply(body, "openai")
        _check(record, events, meaning_of_recorded([record["response"]["body"]], "message"))
        usage = OPENAI_CHAT.read_usage(body)
        assert (usage or fold(events).usage) == fold(events).usage
        count += 1
    assert count == 366


def _check(record: dict[str, Any], events: list[ReplyEvent], expected: Any) -> None:
    reply = fold(events)
    assert meaning_of_reply(reply) == expected, record["id"]
    assert isinstance(events[-1], Finished)
    ids = [event.id for event in events if isinstance(event, ToolCallStarted)]
    assert all(ids), record["id"]
    assert len(set(ids)) == len(ids), record["id"]

    completion = sdk_completion(OPENAI_CHAT.encode_reply(events, CONTEXT))
    assert meaning_of_completion(completion) == shown(expected), record["id"]
    assert completion.id == "chatcmpl-req_0190test"
    assert completion.model == "tiny"

    chunks = sdk_chunks(OPENAI_CHAT.reply_encoder(CONTEXT).feed(events))
    assert meaning_of_chunks(chunks) == shown(expected), record["id"]
    assert {(chunk.id, chunk.model, chunk.created) for chunk in chunks} == {
        ("chatcmpl-req_0190test", "tiny", 1_700_000_000)
    }
    assert chunks[0].choices[0].delta.role == "assistant"
    assert sum(any(choice.finish_reason for choice in chunk.choices) for chunk in chunks) == 1
    assert [
        call.id
        for chunk in chunks
        for choice in chunk.choices
        for call in choice.delta.tool_calls or []
        if call.id
    ] == ids


def test_a_recorded_stream_cut_anywhere_gives_the_same_events(records):
    for record, stream in streams(records):
        expected = outcome([stream])
        dice = random.Random(record["id"])
        cuts = sorted(dice.sample(range(len(stream)), min(25, len(stream))))
        pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
        assert outcome(pieces) == expected, record["id"]


def test_a_short_recorded_stream_cut_at_every_byte_gives_the_same_events(records):
    short = sorted((stream for _, stream in streams(records)), key=len)[:6]
    for stream in short:
        expected = comparable(decoded([stream]))
        assert comparable(decoded(stream[i : i + 1] for i in range(len(stream)))) == expected
        for cut in range(0, len(stream), 7):
            assert comparable(decoded([stream[:cut], stream[cut:]])) == expected


def test_the_watch_reads_the_usage_of_every_recorded_stream_however_it_is_cut(records):
    for record, stream in streams(records):
        events = decoded([stream])
        failed = isinstance(events[-1], Failed)
        usage = fold([*events[:-1], Finished("stop")] if failed else events).usage
        dice = random.Random(record["id"])
        for count in (0, 3, 40):
            cuts = sorted(dice.sample(range(len(stream)), min(count, len(stream))))
            watch = OPENAI_CHAT.reply_watch()
            for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True):
                watch.feed(stream[a:b])
            assert watch.is_complete or failed, record["id"]
            assert (watch.error is not None) == failed, record["id"]
            if not failed:
                assert watch.usage == usage or (watch.usage is None and usage.input_tokens is None), record[
                    "id"
                ]


def test_the_watch_reads_the_usage_of_a_stream_cut_at_every_byte(records):
    for record, stream in sorted(streams(records), key=lambda pair: len(pair[1]))[:6]:
        events = decoded([stream])
        watch = OPENAI_CHAT.reply_watch()
        for i in range(len(stream)):
            watch.feed(stream[i : i + 1])
        assert watch.is_complete, record["id"]
        assert watch.usage in {fold(events).usage, None}


def test_a_recorded_stream_that_breaks_is_never_a_clean_end(records):
    for record, stream in streams(records):
        if record["id"] in FAILED:
            continue
        half = stream[: len(stream) // 2]
        if b'"finish_reason":"' in half.replace(b'": "', b'":"'):
            continue  # the reply was whole already
        assert outcome([half])[0] is UpstreamFault.BROKEN, record["id"]
        watch = OPENAI_CHAT.reply_watch()
        watch.feed(half)
        assert not watch.is_complete


def test_every_recorded_error_is_understood(records):
    faults = {
        400: {UpstreamFault.REJECTED},
        401: {UpstreamFault.AUTH},
        404: {UpstreamFault.NO_SUCH_MODEL},
        429: {UpstreamFault.RATE_LIMITED},
    }
    count = 0
    for record in records:
        status = record["response"]["status"]
        if status == 200:
            continue
        body = whole_answer(record)
        headers = [(name.encode(), value.encode()) for name, value in record["response"]["headers"].items()]
        error = OPENAI_CHAT.decode_error(status, headers, body)
        said = record["response"]["body"]["error"]["message"]
        assert error.fault in faults[status]
        assert error.message.startswith(said[:24])
        of_request = {UpstreamFault.REJECTED, UpstreamFault.NO_SUCH_MODEL}
        assert (error.body is None) == (error.fault not in of_request)
        count += 1
    assert count == 24
