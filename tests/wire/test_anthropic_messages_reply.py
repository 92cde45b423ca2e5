"""Replies of the Messages API, read and written: the odd ones that recordings do not show, and named rules."""

import json
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from anthropic_checks import CONTEXT, check_grammar, events_of, meaning_of_message, sdk_message, sdk_stream
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.errors import UpstreamError, UpstreamFault
from pointsman.core.events import (
    BlockEnded,
    Failed,
    Finished,
    FinishReason,
    RedactedThinkingBlock,
    ReplyEvent,
    ReplyStarted,
    TextDelta,
    ThinkingDelta,
    ThinkingSealed,
    ToolCallDelta,
    ToolCallStarted,
    UsageReported,
    fold,
)
from pointsman.core.request import Part, RedactedThinking, Seal, Text, Thinking, ToolCall
from pointsman.core.usage import Usage
from pointsman.wire.anthropic_messages import ANTHROPIC_MESSAGES
from pointsman.wire.seals import NOBODYS, Kind, tag, untag
from pointsman.wire.sse import frame

STARTED = ReplyStarted("chatcmpl-1", "gpt-5")
DONE = Finished("stop")


def sse(*events: dict[str, Any]) -> bytes:
    return b"".join(frame(json.dumps(event).encode(), event["type"]) for event in events)


def start(**usage: object) -> dict[str, Any]:
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "opus", "content": []}
    return {"type": "message_start", "message": {**message, "usage": usage}}


def opened(index: int, **block: object) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def grown(index: int, **delta: object) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": delta}


def closed(index: int) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


def end(reason: str | None = "end_turn", **usage: object) -> tuple[dict[str, Any], dict[str, Any]]:
    delta = {"stop_reason": reason, "stop_sequence": None}
    return {"type": "message_delta", "delta": delta, "usage": usage}, {"type": "message_stop"}


def read(*events: dict[str, Any]) -> list[ReplyEvent]:
    return read_bytes(sse(*events))


def read_bytes(stream: bytes) -> list[ReplyEvent]:
    decoder = ANTHROPIC_MESSAGES.reply_decoder("anthropic")
    return decoder.feed(stream) + decoder.finish()


def write(*events: ReplyEvent) -> bytes:
    stream = ANTHROPIC_MESSAGES.reply_encoder(CONTEXT).feed(events)
    check_grammar(stream)
    return stream


def blocks(stream: bytes) -> list[tuple[str, str]]:
    """Each block's kind and what its deltas add up to."""
    found: list[tuple[str, str]] = []
    for event in events_of(stream):
        if event["type"] == "content_block_start":
            found.append((event["content_block"]["type"], ""))
        elif event["type"] == "content_block_delta":
            delta = event["delta"]
            piece = delta.get("text", delta.get("thinking", delta.get("partial_json", "")))
            found[-1] = (found[-1][0], found[-1][1] + piece)
    return found


def test_thinking_that_nobody_sealed_is_signed_as_nobodys() -> None:
    events = [ReplyStarted("1", "m"), ThinkingDelta("hm"), TextDelta("Hi"), Finished("stop")]
    signature = tag(NOBODYS, Kind.THINKING)
    assert b'"signature_delta","signature":"%b"' % signature.encode() in write(*events)
    whole = json.loads(ANTHROPIC_MESSAGES.encode_reply(events, CONTEXT))
    assert whole["content"][0] == {"type": "thinking", "thinking": "hm", "signature": signature}


# reading streams


def test_ping_and_unknown_events_blocks_and_deltas_are_passed_over() -> None:
    reply = fold(
        read(
            start(input_tokens=1),
            {"type": "ping"},
            {"type": "weather_report", "index": "north", "delta": 3},
            opened(0, type="server_tool_use", id="srvtoolu_1", name="web_search", input={}),
            grown(0, type="input_json_delta", partial_json='{"query":'),
            closed(0),
            opened(1, type="web_search_tool_result", tool_use_id="srvtoolu_1", content=[]),
            closed(1),
            opened(2, type="text", text=""),
            grown(2, type="text_delta", text="Hi"),
            closed(2),
            *end(output_tokens=2),
        )
    )
    assert reply.parts == (Text("Hi"),)
    assert reply.usage == Usage(input_tokens=1, output_tokens=2)


