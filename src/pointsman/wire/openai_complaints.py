"""How OpenAI words its complaints about a request, for the dialects that are OpenAI's own: clients match on these
words. It reads no request."""

import re

import msgspec

from pointsman.core.errors import BadRequest

_EXPECTED = re.compile(r"Expected `([^`]*)`, got `([^`]*)`")
_FIELD_MISSING = re.compile(r"missing required field `([^`]*)`")
_PATH = re.compile(r" - at `\$\.?([^`]*)`")
_NAMES = {
    "str": "a string",
    "object": "an object",
    "array": "an array",
    "int": "an integer",
    "float": "a decimal",
    "number": "a number",
    "bool": "a boolean",
    "null": "null",
}


def wrong_types(error: msgspec.ValidationError, within: str = "") -> BadRequest:
    """The complaint about a value of the wrong type, naming its path. `within` is the path of what was
    decoded, where that was not the whole body."""
    words = str(error)
    path = found[1] if (found := _PATH.search(words)) else ""
    separator = "" if path.startswith("[") or not (within and path) else "."
    path = f"{within}{separator}{path}"
    if found := _FIELD_MISSING.search(words):
        return missing(f"{path}.{found[1]}" if path else found[1])
    if found := _EXPECTED.search(words):
        return wrong_type(path, found[1], found[2])
    return BadRequest(f"Invalid value for '{path}'.", param=path or None, code="invalid_value")


def wrong_type(path: str, expected: str, got: str) -> BadRequest:
    """`expected` lists kinds of JSON value, divided by " | "."""
    wanted = [_NAMES.get(kind, kind) for kind in expected.split(" | ") if kind != "null"]
    one_of = f"one of {', '.join(wanted[:-1])} or {wanted[-1]}" if len(wanted) > 1 else wanted[0]
    return BadRequest(
        f"Invalid type for '{path}': expected {one_of}, but got {_NAMES.get(got, got)} instead.",
        param=path or None,
        code="invalid_type",
    )


def wrong_value(path: str, value: str, supported: str) -> BadRequest:
    return BadRequest(
        f"Invalid value: '{value[:40]}'. Supported values are: {supported}.", param=path, code="invalid_value"
    )


def missing(path: str) -> BadRequest:
    return BadRequest(f"Missing required parameter: '{path}'.", param=path, code="missing_required_parameter")


def too_deep() -> BadRequest:
    return BadRequest("The body is nested too deeply.")
