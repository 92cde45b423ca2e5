"""Writes tools and the choice among them as Gemini takes them. A name it would refuse is sent as another, which `own`
takes back."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pointsman.core.errors import BadRequest
from pointsman.core.request import Tool, ToolChoice
from pointsman.wire.gemini.schema_out import SchemaWriter

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,63}")
_NOT_IN_NAME = re.compile(r"[^A-Za-z0-9_.:-]")
_MARK_CHARS = 8


class ToolNames:
    """`own` gives the caller's name for each that was sent instead."""

    def __init__(self, tools: Sequence[Tool]) -> None:
        self.own: dict[str, str] = {}
        self._sent: dict[str, str] = {}
        self._taken = {tool.name for tool in tools if _NAME.fullmatch(tool.name)}

    def sent(self, name: str) -> str:
        """The name that stands for `name` in this request; the same in every request, so that caches hold."""
        if name in self._taken or _NAME.fullmatch(name):
            return name
        known = self._sent.get(name)
        if known is None:
            mark = hashlib.sha256(name.encode()).hexdigest()[:_MARK_CHARS]
            known = f"{('t_' + _NOT_IN_NAME.sub('_', name))[: 63 - _MARK_CHARS]}_{mark}"
            self._sent[name] = known
            self.own[known] = name
        return known


def declarations(
    tools: Sequence[Tool], names: ToolNames, schemas: SchemaWriter, dropped: dict[str, None]
) -> list[dict[str, Any]]:
    written: list[dict[str, Any]] = []
    for at, tool in enumerate(tools):
        declared: dict[str, Any] = {"name": names.sent(tool.name)}
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


def tool_config(choice: ToolChoice | None, tools: Sequence[Tool], names: ToolNames) -> dict[str, Any] | None:
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
        calling["allowedFunctionNames"] = [names.sent(choice.name)]
    return {"functionCallingConfig": calling}