def test_text_that_came_with_the_start_of_its_block_is_kept() -> None:
    assert fold(read(start(), opened(0, type="text", text="Hi"), closed(0), *end())).parts == (Text("Hi"),)


def test_call_whose_input_came_whole_is_kept() -> None:
    """Rule 1, from the other side."""
    call = opened(0, type="tool_use", id="toolu_1", name="f", input={"a": [1, 2]})
    assert fold(read(start(), call, closed(0), *end())).parts == (ToolCall("toolu_1", "f", '{"a":[1,2]}'),)


def test_empty_argument_deltas_are_no_arguments() -> None:
    """Rules 2 and 4."""
    call = opened(0, type="tool_use", id="toolu_1", name="f", input={})
    empty = grown(0, type="input_json_delta", partial_json="")
    assert fold(read(start(), call, empty, closed(0), *end("tool_use"))).parts == (
        ToolCall("toolu_1", "f", "{}"),
    )
    more = [grown(0, type="input_json_delta", partial_json=piece) for piece in ('{"a"', "", ":1}")]
    assert fold(read(start(), call, empty, *more, closed(0), *end("tool_use"))).parts == (
        ToolCall("toolu_1", "f", '{"a":1}'),
    )


def test_order_of_thinking_and_text_is_kept() -> None:
    """Rule 28, with thinking that has no text, and sealed thinking."""
    reply = fold(
        read(
            start(),
            opened(0, type="thinking", thinking="", signature=""),
            grown(0, type="signature_delta", signature="A=="),
            closed(0),
            opened(1, type="text", text=""),
            grown(1, type="text_delta", text="one"),
            closed(1),
            opened(2, type="thinking", thinking="", signature=""),
            grown(2, type="thinking_delta", thinking="hm"),
            grown(2, type="signature_delta", signature="B=="),
            closed(2),
            opened(3, type="redacted_thinking", data="C=="),
            closed(3),
            opened(4, type="text", text=""),
            grown(4, type="text_delta", text="two"),
            closed(4),
            *end(),
        )
    )
    assert reply.parts == (
        Thinking("", Seal("A==", "anthropic")),
        Text("one"),
        Thinking("hm", Seal("B==", "anthropic")),
        RedactedThinking(Seal("C==", "anthropic")),
        Text("two"),
    )


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ("end_turn", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("stop_sequence", "stop_sequence"),
        ("pause_turn", "pause"),
        ("refusal", "refusal"),
        ("tool_use", "stop"),
        ("something_new", "stop"),
        (None, "stop"),
    ],
)
def test_stop_reason_is_read(sent: str | None, reason: FinishReason) -> None:
    finished = read(start(), *end(sent))[-1]
    assert finished == Finished(reason)


@pytest.mark.parametrize(("sent", "reason"), [("end_turn", "tool_calls"), ("max_tokens", "length")])
def test_reply_with_a_call_ends_with_the_reason_for_calls(sent: str, reason: FinishReason) -> None:
    """Rule 6."""
    call = opened(0, type="tool_use", id="toolu_1", name="f", input={})
    assert fold(read(start(), call, closed(0), *end(sent))).finished.reason == reason


def test_stop_sequence_is_named() -> None:
    delta = {"type": "message_delta", "delta": {"stop_reason": "stop_sequence", "stop_sequence": "END"}}
    assert read(start(), delta, {"type": "message_stop"})[-1] == Finished("stop_sequence", "END")


def test_usage_includes_the_caches() -> None:
    """Rule 34: input counts what was read from and written to the cache."""
    usage = {
        "input_tokens": 10,
        "cache_read_input_tokens": 100,
        "cache_creation_input_tokens": 30,
        "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
        "output_tokens": 5,
        "output_tokens_details": {"thinking_tokens": 3},
    }
    wanted = Usage(140, 5, 100, 30, 20, 3)
    assert fold(read(start(**usage), *end(output_tokens=5))).usage == wanted
    body = {"type": "message", "content": [], "usage": usage, "stop_reason": "end_turn"}
    assert ANTHROPIC_MESSAGES.read_usage(json.dumps(body).encode()) == wanted
    assert fold(ANTHROPIC_MESSAGES.decode_reply(json.dumps(body).encode(), "anthropic")).usage == wanted


