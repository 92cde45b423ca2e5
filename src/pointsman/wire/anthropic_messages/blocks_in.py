"""Reads the content blocks of a Messages request: each becomes a part of a message, or is named as what no
other dialect can carry. It reads no other field."""

from collections.abc import Callable
from typing import Any

import msgspec

from pointsman.core.errors import BadRequest
from pointsman.core.request import (
    Document,
    Image,
    Part,
    RedactedThinking,
    Role,
    Seal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from pointsman.wire.anthropic_messages.fields import compact, is_null, missing, read, wrong
from pointsman.wire.json_bytes import NOT_JSON, NOTHING
from pointsman.wire.seals import Kind, Tagged, untag
from pointsman.wire.unread import is_about_unknown, take_unknown


class Block(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """Every field that a block we translate can have, or that is named where it has no place; what it holds depends on
    `type`."""

    type: str
    text: str | None = None
    source: msgspec.Raw = NOTHING
    title: str | None = None
    context: str | None = None
    citations: msgspec.Raw = NOTHING
    id: str | None = None
    name: str | None = None
    input: msgspec.Raw = NOTHING
    tool_use_id: str | None = None
    content: msgspec.Raw = NOTHING
    is_error: bool | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None
    cache_control: msgspec.Raw = NOTHING
    tool: msgspec.Raw = NOTHING
    tool_name: str | None = None
    transformations: msgspec.Raw = NOTHING
    caller: dict[str, Any] | None = None


class AnyBlock(Block, gc=False, forbid_unknown_fields=False):
    """One with fields that nobody here knows, or of a kind that is not translated."""


_TRANSLATED = frozenset({
    "text", "image", "document", "search_result", "tool_use", "tool_result", "thinking", "redacted_thinking",
    "tool_reference", "tool_addition",
})  # fmt: skip


class _Source(msgspec.Struct, gc=False):
    type: str
    media_type: str | None = None
    data: str | None = None
    url: str | None = None
    content: msgspec.Raw = NOTHING


class _Loaded(msgspec.Struct, gc=False):
    name: str | None = None


Content = str | list[Block] | None

_decode_content: Callable[[msgspec.Raw], Content] = msgspec.json.Decoder(Content).decode
_decode_any_content: Callable[[msgspec.Raw], Content] = msgspec.json.Decoder(
    str | list[AnyBlock] | None
).decode
_any = msgspec.json.Decoder().decode
_source = msgspec.json.Decoder(_Source).decode
_string = msgspec.json.Decoder(str | None).decode
_loaded = msgspec.json.Decoder(_Loaded).decode


class Reading:
    """What one request gathers besides its turns."""

    def __init__(self) -> None:
        self.foreign: dict[str, Any] = {}
        self.must_not_drop: set[str] = set()
        self.loaded_tools: set[str] = set()
        self._seal_of_call: Seal | None = None

    def leave_out(self, name: str, value: object) -> None:
        self.foreign.setdefault(name, value)

    def insist_on(self, name: str, value: object) -> None:
        self.foreign[name] = value
        self.must_not_drop.add(name)

    def content(self, raw: msgspec.Raw, path: str) -> Content:
        """Names the fields of its blocks that nobody here knows."""
        try:
            return _decode_content(raw)
        except msgspec.ValidationError as error:
            if not is_about_unknown(error):
                return read(_decode_any_content, raw, path)
        except NOT_JSON:
            pass
        content = read(_decode_any_content, raw, path)
        self.unread_in(_any(raw))
        return content

    def unread_in(self, content: Any) -> None:
        unread: dict[str, Any] = {}
        for block in content if isinstance(content, list) else ():
            if isinstance(block, dict) and block.get("type") in _TRANSLATED:
                take_unknown(block, Block, "messages", unread)
        for name, value in unread.items():
            self.leave_out(name, value)

    # blocks

    def parts(self, content: Content, path: str) -> list[Part]:
        if content is None or isinstance(content, str):
            return [Text(content)] if content else []
        parts: list[Part] = []
        for at, block in enumerate(content):
            if not is_null(block.cache_control):
                self.leave_out("cache_control", True)
            self._read(block, f"{path}.{at}", parts)
        return parts

    def _read(self, block: Block, path: str, parts: list[Part]) -> None:
        seal, self._seal_of_call = self._seal_of_call, None
        match block.type:
            case "text":
                if not is_null(block.citations) and bytes(block.citations) != b"[]":
                    self.leave_out("citations", True)
                if text := _need(block.text, f"{path}.text"):
                    parts.append(Text(text))
            case "image":
                self._image(block, path, parts)
            case "document":
                self._document(block, path, parts)
            case "search_result":
                texts = self.parts(self.content(block.content, f"{path}.content"), f"{path}.content")
                if not is_null(block.citations):
                    self.leave_out("citations", True)
                parts += _named(block, path)
                parts.append(Document(text=_joined(texts)))
            case "tool_use":
                if bytes(block.input)[:1] != b"{":
                    raise wrong(f"{path}.tool_use.input", "a valid object")
                if block.caller is not None and block.caller.get("type") != "direct":
                    self.leave_out("messages.caller", block.caller)
                name = _need(block.name, f"{path}.tool_use.name")
                call_id = _need(block.id, f"{path}.tool_use.id")
                parts.append(ToolCall(call_id, name, read(compact, block.input, path), seal))
                self.loaded_tools.add(name)
            case "tool_result":
                parts.append(self._tool_result(block, f"{path}.tool_result"))
            case "thinking":
                # A signature that is not tagged was made by a provider of this dialect, and the model that this
                # request goes to speaks another one: it may not see the block, nor one without a signature.
                self._sealed(untag(block.signature), block.thinking or "", parts)
            case "redacted_thinking":
                self._sealed(untag(_need(block.data, f"{path}.data")), "", parts)
            case "tool_reference":
                self.loaded_tools.add(block.tool_name or "")
            case "tool_addition":
                self.loaded_tools.add(read(_loaded, block.tool, f"{path}.tool").name or "")
            case kind:
                self.insist_on(f"{path}.{kind}", True)

    def _sealed(self, tagged: Tagged | None, text: str, parts: list[Part]) -> None:
        """What a thinking block stood for: it may hold the seal of the call behind it, or of the text before it."""
        match tagged:
            case None | Tagged(_, Seal("", "")):
                pass
            case Tagged(Kind.THINKING, seal):
                parts.append(Thinking(text, seal))
            case Tagged(Kind.REDACTED, seal):
                parts.append(RedactedThinking(seal))
            case Tagged(Kind.CALL, seal):
                self._seal_of_call = seal
            case Tagged(_, seal):
                if parts and isinstance(last := parts[-1], Text):
                    parts[-1] = msgspec.structs.replace(last, seal=seal)
                else:
                    parts.append(Text("", seal=seal))

    def _image(self, block: Block, path: str, parts: list[Part]) -> None:
        if not is_null(block.transformations):
            self.leave_out("transformations", True)
        path = f"{path}.image.source"
        if block.source is NOTHING:
            raise missing(path)
        source = read(_source, block.source, path)
        match source.type:
            case "base64":
                media_type = _need(source.media_type, f"{path}.media_type")
                parts.append(Image(media_type=media_type, data=_need(source.data, f"{path}.data")))
            case "url":
                parts.append(Image(url=_need(source.url, f"{path}.url")))
            case kind:
                self.insist_on(f"{path}.{kind}", True)

    def _document(self, block: Block, path: str, parts: list[Part]) -> None:
        path = f"{path}.document.source"
        if block.source is NOTHING:
            raise missing(path)
        if not is_null(block.citations):
            self.leave_out("citations", True)
        if block.context:
            parts.append(Text(block.context))
        source, name = read(_source, block.source, path), block.title
        match source.type:
            case "base64":
                media_type = _need(source.media_type, f"{path}.media_type")
                data = _need(source.data, f"{path}.data")
                parts.append(Document(media_type=media_type, data=data, name=name))
            case "url":
                parts.append(Document(url=_need(source.url, f"{path}.url"), name=name))
            case "text":
                parts.append(Document(text=_need(source.data, f"{path}.data"), name=name))
            case "content":
                content = self.parts(self.content(source.content, f"{path}.content"), f"{path}.content")
                if text := _joined(content):
                    parts.append(Document(text=text, name=name))
                parts += [part for part in content if not isinstance(part, Text)]
            case kind:
                self.insist_on(f"{path}.{kind}", True)

    def _tool_result(self, block: Block, path: str) -> ToolResult:
        call_id = _need(block.tool_use_id, f"{path}.tool_use_id")
        content = None if block.content is NOTHING else self.content(block.content, f"{path}.content")
        kept: list[Text | Image | Document] = []
        for part in self.parts(content, f"{path}.content"):
            if not isinstance(part, Text | Image | Document):
                raise BadRequest(f"{path}.content: Input should be text, images or documents", param=path)
            kept.append(part)
        return ToolResult(call_id, tuple(kept), is_error=block.is_error is True)


class OpenCalls:
    """Every call is answered in the user turn after it, and every result answers a call of the turn before."""

    def __init__(self) -> None:
        self._open: dict[str, int] = {}
        self._is_answering = False

    def follow(self, role: Role, parts: list[Part], at: int) -> None:
        if role == "assistant":
            if self._is_answering:
                self.check_answered()
            self._is_answering = False
        elif role == "user":
            self._is_answering = True
        for number, part in enumerate(parts):
            where = f"messages.{at}.content.{number}"
            match part:
                case ToolCall(call_id):
                    _check_role(role, "assistant", "tool_use", where)
                    self._open[call_id] = at
                case ToolResult(call_id):
                    _check_role(role, "user", "tool_result", where)
                    if self._open.pop(call_id, None) is None:
                        raise BadRequest(
                            f"{where}: unexpected `tool_use_id` found in `tool_result` blocks: {call_id}. Each "
                            "`tool_result` block must have a corresponding `tool_use` block in the previous "
                            "message.",
                            param=where,
                        )
                case _:
                    pass

    def check_answered(self) -> None:
        if self._open:
            where = f"messages.{next(iter(self._open.values()))}"
            raise BadRequest(
                f"{where}: `tool_use` ids were found without `tool_result` blocks immediately after: "
                f"{', '.join(self._open)}. Each `tool_use` block must have a corresponding `tool_result` block "
                "in the next message.",
                param=where,
            )


def _check_role(role: Role, right: Role, kind: str, where: str) -> None:
    if role != right:
        raise BadRequest(f"{where}: `{kind}` blocks can only be in `{right}` messages", param=where)


def _named(block: Block, path: str) -> list[Text]:
    """What a search result is called, and where it is from: what a model would cite it by."""
    source = None if block.source is NOTHING else read(_string, block.source, f"{path}.source")
    said = "\n".join(filter(None, (block.title, source)))
    return [Text(said)] if said else []


def _need(value: str | None, path: str) -> str:
    if value is None:
        raise missing(path)
    return value


def _joined(parts: list[Part]) -> str:
    return "\n".join(part.text for part in parts if isinstance(part, Text))
