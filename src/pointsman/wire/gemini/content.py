"""Where the content of a Gemini stream begins. Pieces before it (only counts, or an empty text) say nothing yet; no
meaning is read here."""

from typing import Any

import msgspec

from pointsman.wire.gemini.chunks import PromptFeedback
from pointsman.wire.gemini.reply_in import finish_word
from pointsman.wire.json_bytes import NOT_JSON, is_json
from pointsman.wire.sse import SseReader, unreadable


class _Content(msgspec.Struct, gc=False):
    parts: list[dict[str, Any]] | None = None


class _Candidate(msgspec.Struct, gc=False, rename="camel"):
    content: _Content | None = None
    finish_reason: str | int | None = None


class _Chunk(msgspec.Struct, gc=False, rename="camel"):
    candidates: list[_Candidate] | None = None
    prompt_feedback: PromptFeedback | None = None


_decode = msgspec.json.Decoder(_Chunk).decode


def has_content(events: bytes) -> bool:
    """True if whole `events` hold content, or the end. Raises UpstreamError (BAD_REPLY) for data that is no JSON."""
    # What most reads hold: one piece, on one line.
    if (
        events.startswith(b"data: {")
        and events.find(b"\n") == len(events) - 3
        and events.endswith(b"\r\n\r\n")
    ):
        return _is_content(events[6:])
    return any(_is_content(sent.data) for sent in SseReader().feed(events))


def _is_content(data: bytes) -> bool:
    try:
        chunk = _decode(data)
    except msgspec.ValidationError:
        return not data.startswith(b"[DONE]")  # JSON all the same, and relayed as it is
    except NOT_JSON:
        if not data.strip():
            return False
        if is_json(data):
            return True
        raise unreadable() from None
    for candidate in chunk.candidates or ():
        if candidate.content is not None:
            for part in candidate.content.parts or ():
                for key, value in part.items():
                    if value != "" and key != "thought":
                        return True
        if candidate.finish_reason is not None and finish_word(candidate.finish_reason):
            return True
    return chunk.prompt_feedback is not None and bool(chunk.prompt_feedback.block_reason)
