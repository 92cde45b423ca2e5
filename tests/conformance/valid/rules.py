"""Rules that several APIs hold callers to."""

import json
import re
from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def without(body: Json, *names: str) -> Json:
    return {name: value for name, value in body.items() if name not in names}


def arguments(text: str, path: str) -> Iterator[str]:
    try:
        if not isinstance(json.loads(text), dict):
            yield f"{path}: arguments are no object"
    except json.JSONDecodeError:
        yield f"{path}: arguments are not JSON"


def function(tool: Json, schema: Any) -> Iterator[str]:
    if not _NAME.fullmatch(tool["name"]):
        yield f"tools: the name {tool['name']!r}"
    if schema is not None and schema.get("type") != "object":
        yield f"tools.{tool['name']}: the schema is not that of an object"
    if tool.get("strict") and schema is not None:
        yield from strict_schema({"strict": True, "schema": schema, "name": tool["name"]})


def choice(choice: Any, tools: list[Json], inner: str) -> Iterator[str]:
    if choice is not None and not tools:
        yield "tool_choice without tools"
    if isinstance(choice, dict):
        name = (choice.get(inner) or choice).get("name")
        if name is not None and name not in {tool["name"] for tool in tools}:
            yield f"tool_choice: {name} is no tool"


def strict_schema(wanted: Json) -> Iterator[str]:
    if not _NAME.fullmatch(wanted.get("name") or ""):
        yield f"schema: the name {wanted.get('name')!r}"
    if wanted.get("strict") and not all(_is_closed(each) for each in objects_of(wanted["schema"])):
        yield "schema: strict, and not closed"


def _is_closed(schema: Json) -> bool:
    names = set(schema.get("properties") or {})
    return schema.get("additionalProperties") is False and names == set(schema.get("required") or ())


def objects_of(schema: Any) -> Iterator[Json]:
    """The schemas of objects within a schema, where schemas stand and not where a property is called like one."""
    if isinstance(schema, list):
        for each in schema:
            yield from objects_of(each)
    if not isinstance(schema, dict):
        return
    if schema.get("type") == "object" or "properties" in schema:
        yield schema
    for name in ("properties", "$defs", "definitions"):
        for each in (schema.get(name) or {}).values():
            yield from objects_of(each)
    for name in ("items", "anyOf", "allOf", "oneOf", "prefixItems"):
        yield from objects_of(schema.get(name))


def within(body: Json, name: str, low: float, high: float) -> Iterator[str]:
    value = body.get(name)
    if value is not None and not low <= value <= high:
        yield f"{name}: {value} is not within {low} and {high}"
