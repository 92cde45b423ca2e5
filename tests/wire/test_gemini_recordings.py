"""Recorded exchanges with the real API, through the Gemini dialect and out to Google's SDK."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from gemini_checks import (
    CONTEXT,
    Meaning,
    check_grammar,
    check_request_rules,
    chunks_of,
    meaning_of_chunks,
    meaning_of_reply,
    meaning_of_sdk,
    sdk_reply,
    sdk_stream,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from recordings import golden, recorded, request_body, streamed_answer, whole_answer

from pointsman.core.errors import BadRequest, Unsupported, UpstreamError, UpstreamFault
from pointsman.core.events import ReplyEvent, UsageReported, fold, merge_usage
from pointsman.core.model_card import ModelCard
from pointsman.core.request import Request, ToolChoice
from pointsman.core.usage import Usage
from pointsman.wire.envelope import Address, Envelope, read_envelope
from pointsman.wire.gemini import GEMINI

Record = dict[str, Any]

GOLDEN = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in golden("gemini")}

REFUSED_REQUESTS = {
    "gemini-generateContent-cca578c27f1d": "a role that the API refused as well",
}
NO_REPLY = {
    "gemini-generateContent-4f85502c1e3a": "the answer of another endpoint: a cache that was made",
    "gemini-generateContent-4a992f75a9d8": "the answer of another endpoint: a cache that was made",
    "gemini-generateContent-28d2ce50be43": "the answer of another endpoint: a cache that was made",
    "gemini-generateContent-cc96de1b8ff8": "the answer of another endpoint: embeddings",
    "gemini-streamGenerateContent-8b810b6295af": "written by hand, without the blank lines between its events",
}
CHANGED_REQUESTS = {
    "gemini-generateContent-90374376e0f9": "a temperature of 1000 is sent as the highest there is, and named",
}
BROKEN_OFF = {
    "gemini-generateContent-2ebb93dd7cab": "UNEXPECTED_TOOL_CALL",
    "gemini-generateContent-42166813f115": "UNEXPECTED_TOOL_CALL",
    "gemini-generateContent-578f2500fd03": "UNEXPECTED_TOOL_CALL",
    "gemini-generateContent-645bd7f7efce": "UNEXPECTED_TOOL_CALL",
    "gemini-generateContent-b904ded7f36e": "UNEXPECTED_TOOL_CALL",
}


def decoded(stream: bytes) -> list[ReplyEvent]:
    decoder = GEMINI.reply_decoder("gemini")
    return decoder.feed(stream) + decoder.finish()


def events_of(record: Record) -> list[ReplyEvent]:
    stream = streamed_answer(record)
    return GEMINI.decode_reply(whole_answer(record), "gemini") if stream is None else decoded(stream)


def expected(record: Record) -> Meaning:
    stream = streamed_answer(record)
    if stream is not None:
        return meaning_of_chunks(chunks_of(stream))
    body = json.loads(whole_answer(record))
    return meaning_of_chunks(body if isinstance(body, list) else [body])


def answers(records: list[Record]) -> list[Record]:
    left_out = NO_REPLY.keys() | BROKEN_OFF.keys()
    return [r for r in records if r["response"]["status"] == 200 and r["id"] not in left_out]


def envelope_of(record: Record) -> Envelope:
    path = record["request"]["path"]
    model = path.rpartition("/models/")[2].partition(":")[0]
    return read_envelope(request_body(record), Address(model, "stream" in path))


@pytest.fixture(scope="module")
def records(shared: Path) -> list[Record]:
    return [
        record
        for endpoint in ("gemini.generateContent", "gemini.streamGenerateContent")
        for record in recorded(shared, "gemini", endpoint)
    ]


def check_request(record: Record) -> bool:
    """True if the request could be written for a model of its own dialect."""
    if record["request"]["body"] is None:
        return False
    envelope = envelope_of(record)
    if record["id"] in REFUSED_REQUESTS:
        for read in (GEMINI.read_prompt, GEMINI.decode_request):
            with pytest.raises(BadRequest, match="valid role"):
                read(envelope)
        return False
    prompt = GEMINI.read_prompt(envelope)
    request = GEMINI.decode_request(envelope)
    assert request.must_not_drop <= request.foreign.keys()
    assert request.sampling.max_output_tokens == prompt.max_output_tokens
    card = ModelCard("m", "gemini", envelope.model)
    if request.must_not_drop:
        with pytest.raises(Unsupported):
            GEMINI.encode_request(request, card)
        return False
    encoded = GEMINI.encode_request(request, card)
    check_request_rules(json.loads(encoded.body), envelope.model)
    again = GEMINI.decode_request(read_envelope(encoded.body, envelope.address))
    if record["id"] in CHANGED_REQUESTS:
        assert encoded.dropped == ("temperature",)
    else:
        assert comparable(again) == comparable(request)
    return True


def comparable(request: Request) -> Any:
    """What both requests must ask. Parts that one writes apart and the other together are the same."""
    said: list[Any] = []
    for message in request.messages:
        for part in message.parts:
            kind = type(part).__name__
            if kind == "Thinking":
                continue  # goes back to its maker only
            if kind == "Text" and said and said[-1][:2] == (message.role, kind):
                said[-1] = (message.role, kind, said[-1][2] + part.text)
            else:
                said.append((message.role, kind, part.text if kind == "Text" else repr(part)))
    said = [each for each in said if each[2]]
    names = [(tool.name, tool.description or None) for tool in request.tools]
    schema = None if request.output_format is None else request.output_format.kind
    choice = None if request.tool_choice == ToolChoice("auto") else request.tool_choice  # it is the default
    return said, names, choice, request.sampling, request.reasoning, schema


def check_answer(record: Record) -> None:
    wanted, events = expected(record), events_of(record)
    assert meaning_of_reply(fold(events)) == wanted
    whole = GEMINI.encode_reply(events, CONTEXT)
    assert meaning_of_sdk(sdk_reply(whole)) == wanted
    stream = GEMINI.reply_encoder(CONTEXT).feed(events)
    check_grammar(stream)
    assert meaning_of_sdk(sdk_stream(stream)) == wanted
    # what we write, we read back as it was
    assert meaning_of_reply(fold(decoded(stream))) == wanted
    assert meaning_of_reply(fold(GEMINI.decode_reply(whole, "gemini"))) == wanted


def usage_of(events: list[ReplyEvent]) -> Usage | None:
    usage = None
    for event in events:
        if isinstance(event, UsageReported):
            usage = merge_usage(usage, event.usage)
    return usage


def check_usage(record: Record) -> None:
    wanted = usage_of(events_of(record))
    stream = streamed_answer(record)
    if stream is None:
        assert GEMINI.read_usage(whole_answer(record)) == wanted
        return
    cuts = random.Random(record["id"])
    watch = GEMINI.reply_watch()
    position = 0
    while position < len(stream):
        assert not watch.is_complete or position > stream.find(b"finishReason")
        size = cuts.choice((1, 7, 60, 700))
        watch.feed(stream[position : position + size])
        position += size
    assert watch.is_complete
    assert watch.error is None
    assert watch.usage == wanted


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_request_is_read_and_written(name: str) -> None:
    check_request(GOLDEN[name])


@pytest.mark.parametrize("record", answers(list(GOLDEN.values())), ids=lambda record: record["id"])
def test_golden_answer_keeps_its_meaning(record: Record) -> None:
    check_answer(record)
    check_usage(record)


def test_recorded_requests_are_read_and_written(records: list[Record]) -> None:
    assert sum(check_request(record) for record in records) > 150


def test_recorded_answers_keep_their_meaning(records: list[Record]) -> None:
    for record in answers(records):
        check_answer(record)


def test_recorded_usage_is_read_beside_the_stream(records: list[Record]) -> None:
    for record in answers(records):
        check_usage(record)


def test_recorded_answers_that_are_none_are_refused(records: list[Record]) -> None:
    for record in records:
        if record["id"] in NO_REPLY:
            with pytest.raises(UpstreamError) as caught:
                events_of(record)
            assert caught.value.fault in {UpstreamFault.BAD_REPLY, UpstreamFault.BROKEN}
        if record["id"] in BROKEN_OFF:
            with pytest.raises(UpstreamError, match=BROKEN_OFF[record["id"]]):
                fold(events_of(record))


def test_recorded_bodies_are_forwarded_byte_for_byte(records: list[Record]) -> None:
    card = ModelCard("m", "gemini", "gemini-3-pro")
    for record in records:
        if record["request"]["body"] is not None:
            envelope = envelope_of(record)
            assert GEMINI.forwarded(envelope, card).body == envelope.body


STREAMS = [
    stream
    for record in GOLDEN.values()
    if record["response"]["status"] == 200 and (stream := streamed_answer(record)) is not None
]


def decoded_in_pieces(stream: bytes, cuts: list[int]) -> list[ReplyEvent]:
    decoder = GEMINI.reply_decoder("gemini")
    events: list[ReplyEvent] = []
    ends = sorted(cut % (len(stream) + 1) for cut in cuts)
    for start, end in zip([0, *ends], [*ends, len(stream)], strict=True):
        events += decoder.feed(stream[start:end])
    return events + decoder.finish()


@settings(deadline=None)
@given(st.sampled_from(STREAMS), st.lists(st.integers(0, 10_000), max_size=12))
def test_cutting_a_stream_anywhere_gives_the_same_events(stream: bytes, cuts: list[int]) -> None:
    assert decoded_in_pieces(stream, cuts) == decoded(stream)


@settings(deadline=None)
@given(st.sampled_from(STREAMS))
def test_line_ends_and_comments_and_done_make_no_difference(stream: bytes) -> None:
    wanted = decoded(stream)
    plain = stream.replace(b"\r\n", b"\n")
    assert decoded(plain) == wanted
    assert decoded(plain.replace(b"\n\n", b"\n\n: keepalive\n\n") + b"data: [DONE]\n\n") == wanted
    assert decoded(plain.rstrip()) == wanted


@pytest.mark.parametrize("stream", STREAMS)
def test_stream_that_ends_early_is_broken(stream: bytes) -> None:
    for end in range(0, stream.rfind(b"finishReason"), 197):
        decoder, watch = GEMINI.reply_decoder("gemini"), GEMINI.reply_watch()
        watch.feed(stream[:end])
        assert not watch.is_complete
        decoder.feed(stream[:end])
        with pytest.raises(UpstreamError) as caught:
            # what was complete comes first
            decoder.finish() and decoder.finish()
        assert caught.value.fault in {UpstreamFault.BROKEN, UpstreamFault.BAD_REPLY}


@settings(deadline=None)
@given(st.sampled_from(STREAMS), st.lists(st.integers(0, 10_000), max_size=12))
def test_encoder_writes_one_reply_however_its_events_come(stream: bytes, cuts: list[int]) -> None:
    events = decoded(stream)
    encoder = GEMINI.reply_encoder(CONTEXT)
    ends = sorted(cut % (len(events) + 1) for cut in cuts)
    written = b"".join(
        encoder.feed(events[start:end]) for start, end in zip([0, *ends], [*ends, len(events)], strict=True)
    )
    check_grammar(written)
    assert meaning_of_reply(fold(decoded(written))) == meaning_of_reply(fold(events))
