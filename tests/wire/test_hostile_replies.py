"""Replies that no honest provider sends. What each of them once did to a decoder or encoder is in the name of its
test."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.errors import UpstreamError, UpstreamFault
from pointsman.core.events import (
    CitationAdded,
    Failed,
    Finished,
    ReplyEvent,
    ReplyStarted,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
    fold,
)
from pointsman.core.request import Citation
from pointsman.wire.anthropic_messages import ANTHROPIC_MESSAGES
from pointsman.wire.dialect import ProviderDialect, ReplyContext
from pointsman.wire.gemini import GEMINI
from pointsman.wire.gemini.places import Places
from pointsman.wire.ollama import OLLAMA
from pointsman.wire.openai_chat import OPENAI_CHAT
from pointsman.wire.openai_responses import OPENAI_RESPONSES

CONTEXT = ReplyContext("pm_1", "m", 1_700_000_000)
STREAMS: dict[str, tuple[ProviderDialect, bytes, bytes]] = {
    "openai-chat": (OPENAI_CHAT, b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n', b"data: }\n\n"),
    "openai-responses": (OPENAI_RESPONSES, b'data: {"type":"response.output_text.delta","delta":"a"}\n\n', b"data: }\n\n"),
    "anthropic-messages": (ANTHROPIC_MESSAGES, b'data: {"type":"message_start","message":{"id":"a","model":"m"}}\n\n', b"data: }\n\n"),
    "gemini": (GEMINI, b'data: {"candidates":[{"content":{"parts":[{"text":"a"}]}}]}\n\n', b"data: }\n\n"),
    "ollama": (OLLAMA, b'{"model":"m","message":{"content":"a"}}\n', b"}\n"),
}  # fmt: skip


def data(*events: Any) -> bytes:
    return b"".join(b"data: %b\n\n" % json.dumps(event).encode() for event in events)


def decoded(dialect: ProviderDialect, stream: bytes, size: int = 0) -> list[ReplyEvent]:
    """Cut into pieces of a size, 0 for none."""
    decoder = dialect.reply_decoder("here")
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)] if size else [stream]
    return [event for piece in pieces for event in decoder.feed(piece)] + decoder.finish()


def fault_of(dialect: ProviderDialect, stream: bytes) -> UpstreamFault:
    with pytest.raises(UpstreamError) as caught:
        fold(decoded(dialect, stream))
    return caught.value.fault


# errors in a stream


@pytest.mark.parametrize("name", STREAMS)
def test_what_came_before_malformed_data_is_said_wherever_the_stream_was_cut(name):
    dialect, good, bad = STREAMS[name]
    *said, last = decoded(dialect, good + bad + good)
    assert isinstance(last, Failed)
    assert last.error.fault is UpstreamFault.BAD_REPLY
    decoder = dialect.reply_decoder("here")
    assert decoder.feed(good) == said
    with pytest.raises(UpstreamError) as caught:
        decoder.feed(bad)
    assert caught.value.fault is UpstreamFault.BAD_REPLY
    assert caught.value.message == last.error.message


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_without_an_end_says_so_behind_all_it_holds(name):
    dialect, good, _ = STREAMS[name]
    events = decoded(dialect, good.rstrip())
    assert isinstance(events[-1], Failed)
    assert events[-1].error.fault is UpstreamFault.BROKEN
    assert isinstance(events[0], ReplyStarted)


def test_the_start_of_a_response_is_the_same_wherever_it_was_cut():
    stream = data(
        {"type": "response.output_text.delta", "delta": "a"},
        {"type": "response.completed", "response": {"id": "late", "model": "late"}},
    )
    whole, cut = decoded(OPENAI_RESPONSES, stream), decoded(OPENAI_RESPONSES, stream, 1)
    assert whole == cut
    assert whole[0] == ReplyStarted("", "")


@pytest.mark.parametrize(
    "event",
    [b'"type":"response.completed"}', b'"type":"error"}', b'{"type":"error","type":' + b"[" * 200, b'{"type":"error","a":1E400}', b'{"type":[],"error":{}}'],
)  # fmt: skip
def test_a_watch_reads_past_what_only_looks_like_an_end(event):
    watch = OPENAI_RESPONSES.reply_watch()
    watch.feed(b"data: " + event + b"\n\n")
    assert not watch.is_complete


# tool calls


def test_a_call_without_a_name_takes_no_number():
    nameless = {"choices": [{"delta": {"tool_calls": [{}]}}]}
    named = {"choices": [{"delta": {"tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}}]}
    events = OPENAI_CHAT.reply_decoder("here").feed(data(nameless, named))
    assert [event.index for event in events if isinstance(event, ToolCallStarted)] == [0]
    assert fault_of(OPENAI_CHAT, data(nameless, named) + b"data: [DONE]\n\n") is UpstreamFault.BAD_REPLY


def test_calls_with_an_empty_name_are_no_reply():
    line = b'{"message":{"tool_calls":[{"function":{"name":""}}]},"done":true}\n'
    assert fault_of(OLLAMA, line) is UpstreamFault.BAD_REPLY
    call = {"content": {"parts": [{"functionCall": {"name": "", "args": {}}}]}, "finishReason": "STOP"}
    assert fault_of(GEMINI, data({"candidates": [call]})) is UpstreamFault.BAD_REPLY


def test_calls_known_by_their_ids_alone_may_interleave():
    def piece(call_id: str, **function: str) -> dict[str, Any]:
        return {"choices": [{"index": 0, "delta": {"tool_calls": [{"id": call_id, "function": function}]}}]}

    stream = data(
        piece("a", name="f"), piece("b", name="g"), piece("a", arguments="{}"), piece("b", arguments="[]")
    )
    events = OPENAI_CHAT.reply_decoder("here").feed(stream)
    pieces = [event for event in events if isinstance(event, ToolCallDelta)]
    assert [(event.index, event.arguments) for event in pieces if event.arguments] == [(0, "{}"), (1, "[]")]


def test_arguments_that_are_not_utf8_are_a_bad_reply():
    body = b'{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":"\xff"}}]}}]}'
    with pytest.raises(UpstreamError):
        GEMINI.decode_reply(body, "here")
    assert fault_of(GEMINI, b"data: " + body + b"\n\n") is UpstreamFault.BAD_REPLY


def in_pieces(*pieces: dict[str, Any]) -> bytes:
    call = {"functionCall": {"name": "f", "partialArgs": list(pieces), "willContinue": True}}
    last = {"functionCall": {}}
    parts = ({"content": {"parts": [part]}} for part in (call, last))
    return data(*({"candidates": [each]} for each in (*parts, {"finishReason": "STOP"})))


@pytest.mark.parametrize("path", ["$.a[99999]", "$.a[999999999999]", "$" + ".a" * 3000, "$" + "[0]" * 3000])
def test_arguments_at_a_place_far_out_are_a_bad_reply(path):
    assert fault_of(GEMINI, in_pieces({"jsonPath": path, "numberValue": 1})) is UpstreamFault.BAD_REPLY


def test_elements_of_arguments_may_come_a_little_out_of_order():
    pieces = [{"jsonPath": f"$.a[{n}]", "numberValue": n} for n in (2, 0, 1)]
    (event,) = [event for event in decoded(GEMINI, in_pieces(*pieces)) if isinstance(event, ToolCallDelta)]
    assert json.loads(event.arguments) == {"a": [0, 1, 2]}


def test_usage_stands_before_the_end_of_a_failed_reply():
    body = b'{"candidates":[{"finishReason":"STRANGE"}],"usageMetadata":{"thoughtsTokenCount":3}}'
    try:
        events = GEMINI.decode_reply(body, "here")
    except UpstreamError:
        return
    assert isinstance(events[-1], Finished | Failed)


# probabilities of tokens


@pytest.mark.parametrize(
    "told",
    [{}, {"token": 1, "logprob": 1}, {"token": "a"}, {"token": "a", "logprob": None}, {"logprob": -1.0, "top_logprobs": "s"}],
)  # fmt: skip
def test_probabilities_that_name_no_token_are_left_out(told):
    sound = {"token": "b", "logprob": -1.0, "bytes": [98], "top_logprobs": []}
    odd = {**sound, "top_logprobs": [told, {"token": "c", "logprob": -2.0}]}
    line = {"message": {"content": "b"}, "logprobs": [told, odd], "done": True}
    chunk = {
        "choices": [
            {
                "index": 0,
                "delta": {"content": "b"},
                "logprobs": {"content": [told, odd]},
                "finish_reason": "stop",
            }
        ]
    }
    part = {"type": "output_text", "text": "b", "logprobs": [told, odd]}
    item = {"type": "message", "role": "assistant", "content": [part]}
    for events in (
        OLLAMA.decode_reply(json.dumps(line).encode(), "here"),
        decoded(OPENAI_CHAT, data(chunk) + b"data: [DONE]\n\n"),
        OPENAI_RESPONSES.decode_reply(json.dumps({"output": [item], "status": "completed"}).encode(), "here"),
    ):
        (text,) = [event for event in events if isinstance(event, TextDelta)]
        assert text.logprobs == ({**sound, "top_logprobs": [{"token": "c", "logprob": -2.0, "bytes": [99]}]},)
        written = GEMINI.encode_reply(events, CONTEXT)
        assert GEMINI.decode_reply(written, "here")


def test_blocks_with_probabilities_beside_them_keep_their_text():
    delta = {"content": [{"type": "text", "text": "a"}]}
    chunk = {"choices": [{"index": 0, "delta": delta, "logprobs": {"content": []}}]}
    assert TextDelta("a") in OPENAI_CHAT.reply_decoder("here").feed(data(chunk))


# places in a text


@given(st.lists(st.text(), max_size=8), st.integers(-2, 60))
def test_places_are_those_of_the_text_encoded_as_a_whole(pieces, place):
    places, text = Places(), "".join(pieces)
    for piece in pieces:
        places.add(piece)
    assert places.text() == text
    assert places.bytes(place) == len(text[: max(place, 0)].encode())
    assert places.characters(place) == len(text.encode()[: max(place, 0)].decode("utf-8", "ignore"))


def test_places_of_a_long_text_are_those_of_the_text():
    places, text = Places(), "aß🎉" * 500
    places.add(text)
    for place in (0, 255, 256, 257, 1000, 1499, 1500, 9999):
        assert places.bytes(place) == len(text[:place].encode())
        assert places.characters(place) == len(text.encode()[:place].decode("utf-8", "ignore"))


def test_a_text_is_not_repeated_for_each_of_its_citations():
    text = "word " * 2000
    cited = [CitationAdded(Citation(url=f"https://a/{n}", start=0, end=len(text))) for n in range(200)]
    body = GEMINI.encode_reply([ReplyStarted("r", "m"), TextDelta(text), *cited, Finished("stop")], CONTEXT)
    supports = json.loads(body)["candidates"][0]["groundingMetadata"]["groundingSupports"]
    assert len(supports) == 200
    assert all(each["segment"]["endIndex"] == len(text) for each in supports)
    assert 2 <= sum("text" in each["segment"] for each in supports) < 10
