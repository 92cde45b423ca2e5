"""Replies of Gemini models as events, and events of any model as Gemini's clients read them."""

import base64
import json
from contextlib import suppress
from typing import Any

import pytest
from gemini_checks import CONTEXT, check_grammar, chunks_of, sdk_reply, sdk_stream
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.core.errors import UpstreamError, UpstreamFault
from pointsman.core.events import (
    BlockEnded,
    CitationAdded,
    Failed,
    Finished,
    ImageMade,
    RedactedThinkingBlock,
    ReplyEvent,
    ReplyStarted,
    TextDelta,
    TextSealed,
    ThinkingDelta,
    ThinkingSealed,
    ToolCallDelta,
    ToolCallStarted,
    UsageReported,
    fold,
)
from pointsman.core.model_card import ModelCard
from pointsman.core.request import Citation, Seal, Text, Thinking, ToolCall
from pointsman.core.usage import Usage
from pointsman.wire.dialect import ReplyContext
from pointsman.wire.envelope import Address, Envelope, read_envelope
from pointsman.wire.gemini import GEMINI
from pointsman.wire.seals import Kind, untag

COUNTS = {"promptTokenCount": 5, "candidatesTokenCount": 2, "totalTokenCount": 7}
STARTED = ReplyStarted("r1", "gemini-3-pro")


def chunk(*parts: Any, finish: Any = None, counts: Any = None, **more: Any) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": list(parts)}, "index": 0, **more}
    if finish is not None:
        candidate["finishReason"] = finish
    whole: dict[str, Any] = {"candidates": [candidate], "modelVersion": "gemini-3-pro", "responseId": "r1"}
    return whole if counts is None else {**whole, "usageMetadata": counts}


def stream(*chunks: Any) -> bytes:
    return b"".join(b"data: %b\r\n\r\n" % json.dumps(each).encode() for each in chunks)


def decode(*chunks: Any) -> list[ReplyEvent]:
    decoder = GEMINI.reply_decoder("gemini")
    events = decoder.feed(stream(*chunks)) + decoder.finish()
    # a list of the same pieces is what a stream asked for as an array is
    assert repr(GEMINI.decode_reply(json.dumps(list(chunks)).encode(), "gemini")) == repr(events)
    return events


def whole(reply: Any) -> list[ReplyEvent]:
    return GEMINI.decode_reply(json.dumps(reply).encode(), "gemini")


def failure(*chunks: Any) -> UpstreamError:
    with pytest.raises(UpstreamError) as caught:
        fold(decode(*chunks))
    return caught.value


# read


def test_text_thoughts_and_seals_are_read_in_order() -> None:
    events = decode(
        chunk({"text": "hm", "thought": True}, counts={"promptTokenCount": 5, "totalTokenCount": 5}),
        chunk({"text": "Hel"}),
        chunk({"text": "lo"}, {"text": "", "thoughtSignature": "c2ln"}, finish="STOP", counts=COUNTS),
    )
    assert events == [
        STARTED,
        ThinkingDelta("hm"),
        UsageReported(Usage(input_tokens=5)),
        TextDelta("Hel"),
        TextDelta("lo"),
        TextSealed(Seal("c2ln", "gemini")),
        UsageReported(Usage(input_tokens=5, output_tokens=2)),
        Finished("stop"),
    ]


def test_whole_calls_in_one_piece_are_each_started_and_given_arguments() -> None:
    call = {"functionCall": {"name": "look", "args": {"key": "bird", "n": 1.0}}, "thoughtSignature": "c2ln"}
    events = decode(
        chunk(call, {"functionCall": {"name": "look", "args": {"key": "tree"}}}),
        chunk({"functionCall": {"id": "own-1", "name": "ping"}}, finish="STOP", counts=COUNTS),
    )
    started = [event for event in events if isinstance(event, ToolCallStarted)]
    assert [(event.index, event.name) for event in started] == [(0, "look"), (1, "look"), (2, "ping")]
    assert len({event.id for event in started}) == 3
    assert all(event.id.isalnum() and len(event.id) <= 40 for event in started[:2])
    assert started[2].id == "own-1"
    assert [event.seal for event in started] == [Seal("c2ln", "gemini"), None, None]
    assert [event.arguments for event in events if isinstance(event, ToolCallDelta)] == [
        '{"key":"bird","n":1.0}',
        '{"key":"tree"}',
        "{}",
    ]
    assert events[-1] == Finished("tool_calls")


