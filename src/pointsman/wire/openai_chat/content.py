"""OpenAI chat: where the content of a stream begins. What stands before it (who speaks, what a filter thought of the
prompt) says nothing yet; no meaning is read here."""

from typing import Any

import msgspec

from pointsman.wire.json_bytes import NOT_JSON, NOTHING, is_json
from pointsman.wire.sse import SseReader, unreadable


class _Delta(msgspec.Struct, gc=False):
    content: Any = None
    tool_calls: Any = None
    reasoning_content: Any = None
    reasoning: Any = None
    reasoning_details: Any = None
    refusal: Any = None
    function_call: Any = None
    images: Any = None
    audio: Any = None


class _Choice(msgspec.Struct, gc=False):
    delta: _Delta | None = None
    message: msgspec.Raw = NOTHING
    text: str | None = None  # of the older endpoint
    finish_reason: str | int | None = None


class _Chunk(msgspec.Struct, gc=False):
    choices: list[_Choice] | None = None


_decode = msgspec.json.Decoder(_Chunk).decode


def has_content(events: bytes) -> bool:
    """True if whole `events` hold content, or its end: [DONE] alone is the end of nothing. Raises UpstreamError (BAD_REPLY) for data that is no JSON."""
    # What most reads hold: one chunk, on one line.
    if events.startswith(b"data: {") and events.find(b"\n") == len(events) - 2:
        return _is_content(events[6:])
    return any(
        not sent.data.startswith(b"[DONE]") and _is_content(sent.data) for sent in SseReader().feed(events)
    )


def _is_content(data: bytes) -> bool:
    try:
        choices = _decode(data).choices
    except msgspec.ValidationError:
        return True  # JSON all the same, and relayed as it is
    except NOT_JSON:
        if not data.strip():
            return False
        if is_json(data):
            return True
        raise unreadable() from None
    for choice in choices or ():
        delta = choice.delta
        if delta is not None and (
            delta.content
            or delta.tool_calls
            or delta.reasoning_content
            or delta.reasoning
            or delta.refusal
            or delta.reasoning_details
            or delta.function_call
            or delta.images
            or delta.audio
        ):
            return True
        if choice.finish_reason or choice.text or memoryview(choice.message).nbytes:
            return True
    return False