def test_later_usage_replaces_earlier_field_by_field() -> None:
    """Rule 35."""
    first = start(
        input_tokens=10, cache_read_input_tokens=100, cache_creation_input_tokens=0, output_tokens=1
    )
    last = end(input_tokens=12, cache_creation_input_tokens=None, output_tokens=50)
    events = read(first, *last)
    assert [event.usage for event in events if isinstance(event, UsageReported)] == [
        Usage(110, None, 100, 0),  # what message_start counts as output is no count of what was written
        Usage(112, 50, 100, 0),
    ]
    watch = ANTHROPIC_MESSAGES.reply_watch()
    watch.feed(sse(first, *last))
    assert watch.usage == Usage(112, 50, 100, 0)


def test_missing_usage_stays_unknown() -> None:
    assert fold(read(start(), *end())).usage == Usage()
    body = b'{"type":"message","content":[],"stop_reason":"end_turn"}'
    assert ANTHROPIC_MESSAGES.read_usage(body) is None


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        ("overloaded_error", UpstreamFault.OVERLOADED),
        ("rate_limit_error", UpstreamFault.RATE_LIMITED),
        ("api_error", UpstreamFault.SERVER_ERROR),
        ("timeout_error", UpstreamFault.TIMED_OUT),
        ("authentication_error", UpstreamFault.AUTH),
        ("permission_error", UpstreamFault.AUTH),
        ("invalid_request_error", UpstreamFault.REJECTED),
        ("unheard_of", UpstreamFault.SERVER_ERROR),
    ],
)
def test_error_within_a_stream_fails_the_reply(kind: str, fault: UpstreamFault) -> None:
    """Rule 39."""
    stream = sse(start(), {"type": "error", "error": {"type": kind, "message": "Sorry"}}, *end())
    failed = read_bytes(stream)[-1]
    assert isinstance(failed, Failed)
    assert (failed.error.fault, failed.error.message, failed.error.code) == (fault, "Sorry", kind)
    watch = ANTHROPIC_MESSAGES.reply_watch()
    watch.feed(stream)
    assert watch.error is not None
    assert watch.error.fault is fault
    assert not watch.is_complete


@pytest.mark.parametrize(
    "event",
    [
        b"{",
        b"[1]",
        b'{"type":"content_block_delta","index":"x","delta":{"type":"text_delta","text":"a"}}',
        b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":7}}',
        b'{"type":"content_block_delta","index":4,"delta":{"type":"text_delta","text":"a"}}',
        b'{"type":["ping"]}',
        b'{"type":3,"text":"\\ud800"}',
        b'{"type":"content_block_delta","index":0,"delta":3}',
        b'{"type":"content_block_delta","index":0,"delta":{"type":[]}}',
        b'{"type":"content_block_start","index":0}',
        b'{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","name":"f"}}',
        b'{"type":"content_block_start","index":0,"content_block":{"type":"text","text":[]}}',
        b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"\xff"}}',
        b'{"a":' * 3000,
    ],
)
def test_event_that_is_not_the_protocol_is_a_bad_reply(event: bytes) -> None:
    decoder = ANTHROPIC_MESSAGES.reply_decoder("anthropic")
    before = decoder.feed(sse(start(input_tokens=1)))
    with pytest.raises(UpstreamError) as caught:
        decoder.feed(frame(event, "x"))
    assert before == [STARTED_HERE, UsageReported(Usage(input_tokens=1))]
    assert caught.value.fault is UpstreamFault.BAD_REPLY


STARTED_HERE = ReplyStarted("msg_1", "opus")


def test_events_before_a_broken_one_come_out_first() -> None:
    decoder = ANTHROPIC_MESSAGES.reply_decoder("anthropic")
    *before, last = decoder.feed(sse(start()) + frame(b"{", "x") + sse(*end()))
    assert before == [STARTED_HERE, UsageReported(Usage())]
    assert isinstance(last, Failed)
    assert last.error.fault is UpstreamFault.BAD_REPLY
    assert decoder.feed(sse(*end())) + decoder.finish() == []


