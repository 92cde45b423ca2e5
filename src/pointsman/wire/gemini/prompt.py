"""What routing reads of a generateContent request: text and counts, a lax reading that forwards what it does not know.
It translates nothing."""

import re
from collections.abc import Sequence

import msgspec

from pointsman.core.errors import BadRequest
from pointsman.core.prompt import OutputFormat, Prompt, Turn
from pointsman.wire.envelope import Envelope
from pointsman.wire.gemini.contents import read_turns
from pointsman.wire.gemini.fields import (
    Fields,
    as_count,
    as_flag,
    as_string,
    begins,
    camelled,
    compact,
    read,
    read_fields,
    read_list,
    wrong,
)
from pointsman.wire.json_bytes import bytes_of

_READ_BY_THE_MODEL = ("systemInstruction", "contents", "tools")

_WITHIN_MAX = 8
"""Each time that a system instruction is nested it is read once more; SDKs nest it three times."""

_EMPTY_LIST = re.compile(rb"\[\s*\]")


def require_messages(envelope: Envelope) -> None:
    """The least a body must have to be worth forwarding. Raises BadRequest."""
    raw = camelled(envelope.fields).get("contents")
    if raw is None or _EMPTY_LIST.fullmatch(bytes(memoryview(raw)[:64])):
        raise BadRequest("* GenerateContentRequest.contents: contents is not specified", param="contents")
    if begins(raw) not in {b"[", b"{", b'"'}:
        raise wrong("contents", "Expected `array`")


class _Tally:
    """Adds up what the parts hold."""

    __slots__ = ("audios", "documents", "images", "media_bytes")

    def __init__(self) -> None:
        self.images = 0
        self.documents = 0
        self.audios = 0
        self.media_bytes = 0

    def media(self, raw: msgspec.Raw, path: str) -> None:
        fields = read_fields(raw, path)
        kind = fields.get("mimeType")
        main = (read(as_string, kind, f"{path}.mimeType") if kind is not None else "").partition("/")[0]
        if main == "image":
            self.images += 1
        elif main == "audio":
            self.audios += 1
        else:
            self.documents += 1
        if (data := fields.get("data")) is not None:
            self.media_bytes += memoryview(data).nbytes


def read_prompt(envelope: Envelope) -> Prompt:
    require_messages(envelope)
    fields = camelled(envelope.fields)
    tally = _Tally()
    turns: list[Turn] = []
    for role, parts in read_turns(fields["contents"]):
        _read_turn(role, parts, tally, turns)
    config = read_fields(raw, "generationConfig") if (raw := fields.get("generationConfig")) else {}
    limit = config.get("maxOutputTokens")
    return Prompt(
        system=_system(fields),
        turns=tuple(turns),
        input_bytes=bytes_of(fields, _READ_BY_THE_MODEL),
        media_bytes=tally.media_bytes,
        tool_count=_tool_count(fields),
        output_format=_output_format(config),
        image_count=tally.images,
        document_count=tally.documents,
        audio_count=tally.audios,
        wants_thinking=_wants_thinking(config),
        max_output_tokens=None
        if limit is None
        else read(as_count, limit, "generationConfig.maxOutputTokens"),
    )


def _read_turn(role: str, parts: Sequence[tuple[str, Fields]], tally: _Tally, turns: list[Turn]) -> None:
    texts: list[str] = []
    results: list[str] = []
    for path, part in parts:
        if "text" in part:
            if "thought" not in part or not read(as_flag, part["thought"], f"{path}.thought"):
                texts.append(read(as_string, part["text"], f"{path}.text"))
        elif "functionResponse" in part:
            results.append(_response(part["functionResponse"], f"{path}.functionResponse", tally))
        elif (media := part.get("inlineData", part.get("fileData"))) is not None:
            tally.media(media, path)
    if role == "model":
        turns.append(Turn("assistant", "\n".join(texts)))
        return
    if results:
        turns.append(Turn("tool", "\n".join(results)))
    if texts or not results:
        turns.append(Turn("user", "\n".join(texts)))


def _response(raw: msgspec.Raw, path: str, tally: _Tally) -> str:
    answer = read_fields(raw, path)
    for at, inner in enumerate(read_list(answer["parts"], f"{path}.parts") if "parts" in answer else ()):
        part = read_fields(inner, f"{path}.parts[{at}]")
        if (media := part.get("inlineData", part.get("fileData"))) is not None:
            tally.media(media, f"{path}.parts[{at}]")
    return compact(answer["response"]) if "response" in answer else ""


def _system(fields: Fields) -> str:
    raw = fields.get("systemInstruction")
    return "" if raw is None else "\n".join(system_texts(raw, "systemInstruction"))


def system_texts(raw: msgspec.Raw, path: str, within: int = 0) -> list[str]:
    """A string, a part, a content, or a list of any: clients send them all. What is no text is passed over. `within`
    counts what stands around it."""
    if within > _WITHIN_MAX:
        raise wrong(path, "nested too deeply")
    match begins(raw):
        case b'"':
            return [read(as_string, raw, path)]
        case b"[":
            return [text for each in read_list(raw, path) for text in system_texts(each, path, within + 1)]
        case _:
            fields = read_fields(raw, path)
            if "parts" in fields:
                return system_texts(fields["parts"], f"{path}.parts", within + 1)
            return [read(as_string, fields["text"], f"{path}.text")] if "text" in fields else []


def _tool_count(fields: Fields) -> int:
    count = 0
    raw = fields.get("tools")
    for at, tool in enumerate(read_list(raw, "tools") if raw is not None else ()):
        for name, value in read_fields(tool, f"tools[{at}]").items():
            is_list = name == "functionDeclarations"
            count += len(read_list(value, f"tools[{at}].{name}")) if is_list else 1
    return count


def _output_format(config: Fields) -> OutputFormat:
    if (asked := config.get("responseFormat")) is not None:
        said = bytes(asked)
        return "json_schema" if b"chema" in said else "json_object" if b"/json" in said else "text"
    kind = config.get("responseMimeType")
    if kind is None or bytes(kind) == b'"text/plain"':
        return "text"
    has_schema = not {"responseSchema", "responseJsonSchema", "_responseJsonSchema"}.isdisjoint(config)
    return "json_schema" if has_schema else "json_object"


def _wants_thinking(config: Fields) -> bool:
    raw = config.get("thinkingConfig")
    if raw is None:
        return False
    thinking = read_fields(raw, "generationConfig.thinkingConfig")
    budget = thinking.get("thinkingBudget")
    if budget is not None:
        return read(as_count, budget, "generationConfig.thinkingConfig.thinkingBudget") != 0
    shown = thinking.get("includeThoughts")
    return "thinkingLevel" in thinking or (shown is not None and bytes(shown) == b"true")
