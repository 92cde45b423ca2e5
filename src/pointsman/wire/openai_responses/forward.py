"""OpenAI responses: what a body that stays in its dialect is repaired in, and how its stream begins. Everything else
is sent, and relayed, as it came.

Reasoning that another provider sealed, or that was only ever shown here, means nothing to the API and is refused;
what the same provider sealed is given back in its own form.
"""

import re

import msgspec

from pointsman.core.errors import PointsmanError
from pointsman.core.model_card import ModelCard
from pointsman.wire.dialect import Forwarded
from pointsman.wire.envelope import Envelope
from pointsman.wire.json_bytes import NOT_JSON
from pointsman.wire.openai_responses.errors import encode_stream_error
from pointsman.wire.openai_responses.sealed import is_own_reasoning, opened
from pointsman.wire.seals import MARK, Kind, untag

_MARK = MARK.encode()

_encode = msgspec.json.Encoder().encode
_decode_items = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class _Piece(msgspec.Struct, gc=False):
    text: str = ""


class _Reasoning(msgspec.Struct, gc=False):
    type: str = ""
    id: str | None = None
    summary: list[_Piece] | None = None
    encrypted_content: str | None = None


_decode_reasoning = msgspec.json.Decoder(_Reasoning).decode


def forwarded(envelope: Envelope, card: ModelCard) -> Forwarded:
    """A history that cannot be read is left for the API to judge."""
    if _MARK in envelope.body:
        envelope = _unsealed(envelope, card.provider)
    body = envelope.body if card.id == envelope.model else envelope.with_model(card.id)
    return Forwarded(body, Opening() if envelope.stream else None)


def _unsealed(envelope: Envelope, provider: str) -> Envelope:
    raw = envelope.fields.get("input")
    if raw is None or not bytes(raw).startswith(b"["):
        return envelope
    try:
        items = _decode_items(raw)
        kept = [own for item in items if (own := _own(item, provider)) is not None]
    except NOT_JSON:
        return envelope
    return envelope if kept == items else envelope.with_field("input", _encode(kept))


def _own(raw: msgspec.Raw, provider: str) -> msgspec.Raw | None:
    """The item as the provider knows it, None for reasoning that it does not know."""
    if _MARK not in bytes(raw):
        return raw
    try:
        item = _decode_reasoning(raw)
    except msgspec.ValidationError:
        return raw
    if item.type == "item_reference" and is_own_reasoning(item.id):
        return None
    if item.type != "reasoning":
        return raw
    tagged = untag(item.encrypted_content)
    if tagged is None:
        return None if is_own_reasoning(item.id) else raw
    if tagged.seal.maker != provider or tagged.kind not in {Kind.THINKING, Kind.REDACTED}:
        return None
    fields: dict[str, object] = dict(_decode_fields(raw))
    fields.pop("id", None)
    if tagged.seal.data:
        item_id, fields["encrypted_content"] = opened(tagged.seal.data)
        if item_id:
            fields["id"] = item_id
    else:
        # An open model, whose reasoning is read as it stands.
        del fields["encrypted_content"]
        fields["content"] = [{"type": "reasoning_text", "text": piece.text} for piece in item.summary or ()]
        fields["summary"] = []
    return msgspec.Raw(_encode(fields))


# An event that says no more than that the request came in.
_OPENS = re.compile(rb'"type"\s*:\s*"(?:response\.(?:created|in_progress|queued)|keepalive)"')
_GOES_ON = re.compile(
    rb'"type"\s*:\s*"response\.(?!created|in_progress|queued)|"type"\s*:\s*"error"|\[DONE\]'
)


_ID = re.compile(rb'"response"\s*:\s*\{\s*"id"\s*:\s*"([\w.:-]{1,200})"')
# Within a JSON string the second quote would be escaped.
_NUMBER = re.compile(rb'"sequence_number"\s*:\s*(\d{1,15})')


class Opening:
    """Holds the events back that open a stream until one of substance follows: the provider looks at limits and quota
    only then, and until the caller has seen a first byte another model could still answer."""

    __slots__ = ("_held", "_response_id", "_said")

    def __init__(self) -> None:
        self._held: list[bytes] | None = []
        self._response_id: str | None = None
        self._said = b""

    def feed(self, events: bytes) -> bytes:
        if self._held is None:
            self._said = events
            return events
        self._held.append(events)
        if _OPENS.search(events) is not None and _GOES_ON.search(events) is None:
            return b""
        return self.finish()

    def finish(self) -> bytes:
        if not self._held:
            return b""
        held, self._held = b"".join(self._held), None
        found = _ID.search(held)
        if found is not None:
            self._response_id = found[1].decode()
        self._said = held
        return held

    def broken(self, error: PointsmanError, request_id: str) -> bytes:
        """The provider's count goes on, and it is the provider's response that failed."""
        numbers = _NUMBER.findall(self._said)
        after = int(numbers[-1]) + 1 if numbers else 0
        return encode_stream_error(error, request_id, response_id=self._response_id, sequence_number=after)
