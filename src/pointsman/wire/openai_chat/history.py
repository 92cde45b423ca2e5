"""OpenAI chat: the messages of a request as turns. What no other dialect can express is refused here, by its
path; the rest of a request is not looked at."""

from typing import Any

import msgspec

from pointsman.core.errors import BadRequest
from pointsman.core.request import (
    Audio,
    Document,
    Image,
    Message,
    Part,
    Seal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from pointsman.wire.custom_tools import as_arguments
from pointsman.wire.data_urls import URLS, file_of, image_at
from pointsman.wire.left_out import LeftOut, not_translatable
from pointsman.wire.openai_chat.prompt import unknown_role
from pointsman.wire.openai_chat.thoughts_in import read_signature, read_thoughts, thinking_texts
from pointsman.wire.openai_complaints import missing


class _Url(msgspec.Struct, forbid_unknown_fields=True):
    url: str
    detail: str | None = None


class _File(msgspec.Struct, forbid_unknown_fields=True):
    file_data: str | None = None
    file_id: str | None = None
    filename: str | None = None


class _Audio(msgspec.Struct, forbid_unknown_fields=True):
    data: str
    format: str


class _Part(msgspec.Struct, forbid_unknown_fields=True):
    type: str = "text"
    text: str | None = None
    refusal: str | None = None
    image_url: str | _Url | None = None
    file: _File | None = None
    document_url: str | None = None  # Mistral
    input_audio: _Audio | None = None
    thinking: Any = None  # Mistral
    closed: Any = None


class _Function(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    arguments: str | None = None


class _CustomCall(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    input: str = ""


class _Call(msgspec.Struct, forbid_unknown_fields=True):
    id: str | None = None
    type: str = "function"
    function: _Function | None = None
    custom: _CustomCall | None = None
    index: Any = None
    extra_content: Any = None


class ChatMessage(msgspec.Struct, forbid_unknown_fields=True):
    role: str
    content: str | list[_Part] | None = None
    refusal: str | None = None
    name: str | None = None
    tool_calls: list[_Call] | None = None
    tool_call_id: str | None = None
    function_call: _Function | None = None
    reasoning_content: Any = None
    reasoning: Any = None
    reasoning_details: Any = None
    extra_content: Any = None
    annotations: Any = None  # what the text cites, as a reply had said
    audio: Any = None


_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def read_messages(messages: list[ChatMessage], left_out: LeftOut) -> tuple[Message, ...]:
    return _History(left_out).read(messages)


class _History:
    """Reads messages in order. Tool messages gather in one user message behind the calls they answer."""

    def __init__(self, left_out: LeftOut) -> None:
        self._left_out = left_out
        self._messages: list[Message] = []
        self._caller = 0
        self._unanswered: dict[str, int] = {}
        """How many calls of an id wait for a result, in the order of the calls."""
        self._results: list[ToolResult] = []

    def read(self, messages: list[ChatMessage]) -> tuple[Message, ...]:
        for index, message in enumerate(messages):
            match message.role:
                case "tool" | "function":
                    self._results.append(self._result(index, message))
                    continue
                case "system" | "developer" | "user" as role:
                    self._close_results()
                    self._messages.append(Message(role, self._parts(index, message)))
                case "assistant":
                    self._close_results()
                    self._assistant(index, message)
                case role:
                    raise unknown_role(index, role)
            if message.name:
                self._left_out.note("messages[].name", message.name)
        self._close_results()
        return tuple(self._messages)

    def _close_results(self) -> None:
        if self._unanswered:
            raise BadRequest(
                "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
                f"'tool_call_id'. No response was found for: {', '.join(self._unanswered)[:200]}.",
                param=f"messages[{self._caller}].tool_calls",
                code="invalid_value",
            )
        if self._results:
            self._messages.append(Message("user", tuple(self._results)))
            self._results = []

    def _result(self, index: int, message: ChatMessage) -> ToolResult:
        # The legacy form has no ids: one call, answered by its name.
        has_id = message.role != "function"
        call_id = message.tool_call_id if has_id else next(iter(self._unanswered), None)
        if call_id is None or call_id not in self._unanswered:
            raise BadRequest(
                f"Message {index} with role '{message.role}' must be a response to a preceding message with "
                "'tool_calls', and must name one of its ids.",
                param=f"messages[{index}].tool_call_id",
                code="invalid_value",
            )
        self._unanswered[call_id] -= 1
        if not self._unanswered[call_id]:
            del self._unanswered[call_id]
        content: list[Text | Image | Document] = []
        for part in self._parts(index, message):
            if not isinstance(part, Text | Image | Document):
                raise not_translatable(f"messages[{index}].content", "such a part in a tool message")
            content.append(part)
        return ToolResult(call_id, tuple(content))

    def _assistant(self, index: int, message: ChatMessage) -> None:
        parts: list[Part] = read_thoughts(
            message.reasoning_details, (message.reasoning_content, message.reasoning)
        )
        said = [part for part in self._parts(index, message) if part != Text("")]
        if (seal := read_signature(message.extra_content)) is not None:
            last = said[-1] if said else None
            said = (
                [*said[:-1], msgspec.structs.replace(last, seal=seal)]
                if isinstance(last, Text)
                else [*said, Text("", seal=seal)]
            )
        parts += said
        if message.refusal:
            parts.append(Text(message.refusal, is_refusal=True))
        if message.audio is not None:
            raise not_translatable(f"messages[{index}].audio", "an earlier spoken answer")
        self._caller = index
        for number, call in enumerate(message.tool_calls or ()):
            path = f"messages[{index}].tool_calls[{number}]"
            if call.function is None and call.custom is None:
                raise not_translatable(path, f"a tool call of type '{call.type[:40]}'")
            if not call.id:
                raise missing(f"{path}.id")
            seal = None if call.extra_content is None else read_signature(call.extra_content)
            if call.function is not None:
                parts.append(_tool_call(call.id, call.function, f"{path}.function.arguments", seal))
            elif call.custom is not None:
                parts.append(ToolCall(call.id, call.custom.name, as_arguments(call.custom.input), seal))
            self._unanswered[call.id] = self._unanswered.get(call.id, 0) + 1
        if message.function_call is not None and not message.tool_calls:
            call_id = f"functioncall{index}"
            path = f"messages[{index}].function_call.arguments"
            parts.append(_tool_call(call_id, message.function_call, path))
            self._unanswered[call_id] = 1
        if parts:
            self._messages.append(Message("assistant", tuple(parts)))

    def _parts(self, index: int, message: ChatMessage) -> tuple[Part, ...]:
        if message.content is None:
            return ()
        if isinstance(message.content, str):
            return (Text(message.content),)
        return tuple(
            self._part(part, f"messages[{index}].content[{number}]")
            for number, part in enumerate(message.content)
        )

    def _part(self, part: _Part, path: str) -> Part:
        match part:
            case _Part(type="text", text=str(text)):
                return Text(text)
            case _Part(type="refusal", refusal=str(refusal)):
                return Text(refusal, is_refusal=True)
            case _Part(type="image_url", image_url=_Url(url, detail)):
                return msgspec.structs.replace(image_at(url, f"{path}.image_url.url"), detail=detail)
            case _Part(type="image_url", image_url=str(url)):
                return image_at(url, f"{path}.image_url")
            case _Part(type="file", file=_File() as file):
                return _document(file, f"{path}.file")
            case _Part(type="document_url", document_url=str(url)):
                return _document(_File(file_data=url), path)
            case _Part(type="input_audio", input_audio=_Audio(data, audio_format)):
                return Audio(data, audio_format)
            case _Part(type="thinking"):
                return Thinking("".join(thinking_texts(part.thinking)))
            case _Part(type="text" | "refusal" | "image_url" | "file" | "input_audio" as kind):
                raise missing(f"{path}.{kind}")
            case _:
                raise not_translatable(path, f"a content part of type '{part.type[:40]}'")


def _document(file: _File, path: str) -> Document:
    data = file.file_data
    if data is None:
        raise not_translatable(path, "a file known to its own provider only (file_id)")
    if data.startswith(URLS):
        return Document(url=data, name=file.filename)
    return file_of(data, file.filename)


def _tool_call(call_id: str, function: _Function, path: str, seal: Seal | None = None) -> ToolCall:
    arguments = function.arguments
    if not arguments or arguments == "null":
        return ToolCall(call_id, function.name, "{}", seal)
    try:
        _decode_object(arguments)
    except (msgspec.DecodeError, RecursionError):
        raise BadRequest(
            f"Invalid '{path}': expected the JSON text of an object.", param=path, code="invalid_value"
        ) from None
    return ToolCall(call_id, function.name, arguments, seal)
