"""JSON that is read field by field as raw bytes: the words that every reader of it shares, whether something is JSON at
all, and what of it can be mended. It gives nobody a value."""

import re
from collections.abc import Iterable, Mapping

import msgspec

NOTHING = msgspec.Raw()
"""The default of a raw field: no bytes at all, which no JSON value has."""

NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding raises for bytes that are not JSON or not of the expected types."""

_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|(?P<half>u[dD][89a-fA-F][\da-fA-F]{2})|.)",
    re.DOTALL,
)

_skip = msgspec.json.Decoder(msgspec.Raw).decode


def is_json(data: bytes) -> bool:
    """Costs a microsecond for an ordinary event: nothing is built. An escape of half a character is JSON by its grammar,
    and readers in most languages take it."""
    try:
        _skip(data)
    except NOT_JSON:
        mended = in_whole_characters(data)
        return mended is not data and is_json(mended)
    return True


def in_whole_characters(data: bytes) -> bytes:
    """JSON with a replacement character for each half of one that stands alone: programs that cut text by UTF-16 units
    write such, and no decoder here reads them. `data` itself where there is none."""
    mended = _ESCAPE.sub(_replaced, data)
    return data if mended == data else mended


def _replaced(escape: re.Match[bytes]) -> bytes:
    return escape[0] if escape["half"] is None else b"\\ufffd"


def bytes_of(fields: Mapping[str, msgspec.Raw], names: Iterable[str]) -> int:
    """How long the values of those of the fields are that are there."""
    size = 0
    for name in names:
        if (raw := fields.get(name)) is not None:
            size += memoryview(raw).nbytes
    return size
