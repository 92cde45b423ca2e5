"""Reads single fields of a Messages body and words what is wrong with them as Anthropic does. It knows no
field by name."""

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec

from pointsman.core.errors import BadRequest

T = TypeVar("T")


_KINDS = {
    "str": "string",
    "int": "integer",
    "float": "number",
    "bool": "boolean",
    "array": "list",
    "object": "object",
}
_LOCATED = re.compile(r"(?P<what>.*) - at `\$(?P<where>.*)`", re.DOTALL)
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")
_MISSING = re.compile(r"Object missing required field `(.+)`")
_EXPECTED = re.compile(r"Expected `([^`]+)`")


def read(decode: Callable[[msgspec.Raw], T], raw: msgspec.Raw, path: str) -> T:
    """`raw` as what `decode` makes of it. Raises BadRequest naming the place below `path`."""
    try:
        return decode(raw)
    except msgspec.ValidationError as error:
        raise _invalid(str(error), path) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest(f"{path}: not valid JSON: {error}", param=path) from None
    except RecursionError:
        raise BadRequest(f"{path}: nested too deeply", param=path) from None


def given(fields: Mapping[str, msgspec.Raw], name: str) -> msgspec.Raw | None:
    """The field, None where it is absent or null."""
    raw = fields.get(name)
    return None if raw is None or is_null(raw) else raw


def is_null(raw: msgspec.Raw) -> bool:
    size = memoryview(raw).nbytes
    return size == 0 or (size == 4 and bytes(raw) == b"null")


def missing(path: str) -> BadRequest:
    return BadRequest(f"{path}: Field required", param=path)


def wrong(path: str, expected: str) -> BadRequest:
    return BadRequest(f"{path}: Input should be {expected}", param=path)


def compact(raw: bytes | msgspec.Raw) -> str:
    """JSON text without the space between its tokens; every number and string stays as it was written."""
    return msgspec.json.format(bytes(raw), indent=-1).decode()


def _invalid(message: str, path: str) -> BadRequest:
    located = _LOCATED.fullmatch(message)
    what, where = (located["what"], located["where"]) if located else (message, "")
    for name, index in _STEP.findall(where):
        path = f"{path}.{name or index}"
    if field := _MISSING.match(what):
        return missing(f"{path}.{field[1]}")
    if expected := _EXPECTED.match(what):
        kinds = [_KINDS.get(kind, kind) for kind in expected[1].split(" | ") if kind != "null"]
        return wrong(path, "a valid " + " or ".join(kinds))
    return BadRequest(f"{path}: {what}", param=path)
