"""OpenAI chat: the single parts of a reply as its client expects them, the same whole and in chunks.

What OpenAI has no field for is written as the providers do that have one: thinking as `reasoning_content`, what was
sealed as OpenRouter's `reasoning_details` and Google's `extra_content`, pictures as OpenRouter's `images`. Clients may
lose all of these.
"""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from pointsman.core.errors import UpstreamError, UpstreamFault
from pointsman.core.events import FinishReason
from pointsman.core.request import Citation, Image, Part, RedactedThinking, Seal, Text, Thinking, ToolCall
from pointsman.wire.custom_tools import as_free_text
from pointsman.wire.envelope import Envelope
from pointsman.wire.seals import Kind, tag


class _Named(msgspec.Struct):
    name: str = ""


class _Declared(msgspec.Struct):
    custom: _Named | None = None


_decode_tools = msgspec.json.Decoder(list[_Declared]).decode

_FINISH_REASONS: dict[FinishReason, str] = {
    "stop": "stop",
    "length": "length",
    "stop_sequence": "stop",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
    "refusal": "content_filter",
    "pause": "length",  # the answer is not whole
}


WORDLESS: frozenset[FinishReason] = frozenset(("refusal", "content_filter"))


def finish_reason(reason: FinishReason, *, has_refusal: bool) -> str:
    # A refusal in words ends with "stop"; one without words can only be shown as filtered.
    return "stop" if reason == "refusal" and has_refusal else _FINISH_REASONS[reason]


REFUSED = "The model refused to answer."
"""Said where a provider refuses without a word: an empty answer would look like one."""


def url_citation(citation: Citation, start: int, end: int) -> dict[str, Any] | None:
    """An annotation of a text that stands from `start` to `end` in the whole; None for a source without address."""
    if citation.url is None:
        return None
    if citation.start is not None and citation.end is not None:
        start, end = start + citation.start, start + citation.end
    cited: dict[str, Any] = {
        "url": citation.url,
        "title": citation.title or citation.url,
        "start_index": start,
        "end_index": end,
    }
    if citation.quote is not None:
        cited["content"] = citation.quote
    return {"type": "url_citation", "url_citation": cited}


def reasoning_detail(part: Thinking | RedactedThinking, index: int) -> dict[str, Any] | None:
    """What a client that keeps `reasoning_details` gives back; None where nothing was sealed."""
    match part:
        case Thinking(text, Seal(data) as seal) if data:
            said = {"type": "reasoning.text", "text": text, "signature": tag(seal, Kind.THINKING)}
        case RedactedThinking(seal):
            said = {"type": "reasoning.encrypted", "data": tag(seal, Kind.REDACTED)}
        case _:
            return None
    return {**said, "index": index}


def google_signature(seal: Seal, kind: Kind) -> dict[str, Any]:
    return {"google": {"thought_signature": tag(seal, kind)}}


def image_part(media_type: str | None, data: str | None, index: int) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": f"data:{media_type};base64,{data}"}, "index": index}


def custom_names(envelope: Envelope | None) -> frozenset[str]:
    """The caller's tools that take free text."""
    raw = None if envelope is None else envelope.fields.get("tools")
    if raw is None or b'"custom"' not in bytes(raw):
        return frozenset()
    try:
        return frozenset(tool.custom.name for tool in _decode_tools(raw) if tool.custom is not None)
    except (msgspec.DecodeError, RecursionError):
        return frozenset()


def call_part(call: ToolCall, customs: Collection[str] = ()) -> dict[str, Any]:
    """A call of one of `customs` has its free text in the place of the arguments."""
    written: dict[str, Any] = {"id": call.id}
    if call.name in customs:
        written |= {"type": "custom", "custom": {"name": call.name, "input": as_free_text(call.arguments)}}
    else:
        written |= {"type": "function", "function": {"name": call.name, "arguments": call.arguments}}
    if call.seal is not None:
        written["extra_content"] = google_signature(call.seal, Kind.CALL)
    return written


def whole_message(
    parts: Sequence[Part], reason: FinishReason, customs: Collection[str] = ()
) -> dict[str, Any]:
    texts: list[str] = []
    refusals: list[str] = []
    annotations: list[dict[str, Any]] = []
    thoughts: list[str] = []
    details: list[dict[str, Any]] = []
    images: list[dict[str, Any]] = []
    calls: list[dict[str, Any]] = []
    message: dict[str, Any] = {"role": "assistant"}
    length = 0
    for part in parts:
        match part:
            case Text(text, True):
                refusals.append(text)
            case Text(text, _, seal, citations):
                texts.append(text)
                cited = (url_citation(citation, length, length + len(text)) for citation in citations)
                annotations += (each for each in cited if each is not None)
                length += len(text)
                if seal is not None:
                    message["extra_content"] = google_signature(seal, Kind.TEXT)
            case Thinking() | RedactedThinking():
                if isinstance(part, Thinking) and part.text:
                    thoughts.append(part.text)
                if (detail := reasoning_detail(part, len(details))) is not None:
                    details.append(detail)
            case Image(media_type, data):
                images.append(image_part(media_type, data, len(images)))
            case ToolCall():
                calls.append(call_part(part, customs))
            case _:
                raise UpstreamError(
                    UpstreamFault.BAD_REPLY, "the reply holds a part that an assistant cannot say"
                )
    if reason in WORDLESS and not (any(texts) or refusals or calls):
        refusals = [REFUSED]
    message["content"] = "".join(texts) if texts or not (calls or refusals) else None
    message["refusal"] = "".join(refusals) if refusals else None
    # Clients send the message back as it came, and not every provider takes empty fields.
    optional = {
        "annotations": annotations,
        "reasoning_content": "".join(thoughts),
        "reasoning_details": details,
        "images": images,
        "tool_calls": calls,
    }
    return message | {name: value for name, value in optional.items() if value}
