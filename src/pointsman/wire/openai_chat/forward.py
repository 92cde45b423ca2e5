"""The one thing a forwarded chat body is repaired in: state that was sealed by a model of another dialect and shown to
the client under a tag. Everything else is sent as it came.

A tag stands where the client was given it: in `reasoning_details`, or as a signature in `extra_content`.
"""

import msgspec

from pointsman.wire.envelope import Envelope
from pointsman.wire.json_bytes import NOT_JSON
from pointsman.wire.seals import MARK, untag

_TAGGED = MARK.encode()

_raws = msgspec.json.Decoder(list[msgspec.Raw]).decode
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_any = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def without_foreign_state(envelope: Envelope, maker: str) -> Envelope:
    """The request as the provider `maker` may see it. A history that cannot be read is left for it to judge."""
    if "messages" not in envelope.fields or _TAGGED not in envelope.body:
        return envelope
    try:
        sent = _raws(envelope.fields["messages"])
        messages = [_message(raw, maker) if _TAGGED in bytes(raw) else raw for raw in sent]
    except NOT_JSON:
        return envelope
    return envelope if messages == sent else envelope.with_field("messages", _encode(messages))


def _message(raw: msgspec.Raw, maker: str) -> msgspec.Raw:
    fields = _fields(raw)
    if "reasoning_details" in fields:
        details = [each for each in _raws(fields.pop("reasoning_details")) if _TAGGED not in bytes(each)]
        if details:
            fields["reasoning_details"] = msgspec.Raw(_encode(details))
    if "tool_calls" in fields:
        calls = _raws(fields["tool_calls"])
        if any(_TAGGED in bytes(call) for call in calls):
            fields["tool_calls"] = msgspec.Raw(_encode([_without_signature(call, maker) for call in calls]))
    return _without_signature(msgspec.Raw(_encode(fields)), maker)


def _without_signature(raw: msgspec.Raw, maker: str) -> msgspec.Raw:
    fields = _fields(raw)
    match _any(fields["extra_content"]) if "extra_content" in fields else None:
        case {"google": {"thought_signature": str(signature)}} if signature.startswith(MARK):
            own = _own(signature, maker)
        case _:
            return raw
    del fields["extra_content"]
    if own is not None:
        fields["extra_content"] = msgspec.Raw(_encode({"google": {"thought_signature": own}}))
    return msgspec.Raw(_encode(fields))


def _own(signature: str, maker: str) -> str | None:
    tagged = untag(signature)
    return tagged.seal.data if tagged is not None and tagged.seal.maker == maker else None
