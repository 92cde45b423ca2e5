"""The bodies of countTokens, request and answer. It counts nothing itself."""

import msgspec

from pointsman.core.errors import BadRequest
from pointsman.wire.envelope import Address, Envelope, read_envelope
from pointsman.wire.gemini.fields import camelled

_encode = msgspec.json.Encoder().encode


def read_count_request(body: bytes, model: str) -> Envelope:
    """What is to be counted, as the generateContent request it would be: `contents` alone, or a whole
    `generateContentRequest`. Raises BadRequest."""
    address = Address(model, stream=False)
    envelope = read_envelope(body, address)
    fields = camelled(envelope.fields)
    whole = fields.get("generateContentRequest")
    if whole is not None:
        return read_envelope(bytes(whole), address)
    if "contents" not in fields:
        raise BadRequest("* CountTokensRequest.contents: contents is not specified", param="contents")
    return envelope


def write_token_count(tokens: int) -> bytes:
    return _encode(
        {"totalTokens": tokens, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": tokens}]}
    )
