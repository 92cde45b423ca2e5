"""One exchange between two dialects, without a network: what is sent, and what becomes of what comes back."""

import json
import random
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.errors import UpstreamError, UpstreamFault
from pointsman.core.model_card import ModelCard
from pointsman.core.usage import Usage
from pointsman.gateway.crossing import Crossing
from pointsman.gateway.relayed import SameDialect
from pointsman.gateway.seal_memory import SealMemory
from pointsman.gateway.translated import Translated
from pointsman.wire.anthropic_messages import ANTHROPIC_MESSAGES
from pointsman.wire.dialect import Dialect, ReplyContext
from pointsman.wire.envelope import Address, read_envelope
from pointsman.wire.gemini import GEMINI
from pointsman.wire.openai_chat import OPENAI_CHAT
from pointsman.wire.openai_responses import OPENAI_RESPONSES
from pointsman.wire.sse import EVENT_BYTES_MAX
from replies import (
    CHAT_USAGE,
    chat_error,
    chat_event,
    chat_stream,
    completion,
    message,
    messages_event,
    messages_stream,
)

CARD = ModelCard("name", "provider", "id-1")
CONTEXT = ReplyContext("pm_1", "id-1", 1_700_000_000)
DIALECTS = [OPENAI_CHAT, ANTHROPIC_MESSAGES]
CALL = ("call_1", "weather", {"city": "Köln"})
STREAMS = {
    OPENAI_CHAT: chat_stream("grüß ", "Gott 🎉", calls=[CALL]),
    ANTHROPIC_MESSAGES: messages_stream("grüß ", "Gott 🎉", calls=[CALL]),
}
WHOLE = {OPENAI_CHAT: completion("Hi"), ANTHROPIC_MESSAGES: message("Hi")}
TOLD = Usage(30, 7, 10)
"""What replies.py tells, apart from what is written to a cache: only one of the two dialects can say that."""

ways = pytest.mark.parametrize(
    ("caller", "provider"),
    [(caller, provider) for caller in DIALECTS for provider in DIALECTS],
    ids=lambda dialect: dialect.name,
)


def crossing(caller: Dialect, provider: Dialect, **more: Any) -> Crossing:
    body = {"model": "auto", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}], "stream": True}
    envelope = read_envelope(json.dumps({**body, **more}).encode())
    if caller is provider:
        return SameDialect(caller, envelope, CARD, CONTEXT)
    request = caller.decode_request(envelope)
    return Translated(
        caller, provider, request, CARD, CONTEXT._replace(stream_usage=request.stream_usage), SealMemory()
    )


def relayed(way: Crossing, pieces: list[bytes]) -> list[bytes]:
    return [*[way.piece(piece) for piece in pieces], way.end()]


def cut(stream: bytes, cuts: list[int]) -> list[bytes]:
    return [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]


def counts(usage: Usage | None) -> tuple[int | None, ...]:
    assert usage is not None
    return usage.input_tokens, usage.output_tokens, usage.cache_read_tokens


def gist(stream: bytes) -> list[Any]:
    """The events of a stream, neighbouring pieces of one text joined. What a message's start tells of usage is left
    out: it is what is known by then."""
    told: list[Any] = []
    for line in stream.split(b"\n"):
        if not line.startswith(b"data: {"):
            continue
        event = json.loads(line.removeprefix(b"data: "))
        event.get("message", {}).pop("usage", None)
        delta = event.get("delta", {})
        grows = next((name for name in ("text", "partial_json") if name in delta), None)
        if grows and told and told[-1][0] == (event["index"], grows):
            told[-1][1] += delta[grows]
        else:
            told.append([(event["index"], grows), delta[grows]] if grows else [event, None])
    return told


@ways
def test_a_stream_crosses_the_same_wherever_it_is_cut(caller: Dialect, provider: Dialect) -> None:
    stream = b"".join(STREAMS[provider])
    expected = b"".join(relayed(crossing(caller, provider), [stream]))
    assert (expected == stream) == (caller is provider)
    dice = random.Random(7)
    every_byte = list(range(1, len(stream)))
    for cuts in ([len(stream) - 1], every_byte, *[[at] for at in dice.sample(every_byte, 60)]):
        way = crossing(caller, provider)
        out = b"".join(relayed(way, cut(stream, cuts)))
        assert out == expected or caller is not provider
        assert gist(out) == gist(expected)
        assert counts(way.usage) == counts(TOLD)


