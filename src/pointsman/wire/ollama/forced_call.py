"""Ollama: a call that must be made. The API has no word for it, but holds an answer to any schema: what is asked for is
an answer that says the call, and the reply's text is taken back as one (wire/undo.py). It writes no messages."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from pointsman.core.errors import BadRequest
from pointsman.core.request import Request, Tool

_encode = msgspec.json.Encoder().encode

_EMPTY: Mapping[str, Any] = {"type": "object", "properties": {}}
_DEFINITIONS = ("$defs", "definitions")


def forced_tools(request: Request) -> tuple[Tool, ...]:
    """The tools of which one must be called, none where the model may do as it likes."""
    choice = request.tool_choice
    if choice is None or choice.mode not in {"required", "tool"}:
        return ()
    tools = tuple(tool for tool in request.tools if choice.mode == "required" or tool.name == choice.name)
    if not tools:
        raise BadRequest("tool_choice asks for a tool that is not in tools.", param="tool_choice")
    return tools


def schema_of(tools: Sequence[Tool]) -> Mapping[str, Any]:
    """What the answer has to look like: the arguments of the one tool, or an object with the name and the arguments of
    one of several."""
    if len(tools) == 1:
        return tools[0].schema or _EMPTY
    shared: dict[str, Any] = {}
    calls = [_call(tool, f"{number}.", shared) for number, tool in enumerate(tools)]
    return {"anyOf": calls, **({"$defs": shared} if shared else {})}


def told(tools: Sequence[Tool]) -> str:
    """The same in words. A grammar alone tells a model what it may say and not what for."""
    described = [
        {"name": tool.name, "description": tool.description or "", "parameters": tool.schema or _EMPTY}
        for tool in tools
    ]
    if len(tools) == 1:
        what = f"the JSON arguments of a call of {tools[0].name}. It is this tool"
    else:
        what = 'a JSON object {"name": ..., "arguments": {...}} that calls one of these tools'
    return f"Answer with nothing but {what}:\n{_encode(described).decode()}"


def _call(tool: Tool, prefix: str, shared: dict[str, Any]) -> dict[str, Any]:
    """`shared` gathers what the schemas define, since a reference begins at the root of the whole."""
    schema = dict(tool.schema or _EMPTY)
    for place in _DEFINITIONS:
        for name, defined in (schema.pop(place, None) or {}).items():
            shared[prefix + name] = _pointing(defined, prefix)
    return {
        "type": "object",
        "properties": {"name": {"const": tool.name}, "arguments": _pointing(schema, prefix)},
        "required": ["name", "arguments"],
        "additionalProperties": False,
    }


def _pointing(schema: Any, prefix: str) -> Any:
    """The same with its references to definitions pointing at the shared ones."""
    if isinstance(schema, list):
        return [_pointing(each, prefix) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    made = {name: _pointing(value, prefix) for name, value in schema.items()}
    reference = made.get("$ref")
    for place in _DEFINITIONS:
        if isinstance(reference, str) and reference.startswith(f"#/{place}/"):
            made["$ref"] = f"#/$defs/{prefix}{reference.removeprefix(f'#/{place}/')}"
    return made
