"""Ollama's `/api/embed`, as a provider speaks it."""

from typing import Any

import msgspec

from pointsman.core.embeddings import EmbeddingRequest, Embeddings
from pointsman.core.model_card import ModelCard
from pointsman.core.usage import Usage
from pointsman.wire.dialect import EncodedRequest
from pointsman.wire.embeddings.contract import checked, left_out, not_embeddings, texts_of
from pointsman.wire.json_bytes import NOT_JSON

_encode = msgspec.json.Encoder().encode


class _Reply(msgspec.Struct):
    embeddings: list[list[float]] | None = None
    prompt_eval_count: int | None = None
    error: Any = None


_decode_reply = msgspec.json.Decoder(_Reply).decode


class OllamaEmbeddings:
    name = "ollama"

    def endpoint(self, model: str) -> str:
        return "/api/embed"

    def encode_request(self, request: EmbeddingRequest, card: ModelCard) -> EncodedRequest:
        # By itself it would cut off what does not fit, without a word.
        body: dict[str, Any] = {"model": card.id, "input": texts_of(request, card), "truncate": False}
        if request.dimensions is not None:
            body["dimensions"] = request.dimensions
        if card.context_tokens is not None:
            body["options"] = {"num_ctx": card.context_tokens}
        return EncodedRequest(_encode(body), left_out(request, card))

    def decode_reply(self, body: bytes, inputs: int) -> Embeddings:
        try:
            reply = _decode_reply(body)
        except NOT_JSON:
            raise not_embeddings() from None
        if reply.embeddings is None:
            raise not_embeddings(reply.error if isinstance(reply.error, str) else "")
        vectors = checked([tuple(vector) for vector in reply.embeddings], inputs)
        used = reply.prompt_eval_count
        return Embeddings(vectors, None if used is None else Usage(used, 0))


OLLAMA = OllamaEmbeddings()
