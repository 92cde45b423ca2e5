"""OpenAI chat: a conversation as the messages that a compatible provider takes. It writes no other field.

Three things take another shape: an error result begins with "Error: "; images or documents in a tool result follow in a
user message behind the last tool message of the turn, since tool messages hold text only; a system message where the
provider takes none becomes marked user text.
"""

import re
from collections.abc import Callable, Sequence
from hashlib import blake2s
from itertools import takewhile
from typing import Any

import msgspec

from pointsman.core.errors import Unsupported
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
from pointsman.wire.data_urls import name_of
from pointsman.wire.openai_chat.profiles import Profile
from pointsman.wire.system_text import leading_system, system_texts
from pointsman.wire.text_files import text_in

ChatMessage = dict[str, Any]

_CALL_ID_CHARACTERS_MAX = 40  # of OpenAI's API
_NINE = re.compile(r"[A-Za-z0-9]{9}")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_decode_details = msgspec.json.Decoder(list[Any]).decode


class Messages:
    """Writes the messages of one request. `drop` is told what is left out; `knows_developer` is True for a model that
    has a role of that name."""

    def __init__(
        self, card: ModelCard, profile: Profile, drop: Callable[[str], None], *, knows_developer: bool
    ) -> None:
        self._card = card
        self._profile = profile
        self._drop = drop
        self._knows_developer = knows_developer
        self._out: list[ChatMessage] = []

    def write(self, messages: Sequence[Message]) -> list[ChatMessage]:
        for message in self._lead(messages):
            match message.role:
                case "system" | "developer":
                    self._system(message)
                case "user":
                    self._user(message)
                case _:
                    self._assistant(message)
        return self._out

    def _lead(self, messages: Sequence[Message]) -> Sequence[Message]:
        """Writes the system messages of one role that lead, as one where the provider wants it so; the rest."""
        leading, _ = leading_system(messages)
        if self._profile.system == "many" or not leading:
            return messages
        role = self._role(leading[0])
        count = sum(1 for _ in takewhile(lambda message: self._role(message) == role, leading))
        texts = [self._system_text(message) for message in leading[:count]]
        self._out.append({"role": role, "content": "\n\n".join(texts)})
        return messages[count:]

    def _system(self, message: Message) -> None:
        text = self._system_text(message)
        if self._profile.system == "first" and self._out:
            self._out.append({"role": "user", "content": f"<system>\n{text}\n</system>"})
        else:
            self._out.append({"role": self._role(message), "content": text})

    def _role(self, message: Message) -> str:
        return message.role if self._knows_developer else "system"

    def _system_text(self, message: Message) -> str:
        return "\n\n".join(system_texts(message, self._card))

    def _user(self, message: Message) -> None:
        out = self._out
        shown: list[Image | Document] = []
        rest: list[Part] = []
        for part in message.parts:
            if isinstance(part, ToolResult):
                text = self._result_text(part, shown)
                out.append({"role": "tool", "tool_call_id": self._call_id(part.call_id), "content": text})
            else:
                rest.append(part)
        content: list[dict[str, Any]] = []
        for number, each in enumerate(shown, 1):
            content.append({"type": "text", "text": f"[{_kind(each)} {number}]"})
            content.append(self._part(each))
        content.extend(self._part(part) for part in rest)
        if len(content) == 1 and content[0]["type"] == "text":
            out.append({"role": "user", "content": content[0]["text"]})
        elif content:
            out.append({"role": "user", "content": content})

    def _result_text(self, result: ToolResult, shown: list[Image | Document]) -> str:
        pieces: list[str] = []
        for part in result.content:
            match part:
                case Text(text):
                    pieces.append(text)
                case Document() if (plain := text_in(part)) is not None:
                    self._name_title(part.name)
                    pieces.append(plain)
                case _:
                    shown.append(part)
                    pieces.append(f"[{_kind(part)} {len(shown)} attached below]")
        text = "\n".join(pieces)
        return f"Error: {text}" if result.is_error else text

    def _part(self, part: Part) -> dict[str, Any]:
        profile = self._profile
        match part:
            case Text(text):
                return {"type": "text", "text": text}
            case Image() if profile.images and (part.url is None or profile.image_urls):
                image = {"url": part.url or f"data:{part.media_type};base64,{part.data}"}
                if part.detail is not None:
                    image["detail"] = part.detail
                return {"type": "image_url", "image_url": image}
            case Document() if (plain := text_in(part)) is not None:
                self._name_title(part.name)
                return {"type": "text", "text": plain}
            case Document(data=str(data)) if profile.files != "none":
                return self._file(f"data:{part.media_type};base64,{data}", part)
            case Document(url=str(url)) if profile.files != "none" and profile.file_urls:
                return self._file(url, part)
            case Audio(data, audio_format) if profile.audio:
                return {"type": "input_audio", "input_audio": {"data": data, "format": audio_format}}
            case _:
                by_address = " by its address" if getattr(part, "url", None) is not None else ""
                raise Unsupported(
                    f"'messages': {_kind(part)} content{by_address} cannot be sent to the model {self._card.name}.",
                    param="messages",
                    code="unsupported_value",
                )

    def _file(self, url: str, document: Document) -> dict[str, Any]:
        if self._profile.files == "document_url":
            self._name_title(document.name)
            return {"type": "document_url", "document_url": url}
        return {"type": "file", "file": {"filename": name_of(document), "file_data": url}}

    def _name_title(self, title: str | None) -> None:
        if title:
            self._drop("messages[].document.title")

    def _assistant(self, message: Message) -> None:
        texts: list[str] = []
        refusals: list[str] = []
        calls: list[ToolCall] = []
        thoughts: list[Thinking | RedactedThinking] = []
        signature: Seal | None = None
        for part in message.parts:
            match part:
                case Text(text, is_refusal):
                    (refusals if is_refusal else texts).append(text)
                    signature = signature or self._own(part.seal)
                case ToolCall():
                    calls.append(part)
                case Thinking(_, seal) | RedactedThinking(seal):
                    if self._is_made_here(seal):
                        thoughts.append(part)
                    else:
                        # Valid at its maker only; as visible text it would become something the model had said.
                        self._drop("messages[].thinking")
                case _:
                    raise Unsupported(
                        f"'messages': {_kind(part)} content of an assistant cannot be sent to the model"
                        f" {self._card.name}.",
                        param="messages",
                        code="unsupported_value",
                    )
        if not (any(texts) or refusals or calls):
            return
        turn: ChatMessage = {"role": "assistant", "content": "".join(texts) or None}
        if thoughts:
            _remember(turn, thoughts, self._profile)
        if refusals:
            turn["refusal"] = "".join(refusals)
        if calls:
            turn["tool_calls"] = [self._call(call) for call in calls]
        if signature is not None and self._profile.call_signatures:
            turn["extra_content"] = _google(signature)
        self._out.append(turn)

    def _is_made_here(self, seal: Seal | None) -> bool:
        return seal is not None and seal.maker == self._card.provider

    def _own(self, seal: Seal | None) -> Seal | None:
        return seal if self._is_made_here(seal) else None

    def _call(self, call: ToolCall) -> dict[str, Any]:
        written: dict[str, Any] = {
            "id": self._call_id(call.id),
            "type": "function",
            "function": {"name": call.name, "arguments": call.arguments or "{}"},
        }
        if self._profile.call_signatures and (seal := self._own(call.seal)) is not None:
            written["extra_content"] = _google(seal)
        return written

    def _call_id(self, call_id: str) -> str:
        """The id as this provider takes it. The same one always becomes the same."""
        if self._profile.call_ids == "nine":
            return call_id if _NINE.fullmatch(call_id) else _nine_of(call_id)
        if len(call_id) > _CALL_ID_CHARACTERS_MAX:
            return "call" + blake2s(call_id.encode(), digest_size=16).hexdigest()
        return call_id


