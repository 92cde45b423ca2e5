"""OpenAI responses: the items of a conversation that is kept on this side, so that a caller may go on from an earlier
reply by its id alone. It keeps nothing itself."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from pointsman.wire.envelope import Envelope
from pointsman.wire.json_bytes import NOT_JSON

_encode = msgspec.json.Encoder().encode
_decode_text = msgspec.json.Decoder(str).decode
_decode_items = msgspec.json.Decoder(list[msgspec.Raw]).decode


class Answer(NamedTuple):
    """What of a reply a later request may go on from."""

    id: str
    items: list[msgspec.Raw]


class _Reply(msgspec.Struct):
    id: str = ""
    output: list[msgspec.Raw] = []


class _Item(msgspec.Struct, gc=False):
    type: str = ""
    encrypted_content: str | None = None


_decode_reply = msgspec.json.Decoder(_Reply).decode
_decode_item = msgspec.json.Decoder(_Item).decode
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def input_items(envelope: Envelope) -> list[msgspec.Raw]:
    """The input of a request as items; a string is what a user says. Nothing for an input that is neither: it is the
    decoder's to judge."""
    raw = envelope.fields.get("input")
    if raw is None:
        return []
    try:
        if bytes(raw).startswith(b'"'):
            message = {"type": "message", "role": "user", "content": _decode_text(raw)}
            return [msgspec.Raw(_encode(message))]
        return _decode_items(raw)
    except NOT_JSON:
        return []


def continued(envelope: Envelope, earlier_items: Sequence[msgspec.Raw]) -> Envelope:
    """The request with all that was said before it in its own input, so that it needs no id of an earlier reply."""
    whole = msgspec.Raw(_encode([*_portable(earlier_items), *input_items(envelope)]))
    fields = {name: raw for name, raw in envelope.fields.items() if name != "previous_response_id"}
    fields["input"] = whole
    return envelope._replace(body=_encode(fields), fields=fields)


def _portable(items: Sequence[msgspec.Raw]) -> Sequence[msgspec.Raw]:
    """Reasoning that is not sealed is known to a provider by its id alone, and only if it kept the reply. It is left
    out; the other items then lose their ids, under which they would miss it."""
    try:
        kept = [raw for raw in items if not _is_reference(_decode_item(raw))]
        if len(kept) == len(items):
            return items
        return [_without_id(raw) for raw in kept]
    except NOT_JSON:
        return items


def _is_reference(item: _Item) -> bool:
    return item.type == "reasoning" and not item.encrypted_content


def _without_id(raw: msgspec.Raw) -> msgspec.Raw:
    fields = {name: value for name, value in _decode_fields(raw).items() if name != "id"}
    return msgspec.Raw(_encode(fields))


def answer(reply_body: bytes) -> Answer:
    """Of a reply that was not streamed; an empty one of a body that is no reply."""
    try:
        reply = _decode_reply(reply_body)
    except NOT_JSON:
        return Answer("", [])
    return Answer(reply.id, reply.output)
