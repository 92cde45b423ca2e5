"""Reads the tools of a generateContent request and the choice among them, for a model of another dialect."""

from dataclasses import dataclass
from typing import Any

import msgspec

from pointsman.core.errors import BadRequest
from pointsman.core.request import Tool, ToolChoice
from pointsman.wire.gemini.contents_in import Reading
from pointsman.wire.gemini.fields import (
    Fields,
    as_object,
    as_string,
    as_strings,
    enum_word,
    read,
    read_fields,
    read_list,
    read_value,
    wrong,
)
from pointsman.wire.gemini.schema_in import json_schema

_MODES = ("MODE_UNSPECIFIED", "AUTO", "ANY", "NONE", "VALIDATED")
_OFFERS = frozenset({"googleSearch", "googleSearchRetrieval", "enterpriseWebSearch", "urlContext"})
_IN_CALLING = frozenset({"mode", "allowedFunctionNames"})
_READ = frozenset({"name", "description", "parameters", "parametersJsonSchema"})


_MODES_THAT_CHOOSE = frozenset({"ANY", "VALIDATED"})
"""Only with these does the API look at allowedFunctionNames."""


@dataclass(frozen=True, slots=True)
class ReadTools:
    tools: tuple[Tool, ...] = ()
    choice: ToolChoice | None = None


def read_tools(fields: Fields, reading: Reading) -> ReadTools:
    tools = _tools(fields, reading)
    mode, allowed = _choice(fields, reading)
    if allowed and mode in _MODES_THAT_CHOOSE:
        tools = [tool for tool in tools if tool.name in allowed]
        if not tools:
            raise BadRequest(
                "allowed_function_names names no function of function_declarations",
                param="toolConfig.functionCallingConfig.allowedFunctionNames",
            )
    if not tools:
        if mode == "ANY" and not reading.must_not_drop:
            raise BadRequest(
                "Function calling mode ANY needs function_declarations",
                param="toolConfig.functionCallingConfig.mode",
            )
        return ReadTools()
    match mode:
        case "NONE":
            return ReadTools(tuple(tools), ToolChoice("none"))
        case "ANY" if len(tools) == 1 and allowed:
            return ReadTools(tuple(tools), ToolChoice("tool", tools[0].name))
        case "ANY":
            return ReadTools(tuple(tools), ToolChoice("required"))
        case "":
            return ReadTools(tuple(tools))
        case _:  # VALIDATED is AUTO whose calls keep to the schema
            return ReadTools(tuple(tools), ToolChoice("auto"))


def _tools(fields: Fields, reading: Reading) -> list[Tool]:
    tools: list[Tool] = []
    offers: dict[str, Any] = {}
    raw = fields.get("tools")
    for at, each in enumerate(read_list(raw, "tools") if raw is not None else ()):
        path = f"tools[{at}]"
        for kind, value in read_fields(each, path).items():
            if kind == "functionDeclarations":
                tools += [
                    _tool(declared, f"{path}.{kind}[{number}]", reading)
                    for number, declared in enumerate(read_list(value, f"{path}.{kind}"))
                ]
            elif kind in _OFFERS:
                offers[f"{path}.{kind}"] = read_value(value, f"{path}.{kind}")
            else:
                reading.insist_on(f"{path}.{kind}", read_value(value, f"{path}.{kind}"))
    for name, value in offers.items():
        # Beside functions of the caller's own a search is an offer; alone it is what the caller relies on.
        if tools:
            reading.leave_out(name, value or True)
        else:
            reading.insist_on(name, value)
    return tools


def _tool(raw: msgspec.Raw, path: str, reading: Reading) -> Tool:
    fields = read_fields(raw, path)
    if "name" not in fields:
        raise wrong(f"{path}.name", "the name of the function is missing")
    name = read(as_string, fields["name"], f"{path}.name")
    description = fields.get("description")
    schema = None
    for field in ("parametersJsonSchema", "parameters"):
        if field in fields:
            schema = json_schema(read(as_object, fields[field], f"{path}.{field}"), f"{path}.{field}")
            break
    for hint in fields.keys() - _READ:
        value = read_value(fields[hint], f"{path}.{hint}")
        if not (hint == "behavior" and enum_word(value) in {"BLOCKING", "UNSPECIFIED"}):
            reading.leave_out(f"tools[].functionDeclarations[].{hint}", True)
    return Tool(
        name, None if description is None else read(as_string, description, f"{path}.description"), schema
    )


def _choice(fields: Fields, reading: Reading) -> tuple[str, tuple[str, ...]]:
    """The mode, empty where nothing is said, and the functions that may be called, where only some may."""
    raw = fields.get("toolConfig")
    config = {} if raw is None else read_fields(raw, "toolConfig")
    for name, raw_value in config.items():
        if name == "functionCallingConfig":
            continue
        value = read_value(raw_value, f"toolConfig.{name}")
        if value not in (False, {}, []):
            reading.leave_out(f"toolConfig.{name}", value)
    if "functionCallingConfig" not in config:
        return "", ()
    path = "toolConfig.functionCallingConfig"
    calling = read_fields(config["functionCallingConfig"], path)
    for name in calling.keys() - _IN_CALLING:
        reading.leave_out(f"{path}.{name}", True)
    asked = calling.get("mode")
    mode = "" if asked is None else enum_word(read_value(asked, f"{path}.mode"), _MODES)
    if mode not in {"", *_MODES}:
        raise wrong(f"{path}.mode", f"unknown mode {mode[:40]!r}")
    allowed = calling.get("allowedFunctionNames")
    names = () if allowed is None else read(as_strings, allowed, f"{path}.allowedFunctionNames")
    if names and mode not in _MODES_THAT_CHOOSE:
        reading.leave_out(f"{path}.allowedFunctionNames", names)
    return "" if mode == "MODE_UNSPECIFIED" else mode, names