def test_reply_that_begins_in_its_middle_is_a_bad_reply() -> None:
    with pytest.raises(UpstreamError) as caught:
        read(*end())
    assert caught.value.fault is UpstreamFault.BAD_REPLY


def test_repeated_start_of_the_same_reply_is_ignored() -> None:
    assert fold(read(start(), start(), opened(0, type="text", text="Hi"), closed(0), *end())).parts == (
        Text("Hi"),
    )


def test_what_comes_after_the_end_is_ignored() -> None:
    assert read_bytes(sse(start(), *end()) + b"data: [DONE]\n\n" + sse(start())) == read(start(), *end())


def test_done_marker_of_other_dialects_is_passed_over() -> None:
    assert read_bytes(sse(start()) + b"data: [DONE]\n\ndata:\n\n" + sse(*end())) == read(start(), *end())


def test_last_event_without_its_blank_line_is_read() -> None:
    stream = sse(start(input_tokens=3), *end()).rstrip()
    assert isinstance(read_bytes(stream)[-1], Finished)
    watch = ANTHROPIC_MESSAGES.reply_watch()
    watch.feed(stream[:-4])
    assert not watch.is_complete
    watch.feed(stream[-4:])
    assert watch.is_complete


def test_watch_passes_over_whole_events_of_text() -> None:
    watch = ANTHROPIC_MESSAGES.reply_watch()
    for event in (start(input_tokens=3), opened(0, type="text", text=""), closed(0), *end(output_tokens=4)):
        watch.feed(sse(event))
    assert watch.is_complete
    assert watch.usage == Usage(3, 4)


def test_watch_is_not_misled_by_text() -> None:
    watch = ANTHROPIC_MESSAGES.reply_watch()
    fake = sse({"type": "message_stop"}).decode() + '{"type":"error"}'
    watch.feed(sse(start(), opened(0, type="text", text=""), grown(0, type="text_delta", text=fake)))
    assert watch.error is None
    watch.feed(b"data: message_stop, but no JSON\n\n")
    assert not watch.is_complete
    assert watch.error is not None
    assert watch.error.fault is UpstreamFault.BAD_REPLY


# reading whole replies


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"type":"message"}',
        b'{"type":"message","content":"Hi"}',
        b'{"type":"message","content":[{"type":"text","text":3}]}',
        b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}',
        b'{"error":"no"}',
    ],
)
def test_body_that_is_no_message_is_a_bad_reply(body: bytes) -> None:
    with pytest.raises(UpstreamError) as caught:
        ANTHROPIC_MESSAGES.decode_reply(body, "anthropic")
    assert caught.value.fault is UpstreamFault.BAD_REPLY
    if b'"content"' not in body:
        with pytest.raises(UpstreamError) as caught:
            ANTHROPIC_MESSAGES.read_usage(body)
        assert caught.value.fault is UpstreamFault.BAD_REPLY


# writing


def test_whole_call_in_one_event_has_its_arguments_in_a_delta() -> None:
    """Rule 1."""
    stream = write(STARTED, ToolCallStarted(0, "a", "f"), ToolCallDelta(0, '{"x":1}'), Finished("tool_calls"))
    assert blocks(stream) == [("tool_use", '{"x":1}')]


@pytest.mark.parametrize("pieces", [(), ("",), (" ",)])
def test_call_without_arguments_is_an_empty_object(pieces: Sequence[str]) -> None:
    """Rule 2."""
    events = [
        STARTED,
        ToolCallStarted(0, "a", "f"),
        *(ToolCallDelta(0, p) for p in pieces),
        Finished("tool_calls"),
    ]
    assert json.loads(blocks(write(*events))[0][1]) == {}
    if pieces != (" ",):
        assert sdk_message(ANTHROPIC_MESSAGES.encode_reply(events, CONTEXT)).content[0].input == {}


