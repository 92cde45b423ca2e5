"""JSON that is read field by field as raw bytes: the words that every reader of it shares. It reads nothing itself."""

import msgspec

NOTHING = msgspec.Raw()
"""The default of a raw field: no bytes at all, which no JSON value has."""

NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding raises for bytes that are not JSON or not of the expected types."""