def test_made_ids_differ_between_replies() -> None:
    call = {"functionCall": {"name": "f", "args": {}}}
    one, other = (
        [e.id for e in whole({**chunk(call, finish="STOP"), "responseId": name}) if isinstance(e, ToolCallStarted)]
        for name in ("a", "b")
    )  # fmt: skip
    assert one != other


def test_arguments_in_pieces_are_put_together() -> None:
    def piece(path: str, more: bool = True, **value: Any) -> dict[str, Any]:
        will = {"willContinue": True} if more else {}
        return {"functionCall": {"partialArgs": [{"jsonPath": path, **value}], **will}}

    events = decode(
        chunk({"functionCall": {"name": "f", "willContinue": True}}),
        chunk(piece("$.city", stringValue="K")),
        chunk(piece("$.city", stringValue="öln")),
        chunk(piece("$.list[1].n", numberValue=0.5)),
        chunk(piece("$.list[0]['a b']", boolValue=True)),
        chunk(piece("$.none", nullValue="NULL_VALUE")),
        chunk({"functionCall": {}}),
        chunk(finish="STOP", counts=COUNTS),
    )
    (call,) = fold(events).parts
    assert isinstance(call, ToolCall)
    assert json.loads(call.arguments) == {"city": "Köln", "list": [{"a b": True}, {"n": 0.5}], "none": None}


@pytest.mark.parametrize(
    "parts",
    [
        [{"functionCall": {"partialArgs": [{"jsonPath": "$.a", "stringValue": "x"}]}}],
        [{"functionCall": {"name": "f", "willContinue": True}}, {"functionCall": {"partialArgs": [{"jsonPath": "$"}]}}],
        [{"functionCall": {"name": "f", "willContinue": True}}, {"functionCall": {"partialArgs": [{}]}}],
        [{"functionCall": {"name": "f", "willContinue": True}}],
        [{"functionCall": {"name": "f", "args": [1]}}],
    ],
)  # fmt: skip
def test_broken_calls_are_no_reply(parts: list[Any]) -> None:
    decoder = GEMINI.reply_decoder("gemini")
    with pytest.raises(UpstreamError) as caught:
        fold(decoder.feed(stream(chunk(*parts, finish="STOP", counts=COUNTS))) + decoder.finish())
    assert caught.value.fault is UpstreamFault.BAD_REPLY


@pytest.mark.parametrize(
    ("word", "reason"),
    [("STOP", "stop"), ("MAX_TOKENS", "length"), ("SAFETY", "content_filter"), ("SPII", "content_filter"),
     ("RECITATION", "content_filter"), ("IMAGE_SAFETY", "content_filter"), ("MODEL_ARMOR", "content_filter"),
     (1, "stop"), (2, "length"), (3, "content_filter"), (8, "content_filter"), ("OTHER", "stop"),
     ("SOMETHING_NEW", "stop")],
)  # fmt: skip
def test_finish_reasons(word: Any, reason: str) -> None:
    finished = decode(chunk({"text": "Hi"}, finish=word, counts=COUNTS))[-1]
    assert isinstance(finished, Finished)
    assert finished.reason == reason


