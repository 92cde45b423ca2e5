"""Server-sent events against the grammar of the standard, read a second time in the plainest way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.errors import UpstreamError, UpstreamFault
from pointsman.wire import sse
from pointsman.wire.sse import ServerSentEvent, SseReader, frame


def read_whole(stream: bytes) -> list[ServerSentEvent]:
    """The standard's algorithm, line by line, on a stream that is there as a whole."""
    lines = stream.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    events, name, data = [], "", None
    for line in [*lines, b""]:
        if not line:
            if data is not None:
                events.append(ServerSentEvent(name, data))
            name, data = "", None
            continue
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            data = value if data is None else data + b"\n" + value
        elif field == b"event":
            name = value.strip().decode("utf-8", "replace")
    return events


def read_in_pieces(pieces: list[bytes]) -> list[ServerSentEvent]:
    reader = SseReader()
    events = [event for piece in pieces for event in reader.feed(piece)]
    return events + reader.finish()


line_ends = st.sampled_from([b"\n", b"\r\n", b"\r"])
lines = st.one_of(
    st.just(b""),
    st.sampled_from([b"data", b"data:", b"data: ", b": comment", b"event: error", b"id: 7", b"retry: 1"]),
    st.text(max_size=12).map(lambda text: b"data: " + text.replace("\r", "").replace("\n", "").encode()),
    st.binary(max_size=8).map(lambda junk: junk.replace(b"\r", b"").replace(b"\n", b"")),
)
streams = st.lists(st.tuples(lines, line_ends), max_size=20).map(
    lambda pairs: b"".join(line + end for line, end in pairs)
)


@given(streams, st.booleans(), st.data())
def test_any_stream_cut_anywhere_gives_the_events_of_the_standard(stream, has_mark, data):
    stream = b"\xef\xbb\xbf" + stream if has_mark else stream
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert read_in_pieces(pieces) == read_whole(stream)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_stream_cut_at_every_byte_gives_the_same_events(end, mark):
    stream = mark + end.join(
        [
            b"event: error",
            'data: {"text":"grüße 🎉"}'.encode(),
            b"",
            b": comment",
            b"",
            b"data: a",
            b"data: b",
            b"",
            b"data: last",
        ]
    )
    expected = [
        ServerSentEvent("error", '{"text":"grüße 🎉"}'.encode()),
        ServerSentEvent("", b"a\nb"),
        ServerSentEvent("", b"last"),
    ]
    assert read_in_pieces([stream[i : i + 1] for i in range(len(stream))]) == expected
    for cut in range(len(stream) + 1):
        assert read_in_pieces([stream[:cut], stream[cut:]]) == expected


def test_an_event_is_delivered_as_soon_as_its_blank_line_is_there():
    reader = SseReader()
    assert reader.feed(b"data: a\n") == []
    assert reader.feed(b"\n") == [ServerSentEvent("", b"a")]
    assert reader.feed(b"data: b\r\n\r") == [ServerSentEvent("", b"b")]
    assert reader.feed(b"\ndata: c\n\ndata: d\n\nda") == [
        ServerSentEvent("", b"c"),
        ServerSentEvent("", b"d"),
    ]
    assert bytes(reader.pending) == b"da"


def test_comments_alone_are_no_events():
    assert read_in_pieces([b": OPENROUTER PROCESSING\n\n", b": keepalive\r\n\r\n"]) == []


def test_an_event_without_its_blank_line_is_delivered_at_the_end():
    reader = SseReader()
    assert reader.feed(b"data: [DONE] \n") == []
    assert reader.finish() == [ServerSentEvent("", b"[DONE] ")]
    assert reader.finish() == []


def test_a_name_belongs_to_one_event_only():
    events = read_in_pieces([b"event: a\ndata: 1\n\ndata: 2\n\nevent: lost\n\ndata: 3\n\n"])
    assert [event.name for event in events] == ["a", "", ""]


def test_a_byte_order_mark_later_in_the_stream_is_kept():
    assert read_in_pieces([b"data: a\n\n", b"data: \xef\xbb\xbfb\n\n"])[1].data == b"\xef\xbb\xbfb"


def test_an_event_that_never_ends_is_refused():
    reader = SseReader()
    piece = b"x" * (sse.EVENT_BYTES_MAX // 4)
    reader.feed(b"data: ")
    for _ in range(3):
        reader.feed(piece)
    with pytest.raises(UpstreamError) as caught:
        reader.feed(piece)
    assert caught.value.fault is UpstreamFault.BAD_REPLY


def test_a_huge_event_in_many_pieces_arrives_whole():
    reader = SseReader()
    pieces = [b"y" * 1000] * 5000
    assert [event for piece in [b"data: ", *pieces] for event in reader.feed(piece)] == []
    (event,) = reader.feed(b"\n\n")
    assert len(event.data) == 5_000_000


@given(
    st.text().map(lambda text: text.replace("\r", "").replace("\n", "").encode()),
    st.sampled_from(["", "ping"]),
)
def test_a_framed_event_is_read_back(data, name):
    assert read_in_pieces([frame(data, name)]) == [ServerSentEvent(name, data)]


@given(streams, st.data())
def test_a_splitter_loses_no_byte_and_cuts_between_events(stream, data):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    splitter = sse.EventSplitter()
    blocks = [splitter.split(stream[a:b]) for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    rest = splitter.rest()
    assert b"".join(blocks) + rest == stream
    assert splitter.rest() == b""
    alone = [event for block in (*blocks, rest) for event in read_whole(block)]
    assert alone == read_whole(stream)


@given(streams)
def test_raw_events_are_the_bytes_they_were(stream):
    raw = sse.raw_events(stream)
    assert b"".join(raw) == stream
    assert all(raw)
    assert [event for each in raw for event in read_whole(each)] == read_whole(stream)
    assert all(len(read_whole(each)) <= 1 for each in raw)


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\r"])
def test_an_event_that_may_be_whole_is_told_before_its_end(end: bytes) -> None:
    reader = SseReader()
    assert [event.data for event in reader.feed(b'data: {"a":1}\n\nevent: b\ndata: {"b":')] == [b'{"a":1}']
    assert reader.cut_events() == []
    assert reader.feed(b"2}" + end) == []
    told = reader.cut_events()
    assert told == [ServerSentEvent("b", b'{"b":2}')]
    assert reader.finish() == told
