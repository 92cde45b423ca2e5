"""OpenAI responses: where the content of a stream begins. What stands before it (that a response was created, that an
item was opened) says nothing yet; no meaning is read here."""

import msgspec

from pointsman.wire.json_bytes import NOT_JSON
from pointsman.wire.sse import SseReader, unreadable


class _Event(msgspec.Struct, gc=False):
    type: str = ""


_decode = msgspec.json.Decoder(_Event).decode
_ENDS = frozenset({"response.completed", "response.incomplete", "response.failed"})
_BEFORE = frozenset(
    {
        "response.created",
        "response.queued",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.reasoning_summary_part.added",
    }
)


def has_content(events: bytes) -> bool:
    """True if whole `events` hold content, or the end. Raises UpstreamError (BAD_REPLY) for data that is no JSON."""
    for sent in SseReader().feed(events):
        if sent.name in _BEFORE:
            continue  # the first ones repeat the whole request
        try:
            kind = _decode(sent.data).type
        except msgspec.ValidationError:
            return True  # JSON all the same, and relayed as it is
        except NOT_JSON:
            raise unreadable() from None
        if kind in _ENDS or kind.endswith((".delta", ".done")):
            return True
    return False
