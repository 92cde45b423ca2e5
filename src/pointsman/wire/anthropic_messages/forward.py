"""The one thing a forwarded Messages body is repaired in: thinking without a signature, which the API refuses.
Everything else is sent as it came.

Such blocks come from here: a model of another maker answered an earlier turn, its reasoning was shown as a
thinking block with an empty signature, and the client sent the block back with its history.
"""

import msgspec

from pointsman.wire.envelope import Envelope

# As programs write JSON: without spaces, or with one after each colon, which then shows at once.
_UNSIGNED = b'"signature":""'
_UNSIGNED_SPACED = b'"signature": ""'


class _Message(msgspec.Struct, gc=False):
    content: str | list[msgspec.Raw] = ""


class _Block(msgspec.Struct, gc=False):
    type: str = ""
    signature: str | None = None


_messages = msgspec.json.Decoder(list[msgspec.Raw]).decode
_message = msgspec.json.Decoder(_Message).decode
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_block = msgspec.json.Decoder(_Block).decode
_encode = msgspec.json.Encoder().encode


def forwarded(envelope: Envelope, model: str) -> bytes:
    """The body for `model`. A history that cannot be read is left for the API to judge."""
    body = envelope.body
    if _UNSIGNED in body or (b'": ' in body[:64] and _UNSIGNED_SPACED in body):
        try:
            sent = _messages(envelope.fields["messages"])
            messages = [signed for raw in sent if (signed := _signed(raw)) is not None]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            sent = messages = []
        if messages != sent:
            changed = {"model": msgspec.Raw(_encode(model)), "messages": msgspec.Raw(_encode(messages))}
            return _encode({**envelope.fields, **changed})
    return body if model == envelope.model else envelope.with_model(model)


def _signed(raw: msgspec.Raw) -> msgspec.Raw | None:
    """The message without its unsigned thinking, None if nothing is left of it."""
    content = _message(raw).content
    if isinstance(content, str):
        return raw
    kept = [block for block in content if not _is_unsigned(block)]
    if len(kept) == len(content):
        return raw
    if not kept:
        return None
    return msgspec.Raw(_encode({**_fields(raw), "content": msgspec.Raw(_encode(kept))}))


def _is_unsigned(raw: msgspec.Raw) -> bool:
    block = _block(raw)
    return block.type == "thinking" and not block.signature
