"""What routing reads of a Messages request: text and counts, a lax reading that forwards what it does not
know. It translates nothing."""

import re
from collections.abc import Mapping, Sequence

import msgspec

from pointsman.core.errors import BadRequest
from pointsman.core.prompt import Prompt, Turn
from pointsman.wire.anthropic_messages.fields import given, missing, read, wrong
from pointsman.wire.envelope import Envelope
from pointsman.wire.json_bytes import NOTHING, bytes_of

BILLING_HEADER = "x-anthropic-billing-header:"
"""Claude Code's first system block begins so: an attribution that changes per build, not prompt text."""

_LIST = re.compile(rb"\[\s*(\])?")


class _Block(msgspec.Struct, gc=False):
    type: str
    text: str | None = None
    source: msgspec.Raw = NOTHING
    content: msgspec.Raw = NOTHING


class _Message(msgspec.Struct, gc=False):
    role: str
    content: str | list[_Block]


class _PlainBlock(msgspec.Struct, gc=False):
    """A block whose content, if any, is text or further blocks: all but the results of some of the provider's tools."""

    type: str
    text: str | None = None
    source: msgspec.Raw = NOTHING
    content: "str | list[_PlainBlock] | None" = None


class _PlainMessage(msgspec.Struct, gc=False):
    role: str
    content: str | list[_PlainBlock]


class _Source(msgspec.Struct, gc=False):
    type: str = ""
    data: msgspec.Raw = NOTHING


class _Kind(msgspec.Struct, gc=False):
    type: str = ""


class _OutputConfig(msgspec.Struct, gc=False):
    format: _Kind | None = None


_plain_messages = msgspec.json.Decoder(list[_PlainMessage]).decode
_messages = msgspec.json.Decoder(list[_Message]).decode
_content = msgspec.json.Decoder(str | list[_Block] | None).decode
_source = msgspec.json.Decoder(_Source).decode
_tools = msgspec.json.Decoder(list[msgspec.Raw]).decode
_kind = msgspec.json.Decoder(_Kind).decode
_output_config = msgspec.json.Decoder(_OutputConfig).decode
_count = msgspec.json.Decoder(int).decode

_READ_BY_THE_MODEL = ("system", "messages", "tools", "output_config", "output_format")
_ROLES = frozenset({"user", "assistant", "system"})


def require_messages(envelope: Envelope) -> None:
    """The least a body must have to be worth forwarding. Raises BadRequest."""
    fields = envelope.fields
    raw = given(fields, "messages")
    if raw is None:
        raise missing("messages")
    beginning = _LIST.match(memoryview(raw))
    if beginning is None:
        raise wrong("messages", "a valid list")
    if beginning[1]:
        raise BadRequest("messages: at least one message is required", param="messages")
    if given(fields, "max_tokens") is None:
        raise missing("max_tokens")


class _Tally:
    """Adds up what the blocks hold."""

    __slots__ = ("documents", "images", "media_bytes")

    def __init__(self) -> None:
        self.documents = 0
        self.images = 0
        self.media_bytes = 0

    def media(self, block: _Block | _PlainBlock, path: str) -> None:
        if block.type == "image":
            self.images += 1
        else:
            self.documents += 1
        if block.source is not NOTHING:
            source = read(_source, block.source, f"{path}.source")
            if source.type == "base64":
                self.media_bytes += memoryview(source.data).nbytes

    def result_text(self, block: _Block | _PlainBlock, path: str) -> str:
        content: str | Sequence[_Block | _PlainBlock] | None
        if isinstance(block, _PlainBlock):
            content = block.content
        elif block.content is NOTHING:
            content = None
        else:
            content = read(_content, block.content, f"{path}.content")
        if content is None or isinstance(content, str):
            return content or ""
        texts: list[str] = []
        for at, part in enumerate(content):
            if part.type == "text":
                texts.append(part.text or "")
            elif part.type in {"image", "document"}:
                self.media(part, f"{path}.content.{at}")
        return "\n".join(texts)


def read_prompt(envelope: Envelope) -> Prompt:
    require_messages(envelope)
    fields = envelope.fields
    system = _system(fields)
    turns: list[Turn] = []
    tally = _Tally()
    for at, message in enumerate(_read_messages(fields["messages"])):
        role, content = message.role, message.content
        if role not in _ROLES:
            raise wrong(f"messages.{at}.role", "'user', 'assistant' or 'system'")
        if isinstance(content, str):
            texts, results = [content], None
        else:
            texts, results = _blocks(content, tally, at)
        if role == "user":
            if results is not None:
                turns.append(Turn("tool", "\n".join(results)))
            if texts or results is None:
                turns.append(Turn("user", "\n".join(texts)))
        elif role == "assistant":
            turns.append(Turn("assistant", "\n".join(texts)))
        else:
            system += texts
    return Prompt(
        system="\n".join(system),
        turns=tuple(turns),
        input_bytes=bytes_of(fields, _READ_BY_THE_MODEL),
        media_bytes=tally.media_bytes,
        tool_count=len(read(_tools, raw, "tools")) if (raw := given(fields, "tools")) else 0,
        output_format="json_schema" if _wants_schema(fields) else "text",
        image_count=tally.images,
        document_count=tally.documents,
        wants_thinking=_kind_of(fields, "thinking") not in {"", "disabled"},
        max_output_tokens=read(_count, fields["max_tokens"], "max_tokens"),
    )


def _read_messages(raw: msgspec.Raw) -> Sequence[_Message | _PlainMessage]:
    """An agent's conversation is hundreds of KB of tools' results: as a rule they are read together with all else, in
    half the time."""
    try:
        return _plain_messages(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return read(_messages, raw, "messages")


def _blocks(
    content: Sequence[_Block | _PlainBlock], tally: _Tally, at: int
) -> tuple[list[str], list[str] | None]:
    """The message's own text, and the text of its tool results: None where it has none."""
    texts: list[str] = []
    results: list[str] | None = None
    for number, block in enumerate(content):
        kind = block.type
        if kind == "text":
            texts.append(block.text or "")
        elif kind == "tool_result":
            results = [] if results is None else results
            results.append(tally.result_text(block, f"messages.{at}.content.{number}"))
        elif kind in {"image", "document"}:
            tally.media(block, f"messages.{at}.content.{number}")
    return texts, results


def _system(fields: Mapping[str, msgspec.Raw]) -> list[str]:
    raw = given(fields, "system")
    content = read(_content, raw, "system") if raw else None
    if content is None:
        return []
    if isinstance(content, str):
        return [content]
    texts = [block.text or "" for block in content]
    return texts[1:] if texts and texts[0].startswith(BILLING_HEADER) else texts


def _kind_of(fields: Mapping[str, msgspec.Raw], name: str) -> str:
    raw = given(fields, name)
    return read(_kind, raw, name).type if raw else ""


def _wants_schema(fields: Mapping[str, msgspec.Raw]) -> bool:
    if raw := given(fields, "output_config"):
        wanted = read(_output_config, raw, "output_config").format
        if wanted is not None and wanted.type == "json_schema":
            return True
    return _kind_of(fields, "output_format") == "json_schema"
