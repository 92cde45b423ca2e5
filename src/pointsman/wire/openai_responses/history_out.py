"""OpenAI responses: the turns of a Request as input items. It does not write the other fields.

Reasoning goes back to its maker only, and only in front of what it led to: the API refuses it alone. An error of a
tool begins with "Error: ", for an output has no other place to say so.
"""

import hashlib
from collections import Counter
from collections.abc import Callable
from itertools import takewhile
from typing import Any

from pointsman.core.errors import Unsupported
from pointsman.core.model_card import ModelCard
from pointsman.core.request import (
    Document,
    Image,
    Message,
    Part,
    RedactedThinking,
    Request,
    Seal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from pointsman.wire.data_urls import name_of
from pointsman.wire.openai_responses.sealed import opened
from pointsman.wire.system_text import system_texts

_CALL_ID_CHARACTERS_MAX = 64

Written = dict[str, Any]


def instructions_of(request: Request, card: ModelCard) -> tuple[str | None, tuple[Message, ...]]:
    """The system text that leads the conversation, and the rest of it."""
    leading = list(takewhile(lambda message: message.role == "system", request.messages))
    text = "\n\n".join("\n\n".join(system_texts(message, card)) for message in leading)
    return text or None, request.messages[len(leading) :]


class Items:
    def __init__(self, card: ModelCard, drop: Callable[[str], None]) -> None:
        self._card = card
        self._drop = drop
        self._out: list[Written] = []
        self._sent_ids: dict[str, str] = {}
        self._times: Counter[str] = Counter()

    def write(self, messages: tuple[Message, ...]) -> list[Written]:
        for message in messages:
            match message.role:
                case "system" | "developer" as role:
                    self._system(role, message)
                case "user":
                    self._user(message)
                case _:
                    self._assistant(message)
        return self._out

    def _system(self, role: str, message: Message) -> None:
        self._out.append({"role": role, "content": "\n\n".join(system_texts(message, self._card))})

    def _user(self, message: Message) -> None:
        content: list[Written] = []
        for part in message.parts:
            if isinstance(part, ToolResult):
                self._flush(content)
                call_id = self._sent_ids.get(part.call_id) or short_id(part.call_id)
                output = {"call_id": call_id, "output": self._output(part)}
                self._out.append({"type": "function_call_output", **output})
            else:
                content.append(self._part(part))
        self._flush(content)

    def _flush(self, content: list[Written]) -> None:
        if not content:
            return
        alone = content[0] if len(content) == 1 else {}
        text = alone.get("text") if alone.get("type") == "input_text" else None
        self._out.append({"role": "user", "content": list(content) if text is None else text})
        content.clear()

    def _output(self, result: ToolResult) -> str | list[Written]:
        content = result.content
        if result.is_error:
            content = (Text("Error:"), *content) if _is_media(content[:1]) else _marked(content)
        if not _is_media(content):
            return "\n".join(part.text for part in content if isinstance(part, Text))
        return [self._part(part) for part in content]

    def _part(self, part: Part) -> Written:
        match part:
            case Text(text):
                return {"type": "input_text", "text": text}
            case Document(text=str(text)):
                if part.name:
                    self._drop("messages[].document.title")
                return {"type": "input_text", "text": text}
            case Image():
                url = part.url or f"data:{part.media_type};base64,{part.data}"
                return {"type": "input_image", "image_url": url, "detail": part.detail or "auto"}
            case Document(url=str(url)):
                return {"type": "input_file", "file_url": url}
            case Document(data=str(data)):
                url = f"data:{part.media_type};base64,{data}"
                return {"type": "input_file", "filename": name_of(part), "file_data": url}
            case _:
                raise self._cannot(part)

    def _assistant(self, message: Message) -> None:
        thoughts: list[Written] = []
        for part in message.parts:
            match part:
                case Thinking(text, seal):
                    thoughts += self._reasoning(text, seal)
                    continue
                case RedactedThinking(seal):
                    thoughts += self._reasoning("", seal)
                    continue
                case Text(""):
                    continue
                case Text(text, is_refusal):
                    kind = {"type": "refusal", "refusal": text} if is_refusal else None
                    content = text if kind is None else [kind]
                    item: Written = {"type": "message", "role": "assistant", "content": content}
                case ToolCall(call_id, name, arguments):
                    item = {
                        "type": "function_call",
                        "call_id": self._id_of_call(call_id),
                        "name": name,
                        "arguments": arguments or "{}",
                    }
                case _:
                    raise self._cannot(part)
            self._out += (*thoughts, item)
            thoughts = []

    def _reasoning(self, text: str, seal: Seal | None) -> list[Written]:
        if seal is None or seal.maker != self._card.provider:
            return []
        if not seal.data:  # an open model, whose reasoning is read as it stands
            return [
                {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": text}]}
            ]
        item_id, encrypted = opened(seal.data)
        item: Written = {"type": "reasoning"}
        if item_id:
            item["id"] = item_id
        item["summary"] = [{"type": "summary_text", "text": text}] if text else []
        item["encrypted_content"] = encrypted
        return [item]

    def _id_of_call(self, call_id: str) -> str:
        """One that no other call of the conversation has: some models count their calls in every turn anew. The same
        history always gives the same ids."""
        sent_id = short_id(call_id)
        self._times[sent_id] += 1
        if (times := self._times[sent_id]) > 1:
            sent_id = short_id(f"{sent_id}_{times}")
        self._sent_ids[call_id] = sent_id
        return sent_id

    def _cannot(self, part: Part) -> Unsupported:
        return Unsupported(
            f"{type(part).__name__} in such a place cannot be sent to the model {self._card.name}.",
            param="messages",
            code="unsupported_value",
        )


def short_id(call_id: str) -> str:
    """The API limits the length of an id. The same id always becomes the same."""
    if len(call_id) <= _CALL_ID_CHARACTERS_MAX:
        return call_id
    return "call" + hashlib.sha256(call_id.encode()).hexdigest()[:32]


def _is_media(content: tuple[Text | Image | Document, ...]) -> bool:
    return any(not isinstance(part, Text) for part in content)


def _marked(content: tuple[Text | Image | Document, ...]) -> tuple[Text | Image | Document, ...]:
    first = content[0].text if content and isinstance(content[0], Text) else ""
    return (Text(f"Error: {first}"), *content[1:])
