"""Reads the tools of a Messages request and the choice among them, for a model of another dialect."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from pointsman.core.errors import BadRequest
from pointsman.core.request import Tool, ToolChoice
from pointsman.wire.anthropic_messages.client_tools import as_function
from pointsman.wire.anthropic_messages.fields import given, missing, read, wrong

_TOOL_SEARCH = "tool_search_tool_"
_OFFERS = ("web_search_", "web_fetch_", _TOOL_SEARCH)
_OF_KNOWN = frozenset({"type", "name"})
_TRANSLATED = frozenset({"type", "name", "description", "input_schema", "strict", "defer_loading"})


class _Choice(msgspec.Struct, gc=False):
    type: str
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


_objects = msgspec.json.Decoder(list[dict[str, Any]]).decode
_choice = msgspec.json.Decoder(_Choice).decode


@dataclass(frozen=True, slots=True)
class ReadTools:
    """`left_out` and `insisted_on` hold what has no place in a Request: hints, and tools that Anthropic
    runs itself."""

    tools: tuple[Tool, ...]
    choice: ToolChoice | None
    parallel: bool | None
    left_out: Mapping[str, Any]
    insisted_on: Mapping[str, Any]


def read_tools(fields: Mapping[str, msgspec.Raw], loaded: Collection[str]) -> ReadTools:
    """`loaded` names the deferred tools that the conversation has brought in: they are ordinary by now. The
    other deferred ones are left out, since no other dialect can fetch them when they are wanted."""
    tools: list[Tool] = []
    left_out: dict[str, Any] = {}
    insisted_on: dict[str, Any] = {}
    choice, parallel = _read_choice(fields)
    offers: dict[str, Any] = {}
    raw = given(fields, "tools")
    declared = read(_objects, raw, "tools") if raw else []
    # What could be searched for is all there from the start: the search is not missed.
    finds_tools = any(str(tool.get("type")).startswith(_TOOL_SEARCH) for tool in declared)
    for at, tool in enumerate(declared):
        path = f"tools.{at}"
        kind = tool.get("type") or "custom"
        if kind != "custom":
            if (function := as_function(str(kind), _string(tool, "name", path) or "")) is not None:
                tools.append(function)
                left_out.update(_hints(tool, _OF_KNOWN))
            elif str(kind).startswith(_OFFERS):
                offers[f"{path}.{str(kind)[:64]}"] = tool
            else:
                insisted_on[f"{path}.{str(kind)[:64]}"] = tool
            continue
        name = _string(tool, "name", path)
        if name is None:
            raise missing(f"{path}.custom.name")
        forced = choice is not None and choice.name == name
        if tool.get("defer_loading") and name not in loaded and not forced and not finds_tools:
            left_out[f"{path}.defer_loading"] = name
            continue
        schema = tool.get("input_schema")
        if schema is None:
            raise missing(f"{path}.custom.input_schema")
        if not isinstance(schema, dict):
            raise wrong(f"{path}.custom.input_schema", "a valid object")
        strict = tool.get("strict")
        tools.append(
            Tool(
                name, _string(tool, "description", path), schema, strict if isinstance(strict, bool) else None
            )
        )
        left_out.update(_hints(tool, _TRANSLATED))
    # Beside tools of the caller's own a search is an offer; alone, or insisted on, it is what the caller relies on.
    is_offer = bool(tools) and (
        choice is None or choice.name is None or any(t.name == choice.name for t in tools)
    )
    (left_out if is_offer else insisted_on).update(offers)
    if choice is not None and choice.mode == "tool" and not insisted_on:
        _check_named(choice, tools)
    return ReadTools(tuple(tools), choice, parallel, left_out, insisted_on)


def _hints(tool: Mapping[str, Any], read_elsewhere: Collection[str]) -> dict[str, Any]:
    return {
        "cache_control" if hint == "cache_control" else f"tools.{hint}": value
        for hint, value in tool.items()
        if hint not in read_elsewhere and value is not None
    }


def _read_choice(fields: Mapping[str, msgspec.Raw]) -> tuple[ToolChoice | None, bool | None]:
    raw = given(fields, "tool_choice")
    if raw is None:
        return None, None
    choice = read(_choice, raw, "tool_choice")
    parallel = False if choice.disable_parallel_tool_use else None
    match choice.type:
        case "auto":
            return ToolChoice("auto"), parallel
        case "any":
            return ToolChoice("required"), parallel
        case "none":
            return ToolChoice("none"), parallel
        case "tool":
            if choice.name is None:
                raise missing("tool_choice.tool.name")
            return ToolChoice("tool", choice.name), parallel
        case _:
            raise wrong("tool_choice.type", "'auto', 'any', 'tool' or 'none'")


def _check_named(choice: ToolChoice, tools: Collection[Tool]) -> None:
    if all(tool.name != choice.name for tool in tools):
        raise BadRequest(
            f"tool_choice.tool.name: Tool '{choice.name}' not found in provided tools", param="tool_choice"
        )


def _string(tool: Mapping[str, Any], name: str, path: str) -> str | None:
    value = tool.get(name)
    if value is not None and not isinstance(value, str):
        raise wrong(f"{path}.custom.{name}", "a valid string")
    return value
