"""OpenAI chat: what routing reads of a request, and how the wording of its complaints goes. It does not read
what only a translation needs."""

from typing import Any

import msgspec

from pointsman.core.errors import BadRequest
from pointsman.core.prompt import OutputFormat, Prompt, Speaker, Turn
from pointsman.wire.envelope import Envelope
from pointsman.wire.json_bytes import NOTHING, bytes_of
from pointsman.wire.openai_complaints import missing, too_deep, wrong_type, wrong_types, wrong_value


class _Part(msgspec.Struct, gc=False):
    # Media stay raw: only their size is asked, and they may be megabytes.
    text: str | None = None
    image_url: msgspec.Raw = NOTHING
    file: msgspec.Raw = NOTHING
    document_url: msgspec.Raw = NOTHING
    input_audio: msgspec.Raw = NOTHING


class _Message(msgspec.Struct, gc=False):
    role: str
    content: str | list[_Part] | None = None


class _Format(msgspec.Struct, gc=False):
    type: str = "text"


class _Prompt(msgspec.Struct, gc=False):
    messages: list[_Message]
    tools: list[msgspec.Raw] | None = None
    functions: list[msgspec.Raw] | None = None
    response_format: _Format | None = None
    reasoning_effort: str | None = None
    reasoning: Any = None
    thinking: Any = None
    max_tokens: int | float | None = None
    max_completion_tokens: int | float | None = None


_decode = msgspec.json.Decoder(_Prompt).decode

_SPEAKERS: dict[str, Speaker] = {
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}
_READ_BY_THE_MODEL = ("messages", "tools", "functions", "response_format")
_SYSTEM = frozenset(("system", "developer"))
_FORMATS: dict[str, OutputFormat] = {"json_object": "json_object", "json_schema": "json_schema"}


def require_messages(envelope: Envelope) -> None:
    """Looks at the outside of `messages` only: what is in them is the provider's to judge."""
    raw = envelope.fields.get("messages")
    if raw is None:
        raise missing("messages")
    view = memoryview(raw)
    if view[0] != ord("["):
        raise wrong_type("messages", "array", _JSON_TYPES.get(view[0], "number"))
    if not bytes(view[1:64]).strip(b" \t\r\n]") and not bytes(view[1:-1]).strip():
        raise no_messages()


def read_prompt(envelope: Envelope) -> Prompt:
    body = envelope.body
    try:
        read = _decode(body)
    except msgspec.ValidationError as error:
        raise wrong_types(error) from None
    except RecursionError:
        raise too_deep() from None
    if not read.messages:
        raise no_messages()
    system: list[str] = []
    turns: list[Turn] = []
    media_bytes = images = documents = audios = 0
    for index, message in enumerate(read.messages):
        content = message.content
        if content is None:
            text = ""
        elif isinstance(content, str):
            text = content
        else:
            text = "\n".join([part.text for part in content if part.text is not None])
            for part in content:
                if size := _size(part.image_url):
                    images += 1
                elif size := _size(part.file) or _size(part.document_url):
                    documents += 1
                elif size := _size(part.input_audio):
                    audios += 1
                media_bytes += size
        speaker = _SPEAKERS.get(message.role)
        if speaker is not None:
            turns.append(Turn(speaker, text))
        elif message.role in _SYSTEM:
            system.append(text)
        else:
            raise unknown_role(index, message.role)
    tools, functions = read.tools, read.functions
    return Prompt(
        system="\n\n".join(system),
        turns=tuple(turns),
        input_bytes=bytes_of(envelope.fields, _READ_BY_THE_MODEL),
        media_bytes=media_bytes,
        tool_count=(len(tools) if tools else 0) + (len(functions) if functions else 0),
        output_format="text"
        if read.response_format is None
        else _FORMATS.get(read.response_format.type, "text"),
        image_count=images,
        document_count=documents,
        audio_count=audios,
        wants_thinking=_wants_thinking(read),
        max_output_tokens=_limit(read.max_tokens, read.max_completion_tokens),
    )


def _limit(one: float | None, other: float | None) -> int | None:
    """The higher of the two where both are set."""
    if one is None or other is None:
        only = other if one is None else one
        return None if only is None else int(only)
    return int(max(one, other))


def _size(raw: msgspec.Raw) -> int:
    size = memoryview(raw).nbytes
    return 0 if size <= len(b"null") else size


def _wants_thinking(read: _Prompt) -> bool:
    if read.reasoning_effort is not None:
        return read.reasoning_effort not in {"none", "minimal"}
    if isinstance(read.reasoning, dict):
        return read.reasoning.get("enabled") is not False and read.reasoning.get("effort") != "none"
    return isinstance(read.thinking, dict) and read.thinking.get("type") in ("enabled", "adaptive")


# The wording of complaints follows OpenAI's own, so that clients which match on it keep working.

_JSON_TYPES = {ord('"'): "str", ord("{"): "object", ord("t"): "bool", ord("f"): "bool", ord("n"): "null"}


def unknown_role(index: int, role: str) -> BadRequest:
    supported = "'system', 'assistant', 'user', 'function', 'tool', and 'developer'"
    return wrong_value(f"messages[{index}].role", role, supported)


def no_messages() -> BadRequest:
    return BadRequest(
        "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
        param="messages",
        code="empty_array",
    )
