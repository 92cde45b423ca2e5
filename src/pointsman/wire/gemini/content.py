"""Where the content of a Gemini stream begins. Pieces before it (only counts, or an empty text) say nothing yet; no
meaning is read here."""

from typing import Any

import msgspec

from pointsman.wire.gemini.chunks import PromptFeedback
from pointsman.wire.gemini.reply_in import finish_word
from pointsman.wire.json_bytes import NOT_JSON
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
    for sent in SseReader().feed(events):
        try:
            chunk = _decode(sent.data)
        except msgspec.ValidationError:
            return True  # JSON all the same, and relayed as it is
        except NOT_JSON:
            if sent.data.strip() in {b"", b"[DONE]"}:
                continue
            raise unreadable() from None
        if chunk.prompt_feedback is not None and chunk.prompt_feedback.block_reason:
            return True
        if any(map(_says_something, chunk.candidates or ())):
            return True
    return False


def _says_something(candidate: _Candidate) -> bool:
    if finish_word(candidate.finish_reason):
        return True
    parts = candidate.content.parts if candidate.content is not None else None
    return any(value != "" for part in parts or () for key, value in part.items() if key != "thought")
