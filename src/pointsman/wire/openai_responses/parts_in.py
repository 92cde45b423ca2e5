"""OpenAI responses: the content of input items as parts. What no other dialect can express is refused here, by its
path."""

from typing import Any

import msgspec

from pointsman.core.request import Audio, Document, Part, Text
from pointsman.wire.data_urls import file_of, image_at
from pointsman.wire.json_bytes import NOTHING
from pointsman.wire.left_out import LeftOut, not_translatable
from pointsman.wire.openai_complaints import missing


class _Audio(msgspec.Struct, gc=False):
    data: str
    format: str = "wav"


class ContentPart(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """Every field that is translated, or named where it is not, or says nothing to another model."""

    type: str = ""
    text: str | None = None
    refusal: str | None = None
    image_url: str | None = None
    detail: str | None = None
    file_data: str | None = None
    file_url: str | None = None
    file_id: str | None = None
    filename: str | None = None
    input_audio: _Audio | None = None
    prompt_cache_breakpoint: msgspec.Raw = NOTHING
    stdout: str | None = None
    stderr: str | None = None
    outcome: Any = None
    annotations: Any = None
    logprobs: Any = None


class AnyPart(ContentPart, gc=False, forbid_unknown_fields=False):
    """One with fields that nobody here knows."""


Content = str | list[ContentPart] | ContentPart | None

_encode = msgspec.json.Encoder().encode
_TEXTS = frozenset(("input_text", "output_text", "text", "summary_text", "reasoning_text"))


def read_parts(content: Content, path: str, left_out: LeftOut) -> list[Part]:
    if content is None:
        return []
    if isinstance(content, str):
        return [Text(content)]
    if isinstance(content, ContentPart):
        return [_part(content, path, left_out)]
    return [_part(part, f"{path}[{number}]", left_out) for number, part in enumerate(content)]


def _part(part: ContentPart, path: str, left_out: LeftOut) -> Part:
    if memoryview(part.prompt_cache_breakpoint).nbytes:
        left_out.note("input[].content[].prompt_cache_breakpoint", True)
    if part.type == "input_file" and part.detail not in {None, "auto"}:
        left_out.note("input[].content[].input_file.detail", part.detail)
    match part:
        case ContentPart(type=kind, text=str(text)) if kind in _TEXTS:
            return Text(text)
        case ContentPart(type="", stdout=str(stdout)):  # what a command wrote
            return Text(_encode({"stdout": stdout, "stderr": part.stderr, "outcome": part.outcome}).decode())
        case ContentPart(type="refusal", refusal=str(refusal)):
            return Text(refusal, is_refusal=True)
        case ContentPart(type="input_image" | "input_file", file_id=str()):
            raise not_translatable(path, "a file known to its own provider only (file_id)")
        case ContentPart(type="input_image", image_url=str(url)):
            return image_at(url, f"{path}.image_url", None if part.detail == "auto" else part.detail)
        case ContentPart(type="input_file", file_url=str(url)):
            return Document(url=url, name=part.filename)
        case ContentPart(type="input_file", file_data=str(data)):
            return file_of(data, part.filename)
        case ContentPart(type="input_audio", input_audio=_Audio(data, audio_format)):
            return Audio(data, audio_format)
        case ContentPart(type=kind) if kind in _TEXTS:
            raise missing(f"{path}.text")
        case ContentPart(type="refusal"):
            raise missing(f"{path}.refusal")
        case ContentPart(type="input_image"):
            raise missing(f"{path}.image_url")
        case ContentPart(type="input_file"):
            raise missing(f"{path}.file_data")
        case ContentPart(type="input_audio"):
            raise missing(f"{path}.input_audio")
        case _:
            raise not_translatable(path, f"a content part of type '{part.type[:40]}'")