def test_interleaved_calls_become_one_block_each() -> None:
    """Rules 3 and 5."""
    stream = write(
        STARTED,
        TextDelta("So:"),
        ToolCallStarted(0, "a", "f"),
        ToolCallStarted(1, "b", "g"),
        ToolCallDelta(1, '{"y"'),
        ToolCallDelta(0, '{"x"'),
        ToolCallDelta(0, ":1}"),
        ToolCallDelta(1, ":2}"),
        TextDelta("Wait."),
        Finished("tool_calls"),
    )
    assert blocks(stream) == [
        ("text", "So:"),
        ("tool_use", '{"x":1}'),
        ("tool_use", '{"y":2}'),
        ("text", "Wait."),
    ]
    assert [block.type for block in sdk_stream(stream).content] == ["text", "tool_use", "tool_use", "text"]


def test_first_call_is_written_as_it_grows() -> None:
    encoder = ANTHROPIC_MESSAGES.reply_encoder(CONTEXT)
    encoder.feed([STARTED])
    first = encoder.feed([ToolCallStarted(0, "a", "f"), ToolCallDelta(0, '{"x":')])
    assert b'"partial_json":"{\\"x\\":"' in first
    assert b"content_block_stop" in encoder.feed([ToolCallDelta(0, "1}"), ToolCallStarted(1, "b", "g")])
    assert b'"partial_json":"{}"' in encoder.feed([ToolCallDelta(1, "{}")])


def test_first_event_decides_the_first_block() -> None:
    """Rules 24 to 26: no empty text before thinking, nothing lost where the kind changes."""
    stream = write(
        STARTED, TextDelta(""), ThinkingDelta("h"), ThinkingDelta("m"), TextDelta("A"), TextDelta("B"), DONE
    )
    assert [block for block in blocks(stream) if block != ("text", "")] == [
        ("thinking", "hm"),
        ("text", "AB"),
    ]


def test_every_thinking_segment_has_its_own_block() -> None:
    """Rule 27."""
    stream = write(
        STARTED,
        ThinkingDelta("a"),
        ThinkingSealed(Seal("A==", "anthropic")),
        ThinkingDelta("b"),
        ThinkingSealed(Seal("B==", "anthropic")),
        TextDelta("c"),
        ThinkingDelta("d"),
        TextDelta("e"),
        BlockEnded(),
        TextDelta("f"),
        DONE,
    )
    assert blocks(stream) == [
        ("thinking", "a"),
        ("thinking", "b"),
        ("text", "c"),
        ("thinking", "d"),
        ("text", "e"),
        ("text", "f"),
    ]


@pytest.mark.parametrize("maker", ["anthropic", "deepseek"])
def test_seals_leave_with_the_name_of_their_maker(maker: str) -> None:
    """Rule 29: never stamped, and told apart from what another maker could read."""
    events = [
        STARTED,
        ThinkingDelta("hm"),
        ThinkingSealed(Seal("A==", maker)),
        RedactedThinkingBlock(Seal("B==", maker)),
        DONE,
    ]
    for message in (
        sdk_stream(write(*events)),
        sdk_message(ANTHROPIC_MESSAGES.encode_reply(events, CONTEXT)),
    ):
        thinking, redacted = message.content
        assert untag(thinking.signature) == (Kind.THINKING, Seal("A==", maker))
        assert untag(redacted.data) == (Kind.REDACTED, Seal("B==", maker))


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        ("stop", "end_turn"),
        ("length", "max_tokens"),
        ("stop_sequence", "stop_sequence"),
        ("tool_calls", "end_turn"),
        ("content_filter", "refusal"),
        ("refusal", "refusal"),
        ("pause", "pause_turn"),
    ],
)
def test_stop_reason_is_written(reason: FinishReason, shown: str) -> None:
    events = [STARTED, TextDelta("Hi"), Finished(reason, "END" if reason == "stop_sequence" else None)]
    for message in (
        sdk_stream(write(*events)),
        sdk_message(ANTHROPIC_MESSAGES.encode_reply(events, CONTEXT)),
    ):
        assert message.stop_reason == shown
        assert message.stop_sequence == ("END" if reason == "stop_sequence" else None)


