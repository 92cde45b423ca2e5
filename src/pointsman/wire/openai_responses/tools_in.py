"""OpenAI responses: the tools a request offers and which of them it insists on. Functions within a namespace and custom
tools become plain functions; what only the provider itself can run has no place elsewhere."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from pointsman.core.errors import BadRequest
from pointsman.core.request import Tool, ToolChoice
from pointsman.wire.custom_tools import SCHEMA, described
from pointsman.wire.left_out import LeftOut
from pointsman.wire.openai_complaints import missing, wrong_types
from pointsman.wire.openai_responses.client_tools import CLIENT_TOOLS
from pointsman.wire.openai_responses.tool_names import flat_name
from pointsman.wire.unread import is_about_unknown, take_unknown


class _Grammar(msgspec.Struct, gc=False):
    type: str = "text"
    syntax: str | None = None
    definition: str | None = None


class _Tool(msgspec.Struct, forbid_unknown_fields=True):
    type: str = "function"
    name: str | None = None
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None
    format: _Grammar | None = None
    tools: list[msgspec.Raw] | None = None
    external_web_access: bool | None = None
    output_schema: dict[str, Any] | None = None
    defer_loading: bool | None = None
    allowed_callers: list[str] | None = None
    environment: Any = None


class _AnyTool(_Tool, forbid_unknown_fields=False):
    """One with fields that nobody here knows, or of a kind that is not translated."""


_decode_tool = msgspec.json.Decoder(_Tool).decode
_decode_any_tool = msgspec.json.Decoder(_AnyTool).decode
_decode_any = msgspec.json.Decoder().decode

_TRANSLATED = frozenset(("function", "custom", "namespace", *CLIENT_TOOLS))
_OFFERS = frozenset(("web_search", "web_search_preview", "image_generation"))
_SCHEMA_WORDS = ("items", "additionalProperties")
_SCHEMA_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
_SCHEMA_MAPS = ("properties", "$defs", "definitions")


class Tools:
    """`namespaces` are the names of those that were declared."""

    def __init__(self, left_out: LeftOut) -> None:
        self.tools: list[Tool] = []
        self.namespaces: set[str] = set()
        self._left_out = left_out
        self._offers: list[tuple[str, _Tool]] = []
        self._client_tools: dict[str, str] = {}

    def read(self, raws: Sequence[msgspec.Raw], path: str) -> None:
        for index, raw in enumerate(raws):
            self._read(raw, f"{path}[{index}]", None)

    def finish(self) -> None:
        names = {tool.name for tool in self.tools}
        for name, path in self._client_tools.items():
            if name in names:  # calls of the two could not be told apart
                self._left_out.insist_on(path, True)
            else:
                known = CLIENT_TOOLS[name]
                self.tools.append(Tool(name, known.description, known.schema, strict=False))
        for name, tool in self._offers:
            # Beside tools of the caller's own a search, or a picture, is an offer, as it is where Codex says how far it may
            # reach; alone it is what the caller relies on.
            if self.tools or tool.external_web_access is not None:
                self._left_out.note(name, True)
            else:
                self._left_out.insist_on(name, True)

    def _read(self, raw: msgspec.Raw, path: str, namespace: str | None) -> None:
        try:
            tool = self._decoded(raw)
        except msgspec.ValidationError as error:
            raise wrong_types(error, path) from None
        match tool.type:
            case "function":
                strict = _is_closed(tool.parameters) if tool.strict is None else tool.strict
                self._add(tool, path, namespace, tool.description, tool.parameters, strict=strict)
            case "custom":
                self._add(tool, path, namespace, self._custom_description(tool), SCHEMA, strict=False)
            case "namespace" if namespace is None:
                name = _name(tool, path)
                self.namespaces.add(name)
                if tool.description:
                    self._left_out.note("tools[].namespace.description", True)
                for index, inner in enumerate(tool.tools or ()):
                    self._read(inner, f"{path}.tools[{index}]", name)
            case kind if kind in _OFFERS:
                self._offers.append((f"{path}.{kind}", tool))
            case kind if kind in CLIENT_TOOLS and _is_callers(tool):
                self._client_tools[kind] = f"{path}.{kind}"
            case kind:
                self._left_out.insist_on(f"{path}.{kind[:64]}", _decode_any(raw))

    def _decoded(self, raw: msgspec.Raw) -> _Tool:
        try:
            return _decode_tool(raw)
        except msgspec.ValidationError as error:
            if not is_about_unknown(error):
                raise
        tool = _decode_any_tool(raw)
        if tool.type in _TRANSLATED:
            unread: dict[str, Any] = {}
            take_unknown(_decode_any(raw), _Tool, "tools[]", unread)
            for name, value in unread.items():
                self._left_out.note(name, value)
        return tool

    def _add(
        self,
        tool: _Tool,
        path: str,
        namespace: str | None,
        description: str | None,
        schema: Mapping[str, Any] | None,
        *,
        strict: bool,
    ) -> None:
        if tool.output_schema:
            self._left_out.note("tools[].output_schema", True)
        if tool.defer_loading:
            self._left_out.note("tools[].defer_loading", True)
        if tool.allowed_callers and tool.allowed_callers != ["direct"]:
            self._left_out.note("tools[].allowed_callers", tool.allowed_callers)
        self.tools.append(Tool(flat_name(namespace, _name(tool, path)), description, schema, strict))

    def _custom_description(self, tool: _Tool) -> str | None:
        grammar = tool.format
        if grammar is None or not grammar.definition:
            return tool.description
        self._left_out.note("tools[].format", grammar.syntax)
        return described(tool.description, grammar.syntax, grammar.definition)

    def choose(self, choice: Any) -> ToolChoice | None:
        """May leave only the tools that are allowed."""
        match choice:
            case {"type": "allowed_tools"}:
                allowed = choice.get("tools")
                names = _allowed_names(allowed if isinstance(allowed, list) else [])
                self.tools = [tool for tool in self.tools if tool.name in names]
                return self.choose(choice.get("mode", "auto"))
            case None:
                return None
            case "auto" | "none":
                return ToolChoice(choice) if self.tools else None
            case "required":
                if not self.tools and self._left_out.must_not_drop:
                    return None  # what it would call is refused by its own name
                if not self.tools:
                    raise BadRequest(
                        "Tool choice 'required' must be specified with 'tools' parameter.",
                        param="tool_choice",
                    )
                return ToolChoice("required")
            case {"type": "function" | "custom", "name": str(name)}:
                namespace = choice.get("namespace")
                flat = flat_name(namespace if isinstance(namespace, str) else None, name)
                if not any(tool.name == flat for tool in self.tools):
                    raise BadRequest(
                        f"Tool choice '{name[:64]}' not found in 'tools' parameter.", param="tool_choice"
                    )
                return ToolChoice("tool", flat)
            case {"type": str(kind)} if kind in self._client_tools:
                return ToolChoice("tool", kind)
            case _:
                self._left_out.insist_on("tool_choice", choice)
                return None


def _is_callers(tool: _Tool) -> bool:
    """A shell may also run in a container of OpenAI's."""
    where = tool.environment
    return where is None or (isinstance(where, dict) and where.get("type") == "local")


