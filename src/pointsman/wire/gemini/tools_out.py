"""Writes tools and the choice among them as Gemini takes them."""

from collections.abc import Mapping, Sequence
from typing import Any

from pointsman.core.errors import BadRequest
from pointsman.core.request import Tool, ToolChoice
from pointsman.wire.gemini.schema_out import SchemaWriter


def declarations(
    tools: Sequence[Tool], schemas: SchemaWriter, dropped: dict[str, None]
) -> list[dict[str, Any]]:
    written: list[dict[str, Any]] = []
    for at, tool in enumerate(tools):
        declared: dict[str, Any] = {"name": tool.name}
        if tool.description:
            declared["description"] = tool.description
        if tool.schema and (schema := parameters(tool.schema, schemas, f"tools[{at}]")):
            declared["parametersJsonSchema"] = schema
        if tool.strict:
            dropped["tools.strict"] = None
        written.append(declared)
    return written


def parameters(schema: Mapping[str, Any], schemas: SchemaWriter, path: str) -> dict[str, Any] | None:
    """None for a function without parameters: older models refuse an object that has no properties."""
    written = schemas.write(schema, path)
    written.setdefault("type", "object")
    has_some = written.get("properties") or written.get("anyOf") or written.get("additionalProperties")
    return written if has_some else None


def tool_config(choice: ToolChoice | None, tools: Sequence[Tool]) -> dict[str, Any] | None:
    """Raises BadRequest for a choice of what is not there."""
    if choice is None or choice.mode == "auto":
        return None
    known = {tool.name for tool in tools}
    if choice.mode in {"required", "tool"} and (
        choice.name not in known if choice.mode == "tool" else not known
    ):
        raise BadRequest("tool_choice asks for a tool that is not in tools", param="tool_choice")
    calling: dict[str, Any] = {"mode": "NONE" if choice.mode == "none" else "ANY"}
    if choice.mode == "tool" and choice.name is not None:
        calling["allowedFunctionNames"] = [choice.name]
    return {"functionCallingConfig": calling}
