"""OpenAI responses: the content of input items as parts. What no other dialect can express is refused here, by its
path."""

import re

import msgspec

from pointsman.core.errors import BadRequest
from pointsman.core.request import Audio, Document, Image, Part, Text
from pointsman.wire.openai_complaints import missing
from pointsman.wire.openai_responses.left_out import LeftOut, not_translatable


class _Audio(msgspec.Struct, gc=False):
    data: str
    format: str = "wav"


class ContentPart(msgspec.Struct, gc=False):
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
    prompt_cache_breakpoint: msgspec.Raw = msgspec.Raw()


Content = str | list[ContentPart] | ContentPart | None

_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)?(?:;[\w.=+-]+)*;base64,", re.ASCII)
_URL = ("https://", "http://")
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
    match part:
        case ContentPart(type=kind, text=str(text)) if kind in _TEXTS:
            return Text(text)
        case ContentPart(type="refusal", refusal=str(refusal)):
            return Text(refusal, is_refusal=True)
        case ContentPart(type="input_image" | "input_file", file_id=str()):
            raise not_translatable(path, "a file known to its own provider only (file_id)")
        case ContentPart(type="input_image", image_url=str(url)):
            return _image(url, part.detail, f"{path}.image_url")
        case ContentPart(type="input_file", file_url=str(url)):
            return Document(url=url, name=part.filename)
        case ContentPart(type="input_file", file_data=str(data)):
            return _document(data, part.filename)
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


def _image(url: str, detail: str | None, path: str) -> Image:
    detail = None if detail == "auto" else detail
    if found := _DATA_URL.match(url):
        return Image(media_type=found[1] or "image/png", data=url[found.end() :], detail=detail)
    if url.startswith(_URL):
        return Image(url=url, detail=detail)
    raise BadRequest(
        f"Invalid '{path}': expected a base64 data URL or an https URL.", param=path, code="invalid_image_url"
    )


def _document(data: str, name: str | None) -> Document:
    if found := _DATA_URL.match(data):
        return Document(media_type=found[1] or "application/pdf", data=data[found.end() :], name=name)
    return Document(media_type="application/pdf", data=data, name=name)
