"""Asking for usage in a stream whose caller has not asked, and keeping it from the caller."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.model_card import ModelCard
from pointsman.wire.envelope import Envelope, read_envelope
from pointsman.wire.openai_chat import OPENAI_CHAT
from pointsman.wire.sse import EventSplitter

USAGE = b'{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}'
FIRST = b'data: {"choices":[{"index":0,"delta":{"content":"a"}}],"usage":null}'
LAST = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null}'
ONLY_USAGE = b'data: {"id":"c1","choices":[],"usage":' + USAGE + b"}"
DONE = b"data: [DONE]"


def envelope(more: bytes = b"") -> Envelope:
    return read_envelope(b'{"model":"m","stream":true' + more + b"}")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            b'{"model":"m","stream":true}',
            b'{"model":"n","stream":true,"stream_options":{"include_usage":true}}',
        ),
        (
            b' {\n "stream" : true ,\t"model":"m" }\r\n',
            b' {\n "stream" : true ,\t"model":"n" ,"stream_options":{"include_usage":true}}\r\n',
        ),
        (
            b'{"stream_options":null,"model":"m","stream":true}',
            b'{"stream_options":{"include_usage":true},"model":"n","stream":true}',
        ),
        (
            b'{"stream_options":{},"model":"m","stream":true}',
            b'{"stream_options":{"include_usage":true},"model":"n","stream":true}',
        ),
        (
            b'{"stream_options": { "x" : 1.50 } ,"model":"m","stream":true}',
            b'{"stream_options": { "x" : 1.50 ,"include_usage":true} ,"model":"n","stream":true}',
        ),
        (
            b'{"model":"m","stream":true,"stream_options":{"include_usage": false ,"x":[1]}}',
            b'{"model":"n","stream":true,"stream_options":{"include_usage": true ,"x":[1]}}',
        ),
        (
            b'{"model":"m","stream":true,"stream_options":{"include_usage":null}}',
            b'{"model":"n","stream":true,"stream_options":{"include_usage":true}}',
        ),
        (
            b'{"a":{"stream_options":{}},"model":"m","stream":true}',
            b'{"a":{"stream_options":{}},"model":"n","stream":true,"stream_options":{"include_usage":true}}',
        ),
    ],
)
def test_the_option_is_put_in_and_every_other_byte_stays(before: bytes, after: bytes) -> None:
    forwarded = OPENAI_CHAT.forwarded(read_envelope(before), ModelCard("n", "openai", "n"), tell_usage=True)
    assert forwarded.body == after
    assert forwarded.relay is not None
    assert json.loads(after)["stream_options"]["include_usage"] is True


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"m","stream":true,"stream_options":{"include_usage":true}}',
        b'{"model":"m","stream":true,"stream_options":{"x":1,"include_usage" : true}}',
        # not for us to repair
        b'{"model":"m","stream":true,"stream_options":"yes"}',
        b'{"model":"m","stream":true,"stream_options":[]}',
        b'{"model":"m","stream":true,"stream_options":{"include_usage":"yes"}}',
        b'{"model":"m","stream":true,"stream_options":{"include_usage":1}}',
        # no stream
        b'{"model":"m"}',
        b'{"model":"m","stream":false,"stream_options":{}}',
    ],
)
def test_a_request_that_needs_no_option_is_left_alone(body: bytes) -> None:
    forwarded = OPENAI_CHAT.forwarded(read_envelope(body), ModelCard("m", "openai", "m"), tell_usage=True)
    assert forwarded.body is body
    assert forwarded.relay is None


def test_nothing_is_put_in_unless_it_is_asked_for() -> None:
    asked = envelope()
    assert OPENAI_CHAT.forwarded(asked, ModelCard("m", "openai", "m")) == (asked.body, None)


@pytest.mark.parametrize(
    ("options", "wants"),
    [
        (b"", False),
        (b',"stream_options":null', False),
        (b',"stream_options":{}', False),
        (b',"stream_options":{"include_usage":false}', False),
        (b',"stream_options":{"include_usage":true}', True),
        (b',"stream_options":7', False),
        (b',"stream_options":{"include_usage":"yes"}', False),
    ],
)
def test_it_is_known_who_wants_usage(options: bytes, wants: bool) -> None:
    assert OPENAI_CHAT.wants_stream_usage(envelope(options)) is wants


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)


@given(
    st.dictionaries(st.text(max_size=5), values, max_size=4),
    st.none() | st.dictionaries(st.text(max_size=3) | st.just("include_usage"), values, max_size=3),
    st.sampled_from([None, 1]),
    st.booleans(),
)
def test_any_request_means_the_same_with_the_option(fields, options, indent, escape) -> None:
    body = {**fields, "model": "m", "stream": True}
    if options is not None:
        body["stream_options"] = options
    text = json.dumps(body, indent=indent, ensure_ascii=escape).encode()
    forwarded = OPENAI_CHAT.forwarded(read_envelope(text), ModelCard("m", "openai", "m"), tell_usage=True)
    asked = (options or {}).get("include_usage")
    if asked is None or asked is False:
        expected = {**body, "stream_options": {**(options or {}), "include_usage": True}}
        assert json.loads(forwarded.body) == expected
    else:
        assert (forwarded.body, forwarded.relay) == (text, None)


# The way back


def withheld(stream: bytes, cuts: list[int]) -> bytes:
    """The stream as a caller gets it, however it was cut on its way here."""
    relay = OPENAI_CHAT.forwarded(envelope(), ModelCard("m", "openai", "m"), tell_usage=True).relay
    assert relay is not None
    splitter = EventSplitter()
    out = b""
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        out += relay.feed(splitter.split(stream[start:end]))
    return out + relay.feed(splitter.rest())


@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n", b"\r\r"])
def test_only_the_usage_event_is_withheld_wherever_the_stream_is_cut(end: bytes) -> None:
    events = [b": hello", FIRST, b"event: x\ndata: {}", LAST, ONLY_USAGE, DONE]
    stream = b"".join(event + end for event in events)
    expected = b"".join(event + end for event in events if event is not ONLY_USAGE)
    for cut in range(len(stream) + 1):
        assert withheld(stream, [cut]) == expected
    assert withheld(stream, list(range(1, len(stream)))) == expected


@pytest.mark.parametrize(
    "stream", [ONLY_USAGE + b"\n\n", ONLY_USAGE + b"\n", ONLY_USAGE, b"\xef\xbb\xbf" + ONLY_USAGE]
)
def test_usage_is_withheld_at_the_ends_of_a_stream_too(stream: bytes) -> None:
    assert withheld(stream, []) == b""
    assert withheld(stream + (b"\n\n" + DONE), []).strip() == DONE


@pytest.mark.parametrize(
    "event",
    [
        FIRST,
        DONE,
        b'data: {"choices":[],"usage":null}',
        b'data: {"choices":[],"prompt_filter_results":[],"usage": null}',
        b'data: {"choices":[{"index":0,"delta":{}}],"usage":' + USAGE + b"}",
        b'data: {"usage":' + USAGE + b"}",
        b'data: {"choices":null,"usage":' + USAGE + b"}",
        b'data: {"choices":[],"usage":{',
        b'data: {"choices":"\\"usage\\":1"}',
        b'data: {"choices":[{"delta":{"content":"\\"choices\\":[],\\"usage\\":{}"}}],"usage":0}',
        b': a comment with "usage": {} in it',
        b'data: \xff "usage":1',
    ],
)
def test_every_other_event_is_passed_on(event: bytes) -> None:
    stream = FIRST + b"\n\n" + event + b"\n\n" + DONE + b"\n\n"
    assert withheld(stream, []) == stream


@given(
    st.lists(
        st.sampled_from([FIRST, LAST, ONLY_USAGE, DONE, b": wait", b"event: ping\ndata: {}", b""]), max_size=8
    ),
    st.data(),
)
def test_any_stream_loses_nothing_but_usage(events: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(event + b"\n\n" for event in events)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=5)))
    assert withheld(stream, cuts) == b"".join(event + b"\n\n" for event in events if event is not ONLY_USAGE)
