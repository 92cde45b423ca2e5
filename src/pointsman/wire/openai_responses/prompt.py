"""OpenAI responses: what routing reads of a request. It does not read what only a translation needs."""

import msgspec

from pointsman.core.errors import BadRequest
from pointsman.core.prompt import OutputFormat, Prompt, Speaker, Turn
from pointsman.wire.envelope import Envelope
from pointsman.wire.json_bytes import NOTHING, bytes_of
from pointsman.wire.openai_complaints import missing, too_deep, wrong_type, wrong_types, wrong_value


class _Part(msgspec.Struct, gc=False):
    # Media stay raw: only their size is asked, and they may be megabytes.
    type: str = ""
    text: str | None = None
    image_url: msgspec.Raw = NOTHING
    file_data: msgspec.Raw = NOTHING
    file_url: msgspec.Raw = NOTHING
    input_audio: msgspec.Raw = NOTHING


_Content = str | list[_Part] | _Part | None


class _Item(msgspec.Struct):
    type: str | None = None
    role: str | None = None
    content: _Content = None
    output: _Content = None


class _Format(msgspec.Struct, gc=False):
    type: str = "text"


class _Text(msgspec.Struct):
    format: _Format | None = None


class _Reasoning(msgspec.Struct, gc=False):
    effort: str | None = None


class _Tool(msgspec.Struct):
    tools: list[msgspec.Raw] | None = None


class _Prompt(msgspec.Struct):
    input: str | list[_Item] | None = None
    instructions: str | None = None
    tools: list[_Tool] | None = None
    text: _Text | None = None
    reasoning: _Reasoning | None = None
    max_output_tokens: int | float | None = None


_decode = msgspec.json.Decoder(_Prompt).decode

_SPEAKERS: dict[str, Speaker] = {"user": "user", "assistant": "assistant"}
_READ_BY_THE_MODEL = ("instructions", "input", "tools", "text")
_SYSTEM = frozenset(("system", "developer"))
_FORMATS: dict[str, OutputFormat] = {"json_object": "json_object", "json_schema": "json_schema"}
_INSTEAD_OF_INPUT = ("prompt", "previous_response_id", "conversation")
_JSON_TYPES = {ord("{"): "object", ord("t"): "bool", ord("f"): "bool", ord("n"): "null"}


def require_input(envelope: Envelope) -> None:
    """Looks at the outside of `input` only: what is in it is the provider's to judge."""
    raw = envelope.fields.get("input")
    if raw is None:
        if any(name in envelope.fields for name in _INSTEAD_OF_INPUT):
            return
        raise missing("input")
    view = memoryview(raw)
    if view[0] not in b'["':
        raise wrong_type("input", "str | array", _JSON_TYPES.get(view[0], "number"))
    if view[0] == ord("[") and not bytes(view[1:64]).strip(b" \t\r\n]") and not bytes(view[1:-1]).strip():
        if any(name in envelope.fields for name in _INSTEAD_OF_INPUT):
            return
        raise no_input()


def no_input() -> BadRequest:
    return BadRequest(
        "Invalid 'input': empty array. Expected an array that holds something to answer.",
        param="input",
        code="empty_array",
    )


def unknown_role(index: int, role: str) -> BadRequest:
    supported = "'assistant', 'system', 'developer', and 'user'"
    return wrong_value(f"input[{index}].role", role, supported)


class _Counts:
    """Media of one request, by kind."""

    def __init__(self) -> None:
        self.media_bytes = self.images = self.documents = self.audios = 0

    def text(self, content: _Content) -> str:
        """The text of `content`, whose media are counted."""
        if content is None or isinstance(content, str):
            return content or ""
        parts = content if isinstance(content, list) else [content]
        for part in parts:
            if size := _size(part.image_url):
                self.images += 1
            elif size := _size(part.file_data) or _size(part.file_url):
                self.documents += 1
            elif size := _size(part.input_audio):
                self.audios += 1
            self.media_bytes += size
        return "\n".join([part.text for part in parts if part.text is not None])


def read_prompt(envelope: Envelope) -> Prompt:
    body = envelope.body
    try:
        read = _decode(body)
    except msgspec.ValidationError as error:
        raise wrong_types(error) from None
    except RecursionError:
        raise too_deep() from None
    counts = _Counts()
    system = [] if read.instructions is None else [read.instructions]
    turns: list[Turn] = []
    items = [_Item(role="user", content=read.input)] if isinstance(read.input, str) else read.input or ()
    for index, item in enumerate(items):
        if item.type is None or item.type == "message":
            if item.role is None:
                raise missing(f"input[{index}].role")
            text = counts.text(item.content)
            if item.role in _SPEAKERS:
                turns.append(Turn(_SPEAKERS[item.role], text))
            elif item.role in _SYSTEM:
                system.append(text)
            else:
                raise unknown_role(index, item.role)
        elif item.type.endswith("_output"):
            turns.append(Turn("tool", counts.text(item.output)))
    format_ = None if read.text is None else read.text.format
    return Prompt(
        system="\n\n".join(system),
        turns=tuple(turns),
        input_bytes=bytes_of(envelope.fields, _READ_BY_THE_MODEL),
        media_bytes=counts.media_bytes,
        tool_count=sum(1 if tool.tools is None else len(tool.tools) for tool in read.tools or ()),
        output_format="text" if format_ is None else _FORMATS.get(format_.type, "text"),
        image_count=counts.images,
        document_count=counts.documents,
        audio_count=counts.audios,
        wants_thinking=_wants_thinking(read.reasoning),
        max_output_tokens=None if read.max_output_tokens is None else int(read.max_output_tokens),
    )


def _size(raw: msgspec.Raw) -> int:
    size = memoryview(raw).nbytes
    return 0 if size <= len(b"null") else size


def _wants_thinking(reasoning: _Reasoning | None) -> bool:
    return reasoning is not None and reasoning.effort not in {None, "none", "minimal"}
