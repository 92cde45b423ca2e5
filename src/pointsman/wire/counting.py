"""The endpoints that only count what a request's input holds: how each API's is asked and answers. It counts nothing.

Anthropic   POST /messages/count_tokens          {"input_tokens": 11}
Responses   POST /responses/input_tokens         {"object": "response.input_tokens", "input_tokens": 11}
Gemini      POST /models/MODEL:countTokens       {"totalTokens": 11}
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

import msgspec

from pointsman.core.errors import BadRequest, UpstreamError, UpstreamFault
from pointsman.wire.envelope import Envelope, put_field
from pointsman.wire.gemini.paths import model_path, resource
from pointsman.wire.json_bytes import NOT_JSON

_encode = msgspec.json.Encoder().encode
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class CountingApi(Protocol):
    """One API's way to count."""

    dialect: str
    """Whose providers can be asked."""

    def endpoint(self, model: str) -> str:
        """The path below a provider's base URL."""
        ...

    def asked(self, envelope: Envelope) -> Envelope:
        """The request whose input is counted. Raises BadRequest when there is none."""
        ...

    def forwarded(self, envelope: Envelope, model: str) -> bytes:
        """The body as it came but for the model."""
        ...

    def encode_count(self, tokens: int) -> bytes: ...

    def require_count(self, body: bytes) -> None:
        """Raises UpstreamError (BAD_REPLY) when a provider's answer is no count."""
        ...


class _Counted(msgspec.Struct, rename="camel"):
    input_tokens: int | None = msgspec.field(default=None, name="input_tokens")
    total_tokens: int | None = None


_decode_count = msgspec.json.Decoder(_Counted).decode


class _InputTokens:
    """A count of `input_tokens`, of the body that would be generated from. `left_out` are fields that a generation
    needs and a count does not, each with a value that says nothing about the input."""

    def __init__(
        self, dialect: str, path: str, frame: bytes, left_out: Mapping[str, bytes] = MappingProxyType({})
    ) -> None:
        self.dialect = dialect
        self._path = path
        self._frame = frame
        self._left_out = left_out

    def endpoint(self, model: str) -> str:
        return self._path

    def asked(self, envelope: Envelope) -> Envelope:
        for name, value in self._left_out.items():
            if name not in envelope.fields:
                envelope = envelope.with_field(name, value)
        return envelope

    def forwarded(self, envelope: Envelope, model: str) -> bytes:
        return envelope.body if model == envelope.model else envelope.with_model(model)

    def encode_count(self, tokens: int) -> bytes:
        return self._frame % tokens

    def require_count(self, body: bytes) -> None:
        if _read(body).input_tokens is None:
            raise _no_count()


class _GeminiTokens:
    """A count of `totalTokens`, of `contents` alone or of a whole `generateContentRequest`, which names the model
    once more."""

    dialect = "gemini"

    def endpoint(self, model: str) -> str:
        return model_path(model, "countTokens")

    def asked(self, envelope: Envelope) -> Envelope:
        name = _whole_request(envelope)
        if name is None:
            return envelope
        body = bytes(envelope.fields[name])
        try:
            return envelope._replace(body=body, fields=_decode_fields(body))
        except NOT_JSON:
            raise BadRequest(f"{name} must be an object", param=name) from None

    def forwarded(self, envelope: Envelope, model: str) -> bytes:
        name = _whole_request(envelope)
        if name is None:
            return envelope.body
        inner = self.asked(envelope)
        if "model" not in inner.fields:
            return envelope.body
        named = put_field(inner.body, inner.fields, "model", _encode(resource(model)))
        return put_field(envelope.body, envelope.fields, name, named)

    def encode_count(self, tokens: int) -> bytes:
        return b'{"totalTokens":%d}' % tokens

    def require_count(self, body: bytes) -> None:
        if _read(body).total_tokens is None:
            raise _no_count()


ANTHROPIC_TOKENS: CountingApi = _InputTokens(
    "anthropic-messages", "/messages/count_tokens", b'{"input_tokens":%d}', {"max_tokens": b"1"}
)
RESPONSES_TOKENS: CountingApi = _InputTokens(
    "openai-responses",
    "/responses/input_tokens",
    b'{"object":"response.input_tokens","input_tokens":%d}',
)
GEMINI_TOKENS: CountingApi = _GeminiTokens()


def _whole_request(envelope: Envelope) -> str | None:
    names = ("generateContentRequest", "generate_content_request")
    return next((name for name in names if name in envelope.fields), None)


def _read(body: bytes) -> _Counted:
    try:
        return _decode_count(body)
    except NOT_JSON:
        raise _no_count() from None


def _no_count() -> UpstreamError:
    return UpstreamError(UpstreamFault.BAD_REPLY, "the provider's answer is no count of tokens")
