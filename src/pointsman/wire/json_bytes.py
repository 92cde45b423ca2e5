"""JSON that is read field by field as raw bytes: the words that every reader of it shares, and whether something is JSON
at all. It gives nobody a value."""

from collections.abc import Iterable, Mapping

import msgspec

NOTHING = msgspec.Raw()
"""The default of a raw field: no bytes at all, which no JSON value has."""

NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding raises for bytes that are not JSON or not of the expected types."""

_skip = msgspec.json.Decoder(msgspec.Raw).decode


def is_json(data: bytes) -> bool:
    """Costs a microsecond for an ordinary event: nothing is built."""
    try:
        _skip(data)
    except NOT_JSON:
        return False
    return True


def bytes_of(fields: Mapping[str, msgspec.Raw], names: Iterable[str]) -> int:
    """How long the values of those of the fields are that are there."""
    size = 0
    for name in names:
        if (raw := fields.get(name)) is not None:
            size += memoryview(raw).nbytes
    return size
