"""Whether a value has the shape that a JSON Schema asks for, as far as answers of models get it wrong: types, required and
unknown keys, fixed values, items. Other keywords (lengths, patterns, numbers' ranges) are not looked at."""

from collections.abc import Mapping, Sequence
from typing import Any

_DEPTH_MAX = 64
_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "null": (type(None),),
}


def mismatch(value: object, schema: object, *, root: object = None, depth: int = 0) -> str | None:
    """What is wrong, without the value itself; None where nothing is. Beyond a depth nothing is looked at."""
    if not isinstance(schema, Mapping) or depth > _DEPTH_MAX:
        return "nothing is allowed here" if schema is False else None
    root = schema if root is None else root
    reference = schema.get("$ref")
    if isinstance(reference, str):
        target = _referred(root, reference)
        return None if target is None else mismatch(value, target, root=root, depth=depth + 1)
    for name in ("anyOf", "oneOf"):
        options = schema.get(name)
        if isinstance(options, list) and options:
            tried = [mismatch(value, option, root=root, depth=depth + 1) for option in options]
            if all(tried):
                return f"none of the {len(tried)} shapes it may have"
    for option in _list(schema.get("allOf")):
        wrong = mismatch(value, option, root=root, depth=depth + 1)
        if wrong is not None:
            return wrong
    if "const" in schema and value != schema["const"]:
        return "not the one value it must have"
    if isinstance(schema.get("enum"), list) and value not in schema["enum"]:
        return "none of the values it may have"
    types = schema.get("type")
    wanted = [types] if isinstance(types, str) else _list(types)
    if wanted and not any(_is_of(value, str(name)) for name in wanted):
        return f"not of type {' or '.join(map(str, wanted))}"
    if isinstance(value, dict):
        return _object(value, schema, root, depth)
    if isinstance(value, list):
        items = schema.get("items")
        for place, item in enumerate(value):
            wrong = mismatch(item, items, root=root, depth=depth + 1)
            if wrong is not None:
                return f"[{place}]: {wrong}"
    return None


def _object(value: dict[str, Any], schema: Mapping[str, Any], root: object, depth: int) -> str | None:
    declared = schema.get("properties")
    properties: Mapping[str, Any] = declared if isinstance(declared, Mapping) else {}
    for name in _list(schema.get("required")):
        if name not in value:
            return f"{name} is missing"
    others = schema.get("additionalProperties")
    for name, inner in value.items():
        if name not in properties and others is False:
            return "a key that is not allowed"
        wrong = mismatch(inner, properties.get(name, others), root=root, depth=depth + 1)
        if wrong is not None:
            return f"{name}: {wrong}" if name in properties else wrong
    return None


def _is_of(value: object, name: str) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    if name == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES.get(name, (object,)))


def _referred(root: object, reference: str) -> object:
    found = root
    if not reference.startswith("#"):
        return None
    for step in reference.removeprefix("#").strip("/").split("/") if reference != "#" else ():
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


def _list(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else ()