@pytest.mark.parametrize(
    "word", ["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "MISSING_THOUGHT_SIGNATURE"]
)
def test_broken_tool_calls_are_failures(word: str) -> None:
    secret = {"finishMessage": "Malformed function call: f(secret)"}
    events = decode(chunk({"text": "Hi"}, finish=word, counts=COUNTS, **secret))
    assert events[-2] == UsageReported(Usage(5, 2))
    error = failure(chunk({"text": "Hi"}, finish=word, counts=COUNTS, **secret))
    assert error.fault is UpstreamFault.BAD_REPLY
    assert error.code == word
    assert "secret" not in error.message


@pytest.mark.parametrize("word", ["OTHER", "SOMETHING_NEW", 0])
def test_unknown_ends_without_an_answer_are_failures(word: Any) -> None:
    decoder = GEMINI.reply_decoder("gemini")
    with pytest.raises(UpstreamError):
        fold(decoder.feed(stream(chunk(finish=word, counts=COUNTS))) + decoder.finish())


def test_blocked_prompt_is_told_as_filtered() -> None:
    blocked = {
        "promptFeedback": {"blockReason": "SAFETY"},
        "usageMetadata": {"promptTokenCount": 5, "totalTokenCount": 5},
    }
    events = decode(blocked)
    assert events[-1] == Finished("content_filter")
    assert fold(events).usage == Usage(input_tokens=5, output_tokens=0)


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b'{"candidates":[]}', b"<html>", b"", b"[1]", b'{"candidates":5}']
)
def test_what_holds_no_candidate_is_no_reply(body: bytes) -> None:
    with pytest.raises(UpstreamError) as caught:
        GEMINI.decode_reply(body, "gemini")
    assert caught.value.fault is UpstreamFault.BAD_REPLY


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"usageMetadata":{}}', b"<html>"])
def test_usage_of_what_is_no_reply_is_refused(body: bytes) -> None:
    with pytest.raises(UpstreamError) as caught:
        GEMINI.read_usage(body)
    assert caught.value.fault is UpstreamFault.BAD_REPLY


