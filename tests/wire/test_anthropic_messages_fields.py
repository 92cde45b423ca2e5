"""How single fields of a Messages body are read, and what is said of wrong ones."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.errors import BadRequest
from pointsman.wire.anthropic_messages.fields import compact, is_null, read

_number = msgspec.json.Decoder(float).decode
_texts = msgspec.json.Decoder(list[str]).decode


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"1e999", "top: Number out of range"),
        (b'"a"', "top: Input should be a valid number"),
        (b"1 2", "top: not valid JSON: "),
    ],
)
def test_wrong_number_is_refused(raw: bytes, message: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read(_number, msgspec.Raw(raw), "top")
    assert caught.value.message.startswith(message)
    assert caught.value.param == "top"


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(BadRequest, match="top: not valid JSON: "):
        read(_texts, msgspec.Raw(b'["\xff"]'), "top")


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(BadRequest, match="top: nested too deeply"):
        read(msgspec.json.Decoder().decode, msgspec.Raw(b"[" * 5000 + b"]" * 5000), "top")


def test_place_below_the_field_is_named() -> None:
    with pytest.raises(BadRequest) as caught:
        read(_texts, msgspec.Raw(b'["a",2]'), "stop_sequences")
    assert caught.value.message == "stop_sequences.1: Input should be a valid string"


def test_null_and_nothing_are_the_same() -> None:
    assert is_null(msgspec.Raw())
    assert is_null(msgspec.Raw(b"null"))
    assert not is_null(msgspec.Raw(b"true"))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(_JSON)
def test_compact_text_means_the_same(value: object) -> None:
    dense = msgspec.json.encode(value)
    assert compact(msgspec.json.format(dense, indent=3)) == compact(dense) == dense.decode()
