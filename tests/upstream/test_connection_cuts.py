"""However the network cuts an answer into segments, it is the same answer; cut off early, it is never whole."""

import gzip
import itertools
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.core.errors import UpstreamError, UpstreamFault
from pointsman.core.ports import Deadlines, Outgoing
from pointsman.testing import FakeUpstream
from pointsman.upstream.client import Client

HEAD = b"HTTP/1.1 200 OK\r\nx-request-id: 7\r\n"
EVENTS = b"".join(b"data: %d\n\n" % number for number in range(6))
INTERIM = b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"


def with_length(body: bytes, headers: bytes = b"") -> bytes:
    return HEAD + headers + b"content-length: %d\r\n\r\n" % len(body) + body


def chunked(pieces: list[bytes], headers: bytes = b"", trailer: bytes = b"") -> bytes:
    framed = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces if piece)
    return HEAD + headers + b"transfer-encoding: chunked\r\n\r\n" + framed + b"0\r\n" + trailer + b"\r\n"


ANSWERS = {
    "length": with_length(EVENTS),
    "chunked": chunked([EVENTS[:10], EVENTS[10:11], EVENTS[11:]]),
    "trailer": chunked([EVENTS], trailer=b"x-trailer: 1\r\n"),
    "interim": INTERIM + with_length(EVENTS),
    "gzip": with_length(gzip.compress(EVENTS), b"content-encoding: gzip\r\n"),
    "gzip-members": chunked(
        [gzip.compress(EVENTS[:20]), gzip.compress(EVENTS[20:])], b"content-encoding: gzip\r\n"
    ),
    "deflate": with_length(zlib.compress(EVENTS), b"content-encoding: deflate\r\n"),
}


async def answer_of(client: Client, upstream: FakeUpstream) -> tuple[int, bytes]:
    response = await client.send(Outgoing(f"{upstream.base_url}/x", (), b"{}", Deadlines()))
    assert list(response.headers) == [(b"x-request-id", b"7")]
    delivered: list[bytes] = []
    await response.pump(delivered.append)
    return response.status, b"".join(delivered)


@pytest.mark.parametrize("kind", ANSWERS)
async def test_cut_in_two_at_every_byte_is_the_same_answer(client, upstream, kind):
    answer = ANSWERS[kind]
    for position in range(1, len(answer)):
        upstream.answer(raw=[answer[:position], answer[position:]])
        assert await answer_of(client, upstream) == (200, EVENTS)
    assert upstream.connections_opened == 1


@pytest.mark.parametrize("kind", ANSWERS)
async def test_byte_by_byte_is_the_same_answer(client, upstream, kind):
    answer = ANSWERS[kind]
    upstream.answer(raw=[answer[position : position + 1] for position in range(len(answer))])
    assert await answer_of(client, upstream) == (200, EVENTS)


async def test_close_delimited_cut_in_two_at_every_byte_is_the_same_answer(client, upstream):
    answer = HEAD + b"\r\n" + EVENTS
    for position in range(1, len(answer)):
        upstream.answer(raw=[answer[:position], answer[position:]], ending="close")
        assert await answer_of(client, upstream) == (200, EVENTS)


@pytest.mark.parametrize("kind", ANSWERS)
async def test_cut_off_at_any_byte_is_never_whole(client, upstream, kind):
    answer = ANSWERS[kind]
    for position in range(len(answer)):
        upstream.answer(raw=answer[:position], ending="close")
        with pytest.raises(UpstreamError) as caught:
            await answer_of(client, upstream)
        expected = UpstreamFault.BROKEN if position else UpstreamFault.UNREACHABLE
        assert caught.value.fault is expected


@settings(max_examples=30, deadline=None)
@given(
    pieces=st.lists(st.binary(min_size=1, max_size=40), max_size=6),
    cuts=st.lists(st.integers(0, 400), max_size=8),
    is_gzip=st.booleans(),
)
async def test_any_body_in_any_segments_arrives(pieces, cuts, is_gzip):
    body = b"".join(pieces)
    compressed = with_length(gzip.compress(body), b"content-encoding: gzip\r\n")
    answer = compressed if is_gzip else chunked(pieces)
    edges = sorted({0, *(min(cut, len(answer)) for cut in cuts), len(answer)})
    client = Client()
    async with FakeUpstream() as upstream:
        upstream.answer(raw=[answer[start:end] for start, end in itertools.pairwise(edges)])
        assert await answer_of(client, upstream) == (200, body)
        await client.close()