def _nine_of(call_id: str) -> str:
    number = int.from_bytes(blake2s(call_id.encode(), digest_size=8).digest())
    letters: list[str] = []
    for _ in range(9):
        number, place = divmod(number, len(_DIGITS))
        letters.append(_DIGITS[place])
    return "".join(letters)


def _google(seal: Seal) -> dict[str, Any]:
    return {"google": {"thought_signature": seal.data}}


def _remember(turn: ChatMessage, thoughts: Sequence[Thinking | RedactedThinking], profile: Profile) -> None:
    """Puts what the provider itself had thought into the field where it wants it back."""
    texts = [thought.text for thought in thoughts if isinstance(thought, Thinking)]
    match profile.history:
        case "reasoning_content" | "reasoning" as field:
            turn[field] = "".join(texts)
        case "reasoning_details":
            details = [
                detail
                for thought in thoughts
                if thought.seal is not None
                for detail in _details(thought.seal)
            ]
            if details:
                turn["reasoning_details"] = details
            elif any(texts):
                turn["reasoning"] = "".join(texts)
        case "content" if any(texts):
            content: list[dict[str, Any]] = [
                {"type": "thinking", "thinking": [{"type": "text", "text": text}]} for text in texts if text
            ]
            if turn["content"]:
                content.append({"type": "text", "text": turn["content"]})
            turn["content"] = content
        case _:
            pass


def _details(seal: Seal) -> list[Any]:
    try:
        return _decode_details(seal.data) if seal.data else []
    except msgspec.DecodeError:
        return []


def _kind(part: Part) -> str:
    return type(part).__name__.lower()
