"""What Gemini would not take."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pydantic
from google.genai import types as gemini_types

from conformance.valid import rules
from conformance.valid.rules import Json

_GEMINI_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,63}")
_GEMINI_BODY: Json = {
    "contents": list[gemini_types.Content],
    "systemInstruction": gemini_types.Content,
    "tools": list[gemini_types.Tool],
    "toolConfig": gemini_types.ToolConfig,
    "generationConfig": gemini_types.GenerationConfig,
    "safetySettings": list[gemini_types.SafetySetting],
}


def faults(body: Json) -> Iterator[str]:
    for name, value in body.items():
        if name not in _GEMINI_BODY:
            yield f"{name}: unknown"
            continue
        try:
            pydantic.TypeAdapter(_GEMINI_BODY[name]).validate_json(json.dumps(value))
        except pydantic.ValidationError as error:
            yield from (f"{name}.{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:3])
    contents = body.get("contents") or []
    if not contents:
        yield "contents: empty"
    yield from _contents(contents)
    functions = [f for tool in body.get("tools") or [] for f in tool.get("functionDeclarations") or []]
    for function in functions:
        if not _GEMINI_NAME.fullmatch(function["name"]):
            yield f"tools: the name {function['name']!r}"
        if "parameters" in function:
            if "parametersJsonSchema" in function:
                yield f"tools.{function['name']}: two schemas"
            if not function["parameters"].get("properties"):
                yield f"tools.{function['name']}: a schema without properties"
            yield from _subset(function["parameters"], f"tools.{function['name']}")
    calling = (body.get("toolConfig") or {}).get("functionCallingConfig") or {}
    names = {function["name"] for function in functions}
    if set(calling.get("allowedFunctionNames") or ()) - names:
        yield "toolConfig: a function that is not declared"
    if calling.get("allowedFunctionNames") and calling.get("mode") not in {"ANY", "VALIDATED"}:
        yield "toolConfig: names in another mode than ANY"
    config = body.get("generationConfig") or {}
    if "responseSchema" in config:
        yield from _subset(config["responseSchema"], "responseSchema")
    if ("responseSchema" in config or "responseJsonSchema" in config) and (
        config.get("responseMimeType") != "application/json"
    ):
        yield "generationConfig: a schema without JSON"
    thinking = config.get("thinkingConfig") or {}
    if "thinkingBudget" in thinking and "thinkingLevel" in thinking:
        yield "thinkingConfig: budget and level"
    if len(config.get("stopSequences") or []) > 5:
        yield "stopSequences: more than five"
    yield from rules.within(config, "temperature", 0, 2)


def _contents(contents: list[Json]) -> Iterator[str]:
    waiting: list[str] = []
    role = None
    for at, content in enumerate(contents):
        if content.get("role") not in {"user", "model"}:
            yield f"contents.{at}: the role {content.get('role')}"
        if content.get("role") == role:
            yield f"contents.{at}: two turns of the {role}"
        role = content.get("role")
        if not content.get("parts"):
            yield f"contents.{at}: no parts"
        answered = [p["functionResponse"]["name"] for p in content["parts"] if "functionResponse" in p]
        if sorted(answered) != sorted(waiting):
            yield f"contents.{at}: answers {answered} to the calls {waiting}"
        waiting = [p["functionCall"]["name"] for p in content["parts"] if "functionCall" in p]
    if waiting:
        yield "contents: the last calls have no answer"
    if contents and contents[0].get("role") != "user":
        yield "contents: the user does not begin"


_SUBSET = frozenset(
    [
        "type",
        "format",
        "title",
        "description",
        "nullable",
        "enum",
        "maxItems",
        "minItems",
        "properties",
        "required",
        "minProperties",
        "maxProperties",
        "minLength",
        "maxLength",
        "pattern",
        "example",
        "anyOf",
        "propertyOrdering",
        "default",
        "items",
        "minimum",
        "maximum",
    ]
)
_SUBSET_TYPES = {"string", "number", "integer", "boolean", "array", "object", "null"}


def _subset(schema: Any, path: str) -> Iterator[str]:
    if not isinstance(schema, dict):
        yield f"{path}: no schema"
        return
    yield from (f"{path}: {name} is not of the subset" for name in schema if name not in _SUBSET)
    kind = schema.get("type")
    if kind is not None and (not isinstance(kind, str) or kind.lower() not in _SUBSET_TYPES):
        yield f"{path}: the type {kind!r}"
    if isinstance(kind, str) and kind.lower() == "array" and "items" not in schema:
        yield f"{path}: an array of nothing"
    if any(not isinstance(each, str) for each in schema.get("enum") or ()):
        yield f"{path}: an enum of other than strings"
    for name in set(schema.get("required") or ()) - set(schema.get("properties") or {}):
        yield f"{path}: {name} is required and no property"
    for name, each in (schema.get("properties") or {}).items():
        yield from _subset(each, f"{path}.{name}")
    for each in schema.get("anyOf") or ():
        yield from _subset(each, path)
    if "items" in schema:
        yield from _subset(schema["items"], f"{path}[]")
