"""The shapes of a Messages reply, whole and streamed, as far as they are read, and decoding into them. It makes no
events."""

from typing import Any

import msgspec

from pointsman.wire.anthropic_messages.errors import bad_reply
from pointsman.wire.anthropic_messages.usage import Counts
from pointsman.wire.json_bytes import NOT_JSON, NOTHING, in_whole_characters


class StartedMessage(msgspec.Struct, gc=False):
    id: str = ""
    model: str = ""
    usage: Counts | None = None


class _StopDetails(msgspec.Struct, gc=False):
    explanation: str | None = None


class WholeMessage(StartedMessage, gc=False):
    type: str = ""
    content: list[msgspec.Raw] | None = None
    stop_reason: str | None = None
    stop_sequence: str | None = None
    stop_details: _StopDetails | None = None
    error: Any = None


class UsageOnly(msgspec.Struct, gc=False):
    type: str = ""
    content: msgspec.Raw = NOTHING
    usage: Counts | None = None
    error: Any = None


class Kinded(msgspec.Struct, gc=False):
    type: str = ""


class ReplyBlock(msgspec.Struct, gc=False):
    """The fields of the blocks we read; which of them are there depends on the kind."""

    text: str = ""
    citations: list[Any] | None = None
    thinking: str = ""
    signature: str | None = None
    data: str = ""
    id: str = ""
    name: str = ""
    input: msgspec.Raw = NOTHING


class Delta(msgspec.Struct, gc=False):
    type: str = ""
    text: str = ""
    partial_json: str = ""
    thinking: str = ""
    signature: str = ""
    citation: Any = None
    stop_reason: str | None = None
    stop_sequence: str | None = None
    stop_details: _StopDetails | None = None


class Event(msgspec.Struct, gc=False):
    type: str = ""
    index: int = 0
    message: StartedMessage | None = None
    content_block: msgspec.Raw = NOTHING
    delta: Delta | None = None
    usage: Counts | None = None
    error: Any = None


_event = msgspec.json.Decoder(Event).decode
decode_whole = msgspec.json.Decoder(WholeMessage).decode
decode_usage = msgspec.json.Decoder(UsageOnly).decode
decode_kind = msgspec.json.Decoder(Kinded).decode
decode_block = msgspec.json.Decoder(ReplyBlock).decode
_any = msgspec.json.Decoder(Any).decode

EVENTS_READ = frozenset({
    "message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta",
    "message_stop", "error",
})  # fmt: skip
_DELTAS_READ = frozenset({
    "text_delta", "citations_delta", "input_json_delta", "thinking_delta", "signature_delta",
})  # fmt: skip


def decode_event(data: bytes) -> Event | None:
    """The event, None for one that we do not read. Raises UpstreamError (BAD_REPLY)."""
    try:
        event = _event(data)
        if not event.type and event.error is None:
            raise bad_reply("an event of the reply is malformed: it has no type")
        return event
    except NOT_JSON as error:
        if data.strip() in {b"", b"[DONE]"} or (isinstance(error, msgspec.ValidationError) and _is_new(data)):
            return None
        mended = in_whole_characters(data)
        if mended is not data:
            return decode_event(mended)
        raise bad_reply(f"an event of the reply is malformed: {error}") from None


def _is_new(data: bytes) -> bool:
    """True for an event of a kind we do not know: only what we read must have the shape we know."""
    try:
        said = _any(data)
    except NOT_JSON:
        return False
    if not isinstance(said, dict):
        return False
    kind, delta = said.get("type"), said.get("delta")
    if kind == "content_block_delta" and isinstance(delta, dict):
        return isinstance(delta.get("type"), str) and delta["type"] not in _DELTAS_READ
    return isinstance(kind, str) and kind not in EVENTS_READ
