"""JSON as bytes: what is JSON, and what of it can be mended."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.wire.json_bytes import in_whole_characters, is_json


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        (r'"a\ud83d"', r'"a\ufffd"'),
        (r'"\uDE00b"', r'"\ufffdb"'),
        (r'"\ud83d\ud83d\ude00"', r'"\ufffd\ud83d\ude00"'),
        (r'"\ud83d\ude00"', r'"\ud83d\ude00"'),
        (r'"\\ud83d"', r'"\\ud83d"'),
        (r'"\\\ud83d"', r'"\\\ufffd"'),
        (r'"\ud83dx"', r'"\ufffdx"'),
        ("{}", "{}"),
    ],
)
def test_a_half_that_stands_alone_is_replaced(text: str, mended: str) -> None:
    assert in_whole_characters(text.encode()) == mended.encode()
    assert is_json(text.encode())


@given(st.text(st.characters(), max_size=30))
def test_what_python_writes_is_json_and_means_the_same_but_for_halves(text: str) -> None:
    written = json.dumps(text).encode()
    assert is_json(written)
    expected = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    assert json.loads(in_whole_characters(written)) == expected


@pytest.mark.parametrize("text", ["", "{", '"\\u12"', '"\\ud8"', "nul"])
def test_what_is_no_json_is_none_however_it_is_mended(text: str) -> None:
    assert not is_json(text.encode())
