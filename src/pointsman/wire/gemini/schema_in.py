"""Google's schema objects as JSON Schema: types in capitals, nullable, propertyOrdering and keywords in either
spelling. It touches schema positions only: a property may be called anything, a default may hold anything."""

from collections.abc import Mapping
from typing import Any

from pointsman.core.errors import BadRequest
from pointsman.wire.gemini.fields import camel, enum_word

_TYPES = ("", "STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL")
_COUNTS = frozenset({"minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"})
_ONE = frozenset({"items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames"})
_SEVERAL = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})
_NAMED = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
_PLAIN = frozenset({
    "description", "title", "required", "enum", "minimum", "maximum", "pattern", "default", "const", "$ref",
})  # fmt: skip
_SNAKE = frozenset({
    "any_of", "min_items", "max_items", "min_length", "max_length", "min_properties", "max_properties",
    "property_ordering", "additional_properties", "one_of", "all_of", "prefix_items",
})  # fmt: skip


def json_schema(schema: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Raises BadRequest for one that is nested too deeply."""
    try:
        return _object(schema)
    except RecursionError:
        raise BadRequest(f"Invalid value at '{path}': nested too deeply", param=path) from None


def _schema(schema: Any) -> Any:
    return _object(schema) if isinstance(schema, Mapping) else schema


def _object(schema: Mapping[str, Any]) -> dict[str, Any]:
    written: dict[str, Any] = {}
    is_nullable, order = False, None
    for keyword, value in schema.items():
        if keyword in _PLAIN or (keyword == "type" and isinstance(value, str) and value.islower()):
            written[keyword] = value
            continue
        name = camel(keyword) if keyword in _SNAKE else keyword
        if value is None:
            continue
        if name == "properties" and isinstance(value, Mapping):
            written[name] = {key: _schema(each) for key, each in value.items()}
            continue
        match name:
            case "type":
                kinds = value if isinstance(value, list) else [value]
                words = [enum_word(kind, _TYPES).lower() for kind in kinds]
                if words != ["type_unspecified"]:
                    written["type"] = words if isinstance(value, list) else words[0]
            case "nullable":
                is_nullable = value is True
            case "propertyOrdering":
                order = value
            case "example":
                written["examples"] = [value]
            case "ref" if isinstance(value, str):
                written["$ref"] = value.replace("#/defs/", "#/$defs/")
            case "format" if value == "enum":
                pass
            case "defs" if isinstance(value, Mapping):
                written["$defs"] = {key: _schema(each) for key, each in value.items()}
            case _ if name in _COUNTS and isinstance(value, str) and value.isdecimal():
                written[name] = int(value)
            case _ if name in _ONE:
                written[name] = _schema(value)
            case _ if name in _SEVERAL and isinstance(value, list):
                written[name] = [_schema(each) for each in value]
            case _ if name in _NAMED and isinstance(value, Mapping):
                written[name] = {key: _schema(each) for key, each in value.items()}
            case _:
                written[name] = value
    if isinstance(order, list) and isinstance(properties := written.get("properties"), dict):
        first = [name for name in order if isinstance(name, str) and name in properties]
        written["properties"] = {name: properties[name] for name in dict.fromkeys([*first, *properties])}
    return _nullable(written) if is_nullable else written


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    kind = schema.get("type")
    if isinstance(kind, str):
        schema["type"] = [kind, "null"]
    elif isinstance(kind, list) and "null" not in kind:
        schema["type"] = [*kind, "null"]
    if isinstance(schema.get("enum"), list) and None not in schema["enum"]:
        schema["enum"] = [*schema["enum"], None]
    if isinstance(schema.get("anyOf"), list) and {"type": "null"} not in schema["anyOf"]:
        schema["anyOf"] = [*schema["anyOf"], {"type": "null"}]
    return schema
