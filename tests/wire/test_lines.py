"""A stream of one JSON value per line, cut anywhere on its way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.errors import UpstreamError, UpstreamFault
from pointsman.wire.lines import LineSplitter
from pointsman.wire.sse import EVENT_BYTES_MAX

lines = st.lists(st.binary(max_size=20).map(lambda line: line.replace(b"\n", b"") + b"\n"), max_size=6)


@given(
    lines,
    st.binary(max_size=8).filter(lambda rest: b"\n" not in rest),
    st.lists(st.integers(0, 200), max_size=6),
)
def test_only_whole_lines_come_out_and_nothing_is_lost(
    whole: list[bytes], rest: bytes, cuts: list[int]
) -> None:
    stream = b"".join(whole) + rest
    ends = sorted(cut % (len(stream) + 1) for cut in cuts)
    splitter = LineSplitter()
    blocks = [splitter.split(stream[a:b]) for a, b in zip([0, *ends], [*ends, len(stream)], strict=True)]
    assert b"".join(blocks) == b"".join(whole)
    assert all(block == b"" or block.endswith(b"\n") for block in blocks)
    assert splitter.rest() == rest
    assert splitter.rest() == b""


def test_a_line_without_end_is_no_stream() -> None:
    splitter = LineSplitter()
    half = b"x" * (EVENT_BYTES_MAX // 2)
    assert splitter.split(half) == splitter.split(half) == b""
    with pytest.raises(UpstreamError) as caught:
        splitter.split(b"x")
    assert caught.value.fault is UpstreamFault.BAD_REPLY
