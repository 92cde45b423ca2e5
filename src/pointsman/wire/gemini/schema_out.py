"""JSON Schema as Gemini's `parametersJsonSchema` and `responseJsonSchema` take it. Local references are written out,
and what the API documents no support for is rewritten or left out and named. It touches schema positions only.

These two fields are used and not `parameters` and `responseSchema`: those hold Google's own schema object, whose
reader refuses a whole request for one keyword it does not know.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from pointsman.core.errors import BadRequest

REFERRED_MAX = 20_000
"""Objects that the references of one request may become when they are written out: each use of one may double what
stands below it."""

_VALUE_BYTES = 32
"""So many bytes of an enumeration or a description count as one object."""

_encode = msgspec.json.Encoder().encode

_KEPT = frozenset({
    "type", "format", "title", "description", "enum", "required", "minItems", "maxItems", "minimum", "maximum",
    "minLength", "maxLength", "pattern", "minProperties", "maxProperties", "default", "examples",
    "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "uniqueItems",
})  # fmt: skip
_SILENT = frozenset({"$schema", "$id", "$comment", "$anchor", "$defs", "definitions", "$vocabulary"})
"""They say nothing of the values, or nothing once the references are written out."""


class SchemaWriter:
    """`dropped` gathers the keywords that were left out."""

    def __init__(self) -> None:
        self.dropped: dict[str, None] = {}
        self._root: Mapping[str, Any] = {}
        self._open: list[str] = []
        self._referred_size = 0

    def write(self, schema: Mapping[str, Any], path: str) -> dict[str, Any]:
        """Raises BadRequest for a schema that is too large or too deep."""
        self._root, self._open = schema, []
        try:
            return self._object(schema, path)
        except RecursionError:
            raise BadRequest(f"{path}: the schema is nested too deeply", param=path) from None

    def _any(self, schema: Any, path: str) -> Any:
        return self._object(schema, path) if isinstance(schema, Mapping) else schema

    def _object(self, schema: Mapping[str, Any], path: str) -> dict[str, Any]:
        self._count(1, path)
        reference = schema.get("$ref")
        if isinstance(reference, str):
            return self._referred(reference, schema, path)
        written: dict[str, Any] = {}
        for name, value in schema.items():
            if name in _KEPT:
                if self._open:
                    self._count(len(_encode(value)) // _VALUE_BYTES, path)
                written[name] = value
            elif name in {"items", "additionalProperties"}:
                written[name] = self._any(value, path)
            elif name in {"anyOf", "oneOf", "prefixItems"} and isinstance(value, list):
                # The API reads oneOf as anyOf.
                target = "anyOf" if name == "oneOf" else name
                written[target] = [*written.get(target, ()), *(self._any(each, path) for each in value)]
            elif name == "properties" and isinstance(value, Mapping):
                written[name] = {key: self._any(each, path) for key, each in value.items()}
            elif name == "const":
                written["enum"] = [value]
            elif name == "allOf" and isinstance(value, list):
                _merge(written, [self._any(each, path) for each in value])
            elif name not in _SILENT:
                self.dropped[f"schema.{name}"] = None
        return written

    def _referred(self, reference: str, schema: Mapping[str, Any], path: str) -> dict[str, Any]:
        target = self._find(reference)
        others = {name: value for name, value in schema.items() if name != "$ref"}
        if target is None or reference in self._open:
            # Nothing is known of it, or it holds itself: any value of its kind may stand there.
            self.dropped["schema.$ref"] = None
            kind = None if target is None else target.get("type")
            return self._object({**({} if kind is None else {"type": kind}), **others}, path)
        self._open.append(reference)
        written = self._object(target, path)
        self._open.pop()
        _merge(written, [self._object(others, path)], replaces=True)
        return written

    def _count(self, size: int, path: str) -> None:
        self._referred_size += size if self._open else 0
        if self._referred_size > REFERRED_MAX:
            raise BadRequest(f"{path}: the schema is too large with its references written out", param=path)

    def _find(self, reference: str) -> Mapping[str, Any] | None:
        if reference != "#" and not reference.startswith("#/"):
            return None
        found: Any = self._root
        for step in reference.split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            if isinstance(found, Mapping):
                found = found.get(name)
            elif isinstance(found, list) and name.isdecimal() and int(name) < len(found):
                found = found[int(name)]
            else:
                return None
        return found if isinstance(found, Mapping) else None


def _merge(schema: dict[str, Any], others: Sequence[Any], *, replaces: bool = False) -> None:
    """What all of them say, as one schema. Properties of `schema` are its own to grow."""
    required: list[Any] = []
    for other in others:
        for name, value in other.items() if isinstance(other, dict) else ():
            known = schema.get(name)
            if name == "properties" and isinstance(known, dict) and isinstance(value, dict):
                known.update(value)
            elif name == "required" and isinstance(known, list) and isinstance(value, list):
                required += value
            elif replaces or name not in schema:
                schema[name] = value
    if required:
        names = (name for name in (*schema["required"], *required) if isinstance(name, str))
        schema["required"] = list(dict.fromkeys(names))