@given(st.data())
def test_every_piece_a_caller_gets_ends_between_two_events(data: st.DataObject) -> None:
    provider = data.draw(st.sampled_from(DIALECTS))
    caller = data.draw(st.sampled_from(DIALECTS))
    line_end = data.draw(st.sampled_from([b"\n", b"\r\n"]))
    stream = b"".join(STREAMS[provider]).replace(b"\n", line_end)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    *pieces, last = relayed(crossing(caller, provider), cut(stream, cuts))
    for piece in pieces:
        # A CRLF may be cut in its middle: the event has ended all the same.
        assert not piece or piece.endswith((b"\n\n", b"\r\n\r\n", b"\r\n\r"))
    assert last in {b"", b"\n"}


@ways
@pytest.mark.parametrize("space", [b"", b" \r\n\t"])
def test_a_whole_answer_becomes_a_stream(caller: Dialect, provider: Dialect, space: bytes) -> None:
    reply = space + json.dumps(WHOLE[provider], indent=1).encode()
    for pieces in ([reply], cut(reply, [1, 2, 30]), cut(reply, list(range(1, len(reply))))):
        way = crossing(caller, provider)
        *early, last = relayed(way, pieces)
        assert not any(early)
        assert last.endswith(b"data: [DONE]\n\n" if caller is OPENAI_CHAT else b'{"type":"message_stop"}\n\n')
        assert b"Hi" in last
        assert counts(way.usage) == counts(TOLD)


@ways
def test_a_whole_answer_crosses(caller: Dialect, provider: Dialect) -> None:
    way = crossing(caller, provider, stream=False)
    reply = json.dumps(WHOLE[provider]).encode()
    told = json.loads(way.whole(reply))
    assert told == WHOLE[provider] or caller is not provider
    assert "Hi" in json.dumps(told)
    assert counts(way.usage) == counts(TOLD)
    assert way.dropped == ()


NO_STREAM: list[tuple[bytes, UpstreamFault]] = [
    (b"", UpstreamFault.BROKEN),
    (b" \n\n ", UpstreamFault.BROKEN),
    (b"<html>\n\n</html>", UpstreamFault.BAD_REPLY),
    (b"\n <!doctype html>", UpstreamFault.BAD_REPLY),
    (b"{}", UpstreamFault.BAD_REPLY),
    (b"[]", UpstreamFault.BAD_REPLY),
    (b'{"id":"x","choices":[{"index', UpstreamFault.BAD_REPLY),
    (b"hello", UpstreamFault.BROKEN),
    (b"hello\n\nworld\n\n", UpstreamFault.BROKEN),
    (b": only a comment\n\n", UpstreamFault.BROKEN),
    (b"data: {", UpstreamFault.BROKEN),
    (b"event: ping\n\n", UpstreamFault.BROKEN),
]


@ways
@pytest.mark.parametrize(("stream", "fault"), NO_STREAM)
def test_what_is_no_reply_is_an_error(
    caller: Dialect, provider: Dialect, stream: bytes, fault: UpstreamFault
) -> None:
    for pieces in ([stream], cut(stream, list(range(1, len(stream)))), [b"", stream, b""]):
        with pytest.raises(UpstreamError) as caught:
            relayed(crossing(caller, provider), pieces)
        assert caught.value.fault is fault