@pytest.mark.parametrize(
    ("reason", "shown"), [("stop", "tool_use"), ("tool_calls", "tool_use"), ("length", "max_tokens")]
)
def test_reply_with_a_call_says_so(reason: FinishReason, shown: str) -> None:
    """Rule 6, streaming and not."""
    events = [STARTED, ToolCallStarted(0, "a", "f"), ToolCallDelta(0, "{}"), Finished(reason)]
    assert sdk_stream(write(*events)).stop_reason == shown
    assert sdk_message(ANTHROPIC_MESSAGES.encode_reply(events, CONTEXT)).stop_reason == shown


@pytest.mark.parametrize("arguments", ['{"x":', "[1]", "x", '{"x":1}{"y":2}'])
def test_call_with_broken_arguments_breaks_the_reply(arguments: str) -> None:
    """Rules 4 and 40: nothing is invented around it."""
    events = [STARTED, ToolCallStarted(0, "a", "f"), ToolCallDelta(0, arguments), Finished("tool_calls")]
    for write_it in (
        lambda: ANTHROPIC_MESSAGES.encode_reply(events, CONTEXT),
        lambda: ANTHROPIC_MESSAGES.reply_encoder(CONTEXT).feed(events),
    ):
        with pytest.raises(UpstreamError, match="the tool f") as caught:
            write_it()
        assert caught.value.fault is UpstreamFault.BAD_REPLY


def test_call_cut_by_the_token_limit_ends_the_reply() -> None:
    events = [
        STARTED,
        TextDelta("So"),
        ToolCallStarted(0, "a", "f"),
        ToolCallDelta(0, '{"x":'),
        Finished("length"),
    ]
    streamed, whole = (
        sdk_stream(write(*events)),
        sdk_message(ANTHROPIC_MESSAGES.encode_reply(events, CONTEXT)),
    )
    assert streamed.stop_reason == whole.stop_reason == "max_tokens"
    assert [block.type for block in whole.content] == ["text"], "half a call cannot be written as a whole one"


def test_call_that_ended_half_waits_for_the_reason() -> None:
    encoder = ANTHROPIC_MESSAGES.reply_encoder(CONTEXT)
    stream = encoder.feed([STARTED, ToolCallStarted(0, "a", "f"), ToolCallDelta(0, '{"x":'), BlockEnded()])
    assert b"content_block_stop" not in stream
    check_grammar(stream + encoder.feed([Finished("length")]))


def test_usage_is_written_without_the_caches_in_input() -> None:
    events = [STARTED, UsageReported(Usage(140, 5, 100, 30, 20, 3)), TextDelta("Hi"), DONE]
    stream = write(*events)
    assert events_of(stream)[0]["message"]["usage"]["input_tokens"] == 10
    for message in (sdk_stream(stream), sdk_message(ANTHROPIC_MESSAGES.encode_reply(events, CONTEXT))):
        usage = message.usage
        assert (usage.input_tokens, usage.output_tokens) == (10, 5)
        assert (usage.cache_read_input_tokens, usage.cache_creation_input_tokens) == (100, 30)
        assert usage.output_tokens_details is not None
        assert usage.output_tokens_details.thinking_tokens == 3


def test_late_usage_is_in_the_last_event() -> None:
    encoder = ANTHROPIC_MESSAGES.reply_encoder(CONTEXT)
    stream = encoder.feed([STARTED, TextDelta("Hi")]) + encoder.feed([UsageReported(Usage(7, 2)), DONE])
    assert events_of(stream)[0]["message"]["usage"]["input_tokens"] == 0
    assert (sdk_stream(stream).usage.input_tokens, sdk_stream(stream).usage.output_tokens) == (7, 2)


def test_reply_without_content_is_whole() -> None:
    assert meaning_of_message(sdk_stream(write(STARTED, DONE))).text == ""
    assert sdk_message(ANTHROPIC_MESSAGES.encode_reply([STARTED, DONE], CONTEXT)).content == []


def test_model_and_id_are_what_the_caller_is_told() -> None:
    message = sdk_stream(write(STARTED, DONE))
    assert (message.id, message.model) == ("msg_pm_0190test", "opus")


