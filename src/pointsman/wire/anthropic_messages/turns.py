"""Writes a conversation as the Messages API takes it: system text apart, user and assistant in turn, every
tool result at the start of the user turn after its call. It does not write the other fields."""

import re
from collections import defaultdict, deque
from collections.abc import Sequence
from hashlib import blake2s
from typing import Any, assert_never

import msgspec

from pointsman.core.errors import BadRequest, Unsupported
from pointsman.core.model_card import ModelCard
from pointsman.core.request import (
    Audio,
    Document,
    Image,
    Message,
    Part,
    RedactedThinking,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from pointsman.wire.system_text import is_system, leading_system, system_texts
from pointsman.wire.text_files import text_in

_IMAGE_TYPES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
_ID_CHARACTERS_MAX = 64
_NOT_IN_IDS = re.compile(r"[^a-zA-Z0-9_-]")
_arguments = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode

Block = dict[str, Any]


def system_blocks(messages: Sequence[Message], card: ModelCard) -> list[Block]:
    """The text of the system messages that lead the conversation."""
    leading, _ = leading_system(messages)
    return [{"type": "text", "text": text} for message in leading for text in _said(message, card)]


def turn_blocks(messages: Sequence[Message], card: ModelCard) -> list[Block]:
    """The rest, as `messages`. Thinking goes back to its maker only. A later system message keeps its place as marked
    user text: moved to the top it would come before what it refers to, and only few models take it where it is."""
    turns = _Turns(card.provider)
    _, rest = leading_system(messages)
    for message in rest:
        if is_system(message):
            if text := "\n".join(_said(message, card)):
                turns.add("user", {"type": "text", "text": f"<system>\n{text}\n</system>"})
            continue
        for part in message.parts:
            turns.add_part("assistant" if message.role == "assistant" else "user", part)
    return turns.finish()


class _Turns:
    """`_results` and `_blocks` are of the turn that is open, `_waiting` the calls that have no result yet: the
    id the caller knows, and in order of the calls the ids they are sent with."""

    def __init__(self, maker: str) -> None:
        self._maker = maker
        self._written: list[Block] = []
        self._role = ""
        self._results: list[Block] = []
        self._blocks: list[Block] = []
        self._waiting: defaultdict[str, deque[str]] = defaultdict(deque)
        self._sent_ids: set[str] = set()
        self._copies: dict[str, int] = {}

    def add_part(self, role: str, part: Part) -> None:
        match part:
            case Text(text):
                if text.strip():
                    self.add(role, {"type": "text", "text": text})
            case Image() | Document():
                self.add(role, _media(part))
            case ToolCall():
                self._open(role)
                self._blocks.append(self._call(part))
            case ToolResult():
                self._open(role)
                self._results.append(self._result(part))
            case Thinking(text, seal):
                if seal is not None and seal.data and seal.maker == self._maker:
                    self.add(role, {"type": "thinking", "thinking": text, "signature": seal.data})
            case RedactedThinking(seal):
                if seal.maker == self._maker:
                    self.add(role, {"type": "redacted_thinking", "data": seal.data})
            case Audio():
                raise Unsupported("audio cannot be sent to this model", param="messages")
            case _:
                assert_never(part)

    def add(self, role: str, block: Block) -> None:
        self._open(role)
        self._blocks.append(block)

    def finish(self) -> list[Block]:
        self._close()
        self._check_answered()
        if self._written and self._written[-1]["role"] == "assistant":
            _trim_end(self._written[-1])
        return self._written

    def _open(self, role: str) -> None:
        if role == self._role:
            return
        self._close()
        if role == "assistant":
            self._check_answered()
        self._role = role

    def _close(self) -> None:
        blocks = self._results + self._blocks
        if blocks:
            alone = blocks[0] if len(blocks) == 1 else {}
            content = alone["text"] if alone.get("type") == "text" else blocks
            self._written.append({"role": self._role, "content": content})
        self._results, self._blocks = [], []

    def _check_answered(self) -> None:
        unanswered = [call_id for call_id, sent in self._waiting.items() if sent]
        if unanswered:
            raise BadRequest(
                f"messages: no tool result follows the tool calls {', '.join(unanswered)}", param="messages"
            )
        self._waiting.clear()

    def _call(self, call: ToolCall) -> Block:
        text = call.arguments.strip() or "{}"
        try:
            _arguments(text)
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
            raise BadRequest(
                f"messages: the arguments of the tool call {call.id} are not a JSON object", param="messages"
            ) from None
        sent_id = self._free_id(call.id)
        self._waiting[call.id].append(sent_id)
        return {"type": "tool_use", "id": sent_id, "name": call.name, "input": msgspec.Raw(text.encode())}

    def _free_id(self, call_id: str) -> str:
        """An id the API takes, which no other call of the conversation has. The same history always gives the
        same ids, so that a cached beginning of it stays the same."""
        clean = _NOT_IN_IDS.sub("_", call_id) or "call"
        if len(clean) > _ID_CHARACTERS_MAX:
            clean = "call" + blake2s(clean.encode(), digest_size=16).hexdigest()
        sent_id = clean
        number = self._copies.get(clean, 1)
        while sent_id in self._sent_ids:
            number += 1
            sent_id = f"{clean}_{number}"
        self._copies[clean] = number
        self._sent_ids.add(sent_id)
        return sent_id

    def _result(self, result: ToolResult) -> Block:
        waiting = self._waiting[result.call_id]
        if not waiting:
            raise BadRequest(
                f"messages: the tool result {result.call_id} answers no tool call of the turn before it",
                param="messages",
            )
        block: Block = {"type": "tool_result", "tool_use_id": waiting.popleft()}
        content = [
            {"type": "text", "text": part.text} if isinstance(part, Text) else _media(part)
            for part in result.content
            if not (isinstance(part, Text) and not part.text.strip())
        ]
        if content:
            alone = content[0] if len(content) == 1 else {}
            block["content"] = alone["text"] if alone.get("type") == "text" else content
        if result.is_error:
            block["is_error"] = True
        return block


def _said(message: Message, card: ModelCard) -> list[str]:
    """The API takes no text of white space alone."""
    return [text for text in system_texts(message, card) if text.strip()]


def _media(part: Image | Document) -> Block:
    return _image(part) if isinstance(part, Image) else _document(part)


def _image(image: Image) -> Block:
    if image.url is not None:
        return {"type": "image", "source": {"type": "url", "url": image.url}}
    media_type = "image/jpeg" if image.media_type == "image/jpg" else image.media_type
    if media_type not in _IMAGE_TYPES:
        raise Unsupported(f"images of type {media_type} cannot be sent to this model", param="messages")
    return {"type": "image", "source": {"type": "base64", "media_type": media_type, "data": image.data}}


def _document(document: Document) -> Block:
    source: Block
    if document.url is not None:
        source = {"type": "url", "url": document.url}
    elif (text := text_in(document)) is not None:
        source = {"type": "text", "media_type": "text/plain", "data": text}
    elif document.media_type == "application/pdf":
        source = {"type": "base64", "media_type": "application/pdf", "data": document.data}
    else:
        raise Unsupported(
            f"files of type {document.media_type} cannot be sent to this model", param="messages"
        )
    block: Block = {"type": "document", "source": source}
    if document.name:
        block["title"] = document.name
    return block


def _trim_end(turn: Block) -> None:
    """The API refuses a beginning of its answer that ends in white space."""
    content = turn["content"]
    if isinstance(content, str):
        turn["content"] = content.rstrip()
    elif content[-1]["type"] == "text":
        content[-1]["text"] = content[-1]["text"].rstrip()
