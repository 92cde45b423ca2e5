"""What pydantic found wrong, in the words of this program: path, value, what was expected, nearest spelling."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from pointsman.config.references import MASK, is_secret
from pointsman.config.schema import Settings
from pointsman.config.source import Source, Where, dotted
from pointsman.core.errors import Problem

_LONGEST_SHOWN = 80

_EXPECTED = {
    "int_type": "a whole number",
    "string_type": "text (put it in quotes)",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "keys with values",
    "model_type": "keys with values",
    "finite_number": "a finite number",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "string_too_short": "some text",
    "string_too_long": "at most {max_length} characters",
    "too_short": "at least one entry",
    "too_long": "at most {max_length} entries",
    "value_error": "{error}",
}


def nearest(word: object, known: Iterable[str]) -> str | None:
    """The known word that `word` was probably meant to be."""
    found = get_close_matches(str(word), list(known), n=1, cutoff=0.6)
    return found[0] if found else None


def shown(value: object, where: Where) -> str:
    """`value` as an error message may show it."""
    match value:
        case _ if is_secret(where):
            return MASK
        case None:
            return "empty"
        case bool():
            return "true" if value else "false"
        case int() | float() | Decimal():
            text = str(value)
        case str():
            text = repr(re.sub(r"(?<=://)[^/@]*@", f"{MASK}@", value))
        case Mapping():
            return "a section of its own"
        case list():
            return "a list"
        case _:
            text = type(value).__name__
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


def where_of(error: ErrorDetails) -> Where:
    """Where the mistake stands; pydantic marks a bad key with a step of its own."""
    where = error["loc"]
    return where[:-1] if where[-1:] == ("[key]",) else where


def explain(error: ValidationError, source: Source, named: Mapping[Where, str]) -> list[Problem]:
    """One Problem for each thing pydantic found. `named` gives values that came from a variable or a flag
    the name that the operator knows them by."""
    return [_problem(details, source, named) for details in error.errors(include_url=False)]


def _problem(details: ErrorDetails, source: Source, named: Mapping[Where, str]) -> Problem:
    where, kind = where_of(details), details["type"]
    path = named.get(where, dotted(where))
    line = None if where in named else source.line(where)
    value = shown(details["input"], where)
    context = details.get("ctx", {})
    if kind == "extra_forbidden":
        known = _keys_of(where[:-1])
        return Problem(
            path, "not a known key", f"one of {', '.join(known)}", nearest(where[-1], known), line=line
        )
    if kind == "missing":
        return Problem(path, None, f"a value, for it is required: {_describe(where)}", line=line)
    if kind == "literal_error":
        words = re.findall(r"'([^']*)'", context["expected"])
        return Problem(path, value, f"one of {', '.join(words)}", nearest(details["input"], words), line=line)
    if kind == "string_pattern_mismatch":
        return Problem(path, value, _expected_form(details), line=line)
    return Problem(path, value, _EXPECTED.get(kind, details["msg"]).format(**context), line=line)


def _expected_form(details: ErrorDetails) -> str:
    where = details["loc"]
    if where[0] == "providers" and where[-1] == "[key]":
        return "a name of letters, digits, dots, dashes and underscores"
    if where == ("server", "host"):
        return "a host name or an IP address, without port and path"
    if where[-1] == "path":
        return "a path that begins with a slash"
    return "a name of visible ASCII characters, without spaces"


def _type_at(where: Where) -> tuple[Any, str]:
    """The annotation of the setting at `where`, and its description."""
    found: Any = Settings
    description = ""
    for step in where:
        found = _bare(found)
        if isinstance(found, type) and issubclass(found, BaseModel):
            field = found.model_fields[str(step)]
            found, description = field.annotation, field.description or ""
        else:
            found = [part for part in get_args(found) if part is not Ellipsis][-1]
    return _bare(found), description


def _bare(annotation: Any) -> Any:
    """Without Annotated and without `| None`."""
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation = get_args(annotation)[0]
        elif origin in {Union, UnionType}:
            annotation = next(part for part in get_args(annotation) if part is not type(None))
        else:
            return annotation


def _keys_of(where: Where) -> list[str]:
    section, _ = _type_at(where)
    return list(section.model_fields)


def _describe(where: Where) -> str:
    _, description = _type_at(where)
    return description.rstrip(".")[:1].lower() + description.rstrip(".")[1:]