def test_failed_reply_ends_with_an_error_event() -> None:
    error = UpstreamError(UpstreamFault.OVERLOADED, "busy")
    encoder = ANTHROPIC_MESSAGES.reply_encoder(CONTEXT)
    stream = encoder.feed([STARTED, TextDelta("Hi"), Failed(error), TextDelta("lost")])
    assert [event["type"] for event in events_of(stream)][-2:] == ["content_block_delta", "error"]
    assert events_of(stream)[-1]["error"] == {"type": "overloaded_error", "message": "busy"}
    assert encoder.feed([DONE]) == b""
    with pytest.raises(UpstreamError):
        ANTHROPIC_MESSAGES.encode_reply([STARTED, Failed(error)], CONTEXT)


def test_keepalive_is_passed_over_by_the_sdk() -> None:
    stream = write(STARTED, TextDelta("Hi"), DONE)
    place = stream.index(b"event: content_block_delta")
    padded = stream[:place] + b'event: ping\ndata: {"type": "ping"}\n\n' + stream[place:]
    check_grammar(padded)
    assert sdk_stream(padded).content == sdk_stream(stream).content


# laws

_TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
_BLOCKS = st.one_of(
    st.builds(lambda text: [TextDelta(text), BlockEnded()], _TEXTS),
    st.builds(lambda text: [ThinkingDelta(text), ThinkingSealed(Seal("A==", "anthropic"))], _TEXTS),
    st.just([RedactedThinkingBlock(Seal("B==", "anthropic"))]),
    st.builds(lambda value: ["call", json.dumps({"a": value})], st.one_of(_TEXTS, st.integers(), st.none())),
)


@given(st.lists(_BLOCKS, max_size=6), st.lists(st.integers(0, 40), max_size=8))
def test_what_is_written_is_read_back(parts: list[list[Any]], cuts: list[int]) -> None:
    events: list[ReplyEvent] = [STARTED, UsageReported(Usage(9, 4, 0, 0))]
    calls = 0
    for part in parts:
        if part[0] != "call":
            events += part
            continue
        half = len(part[1]) // 2
        events.append(ToolCallStarted(calls, f"toolu_{calls}", "f"))
        events += [ToolCallDelta(calls, part[1][:half]), ToolCallDelta(calls, part[1][half:])]
        calls += 1
    events.append(Finished("tool_calls" if calls else "stop"))
    encoder = ANTHROPIC_MESSAGES.reply_encoder(CONTEXT)
    ends = sorted(cut % (len(events) + 1) for cut in cuts)
    stream = b"".join(
        encoder.feed(events[a:b]) for a, b in zip([0, *ends], [*ends, len(events)], strict=True)
    )
    check_grammar(stream)
    wanted, read_back = fold(events), fold(read_bytes(stream))
    assert unsealed(read_back.parts) == list(wanted.parts)
    assert read_back.usage == wanted.usage
    assert read_back.finished.reason == wanted.finished.reason
    whole = fold(
        ANTHROPIC_MESSAGES.decode_reply(ANTHROPIC_MESSAGES.encode_reply(events, CONTEXT), "anthropic")
    )
    assert [
        part if not isinstance(part, ToolCall) else json.loads(part.arguments)
        for part in unsealed(whole.parts)
    ] == [part if not isinstance(part, ToolCall) else json.loads(part.arguments) for part in wanted.parts]


def unsealed(parts: Sequence[Part]) -> list[Part]:
    """The parts with the seals that their makers made, out of what a caller was given."""

    def of_maker(seal: Seal) -> Seal:
        tagged = untag(seal.data)
        assert tagged is not None
        return tagged.seal

    return [
        msgspec.structs.replace(part, seal=of_maker(part.seal))
        if isinstance(part, Thinking | RedactedThinking) and part.seal
        else part
        for part in parts
    ]


@given(st.binary(max_size=200), st.integers(0, 200))
def test_any_bytes_are_events_or_a_bad_reply(noise: bytes, cut: int) -> None:
    decoder, watch = ANTHROPIC_MESSAGES.reply_decoder("anthropic"), ANTHROPIC_MESSAGES.reply_watch()
    watch.feed(noise[:cut])
    watch.feed(noise[cut:])
    with pytest.raises(UpstreamError):
        read_all(decoder, noise, cut)


def read_all(decoder: Any, noise: bytes, cut: int) -> None:
    decoder.feed(noise[:cut])
    decoder.feed(noise[cut:])
    decoder.finish()
