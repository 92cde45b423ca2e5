"""Holds a JSON value against the types an SDK publishes for it, strictly: nothing unknown, nothing missing, nothing of a
kindred type. pydantic reads such types too, but leaves iterables unread and extra fields alone."""

import collections.abc
import types
import typing
from functools import cache
from typing import Any

import typing_extensions

_LISTS = (list, collections.abc.Iterable, collections.abc.Sequence)
_MAPPINGS = (dict, collections.abc.Mapping)
_UNIONS = (typing.Union, types.UnionType)
_WRAPPERS = (
    typing.Annotated, typing.Required, typing.NotRequired, typing_extensions.Required, typing_extensions.NotRequired
)  # fmt: skip


@cache
def _fields(kind: Any) -> dict[str, Any]:
    return typing_extensions.get_type_hints(kind)


def errors(value: Any, hint: Any, path: str = "") -> list[str]:
    """What is wrong with `value` as a `hint`, each with its path."""
    origin, args = typing_extensions.get_origin(hint), typing_extensions.get_args(hint)
    if hasattr(hint, "__value__"):  # a named alias
        return errors(value, hint.__value__, path)
    if origin in _WRAPPERS:
        return errors(value, args[0], path)
    if origin in _UNIONS:
        return _union(value, args, path)
    if origin in {typing.Literal, typing_extensions.Literal}:
        return [] if value in args else [f"{path}: {value!r:.40} is none of {args!r:.120}"]
    if typing_extensions.is_typeddict(hint):
        return _object(value, hint, path)
    if origin in _LISTS or getattr(origin, "__name__", "") == "SequenceNotStr":
        if not isinstance(value, list):
            return [f"{path}: not a list"]
        return [found for at, each in enumerate(value) for found in errors(each, args[0], f"{path}.{at}")]
    if origin in _MAPPINGS or hint in _MAPPINGS:
        if not isinstance(value, dict):
            return [f"{path}: not an object"]
        return (
            [found for key, each in value.items() for found in errors(each, args[1], f"{path}.{key}")]
            if args
            else []
        )
    return (
        []
        if _is(value, hint)
        else [f"{path}: {type(value).__name__} is no {getattr(hint, '__name__', hint)}"]
    )


def _is(value: Any, hint: Any) -> bool:
    if hint in {Any, object}:
        return True
    if hint is None or hint is type(None):
        return value is None
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return hint in {str, bool} and isinstance(value, hint)


def _object(value: Any, kind: Any, path: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{path}: not an object"]
    fields = _fields(kind)
    wrong = [f"{path}.{name}: missing" for name in kind.__required_keys__ if name not in value]
    for name, each in value.items():
        if name in fields:
            wrong += errors(each, fields[name], f"{path}.{name}")
        else:
            wrong.append(f"{path}.{name}: unknown to {kind.__name__}")
    return wrong


def _union(value: Any, options: tuple[Any, ...], path: str) -> list[str]:
    found = []
    for option in options:
        wrong = errors(value, option, path)
        if not wrong:
            return []
        found.append(wrong)
    return min(found, key=lambda wrong: _distance(wrong, path))


def _distance(wrong: list[str], path: str) -> tuple[bool, bool, int]:
    """How far off a kind is: of several kinds of objects the nearest is the one that calls itself what this one does."""
    is_another_kind = any(each.startswith((f"{path}.type:", f"{path}.role:")) for each in wrong)
    is_no_such_thing = any(each.startswith(f"{path}: ") for each in wrong)
    return is_another_kind, is_no_such_thing, len(wrong)
