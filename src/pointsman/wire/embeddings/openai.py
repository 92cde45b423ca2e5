"""OpenAI's `/embeddings`, which most providers offer: both directions."""

from typing import Any, Literal

import msgspec

from pointsman.core.embeddings import EmbeddingRequest, Embeddings, Vector
from pointsman.core.errors import BadRequest
from pointsman.core.model_card import ModelCard
from pointsman.core.usage import Usage
from pointsman.wire.dialect import EncodedRequest
from pointsman.wire.embeddings.contract import (
    ProviderEmbeddings,
    checked,
    left_out,
    not_embeddings,
    packed,
    unpacked,
)
from pointsman.wire.envelope import Envelope
from pointsman.wire.json_bytes import NOT_JSON, NOTHING

_encode = msgspec.json.Encoder().encode
_decode_any = msgspec.json.Decoder().decode

_READ = frozenset(("model", "input", "encoding_format", "dimensions", "user"))
_MUST_NOT_DROP = frozenset(
    ("output_dtype",)
)  # Mistral and Voyage: vectors of another type than was asked for


class _Request(msgspec.Struct):
    input: str | list[str | int | list[int]]
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: int | None = None
    user: str | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    total_tokens: int | None = None


class _Datum(msgspec.Struct):
    embedding: list[float] | str
    index: int | None = None


class _Reply(msgspec.Struct):
    data: list[_Datum]
    usage: _Usage | None = None


class _WatchedReply(msgspec.Struct):
    data: msgspec.Raw = NOTHING
    usage: _Usage | None = None
    error: Any = None


_decode_request = msgspec.json.Decoder(_Request).decode
_decode_reply = msgspec.json.Decoder(_Reply).decode
_decode_watched = msgspec.json.Decoder(_WatchedReply).decode


class OpenAIEmbeddings:
    """As a provider speaks it."""

    name = "openai"

    def endpoint(self, model: str) -> str:
        return "/embeddings"

    def encode_request(self, request: EmbeddingRequest, card: ModelCard) -> EncodedRequest:
        dropped = left_out(request, card, carried=("user",))
        body: dict[str, Any] = {"model": card.id, "input": request.inputs}
        if request.dimensions is not None:
            body["dimensions"] = request.dimensions
        if request.user is not None:
            body["user"] = request.user
        return EncodedRequest(_encode(body), dropped)

    def decode_reply(self, body: bytes, inputs: int) -> Embeddings:
        try:
            reply = _decode_reply(body)
        except NOT_JSON:
            raise not_embeddings(_told(body)) from None
        if all(datum.index is not None for datum in reply.data):
            reply.data.sort(key=lambda datum: datum.index or 0)
        return Embeddings(checked([_vector(datum) for datum in reply.data], inputs), _usage(reply.usage))


OPENAI = OpenAIEmbeddings()


class OpenAIClientEmbeddings:
    """As a caller speaks it."""

    provider: ProviderEmbeddings = OPENAI

    def decode_request(self, envelope: Envelope) -> EmbeddingRequest:
        asked = _read(envelope)
        inputs = _inputs(asked.input)
        if not inputs:
            raise BadRequest("Invalid 'input': it holds nothing to embed.", param="input", code="empty_array")
        foreign = _foreign(envelope)
        return EmbeddingRequest(
            model=envelope.model,
            inputs=inputs,
            dimensions=asked.dimensions,
            user=asked.user,
            foreign=foreign,
            must_not_drop=_MUST_NOT_DROP & foreign.keys(),
        )

    def encode_reply(self, embeddings: Embeddings, envelope: Envelope, model: str) -> bytes:
        write = packed if _read(envelope).encoding_format == "base64" else _as_it_is
        used = None if embeddings.usage is None else embeddings.usage.input_tokens
        return _encode(
            {
                "object": "list",
                "data": [
                    {"object": "embedding", "index": index, "embedding": write(vector)}
                    for index, vector in enumerate(embeddings.vectors)
                ],
                "model": model,
                "usage": None if used is None else {"prompt_tokens": used, "total_tokens": used},
            }
        )

    def forwarded_endpoint(self, model: str) -> str:
        return OPENAI.endpoint(model)

    def forwarded(self, envelope: Envelope, model: str) -> bytes:
        return envelope.body if model == envelope.model else envelope.with_model(model)

    def read_usage(self, body: bytes) -> Usage | None:
        try:
            reply = _decode_watched(body)
        except NOT_JSON:
            raise not_embeddings(_told(body)) from None
        if reply.error or not memoryview(reply.data).nbytes:
            raise not_embeddings(_told(body))
        return _usage(reply.usage)


OPENAI_CLIENT = OpenAIClientEmbeddings()


def _read(envelope: Envelope) -> _Request:
    try:
        return _decode_request(envelope.body)
    except msgspec.ValidationError as error:
        field = next((name for name in _READ if f"`$.{name}" in str(error)), "input")
        raise BadRequest(f"Invalid value for '{field}': {error}.", param=field, code="invalid_type") from None
    except RecursionError:
        raise BadRequest("The body is nested too deeply.") from None


def _foreign(envelope: Envelope) -> dict[str, Any]:
    try:
        values = {name: _decode_any(raw) for name, raw in envelope.fields.items() if name not in _READ}
    except msgspec.ValidationError as error:  # the envelope is JSON, but holds a number that none can hold
        raise BadRequest(f"The body cannot be read: {error}.", code="invalid_value") from None
    except RecursionError:
        raise BadRequest("The body is nested too deeply.") from None
    return {name: value for name, value in values.items() if value is not None}


def _inputs(given: str | list[str | int | list[int]]) -> tuple[str | tuple[int, ...], ...]:
    if isinstance(given, str):
        return (given,)
    tokens = tuple(each for each in given if isinstance(each, int))
    if tokens:
        if len(tokens) != len(given):
            raise BadRequest(
                "Invalid 'input': text and tokens in one list.", param="input", code="invalid_type"
            )
        return (tokens,)  # one text in tokens
    return tuple(
        tuple(each) if isinstance(each, list) else each for each in given if not isinstance(each, int)
    )


def _vector(datum: _Datum) -> Vector:
    return unpacked(datum.embedding) if isinstance(datum.embedding, str) else tuple(datum.embedding)


def _as_it_is(vector: Vector) -> Vector:
    return vector


def _usage(told: _Usage | None) -> Usage | None:
    if told is None:
        return None
    tokens = told.total_tokens if told.prompt_tokens is None else told.prompt_tokens
    return None if tokens is None else Usage(tokens, 0)


def _told(body: bytes) -> str:
    """What an answer that holds no embeddings says instead."""
    try:
        error = _decode_any(body)["error"]
        return error if isinstance(error, str) else str(error["message"])
    except (*NOT_JSON, KeyError, TypeError, IndexError):
        return ""