def test_error_within_a_stream_fails_the_reply() -> None:
    said = {"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}}
    error = failure(chunk({"text": "Hi"}), said)
    assert (error.fault, error.message) == (UpstreamFault.OVERLOADED, "overloaded")
    watch = GEMINI.reply_watch()
    watch.feed(stream(chunk({"text": "Hi"}), said))
    assert watch.error is not None
    assert watch.error.fault is UpstreamFault.OVERLOADED
    with pytest.raises(UpstreamError) as caught:
        whole(said)
    assert caught.value.fault is UpstreamFault.OVERLOADED


def test_usage_behind_the_end_is_still_told() -> None:
    events = decode(chunk({"text": "Hi"}, finish="STOP"), {"candidates": [], "usageMetadata": COUNTS})
    assert events[-2:] == [UsageReported(Usage(5, 2)), Finished("stop")]


def test_usage_counts_thoughts_as_output_and_tools_as_input() -> None:
    counts = {"promptTokenCount": 10, "candidatesTokenCount": 2, "thoughtsTokenCount": 3, "toolUsePromptTokenCount": 4,
              "cachedContentTokenCount": 6, "totalTokenCount": 19}  # fmt: skip
    usage = fold(decode(chunk({"text": "Hi"}, finish="STOP", counts=counts))).usage
    assert usage == Usage(input_tokens=14, output_tokens=5, cache_read_tokens=6, reasoning_tokens=3)


def test_tokens_still_to_come_are_not_counted_as_none() -> None:
    decoder, watch = GEMINI.reply_decoder("gemini"), GEMINI.reply_watch()
    first = stream(chunk({"text": "Hi"}, counts={"promptTokenCount": 5, "totalTokenCount": 5}))
    watch.feed(first)
    assert UsageReported(Usage(input_tokens=5)) in decoder.feed(first)
    assert watch.usage == Usage(input_tokens=5)


def test_pictures_are_read_and_sound_is_refused() -> None:
    image = {"inlineData": {"mimeType": "image/png", "data": "aGk="}}
    draft = {"inlineData": {"mimeType": "image/png", "data": "b3RoZXI="}, "thought": True}
    assert ImageMade("image/png", "aGk=") in decode(chunk(draft, image, finish="STOP", counts=COUNTS))
    with pytest.raises(UpstreamError) as caught:
        whole(chunk({"inlineData": {"mimeType": "audio/wav", "data": ""}}, finish="STOP"))
    assert caught.value.fault is UpstreamFault.BAD_REPLY


def test_parts_of_googles_own_tools_are_passed_over() -> None:
    parts = [
        {"executableCode": {"code": "1"}},
        {"codeExecutionResult": {"output": "2"}},
        {"toolCall": {}},
        {"text": "3"},
    ]
    assert fold(whole(chunk(*parts, finish="STOP"))).parts == (Text("3"),)


def test_sources_are_cited_by_characters() -> None:
    metadata = {
        "groundingChunks": [{"web": {"uri": "https://a", "title": "A"}}, {"web": {"uri": "https://b"}}],
        "groundingSupports": [{"segment": {"startIndex": 3, "endIndex": 7}, "groundingChunkIndices": [0, 7]}],
    }
    events = decode(
        chunk({"text": "Ü "}),
        chunk({"text": "Köln", "thoughtSignature": "c2ln"}, finish="STOP", counts=COUNTS, groundingMetadata=metadata),
    )  # fmt: skip
    (text,) = fold(events).parts
    assert isinstance(text, Text)
    assert text.seal == Seal("c2ln", "gemini")
    assert text.citations == (
        Citation("https://a", "A", start=2, end=5),
        Citation("https://b"),
    )
    recited = {"citationSources": [{"startIndex": 0, "endIndex": 2, "uri": "https://c"}]}
    events = decode(chunk({"text": "Hi"}, finish="STOP", counts=COUNTS, citationMetadata=recited))
    assert CitationAdded(Citation("https://c", start=0, end=2)) in events


def test_logprobs_are_read_and_written() -> None:
    result = {
        "chosenCandidates": [{"token": "Hi", "logProbability": -0.5}],
        "topCandidates": [{"candidates": [{"token": "Hi", "logProbability": -0.5}]}],
    }
    events = decode(chunk({"text": "Hi"}, finish="STOP", counts=COUNTS, logprobsResult=result))
    (told,) = fold(events).logprobs
    assert (told["token"], told["logprob"]) == ("Hi", -0.5)
    assert told["bytes"] == [72, 105]
    assert json.loads(GEMINI.encode_reply(events, CONTEXT))["candidates"][0]["logprobsResult"] == result
    (piece,) = chunks_of(GEMINI.reply_encoder(CONTEXT).feed(events))
    assert piece["candidates"][0]["logprobsResult"] == result


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for read in (
        lambda: GEMINI.decode_reply(data, "g"),
        lambda: GEMINI.read_usage(data),
        lambda: GEMINI.reply_decoder("g").feed(b"data: " + data + b"\n\n"),
        lambda: GEMINI.reply_watch().feed(b"data: " + data + b"\n\n"),
    ):
        with suppress(UpstreamError):
            read()


# written


def written(*events: ReplyEvent, context: ReplyContext = CONTEXT) -> list[dict[str, Any]]:
    """The chunks, after a look at them whole: their grammar, and what Google's SDK and we ourselves make of them."""
    all_at_once = GEMINI.reply_encoder(context).feed(events)
    encoder = GEMINI.reply_encoder(context)
    one_by_one = b"".join(encoder.feed([event]) for event in events)
    for made in (all_at_once, one_by_one):
        check_grammar(made)
        assert sdk_stream(made)
    assert sdk_reply(GEMINI.encode_reply(events, context))
    assert joined(chunks_of(all_at_once)) == joined(chunks_of(one_by_one))
    return chunks_of(all_at_once)


def joined(chunks: list[dict[str, Any]]) -> list[Any]:
    """Parts as a client gathers them: texts of one kind together."""
    parts: list[Any] = []
    for part in (part for each in chunks for part in each["candidates"][0]["content"]["parts"]):
        if parts and "text" in part and parts[-1].keys() | {"thoughtSignature"} == part.keys() | {"thoughtSignature"} \
                and "thoughtSignature" not in parts[-1]:  # fmt: skip
            parts[-1] = {**part, "text": parts[-1]["text"] + part["text"]}
        elif part != {"text": ""}:
            parts.append(part)
    return parts


def test_answer_is_written_as_google_does() -> None:
    (only,) = written(
        ReplyStarted("x", "y"),
        TextDelta("Hel"),
        TextDelta("lo"),
        UsageReported(Usage(14, 5, 6, reasoning_tokens=3)),
        Finished("stop"),
    )
    assert only == {
        "candidates": [
            {"content": {"parts": [{"text": "Hello"}], "role": "model"}, "finishReason": "STOP", "index": 0}
        ],
        "usageMetadata": {
            "promptTokenCount": 14,
            "candidatesTokenCount": 2,
            "thoughtsTokenCount": 3,
            "cachedContentTokenCount": 6,
            "totalTokenCount": 19,
        },
        "modelVersion": "flash",
        "responseId": "pm_0190test",
    }


@pytest.mark.parametrize(
    ("reason", "word"),
    [("stop", "STOP"), ("length", "MAX_TOKENS"), ("stop_sequence", "STOP"), ("content_filter", "SAFETY"),
     ("refusal", "SAFETY"), ("pause", "OTHER")],
)  # fmt: skip
def test_ends_are_written(reason: Any, word: str) -> None:
    (only,) = written(ReplyStarted("x", "y"), Finished(reason))
    assert only["candidates"][0]["finishReason"] == word
    assert "usageMetadata" not in only


def test_calls_wait_until_they_are_whole() -> None:
    encoder = GEMINI.reply_encoder(CONTEXT)
    assert (
        encoder.feed([ReplyStarted("x", "y"), ToolCallStarted(0, "c1", "f"), ToolCallDelta(0, '{"a":')])
        == b""
    )
    assert (
        encoder.feed([ToolCallStarted(1, "c2", "f"), ToolCallDelta(1, '{"b"'), ToolCallDelta(0, " 1.0}")])
        == b""
    )
    (first,) = chunks_of(encoder.feed([BlockEnded()]))
    assert encoder.feed([ToolCallStarted(2, "c3", "g"), ToolCallDelta(1, ":2}")]) == b""
    (second,) = chunks_of(encoder.feed([BlockEnded()]))
    (third,) = chunks_of(encoder.feed([Finished("tool_calls")]))
    calls = [
        part["functionCall"]
        for chunk in (first, second, third)
        for part in chunk["candidates"][0]["content"]["parts"]
    ]
    assert calls == [
        {"id": "c1", "name": "f", "args": {"a": 1.0}},
        {"id": "c2", "name": "f", "args": {"b": 2}},
        {"id": "c3", "name": "g", "args": {}},
    ]
    assert third["candidates"][0]["finishReason"] == "STOP"


def test_arguments_over_several_lines_stay_one_event() -> None:
    events = [ReplyStarted("x", "y"), ToolCallStarted(0, "c", "f"), ToolCallDelta(0, '{\n "a": "b\\n"\r\n}')]
    (only,) = written(*events, Finished("tool_calls"))
    assert only["candidates"][0]["content"]["parts"][0]["functionCall"]["args"] == {"a": "b\n"}


def test_a_call_cut_by_the_limit_is_left_out_and_a_broken_one_is_a_failure() -> None:
    events = [ReplyStarted("x", "y"), TextDelta("Hi"), ToolCallStarted(0, "c", "f"), ToolCallDelta(0, '{"a')]
    (only,) = written(*events, Finished("length"))
    assert only["candidates"][0]["content"]["parts"] == [{"text": "Hi"}]
    for write in (
        lambda: GEMINI.encode_reply([*events, Finished("tool_calls")], CONTEXT),
        lambda: GEMINI.reply_encoder(CONTEXT).feed([*events, Finished("tool_calls")]),
    ):
        with pytest.raises(UpstreamError) as caught:
            write()
        assert caught.value.fault is UpstreamFault.BAD_REPLY


def test_text_between_the_pieces_of_a_call_loses_neither() -> None:
    chunks = written(
        ReplyStarted("x", "y"),
        ToolCallStarted(0, "c", "f"),
        ToolCallDelta(0, '{"a":'),
        TextDelta("Hi"),
        ToolCallDelta(0, "1}"),
        Finished("tool_calls"),
    )
    text, call = joined(chunks)
    assert text == {"text": "Hi"}
    assert call["functionCall"] == {"id": "c", "name": "f", "args": {"a": 1}}


def test_a_piece_behind_the_end_of_its_call_is_a_failure() -> None:
    events = [ToolCallStarted(0, "c", "f"), ToolCallDelta(0, "{}"), BlockEnded(), ToolCallDelta(0, "{}")]
    with pytest.raises(UpstreamError) as caught:
        GEMINI.reply_encoder(CONTEXT).feed(events)
    assert caught.value.fault is UpstreamFault.BAD_REPLY


def asked_for(**thinking: Any) -> ReplyContext:
    body = {"contents": "Hi", "generation_config": {"thinking_config": thinking}}
    return CONTEXT._replace(envelope=read_envelope(json.dumps(body).encode(), Address("m", stream=True)))


SEALED: tuple[ReplyEvent, ...] = (
    ReplyStarted("x", "y"),
    ThinkingDelta("h"),
    ThinkingDelta("m"),
    ThinkingSealed(Seal("EqQB+/", "anthropic")),
    RedactedThinkingBlock(Seal("Emwk", "anthropic")),
    TextDelta("Hi"),
    TextSealed(Seal("dA==", "google")),
    ToolCallStarted(0, "c1", "f", Seal("Yw==", "google")),
    ToolCallStarted(1, "c2", "f"),
    Finished("tool_calls"),
)


def test_seals_travel_tagged_and_readable_for_the_sdk() -> None:
    chunks = written(*SEALED, context=asked_for(include_thoughts=True))
    parts = joined(chunks)
    assert [(p.get("text"), p.get("thought")) for p in parts] == [
        ("hm", True), ("", True), ("Hi", None), (None, None), (None, None),
    ]  # fmt: skip
    tagged = [untag(part["thoughtSignature"]) for part in parts]
    assert [(t.kind, t.seal.data, t.seal.maker) for t in tagged if t is not None] == [
        (Kind.THINKING, "EqQB+/", "anthropic"),
        (Kind.REDACTED, "Emwk", "anthropic"),
        (Kind.TEXT, "dA==", "google"),
        (Kind.CALL, "Yw==", "google"),
        (Kind.CALL, "", ""),
    ]
    (answer,) = sdk_reply(GEMINI.encode_reply(SEALED, CONTEXT))
    (first, *_) = answer.candidates[0].content.parts  # type: ignore[index,union-attr,misc]
    assert first.thought_signature == base64.b64decode(parts[0]["thoughtSignature"])


@pytest.mark.parametrize("thinking", [{}, {"include_thoughts": False}, {"thinking_budget": 9}])
def test_thoughts_are_shown_to_those_who_asked(thinking: dict[str, Any]) -> None:
    chunks = written(*SEALED, context=asked_for(**thinking))
    assert [part.get("text") for part in joined(chunks)] == ["Hi", None, None]


def test_what_is_written_is_read_back() -> None:
    events = decode(chunk({"text": "hm", "thought": True}, {"text": "Hi"}, finish="STOP", counts=COUNTS))
    for made in (
        GEMINI.decode_reply(GEMINI.encode_reply(events, CONTEXT), "gemini"),
        GEMINI.reply_decoder("gemini").feed(GEMINI.reply_encoder(CONTEXT).feed(events)),
    ):
        assert fold(made).parts == (Thinking("hm"), Text("Hi"))


def test_pictures_and_sources_are_written() -> None:
    events = [
        ReplyStarted("x", "y"),
        TextDelta("Ü Köln"),
        CitationAdded(Citation("https://a", "A", start=2, end=6)),
        CitationAdded(Citation("https://b")),
        ImageMade("image/png", "aGk="),
        UsageReported(Usage(5, 2)),
        Finished("stop"),
    ]
    (only,) = written(*events)
    (candidate,) = only["candidates"]
    assert candidate["content"]["parts"][1] == {"inlineData": {"mimeType": "image/png", "data": "aGk="}}
    assert candidate["groundingMetadata"] == {
        "groundingChunks": [{"web": {"uri": "https://a", "title": "A"}}, {"web": {"uri": "https://b"}}],
        "groundingSupports": [
            {"segment": {"startIndex": 3, "endIndex": 8, "text": "Köln"}, "groundingChunkIndices": [0]}
        ],
    }
    again = [event for event in decode(only) if isinstance(event, CitationAdded)]
    assert [event.citation for event in again] == [
        Citation("https://a", "A", start=2, end=6),
        Citation("https://b"),
    ]


def test_failure_ends_the_stream() -> None:
    encoder = GEMINI.reply_encoder(CONTEXT)
    error = UpstreamError(UpstreamFault.OVERLOADED, "busy")
    made = encoder.feed([ReplyStarted("x", "y"), TextDelta("Hi"), Failed(error), TextDelta("no more")])
    said, failed = chunks_of(made)
    assert said["candidates"][0]["content"]["parts"] == [{"text": "Hi"}]
    assert (failed["error"]["code"], failed["error"]["status"]) == (503, "UNAVAILABLE")
    assert encoder.feed([TextDelta("x")]) == b""
    with pytest.raises(UpstreamError, match="busy"):
        GEMINI.encode_reply([ReplyStarted("x", "y"), Failed(error)], CONTEXT)


# as an array


def as_array() -> Envelope:
    return read_envelope(b'{"contents":"Hi"}', Address("m", stream=True, as_array=True))


@settings(deadline=None)
@given(st.lists(st.sampled_from(["a", "ö", '"', ""]), max_size=5), st.booleans())
def test_array_is_the_events_in_a_list(texts: list[str], is_broken: bool) -> None:
    events: list[ReplyEvent] = [ReplyStarted("x", "y"), *(TextDelta(text) for text in texts)]
    events.append(Failed(UpstreamError(UpstreamFault.BROKEN, "x")) if is_broken else Finished("stop"))
    encoder = GEMINI.reply_encoder(CONTEXT._replace(envelope=as_array()))
    plain = GEMINI.reply_encoder(
        CONTEXT._replace(envelope=read_envelope(b'{"contents":"Hi"}', Address("m", stream=True)))
    )
    array = b"".join(encoder.feed([event]) for event in events)
    assert json.loads(array) == chunks_of(b"".join(plain.feed([event]) for event in events))


@settings(deadline=None)
@given(st.lists(st.integers(0, 400), max_size=6))
def test_relayed_events_become_an_array(cuts: list[int]) -> None:
    pieces = [chunk({"text": "Hi"}), chunk({"text": " ö"}, finish="STOP", counts=COUNTS)]
    sent = stream(*pieces)
    relay = GEMINI.forwarded(as_array(), ModelCard("m", "gemini", "x")).relay
    assert relay is not None
    ends = sorted(cut % (len(sent) + 1) for cut in cuts)
    made = b"".join(relay.feed(sent[a:b]) for a, b in zip([0, *ends], [*ends, len(sent)], strict=True))
    assert json.loads(made + relay.finish()) == pieces
    assert GEMINI.stream_type(as_array()) == b"application/json"


def test_relayed_error_closes_the_array() -> None:
    relay = GEMINI.forwarded(as_array(), ModelCard("m", "gemini", "x")).relay
    assert relay is not None
    error = {"error": {"code": 503}}
    made = relay.feed(stream(chunk({"text": "Hi"}), error, chunk({"text": "more"})))
    assert json.loads(made) == [chunk({"text": "Hi"}), error]
    assert relay.finish() == b""
    empty = GEMINI.forwarded(as_array(), ModelCard("m", "gemini", "x")).relay
    assert empty is not None
    assert empty.finish() == b"[]"


# beside a stream


def test_watch_waits_for_every_candidate() -> None:
    body = json.dumps({"contents": "Hi", "generation_config": {"candidate_count": 2}}).encode()
    watch = GEMINI.reply_watch(read_envelope(body, Address("m", stream=True)))
    watch.feed(stream(chunk({"text": "a"}, finish="STOP")))
    assert not watch.is_complete
    second = chunk({"text": "b"}, finish="STOP", counts=COUNTS)
    second["candidates"][0]["index"] = 1
    watch.feed(stream(second).rstrip())
    assert watch.is_complete
    assert watch.usage == Usage(5, 2)


def test_watch_tells_of_data_that_are_no_json() -> None:
    watch = GEMINI.reply_watch()
    watch.feed(b'data: {"candidates":[\r\n\r\n')
    assert watch.error is not None
    assert watch.error.fault is UpstreamFault.BAD_REPLY
