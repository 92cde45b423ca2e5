"""What an embeddings API has to offer, in its two directions, and the vectors they share. No API lives here."""

import base64
import binascii
import struct
from collections.abc import Sequence
from typing import Protocol

from pointsman.core.embeddings import EmbeddingRequest, Embeddings, Vector
from pointsman.core.errors import Unsupported, UpstreamError, UpstreamFault
from pointsman.core.model_card import ModelCard
from pointsman.core.usage import Usage
from pointsman.wire.dialect import EncodedRequest
from pointsman.wire.envelope import Envelope
from pointsman.wire.secrets import without_secrets


class ProviderEmbeddings(Protocol):
    """What a provider speaks."""

    name: str

    def endpoint(self, model: str) -> str:
        """The path below a provider's base URL."""
        ...

    def encode_request(self, request: EmbeddingRequest, card: ModelCard) -> EncodedRequest:
        """Raises Unsupported for what this API cannot express."""
        ...

    def decode_reply(self, body: bytes, inputs: int) -> Embeddings:
        """Raises UpstreamError (BAD_REPLY), also when there is not one vector for each of so many inputs."""
        ...


class ClientEmbeddings(Protocol):
    """What callers speak."""

    provider: ProviderEmbeddings
    """The same API upstream: between the two the bytes stay as they are, but for the model."""

    def decode_request(self, envelope: Envelope) -> EmbeddingRequest:
        """Raises BadRequest, naming the field."""
        ...

    def encode_reply(self, embeddings: Embeddings, envelope: Envelope, model: str) -> bytes: ...

    def forwarded_endpoint(self, model: str) -> str: ...

    def forwarded(self, envelope: Envelope, model: str) -> bytes: ...

    def read_usage(self, body: bytes) -> Usage | None:
        """Raises UpstreamError (BAD_REPLY) when the body is not a reply of this API."""
        ...


def left_out(request: EmbeddingRequest, card: ModelCard, carried: Sequence[str] = ()) -> tuple[str, ...]:
    """The names of what is dropped. Raises Unsupported for what must not be."""
    for name in request.foreign:
        if name in request.must_not_drop:
            raise unsupported(f"'{name}'", name, card)
    canonical = {
        "user": request.user,
        "taskType": request.task,
        "title": any(request.titles) or None,
    }
    said = [name for name, value in canonical.items() if value is not None and name not in carried]
    return (*said, *request.foreign)


def texts_of(request: EmbeddingRequest, card: ModelCard) -> list[str]:
    """The inputs as text. Tokens mean nothing to another tokenizer."""
    texts = [each for each in request.inputs if isinstance(each, str)]
    if len(texts) != len(request.inputs):
        raise unsupported("Input in tokens", "input", card)
    return texts


def unsupported(what: str, param: str, card: ModelCard) -> Unsupported:
    return Unsupported(
        f"{what} cannot be sent to the model {card.name} of {card.provider}.",
        param=param,
        code="unsupported_value",
    )


def checked(vectors: Sequence[Vector], inputs: int) -> tuple[Vector, ...]:
    if len(vectors) != inputs:
        raise UpstreamError(
            UpstreamFault.BAD_REPLY, f"the provider answered {len(vectors)} vectors for {inputs} inputs"
        )
    return tuple(vectors)


def not_embeddings(told: str = "") -> UpstreamError:
    """`told` is what the answer says instead, where it says something."""
    return UpstreamError(
        UpstreamFault.BAD_REPLY, without_secrets(told) or "the provider's answer holds no embeddings"
    )


def packed(vector: Vector) -> str:
    """Base64 of the numbers as little-endian 32-bit floats."""
    try:
        return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
    except OverflowError:
        raise not_embeddings("the provider answered a number that is no 32-bit float") from None


def unpacked(text: str) -> Vector:
    """The exact values behind `packed`."""
    try:
        data = base64.b64decode(text, validate=True)
        return struct.unpack(f"<{len(data) // 4}f", data)
    except (binascii.Error, ValueError, struct.error):
        raise not_embeddings("the provider answered a vector that is not base64 of 32-bit floats") from None
