"""Puts the arguments of a function call together that a stream tells value by value, each at its JSONPath. It checks
no schema."""

import re
from typing import Any

import msgspec

from pointsman.wire.gemini.errors import bad_reply

_STEP = re.compile(r"""\.([^.\[\]]+)|\[(\d+)\]|\[(?:'([^']*)'|"([^"]*)")\]""")
_GAP_MAX = 100
"""An element may come before so many of those in front of it."""

_STEPS_MAX = 100
_encode = msgspec.json.Encoder().encode


class PartialArgs:
    def __init__(self) -> None:
        self._root: dict[str, Any] = {}
        self._strings: dict[str, list[str]] = {}

    def add(self, pieces: list[dict[str, Any]]) -> None:
        """Raises UpstreamError (BAD_REPLY) for a path that leads nowhere."""
        for piece in pieces:
            path = piece.get("jsonPath")
            if not isinstance(path, str):
                raise bad_reply("a piece of a function call has no path")
            if isinstance(text := piece.get("stringValue"), str):
                # Strings come in pieces too.
                known = self._strings.setdefault(path, [])
                known.append(text)
                if len(known) == 1:
                    self._put(path, known)
            elif "numberValue" in piece:
                self._put(path, piece["numberValue"])
            elif "boolValue" in piece:
                self._put(path, piece["boolValue"])
            else:
                self._put(path, None)

    def text(self) -> str:
        """The JSON text of what has come."""
        return _encode(_whole(self._root)).decode()

    def _put(self, path: str, value: Any) -> None:
        steps = [
            int(index) if index else name or single or double
            for name, index, single, double in _STEP.findall(path.removeprefix("$"))
        ]
        if not 0 < len(steps) <= _STEPS_MAX:
            raise bad_reply("a piece of a function call has no place in its arguments")
        where: Any = self._root
        for step, following in zip(steps, [*steps[1:], None], strict=True):
            new = value if following is None else _Items() if isinstance(following, int) else {}
            if isinstance(step, int) and isinstance(where, _Items) and step - len(where) <= _GAP_MAX:
                where.extend([None] * (step + 1 - len(where)))
                if following is None or where[step] is None:
                    where[step] = new
            elif isinstance(step, str) and isinstance(where, dict):
                if following is None or where.get(step) is None:
                    where[step] = new
            else:
                raise bad_reply("a piece of a function call contradicts the ones before it")
            where = where[step]


class _Items(list[Any]):
    """An array of the arguments, told from the pieces of a string."""


def _whole(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _whole(each) for name, each in value.items()}
    if isinstance(value, _Items):
        return [_whole(each) for each in value]
    return "".join(value) if isinstance(value, list) else value
