"""OpenAI responses: where the content of a stream begins. What stands before it (that a response was created, that an
item was opened) says nothing yet; no meaning is read here."""

import msgspec

from pointsman.wire.json_bytes import NOT_JSON, is_json
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
_BEFORE_BYTES = frozenset(name.encode() for name in _BEFORE)


def has_content(events: bytes) -> bool:
    """True if whole `events` hold content, or the end. Raises UpstreamError (BAD_REPLY) for data that is no JSON."""
    # What most reads hold: one event, which says its name first. The first ones repeat the whole request.
    if events.startswith(b"event: ") and events.find(b"\n\n") == len(events) - 2:
        name = events[7 : events.find(b"\n")]
        if name in _BEFORE_BYTES:
            return False
        if name.endswith(b".delta"):
            return True
    for sent in SseReader().feed(events):
        if sent.name in _BEFORE:
            continue
        try:
            kind = _decode(sent.data).type
        except msgspec.ValidationError:
            if sent.data.startswith(b"[DONE]"):
                continue  # the end of nothing
            return True  # JSON all the same, and relayed as it is
        except NOT_JSON:
            if not sent.data.strip():
                continue
            if is_json(sent.data):
                return True
            raise unreadable() from None
        if kind in _ENDS or kind.endswith((".delta", ".done")):
            return True
    return False
