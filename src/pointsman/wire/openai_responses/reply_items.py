"""OpenAI responses: the items of a provider's reply as events, in pieces or whole. It knows nothing of the stream or
the response that they stand in.

An item may come in pieces, or whole at its end, or only in the response that ends the stream; whatever of it was
not told yet is told then. Items that the provider runs itself (searches, code) are passed over.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from pointsman.core.errors import UpstreamError, UpstreamFault
from pointsman.core.events import (
    BlockEnded,
    CitationAdded,
    ImageMade,
    ReplyEvent,
    TextDelta,
    ThinkingDelta,
    ThinkingSealed,
    ToolCallDelta,
    ToolCallStarted,
)
from pointsman.core.request import Citation, Seal
from pointsman.wire.call_ids import made_id
from pointsman.wire.custom_tools import as_arguments
from pointsman.wire.logprobs import sound
from pointsman.wire.openai_responses.sealed import sealed
from pointsman.wire.openai_responses.shapes import Event, Item, decode_item, decode_kind
from pointsman.wire.openai_responses.tool_names import flat_name

_encode = msgspec.json.Encoder().encode

_READ_ITEMS = frozenset(
    ("message", "reasoning", "function_call", "custom_tool_call", "image_generation_call")
)
_CALLS = frozenset(("function_call", "custom_tool_call"))
_RUN_BY_CALLERS = frozenset(("apply_patch_call", "computer_call", "local_shell_call", "mcp_approval_request"))
"""Calls that wait for the caller and that no other dialect has: without them the reply would look done."""

_BETWEEN_THOUGHTS = "\n\n"
_END_OF_INPUT = '"}'


class _Open:
    """An item under way: what of it was told. `section` is the part of a reasoning item that its thoughts come from,
    for some providers send the same in two."""

    __slots__ = ("call", "has_citations", "has_text", "is_custom", "kind", "section")

    def __init__(self, kind: str, call: int = -1) -> None:
        self.kind = kind
        self.call = call
        self.is_custom = kind == "custom_tool_call"
        self.has_text = False
        self.has_citations = False
        self.section: tuple[str, int] | None = None


class Reading:
    """Turns items and their pieces into events, which whoever drives it takes out of `events`."""

    def __init__(self, maker: str) -> None:
        self.events: list[ReplyEvent] = []
        self.reply_id = ""
        self._maker = maker
        self._open: dict[int, _Open] = {}
        self._told: set[int] = set()
        self.calls = 0
        self._call_ids: set[str] = set()
        self.has_refused = False

    def rest(self, items: Sequence[msgspec.Raw]) -> None:
        """The reply has ended with these items: tells what no event told. Where some were told one by one, only those
        still open can be missing something, for not everybody counts them the same way here."""
        is_untold = not self._told
        for index, raw in enumerate(items):
            if is_untold or index in self._open:
                self.complete(index, raw)
        for opened in self._open.values():
            if opened.is_custom and opened.has_text:
                self.events.append(ToolCallDelta(opened.call, _END_OF_INPUT))

    def add(self, index: int, raw: msgspec.Raw) -> None:
        if index in self._open or index in self._told or not _is_read(raw):
            return
        self._begin(index, decode_item(raw))

    def _begin(self, index: int, item: Item) -> _Open:
        opened = self._open[index] = _Open(item.type)
        if item.type in _CALLS:
            if not item.name:
                raise bad_reply("a tool call of the reply has no name")
            opened.call = self.calls
            self.calls += 1
            call_id = item.call_id or item.id
            if not call_id or call_id in self._call_ids:
                call_id = made_id(self.reply_id, opened.call)
            self._call_ids.add(call_id)
            self.events.append(ToolCallStarted(opened.call, call_id, flat_name(item.namespace, item.name)))
        return opened

    def grow(self, event: Event) -> bool:
        """False unless the event is a piece of an item."""
        match event.type:
            case "response.output_text.delta":
                self._text(event, is_refusal=False)
            case "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta":
                self._arguments(event)
            case "response.reasoning_summary_text.delta":
                self._thought(event, "summary", event.summary_index)
            case "response.reasoning_text.delta":
                self._thought(event, "content", event.content_index)
            case "response.refusal.delta":
                self._text(event, is_refusal=True)
            case "response.output_text.annotation.added":
                self._cite(event)
            case _:
                return False
        return True

    def _text(self, event: Event, *, is_refusal: bool) -> None:
        opened, piece = self._of(event, "message"), _piece(event)
        if opened is not None and piece:
            opened.has_text = True
            self._say(piece, event.logprobs, is_refusal=is_refusal)

    def _thought(self, event: Event, section: str, place: int) -> None:
        opened, piece = self._of(event, "reasoning"), _piece(event)
        if opened is None or not piece:
            return
        if opened.section is not None and opened.section[0] != section:
            return
        if opened.section is not None and opened.section[1] != place:
            self.events.append(ThinkingDelta(_BETWEEN_THOUGHTS))
        opened.section = (section, place)
        opened.has_text = True
        self.events.append(ThinkingDelta(piece))

    def _arguments(self, event: Event) -> None:
        opened, piece = self._open.get(event.output_index), _piece(event)
        if opened is None or opened.call < 0 or not piece:
            return
        if opened.is_custom:
            # The string within the arguments grows; its quotes and braces stand around the pieces.
            piece = as_arguments(piece)[:-2] if not opened.has_text else _encode(piece)[1:-1].decode()
        opened.has_text = True
        self.events.append(ToolCallDelta(opened.call, piece))

    def _cite(self, event: Event) -> None:
        opened = self._of(event, "message")
        if opened is not None and (citation := _citation(event.annotation)) is not None:
            opened.has_citations = True
            self.events.append(CitationAdded(citation))

    def complete(self, index: int, raw: msgspec.Raw) -> None:
        """The item is whole: says what of it was not said."""
        if index in self._told:
            return
        self._told.add(index)
        if not _is_read(raw):
            self._open.pop(index, None)
            return
        item = decode_item(raw)
        opened = self._open.get(index)
        if opened is None or (item.type in _CALLS and opened.call < 0):
            opened = self._begin(index, item)
        del self._open[index]
        match item.type:
            case "reasoning":
                self._reasoning(item, opened)
            case "image_generation_call":
                if item.result:
                    self.events.append(ImageMade(f"image/{item.output_format or 'png'}", item.result))
            case "function_call" | "custom_tool_call":
                self._call(item, opened)
            case _:
                self._message(item, opened)
        self.events.append(BlockEnded())

    def _message(self, item: Item, opened: _Open) -> None:
        for part in item.content or ():
            if not opened.has_text:
                if part.text and part.type != "refusal":
                    self._say(part.text, part.logprobs)
                if part.refusal:
                    self._say(part.refusal, None, is_refusal=True)
            if not opened.has_citations:
                citations = (_citation(annotation) for annotation in part.annotations or ())
                self.events.extend(CitationAdded(citation) for citation in citations if citation is not None)

    def _say(self, text: str, logprobs: list[dict[str, Any]] | None, *, is_refusal: bool = False) -> None:
        self.has_refused = self.has_refused or is_refusal
        told = sound(logprobs) if logprobs else ()
        self.events.append(TextDelta(text, is_refusal, told))

    def _reasoning(self, item: Item, opened: _Open) -> None:
        is_open_text = bool(item.content)
        if not opened.has_text:
            pieces = [piece.text for piece in (item.summary or item.content or ()) if piece.text]
            if pieces:
                opened.has_text = True
                self.events.append(ThinkingDelta(_BETWEEN_THOUGHTS.join(pieces)))
        if item.encrypted_content:
            self.events.append(
                ThinkingSealed(Seal(sealed(item.id or "", item.encrypted_content), self._maker))
            )
        elif is_open_text and opened.has_text:
            # An open model reads its own reasoning as it stands.
            self.events.append(ThinkingSealed(Seal("", self._maker)))

    def _call(self, item: Item, opened: _Open) -> None:
        whole = as_arguments(item.input or "") if opened.is_custom else item.arguments
        if opened.has_text:
            if opened.is_custom:
                self.events.append(ToolCallDelta(opened.call, _END_OF_INPUT))
        elif whole:
            self.events.append(ToolCallDelta(opened.call, whole))

    def _of(self, event: Event, kind: str) -> _Open | None:
        """The item a piece belongs to; some servers do not announce it."""
        index = event.output_index
        if index in self._told:
            return None
        opened = self._open.get(index)
        if opened is None:
            opened = self._open[index] = _Open(kind)
        return opened


def bad_reply(message: str) -> UpstreamError:
    return UpstreamError(UpstreamFault.BAD_REPLY, message)


def _piece(event: Event) -> str:
    if not isinstance(event.delta, str):
        raise bad_reply("a piece of the reply is not a text")
    return event.delta


def _is_read(raw: msgspec.Raw) -> bool:
    """False for an item that is passed over."""
    item = decode_kind(raw)
    is_for_caller = (
        item.type in _RUN_BY_CALLERS
        or (item.type == "tool_search_call" and item.execution == "client")
        or (item.type == "shell_call" and not _is_in_container(item.environment))
    )
    if is_for_caller:
        raise bad_reply(f"the reply holds a call that cannot be translated ({item.type})")
    return item.type in _READ_ITEMS or item.role == "assistant"


def _is_in_container(environment: Any) -> bool:
    """OpenAI runs a shell in a container of its own; anywhere else the caller does."""
    return isinstance(environment, dict) and environment.get("type") != "local"


def _citation(annotation: Any) -> Citation | None:
    match annotation:
        case {"type": "url_citation", "url": str(url)}:
            start, end, title = (annotation.get(name) for name in ("start_index", "end_index", "title"))
            return Citation(
                url,
                title if isinstance(title, str) else None,
                start=start if isinstance(start, int) else None,
                end=end if isinstance(end, int) else None,
            )
        case _:
            return None  # a file that only the provider knows
