"""Writes a conversation as Gemini takes it: system text apart, user and model in turn, every function response at the
start of the user turn after its call. It does not write the other fields.

From Gemini 3 on the first call of each step in the current turn must carry a signature. One that another model made,
or that lost it, is sent with SKIP_VALIDATOR: the value that Google documents for calls which do not come from it.
"""

import mimetypes
from collections import defaultdict, deque
from collections.abc import Sequence
from operator import itemgetter
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
    Seal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from pointsman.wire.gemini.families import is_at_least_3
from pointsman.wire.system_text import is_system, leading_system, system_texts

SKIP_VALIDATOR = "skip_thought_signature_validator"

_AUDIO_TYPES = {"mp3": "audio/mp3", "wav": "audio/wav", "m4a": "audio/m4a"}
_arguments = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode

Written = dict[str, Any]


def system_parts(messages: Sequence[Message], card: ModelCard) -> list[Written]:
    """The text of the system messages that lead the conversation."""
    leading, _ = leading_system(messages)
    return [{"text": text} for message in leading for text in system_texts(message, card) if text]


def turns(messages: Sequence[Message], card: ModelCard, dropped: dict[str, None]) -> list[Written]:
    """The rest, as `contents`. A later system message keeps its place as marked user text: moved to the top it would
    come before what it refers to."""
    writing = _Turns(card, dropped)
    _, rest = leading_system(messages)
    for message in rest:
        if is_system(message):
            if text := "\n".join(filter(None, system_texts(message, card))):
                writing.add("user", {"text": f"<system>\n{text}\n</system>"})
            continue
        for part in message.parts:
            writing.add_part("model" if message.role == "assistant" else "user", part)
    return writing.finish()


class _Turns:
    """`_waiting` holds the calls that have no response yet: by the id the caller knows, the place of the call and the
    name it is sent with. `_responses` stand with the places of their calls: they may come in the order in which the
    tools were done, but go back in that of the calls, which is all that older models know them by."""

    def __init__(self, card: ModelCard, dropped: dict[str, None]) -> None:
        self._maker = card.provider
        self._is_new = is_at_least_3(card.id)
        self._dropped = dropped
        self._written: list[Written] = []
        self._role = ""
        self._responses: list[tuple[int, Written]] = []
        self._attached: list[Written] = []
        self._parts: list[Written] = []
        self._waiting: defaultdict[str, deque[tuple[int, str]]] = defaultdict(deque)
        self._calls = 0
        self._current_turn = 0

    def add_part(self, role: str, part: Part) -> None:
        match part:
            case Text(text, _, seal):
                signature = self._signature(seal)
                if text or signature or role == "user":
                    self.add(role, {"text": text, **signature})
            case Image() | Document():
                self.add(role, self._media(part))
            case Audio(data, kind):
                media_type = _AUDIO_TYPES.get(kind, f"audio/{kind}")
                self.add(role, {"inlineData": {"mimeType": media_type, "data": data}})
            case ToolCall():
                self._open(role)
                self._parts.append(self._call(part))
            case ToolResult():
                self._open(role)
                self._respond(part)
            case Thinking(text, seal):
                if signature := self._signature(seal):
                    self.add(role, {"text": text, "thought": True, **signature})
            case RedactedThinking():
                pass  # Google's models keep nothing of that kind: it is another maker's
            case _:
                assert_never(part)

    def add(self, role: str, part: Written) -> None:
        self._open(role)
        self._parts.append(part)

    def finish(self) -> list[Written]:
        self._close()
        self._check_answered()
        if self._is_new:
            for content in self._written[self._current_turn :]:
                sign_first_call(content["parts"])
        if self._written and self._written[0]["role"] == "model":
            # The API takes no conversation that the model begins.
            self._written.insert(0, {"role": "user", "parts": [{"text": ""}]})
        return self._written

    def _open(self, role: str) -> None:
        if role == self._role:
            return
        self._close()
        if role == "model":
            self._check_answered()
        self._role = role

    def _close(self) -> None:
        responses = [response for _, response in sorted(self._responses, key=itemgetter(0))]
        parts = responses + self._attached + self._parts
        if parts:
            if self._role == "user" and not self._responses:
                self._current_turn = len(self._written)
            self._written.append({"role": self._role, "parts": parts})
        self._responses, self._attached, self._parts = [], [], []

    def _check_answered(self) -> None:
        unanswered = [call_id for call_id, names in self._waiting.items() if names]
        if unanswered:
            raise BadRequest(
                f"messages: no tool result follows the tool calls {', '.join(unanswered)[:200]}",
                param="messages",
            )
        self._waiting.clear()

    def _signature(self, seal: Seal | None) -> Written:
        if seal is None or not seal.data or seal.maker != self._maker:
            return {}
        return {"thoughtSignature": seal.data}

    def _call(self, call: ToolCall) -> Written:
        text = call.arguments.strip() or "{}"
        try:
            _arguments(text)
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
            raise BadRequest(
                f"messages: the arguments of the tool call {call.id[:64]} are not a JSON object",
                param="messages",
            ) from None
        name = call.name
        self._waiting[call.id].append((self._calls, name))
        self._calls += 1
        args = msgspec.Raw(text.encode())
        return {"functionCall": {"id": call.id, "name": name, "args": args}, **self._signature(call.seal)}

    def _respond(self, result: ToolResult) -> None:
        waiting = self._waiting[result.call_id]
        if not waiting:
            raise BadRequest(
                f"messages: the tool result {result.call_id[:64]} answers no tool call of the turn before it",
                param="messages",
            )
        place, name = waiting.popleft()
        texts: list[str] = []
        media: list[Written] = []
        for part in result.content:
            written = {"text": part.text} if isinstance(part, Text) else self._media(part)
            if "text" in written:
                texts.append(written["text"])
            else:
                media.append(written)
                if not self._is_new:
                    # Older models take no media within a response.
                    self._attached.append(written)
                    kind = "image" if isinstance(part, Image) else "file"
                    texts.append(f"[{kind} {len(self._attached)} attached below]")
        response: Written = {
            "id": result.call_id,
            "name": name,
            "response": {"error" if result.is_error else "output": "\n".join(texts)},
        }
        if media and self._is_new:
            response["parts"] = media
        self._responses.append((place, {"functionResponse": response}))

    def _media(self, part: Image | Document) -> Written:
        if isinstance(part, Document):
            if part.name:
                self._dropped["filename"] = None
            if part.text is not None:
                return {"text": part.text}
        elif part.detail not in {None, "auto"}:
            self._dropped["detail"] = None
        if part.url is not None:
            media_type = part.media_type or mimetypes.guess_type(part.url.partition("?")[0])[0]
            file = {"fileUri": part.url}
            return {"fileData": file if media_type is None else {**file, "mimeType": media_type}}
        if not part.media_type:
            raise Unsupported("a file of unknown type cannot be sent to this model", param="messages")
        return {"inlineData": {"mimeType": part.media_type, "data": part.data}}


def sign_first_call(parts: Sequence[Written]) -> None:
    """Of calls made at once only the first carries a signature."""
    first = next((part for part in parts if "functionCall" in part), None)
    if first is not None:
        first.setdefault("thoughtSignature", SKIP_VALIDATOR)