def test_an_endless_answer_is_an_error() -> None:
    mebibyte = b"{" + b" " * (1024 * 1024 - 1)
    for first in (mebibyte, b"data: " + mebibyte):
        pieces = [first, *[mebibyte] * (EVENT_BYTES_MAX // len(mebibyte) + 1)]
        with pytest.raises(UpstreamError) as caught:
            relayed(crossing(OPENAI_CHAT, OPENAI_CHAT), pieces)
        assert caught.value.fault is UpstreamFault.BAD_REPLY
        assert "too large" in caught.value.message or "without an end" in caught.value.message


BUSY = {
    OPENAI_CHAT: b"data: " + json.dumps(chat_error("busy", "overloaded")).encode() + b"\n\n",
    ANTHROPIC_MESSAGES: messages_event("error", error={"type": "overloaded_error", "message": "busy"}),
}


@ways
def test_an_error_before_any_words_is_raised_and_not_told(caller: Dialect, provider: Dialect) -> None:
    for before in ([], STREAMS[provider][:2]):
        with pytest.raises(UpstreamError) as caught:
            crossing(caller, provider).piece(b"".join(before) + BUSY[provider])
        assert caught.value.fault is UpstreamFault.OVERLOADED


@ways
def test_an_error_behind_the_first_words_is_told_once(caller: Dialect, provider: Dialect) -> None:
    """In the same dialect in the provider's words; else what came before it, then ours."""
    way = crossing(caller, provider)
    words = (
        4 if provider is ANTHROPIC_MESSAGES else 2
    )  # of the beginning, which is held back until there is content
    start, more = STREAMS[provider][:words], STREAMS[provider][words : words + 1]
    out = way.piece(b"".join(start))
    last = b"".join(more) + BUSY[provider]
    with pytest.raises(UpstreamError) as caught:
        relayed(way, [last])
    assert caught.value.fault is UpstreamFault.OVERLOADED
    out += way.last_words(caught.value, "pm_1")
    if caller is provider:
        assert out == b"".join([*start, *more, BUSY[provider]])
    else:
        assert out.count(b'"error":{') == 1
        assert out.index("grüß".encode()) < out.index(b"busy")


@ways
def test_a_stream_that_broke_is_followed_by_an_error_event(caller: Dialect, provider: Dialect) -> None:
    way = crossing(caller, provider)
    out = way.piece(b"".join(STREAMS[provider][:4]) + b'data: {"torn')
    broken = UpstreamError(UpstreamFault.BROKEN, "cut")
    last = way.last_words(broken, "pm_1")
    assert b"torn" not in out
    assert out.endswith(b"\n\n")
    assert last.startswith(b"event: error\n" if caller is ANTHROPIC_MESSAGES else b'data: {"error"')
    assert last.endswith(b"\n\n")


def test_a_broken_stream_of_responses_ends_with_what_was_said_and_counts_on() -> None:
    body = {"model": "auto", "input": "Hi", "stream": True}
    request = OPENAI_RESPONSES.decode_request(read_envelope(json.dumps(body).encode()))
    way = Translated(OPENAI_RESPONSES, OPENAI_CHAT, request, CARD, CONTEXT, SealMemory())
    said = b"".join(way.piece(event) for event in STREAMS[OPENAI_CHAT][:3])
    broken = UpstreamError(UpstreamFault.BROKEN, "it broke")
    lines = (said + way.last_words(broken, "pm_1")).split(b"\n")
    *before, last = [json.loads(line[6:]) for line in lines if line.startswith(b"data: {")]
    assert last["type"] == "response.failed"
    assert last["sequence_number"] > max(event["sequence_number"] for event in before)
    assert (last["response"]["model"], last["response"]["created_at"]) == ("id-1", 1_700_000_000)
    assert last["response"]["error"]["message"].endswith("it broke")


def test_an_error_event_stands_in_place_of_data_nobody_can_read() -> None:
    way = crossing(OPENAI_CHAT, OPENAI_CHAT)
    assert way.piece(chat_event({"content": "a"}))
    with pytest.raises(UpstreamError) as caught:
        way.piece(b'data: {"usage": what?\n\n')
    assert caught.value.fault is UpstreamFault.BAD_REPLY
    assert way.last_words(caught.value, "pm_1").startswith(b'data: {"error"')


def test_a_translated_stream_that_breaks_behind_its_end_has_its_end() -> None:
    way = crossing(OPENAI_CHAT, ANTHROPIC_MESSAGES)
    assert way.piece(b"".join(STREAMS[ANTHROPIC_MESSAGES])).endswith(b"data: [DONE]\n\n")
    assert way.last_words(UpstreamError(UpstreamFault.BROKEN, "cut"), "pm_1") == b""


@ways
def test_a_stream_cut_short_is_never_whole(caller: Dialect, provider: Dialect) -> None:
    """At every event, with and without the blank line behind the last."""
    events = STREAMS[provider]
    finish = next(
        place
        for place, event in enumerate(events)
        if b'"finish_reason": "' in event or b'"type": "message_stop"' in event
    )
    for came in range(finish):
        for stream in (b"".join(events[:came]), b"".join(events[:came]).removesuffix(b"\n\n")):
            with pytest.raises(UpstreamError) as caught:
                relayed(crossing(caller, provider), [stream])
            assert caught.value.fault is UpstreamFault.BROKEN


@pytest.mark.parametrize(("n", "is_whole"), [(2, False), (1, True), (None, True), ("two", True), (-1, True)])
def test_a_stream_of_two_answers_ends_with_both(n: object, is_whole: bool) -> None:
    def event(index: int, text: str, finish: str | None = None) -> bytes:
        choice = {"index": index, "delta": {"content": text}, "finish_reason": finish}
        return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"

    way = crossing(OPENAI_CHAT, OPENAI_CHAT, n=n)
    way.piece(event(0, "a") + event(1, "b") + event(0, "", "stop"))
    assert way.is_finished is is_whole
    if not is_whole:
        with pytest.raises(UpstreamError):
            way.end()
    for last in (event(1, "", "stop"), b"data: [DONE]\n\n"):
        way = crossing(OPENAI_CHAT, OPENAI_CHAT, n=n)
        assert way.piece(event(0, "", "stop") + last)
        assert way.end() == b""


@ways
def test_usage_is_known_as_far_as_the_stream_came(caller: Dialect, provider: Dialect) -> None:
    way = crossing(caller, provider)
    assert way.usage is None
    if provider is OPENAI_CHAT:
        way.piece(chat_event({"content": "a"}, usage=CHAT_USAGE))
        assert counts(way.usage) == (30, 7, 10)
    else:
        way.piece(b"".join(STREAMS[provider][:3]))
        assert counts(way.usage) == (30, None, 10)  # what message_start guesses is no count


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_the_body_is_the_callers_own(dialect: Dialect) -> None:
    body = b'{ "messages":[{"role":"user","content":"Hi"}],\n"max_tokens":9, "model":"id-1","x":1.50}'
    assert SameDialect(dialect, read_envelope(body), CARD, CONTEXT).body is body
    routed = body.replace(b"id-1", b"auto")
    assert SameDialect(dialect, read_envelope(routed), CARD, CONTEXT).body == body


@given(
    st.lists(
        st.binary(max_size=12) | st.sampled_from([b"data: ", b"\n\n", b"{}", b"[", b"<", b" "]), max_size=8
    )
)
def test_no_bytes_crash_a_crossing(pieces: list[bytes]) -> None:
    for caller in DIALECTS:
        for provider in DIALECTS:
            with suppress(UpstreamError):
                relayed(crossing(caller, provider), pieces)


def test_usage_nobody_asked_for_is_held_back_from_the_very_end_too() -> None:
    """A stream that ends without [DONE], and without the blank line behind its last event."""
    body = b'{"model":"auto","messages":[{"role":"user","content":"Hi"}],"stream":true}'
    way = SameDialect(OPENAI_CHAT, read_envelope(body), CARD, CONTEXT, tell_usage=True)
    assert json.loads(way.body)["stream_options"] == {"include_usage": True}
    *events, usage, _ = chat_stream("Hi")
    stream = b"".join(events)
    assert b"".join(relayed(way, [stream + usage.removesuffix(b"\n\n")])) == stream
    assert way.usage == TOLD


@pytest.mark.parametrize("arguments", ['{"city": "K', "[1]", '{"a":1}{"b":2}', "null"])
@pytest.mark.parametrize("caller", [ANTHROPIC_MESSAGES, GEMINI], ids=lambda dialect: dialect.name)
def test_a_call_that_is_not_whole_ends_a_stream_with_an_error(caller: Dialect, arguments: str) -> None:
    """Neither without a word nor with a success: its caller could not make the call."""
    body: dict[str, Any] = {"model": "auto", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}
    address = None
    if caller is GEMINI:
        body, address = (
            {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]},
            Address("auto", stream=True),
        )
    envelope = read_envelope(json.dumps({**body, "stream": True}).encode(), address)
    context = CONTEXT._replace(envelope=envelope)
    way = Translated(caller, OPENAI_CHAT, caller.decode_request(envelope), CARD, context, SealMemory())
    begun = {
        "index": 0,
        "id": "call_1",
        "type": "function",
        "function": {"name": "f", "arguments": arguments},
    }
    pieces = [
        chat_event({"content": "Look: "}),
        chat_event({"tool_calls": [begun]}),
        chat_event({}, "tool_calls") + b"data: [DONE]\n\n",
    ]
    out: list[bytes] = []
    with pytest.raises(UpstreamError) as caught:
        out.extend(way.piece(piece) for piece in pieces)
    assert caught.value.fault is UpstreamFault.BAD_REPLY
    assert not way.is_finished
    said = b"".join(out) + way.last_words(caught.value, "pm_1")
    assert said.count(b'"error"') >= 1
    assert said.rstrip().endswith(b"}")
    assert b"message_stop" not in said
    assert b"finishReason" not in said
