"""Recorded exchanges with the real API, through the Messages dialect and out to the official SDK."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from anthropic_checks import (
    CONTEXT,
    Meaning,
    body_of_stream,
    check_grammar,
    meaning_of_body,
    meaning_of_events,
    meaning_of_message,
    sdk_message,
    sdk_stream,
)
from hypothesis import given
from hypothesis import strategies as st
from recordings import golden, recorded, request_body, streamed_answer, whole_answer

from pointsman.core.errors import BadRequest, UpstreamError, UpstreamFault
from pointsman.core.events import ReplyEvent, UsageReported, fold, merge_usage
from pointsman.core.request import Text
from pointsman.core.usage import Usage
from pointsman.wire.anthropic_messages import ANTHROPIC_MESSAGES
from pointsman.wire.envelope import read_envelope

Record = dict[str, Any]

GOLDEN = {path.stem: json.loads(path.read_text()) for path in golden("anthropic_messages")}

REFUSED_REQUESTS = {
    "anthropic-messages-61101b23099f": "its message is a string; the API refused it as well",
}
BROKEN_STREAMS = {
    "anthropic-messages-115b05978d81": "a proxy spliced a second reply into the first before its end",
}
OTHER_REASON = {
    "anthropic-messages-85174061d230": "edited: it ends with end_turn although it calls tools; here calls decide",
}


def decoded(stream: bytes) -> list[ReplyEvent]:
    decoder = ANTHROPIC_MESSAGES.reply_decoder("anthropic")
    return decoder.feed(stream) + decoder.finish()


def events_of(record: Record) -> list[ReplyEvent]:
    stream = streamed_answer(record)
    return (
        ANTHROPIC_MESSAGES.decode_reply(whole_answer(record), "anthropic")
        if stream is None
        else decoded(stream)
    )


def expected(record: Record) -> Meaning:
    stream = streamed_answer(record)
    meaning = meaning_of_body(json.loads(whole_answer(record)) if stream is None else body_of_stream(stream))
    if record["id"] in OTHER_REASON:
        meaning.stop_reason = "tool_use"
    return meaning


def answers(records: list[Record]) -> list[Record]:
    return [r for r in records if r["response"]["status"] == 200 and r["id"] not in BROKEN_STREAMS]


def usage_of(events: list[ReplyEvent]) -> Usage | None:
    usage = None
    for event in events:
        if isinstance(event, UsageReported):
            usage = merge_usage(usage, event.usage)
    return usage


@pytest.fixture(scope="module")
def records(shared: Path) -> list[Record]:
    return list(recorded(shared, "anthropic", "anthropic.messages"))


def blocks_of(sent: Record) -> Iterator[Record]:
    for message in sent["messages"]:
        for block in message["content"] if isinstance(message["content"], list) else ():
            yield block
            if block["type"] == "tool_result" and isinstance(block["content"], list):
                yield from block["content"]


def check_request(record: Record) -> None:
    body = request_body(record)
    if body is None:
        return
    envelope = read_envelope(body)
    if record["id"] in REFUSED_REQUESTS:
        with pytest.raises(BadRequest):
            ANTHROPIC_MESSAGES.read_prompt(envelope)
        with pytest.raises(BadRequest):
            ANTHROPIC_MESSAGES.decode_request(envelope)
        return
    prompt = ANTHROPIC_MESSAGES.read_prompt(envelope)
    request = ANTHROPIC_MESSAGES.decode_request(envelope)
    sent = json.loads(body)
    assert request.model == sent["model"]
    assert request.sampling.max_output_tokens == prompt.max_output_tokens == sent["max_tokens"]
    assert request.stream == sent.get("stream", False)
    assert prompt.tool_count == len(sent.get("tools", []))
    texts = [part.text for message in request.messages for part in message.parts if isinstance(part, Text)]
    for text in texts:
        assert text in prompt.system or any(text in turn.text for turn in prompt.turns)
    blocks = list(blocks_of(sent))
    assert prompt.image_count == sum(block["type"] == "image" for block in blocks)
    assert prompt.document_count == sum(block["type"] == "document" for block in blocks)
    assert request.must_not_drop <= request.foreign.keys()


def check_answer(record: Record) -> None:
    wanted, events = expected(record), events_of(record)
    assert meaning_of_events(events) == wanted
    whole = ANTHROPIC_MESSAGES.encode_reply(events, CONTEXT)
    assert meaning_of_message(sdk_message(whole)) == wanted
    stream = ANTHROPIC_MESSAGES.reply_encoder(CONTEXT).feed(events)
    check_grammar(stream)
    assert meaning_of_message(sdk_stream(stream)) == wanted
    # what we write, we read back as it was
    assert meaning_of_events(decoded(stream)) == wanted
    assert meaning_of_events(ANTHROPIC_MESSAGES.decode_reply(whole, "anthropic")) == wanted


def check_usage(record: Record) -> None:
    wanted = usage_of(events_of(record))
    stream = streamed_answer(record)
    if stream is None:
        assert ANTHROPIC_MESSAGES.read_usage(whole_answer(record)) == wanted
        return
    cuts = random.Random(record["id"])
    watch = ANTHROPIC_MESSAGES.reply_watch()
    position = 0
    while position < len(stream):
        assert not watch.is_complete or position > stream.find(b"message_stop")
        size = cuts.choice((1, 7, 60, 700))
        watch.feed(stream[position : position + size])
        position += size
    assert watch.is_complete
    assert watch.error is None
    assert watch.usage is not None
    assert watch.usage == wanted


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_request_decodes(name: str) -> None:
    check_request(GOLDEN[name])


@pytest.mark.parametrize("record", answers(list(GOLDEN.values())), ids=lambda record: record["id"])
def test_golden_answer_keeps_its_meaning(record: Record) -> None:
    check_answer(record)
    check_usage(record)


def test_recorded_requests_decode(records: list[Record]) -> None:
    for record in records:
        check_request(record)


def test_recorded_answers_keep_their_meaning(records: list[Record]) -> None:
    for record in answers(records):
        check_answer(record)


def test_recorded_usage_is_read_beside_the_stream(records: list[Record]) -> None:
    for record in answers(records):
        check_usage(record)


def test_spliced_stream_is_broken() -> None:
    with pytest.raises(UpstreamError) as caught:
        fold(decoded_in_pieces(streamed_answer(GOLDEN["spliced_streams"]), []))
    assert caught.value.fault is UpstreamFault.BROKEN


STREAMS = [
    stream
    for name, record in GOLDEN.items()
    if name.endswith("_streamed") and (stream := streamed_answer(record)) is not None
]


def decoded_in_pieces(stream: bytes, cuts: list[int]) -> list[ReplyEvent]:
    decoder = ANTHROPIC_MESSAGES.reply_decoder("anthropic")
    events: list[ReplyEvent] = []
    ends = sorted(cut % (len(stream) + 1) for cut in cuts)
    for start, end in zip([0, *ends], [*ends, len(stream)], strict=True):
        events += decoder.feed(stream[start:end])
    return events + decoder.finish()


@given(st.sampled_from(STREAMS), st.lists(st.integers(0, 10_000), max_size=12))
def test_cutting_a_stream_anywhere_gives_the_same_events(stream: bytes, cuts: list[int]) -> None:
    assert decoded_in_pieces(stream, cuts) == decoded(stream)


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_stream_cut_at_every_byte_gives_the_same_events_and_usage(line_end: bytes) -> None:
    stream = STREAMS[0].replace(b"\n", line_end)
    wanted = decoded(stream)
    assert wanted == decoded(STREAMS[0])
    for cut in range(len(stream)):
        decoder, watch = ANTHROPIC_MESSAGES.reply_decoder("anthropic"), ANTHROPIC_MESSAGES.reply_watch()
        events = decoder.feed(stream[:cut]) + decoder.feed(stream[cut:]) + decoder.finish()
        assert events == wanted
        watch.feed(stream[:cut])
        watch.feed(stream[cut:])
        assert watch.is_complete
        assert watch.usage == usage_of(wanted)


@pytest.mark.parametrize("stream", STREAMS[:3])
def test_stream_that_ends_early_is_broken(stream: bytes) -> None:
    for end in range(0, stream.rfind(b"event: message_stop"), 97):
        decoder, watch = ANTHROPIC_MESSAGES.reply_decoder("anthropic"), ANTHROPIC_MESSAGES.reply_watch()
        watch.feed(stream[:end])
        assert not watch.is_complete
        decoder.feed(stream[:end])
        with pytest.raises(UpstreamError) as caught:
            # what was complete comes first
            decoder.finish() and decoder.finish()
        assert caught.value.fault in {UpstreamFault.BROKEN, UpstreamFault.BAD_REPLY}


@given(st.sampled_from(STREAMS), st.lists(st.integers(0, 10_000), max_size=12))
def test_encoder_writes_one_reply_however_its_events_come(stream: bytes, cuts: list[int]) -> None:
    events = decoded(stream)
    encoder = ANTHROPIC_MESSAGES.reply_encoder(CONTEXT)
    ends = sorted(cut % (len(events) + 1) for cut in cuts)
    written = b"".join(
        encoder.feed(events[start:end]) for start, end in zip([0, *ends], [*ends, len(events)], strict=True)
    )
    check_grammar(written)
    assert meaning_of_events(decoded(written)) == meaning_of_events(events)