def _name(tool: _Tool, path: str) -> str:
    if not tool.name:
        raise missing(f"{path}.name")
    return tool.name


def _allowed_names(allowed: Iterable[Any]) -> set[str]:
    names: set[str] = set()
    for each in allowed:
        if isinstance(each, dict) and each.get("type") in CLIENT_TOOLS:
            names.add(each["type"])
        elif isinstance(each, dict) and isinstance(name := each.get("name"), str):
            namespace = each.get("namespace")
            names.add(flat_name(namespace if isinstance(namespace, str) else None, name))
    return names


def _is_closed(schema: Mapping[str, Any] | None) -> bool:
    """What the API does where a caller says nothing: a schema that lists all it takes, and insists on all of it, is
    kept strictly; any other is not."""
    if schema is None:
        return False
    kind = schema.get("type")
    if kind == "object" or (isinstance(kind, list) and "object" in kind):
        properties = schema.get("properties") or {}
        required = schema.get("required") or []
        if schema.get("additionalProperties") is not False:
            return False
        if not (isinstance(required, list) and isinstance(properties, Mapping)):
            return False
        if properties.keys() - {name for name in required if isinstance(name, str)}:
            return False
    inner = [schema[word] for word in _SCHEMA_WORDS if isinstance(schema.get(word), Mapping)]
    inner += [one for word in _SCHEMA_LISTS if isinstance(schema.get(word), list) for one in schema[word]]
    inner += [
        one for word in _SCHEMA_MAPS if isinstance(schema.get(word), Mapping) for one in schema[word].values()
    ]
    return all(_is_closed(one) for one in inner if isinstance(one, Mapping))
