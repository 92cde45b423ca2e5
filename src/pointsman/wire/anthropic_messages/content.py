"""Where the content of a Messages stream begins. What stands before it (that a message starts, that somebody is there)
says nothing yet; no meaning is read here."""

import msgspec

from pointsman.wire.json_bytes import NOT_JSON, is_json
from pointsman.wire.sse import SseReader, unreadable


class _Block(msgspec.Struct, gc=False):
    type: str = ""
    text: str = ""
    thinking: str = ""


class _Event(msgspec.Struct, gc=False):
    type: str = ""
    content_block: _Block | None = None


_decode = msgspec.json.Decoder(_Event).decode
_CONTENT = frozenset({"content_block_delta", "content_block_stop", "message_delta", "message_stop"})
_OPENED_EMPTY = frozenset({"text", "thinking"})
_BEFORE_BYTES = frozenset({b"message_start", b"ping"})


def has_content(events: bytes) -> bool:
    """True if whole `events` hold content, or the end. Raises UpstreamError (BAD_REPLY) for data that is no JSON."""
    # What most reads hold: one event, which says its name first.
    if events.startswith(b"event: ") and events.find(b"\n\n") == len(events) - 2:
        name = events[7 : events.find(b"\n")]
        if name in _BEFORE_BYTES:
            return False
        if name == b"content_block_delta":
            return True
    for sent in SseReader().feed(events):
        try:
            event = _decode(sent.data)
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
        if event.type in _CONTENT:
            return True
        block = event.content_block
        if block is not None and (block.type not in _OPENED_EMPTY or block.text or block.thinking):
            return True
    return False
