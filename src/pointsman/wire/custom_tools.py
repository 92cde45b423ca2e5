"""Tools that take free text, as functions of one string, and back. No dialect's own words for them are known here."""

from collections.abc import Mapping
from typing import Any

import msgspec

INPUT = "input"
"""The one parameter of a function that stands for a custom tool."""

SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {INPUT: {"type": "string"}},
    "required": [INPUT],
    "additionalProperties": False,
}

_decode_input = msgspec.json.Decoder(dict[str, Any]).decode
_encode = msgspec.json.Encoder().encode


def described(description: str | None, syntax: str | None, grammar: str | None) -> str | None:
    """Nobody but OpenAI holds a model to a grammar; told of it, a model may still keep to it."""
    if not grammar:
        return description
    rule = f"The input must follow this {syntax or 'lark'} grammar:\n{grammar}"
    return f"{description}\n\n{rule}" if description else rule


def as_arguments(free_text: str) -> str:
    """The arguments of the function that stands for a custom tool."""
    return _encode({INPUT: free_text}).decode()


def as_free_text(arguments: str) -> str:
    """What a model meant for a custom tool; arguments of any other shape are given as they are."""
    try:
        match _decode_input(arguments):
            case {"input": str(text)}:
                return text
            case _:
                return arguments
    except (msgspec.DecodeError, RecursionError):
        return arguments
