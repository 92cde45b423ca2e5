"""Reads single fields of a Gemini body, in camelCase or snake_case: clients mix both within one object. It words what
is wrong with them as Google does and knows no field by name."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar

import msgspec

from pointsman.core.errors import BadRequest

T = TypeVar("T")

Fields = Mapping[str, msgspec.Raw]
"""An object's fields that are there and not null, under their names in camelCase."""

_LOCATED = re.compile(r"(.*) - at `\$([^`]*)`", re.DOTALL)
_as_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_as_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_as_any = msgspec.json.Decoder(Any).decode

as_string = msgspec.json.Decoder(str).decode
as_strings = msgspec.json.Decoder(tuple[str, ...]).decode
as_number = msgspec.json.Decoder(float).decode
as_flag = msgspec.json.Decoder(bool).decode
as_object = msgspec.json.Decoder(dict[str, Any]).decode
_as_count = msgspec.json.Decoder(int | float | str).decode


def as_count(raw: msgspec.Raw) -> int:
    """An integer, which Google's JSON may write as a string or as 40.0."""
    value = _as_count(raw)
    try:
        return int(value)
    except (ValueError, OverflowError):
        raise msgspec.ValidationError("Expected `int`") from None


_NAME_CHARS_MAX = 64
"""Callers write the names: long ones are no fields, and are not kept in a cache."""


def camel(name: str) -> str:
    """`function_call` as `functionCall`; a name that is camel already stays."""
    return _camel(name) if "_" in name and len(name) < _NAME_CHARS_MAX else name


@lru_cache(maxsize=1024)
def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(other[:1].upper() + other[1:] for other in others) if first else name


_NULL = msgspec.Raw(b"null")


def camelled(fields: Mapping[str, msgspec.Raw]) -> Fields:
    for name, raw in fields.items():
        if "_" in name or raw == _NULL:
            return {camel(name): raw for name, raw in fields.items() if raw != _NULL}
    return fields  # nearly all are, and there are thousands in a long conversation


def read(decode: Callable[[msgspec.Raw], T], raw: msgspec.Raw, path: str) -> T:
    """`raw` as what `decode` makes of it. Raises BadRequest naming the place."""
    try:
        return decode(raw)
    except msgspec.ValidationError as error:
        located = _LOCATED.fullmatch(str(error))
        raise wrong(*((path + located[2], located[1]) if located else (path, str(error)))) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise wrong(path, f"not valid JSON: {error}") from None
    except RecursionError:
        raise wrong(path, "nested too deeply") from None


def read_value(raw: msgspec.Raw, path: str) -> Any:
    """Whatever it is. JSON can write numbers that no float or integer here holds; those are refused."""
    return read(_as_any, raw, path)


def read_fields(raw: msgspec.Raw, path: str) -> Fields:
    return camelled(read(_as_fields, raw, path))


def read_list(raw: msgspec.Raw, path: str) -> Sequence[msgspec.Raw]:
    """A list; one object stands for a list of one, as Google's own reader takes it."""
    if begins(raw) == b"{":
        return (raw,)
    return read(_as_list, raw, path)


def begins(raw: msgspec.Raw) -> bytes:
    """The first byte of the value: what kind of value it is."""
    return bytes(memoryview(raw)[:1])


def wrong(path: str, why: str) -> BadRequest:
    return BadRequest(f"Invalid value at '{path}': {why}", param=path)


def enum_word(value: Any, numbered: Sequence[str] = ()) -> str:
    """An enum's value in capitals. Some serialisers write its number instead."""
    if isinstance(value, str):
        return value.upper()
    if isinstance(value, int) and 0 <= value < len(numbered):
        return numbered[value]
    return str(value)


def compact(raw: msgspec.Raw) -> str:
    """JSON text without the space between its tokens; numbers and strings stay as they were written."""
    text = bytes(raw)
    if b" " in text or b"\n" in text:
        text = msgspec.json.format(text, indent=-1)
    return text.decode()
