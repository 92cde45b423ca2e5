import gzip
import itertools
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.errors import UpstreamError, UpstreamFault
from pointsman.upstream.content_encoding import inflater_for


def bare_deflate(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return stream.compress(data) + stream.flush()


ENCODERS = {
    b"gzip": gzip.compress,
    b"x-gzip": gzip.compress,
    b"GZIP ": gzip.compress,
    b"deflate": zlib.compress,
    b"Deflate": bare_deflate,
}


def inflate(encoding: bytes, pieces: list[bytes], bytes_max: int = 65536) -> tuple[bytes, bool]:
    inflater = inflater_for(encoding)
    assert inflater is not None
    decoded = []
    for piece in pieces:
        inflater.feed(piece)
        while taken := inflater.take(bytes_max):
            assert len(taken) <= bytes_max
            decoded.append(taken)
    return b"".join(decoded), inflater.is_whole()


@pytest.mark.parametrize("encoding", sorted(ENCODERS))
@given(
    data=st.binary(max_size=300), cuts=st.lists(st.integers(0, 400), max_size=6), bytes_max=st.integers(1, 99)
)
def test_cutting_anywhere_decodes_the_same(encoding, data, cuts, bytes_max):
    encoded = ENCODERS[encoding](data)
    edges = [0, *sorted(min(cut, len(encoded)) for cut in cuts), len(encoded)]
    pieces = [encoded[start:end] for start, end in itertools.pairwise(edges)]
    assert inflate(encoding, pieces, bytes_max) == (data, True)


@given(st.lists(st.binary(max_size=50), max_size=4), st.integers(1, 30))
def test_gzip_members_are_joined(members, size):
    encoded = b"".join(gzip.compress(member) for member in members)
    pieces = [encoded[start : start + size] for start in range(0, len(encoded), size)]
    assert inflate(b"gzip", pieces) == (b"".join(members), True)


@pytest.mark.parametrize("encoding", [b"gzip", b"deflate"])
def test_cut_short_is_not_whole(encoding):
    encoded = ENCODERS[encoding](b"abc" * 100)
    for length in range(1, len(encoded)):
        assert inflate(encoding, [encoded[:length]])[1] is False


def test_nothing_at_all_is_whole():
    assert inflate(b"gzip", []) == (b"", True)


def test_bomb_unfolds_only_as_far_as_asked():
    inflater = inflater_for(b"gzip")
    assert inflater is not None
    inflater.feed(gzip.compress(bytes(50_000_000)))
    assert [len(inflater.take(1000)) for _ in range(3)] == [1000, 1000, 1000]


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        (b"gzip", b"not gzip at all"),
        (b"gzip", gzip.compress(b"a", mtime=0) + b"garbage"),
        (b"gzip", gzip.compress(b"a", mtime=0)[:-8] + bytes(8)),
        (b"deflate", b"\xff\xff\xff"),
        (b"deflate", zlib.compress(b"a") + b"more"),
    ],
)
def test_broken_compression_is_a_bad_reply(encoding, data):
    with pytest.raises(UpstreamError) as caught:
        inflate(encoding, [data])
    assert caught.value.fault is UpstreamFault.BAD_REPLY


@pytest.mark.parametrize("encoding", [b"br", b"zstd", b"gzip, gzip", b"compress"])
def test_unknown_encoding_is_a_bad_reply(encoding):
    with pytest.raises(UpstreamError, match="content encoding") as caught:
        inflater_for(encoding)
    assert caught.value.fault is UpstreamFault.BAD_REPLY


@pytest.mark.parametrize("encoding", [b"", b"identity", b" Identity"])
def test_identity_needs_no_inflater(encoding):
    assert inflater_for(encoding) is None
