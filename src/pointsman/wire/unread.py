"""Decodes a part of a request, and says what in it had no place. Requests are read by structs that know every field we
translate; nearly all of them hold nothing else, and cost nothing more. The others are read once more.
"""

from functools import lru_cache
from types import UnionType
from typing import Any, Generic, TypeVar, Union, get_args, get_origin

import msgspec

T = TypeVar("T")

_any = msgspec.json.Decoder().decode


class Reading(Generic[T]):
    """Decodes JSON as `shape`, whose structs forbid unknown fields."""

    def __init__(self, shape: Any) -> None:
        self._shape = shape
        self._strict = msgspec.json.Decoder(shape).decode

    def read(self, raw: bytes | msgspec.Raw, path: str) -> tuple[T, dict[str, Any]]:
        """The value, and the fields nobody here reads, by their paths (`messages[].content[].cache_control`). Raises
        ValidationError."""
        try:
            return self._strict(raw), {}
        except msgspec.ValidationError as error:
            if not is_about_unknown(error):
                raise
        value = _any(raw)
        unread: dict[str, Any] = {}
        take_unknown(value, self._shape, path, unread)
        return msgspec.convert(value, self._shape), unread


def is_about_unknown(error: msgspec.ValidationError) -> bool:
    return "unknown field" in str(error)


def take_unknown(value: Any, shape: Any, path: str, unread: dict[str, Any]) -> None:
    """Moves the fields that the structs of `shape` do not have from `value` to `unread`, by their paths."""
    structs, item = _within(shape)
    if isinstance(value, list) and item is not None:
        for each in value:
            take_unknown(each, item, f"{path}[]", unread)
    elif isinstance(value, dict) and structs is not None:
        fields = _fields(structs)
        for name in [name for name in value if name not in fields]:
            unknown = value.pop(name)
            if unknown not in (None, "", [], {}):
                unread[f"{path}.{name}"] = unknown
        for name, inner in value.items():
            take_unknown(inner, fields[name], f"{path}.{name}", unread)


@lru_cache(maxsize=256)
def _within(shape: Any) -> tuple[Any, Any]:
    """The struct that `shape` may be, and what the list holds that it may be."""
    options = get_args(shape) if get_origin(shape) in {Union, UnionType} else (shape,)
    struct = next(
        (each for each in options if isinstance(each, type) and issubclass(each, msgspec.Struct)), None
    )
    item = next((get_args(each)[0] for each in options if get_origin(each) is list), None)
    return struct, item


@lru_cache(maxsize=64)
def _fields(struct: Any) -> dict[str, Any]:
    return {field.encode_name: field.type for field in msgspec.structs.fields(struct)}
