"""OpenAI responses: the names of tools. A tool within a namespace is known elsewhere by both names together, and a
custom tool is a function; here is how a caller's own words for either are found again."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from pointsman.wire.envelope import Envelope
from pointsman.wire.openai_responses.client_tools import CLIENT_TOOLS, ClientTool

_KINDS = (b'"custom"', b'"namespace"', *(b'"%b"' % name.encode() for name in CLIENT_TOOLS))


class Own(NamedTuple):
    """What a caller calls its tool."""

    name: str
    namespace: str | None = None
    is_custom: bool = False
    client: ClientTool | None = None


class _Inner(msgspec.Struct, gc=False):
    type: str = "function"
    name: str = ""


class _Declared(msgspec.Struct):
    type: str = ""
    name: str = ""
    tools: list[_Inner] | None = None


class _Item(msgspec.Struct, gc=False):
    type: str = ""
    tools: msgspec.Raw = msgspec.Raw(b"null")


_decode_tools = msgspec.json.Decoder(list[_Declared] | None).decode
_decode_items = msgspec.json.Decoder(list[_Item]).decode


def flat_name(namespace: str | None, name: str) -> str:
    """A tool that was found by a search and stands alone is its own namespace."""
    return f"{namespace}__{name}" if namespace and namespace != name else name


def own_tools(envelope: Envelope | None) -> Mapping[str, Own]:
    """The caller's words for each tool that is called in another way than a plain function, by flat name."""
    if envelope is None:
        return {}
    found: dict[str, Own] = {}
    try:
        for raw in _declarations(envelope):
            for tool in _decode_tools(raw) or ():
                if tool.type == "custom":
                    found[tool.name] = Own(tool.name, is_custom=True)
                elif (client := CLIENT_TOOLS.get(tool.type)) is not None:
                    found[tool.type] = Own(tool.type, client=client)
                for inner in tool.tools or ():
                    flat = flat_name(tool.name, inner.name)
                    found[flat] = Own(inner.name, tool.name, inner.type == "custom")
    except (msgspec.DecodeError, RecursionError):
        return found
    return found


def _declarations(envelope: Envelope) -> Iterable[msgspec.Raw]:
    tools = envelope.fields.get("tools")
    if tools is not None and any(kind in bytes(tools) for kind in _KINDS):
        yield tools
    if b'"additional_tools"' in envelope.body and (raw := envelope.fields.get("input")) is not None:
        yield from (item.tools for item in _decode_items(raw) if item.type == "additional_tools")
