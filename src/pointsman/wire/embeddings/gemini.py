"""Gemini's `:embedContent` and `:batchEmbedContents`, both directions. Towards a provider it is always the batch, which
takes one as well as many."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from pointsman.core.embeddings import EmbeddingRequest, Embeddings
from pointsman.core.errors import BadRequest, Unsupported
from pointsman.core.model_card import ModelCard
from pointsman.core.usage import Usage
from pointsman.wire.dialect import EncodedRequest
from pointsman.wire.embeddings.contract import (
    ProviderEmbeddings,
    checked,
    left_out,
    not_embeddings,
    texts_of,
)
from pointsman.wire.envelope import Envelope, put_field
from pointsman.wire.gemini.fields import camel
from pointsman.wire.gemini.paths import model_path, resource
from pointsman.wire.json_bytes import NOT_JSON, NOTHING

_encode = msgspec.json.Encoder().encode
_decode_any = msgspec.json.Decoder().decode
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode

_TASKS_OF_NOBODY = frozenset(("TASK_TYPE_UNSPECIFIED", ""))

Verb = Literal["embedContent", "batchEmbedContents"]


class _Vector(msgspec.Struct):
    values: list[float]


class _UsageMetadata(msgspec.Struct, rename="camel"):
    prompt_token_count: int | None = None


class _Reply(msgspec.Struct, rename="camel"):
    embeddings: list[_Vector] | None = None
    embedding: _Vector | None = None
    usage_metadata: _UsageMetadata | None = None
    error: Any = None


class _WatchedReply(msgspec.Struct, rename="camel"):
    embeddings: msgspec.Raw = NOTHING
    embedding: msgspec.Raw = NOTHING
    usage_metadata: _UsageMetadata | None = None
    error: Any = None


_decode_reply = msgspec.json.Decoder(_Reply).decode
_decode_watched = msgspec.json.Decoder(_WatchedReply).decode


class GeminiEmbeddings:
    """As a provider speaks it."""

    name = "gemini"

    def endpoint(self, model: str) -> str:
        return model_path(model, "batchEmbedContents")

    def encode_request(self, request: EmbeddingRequest, card: ModelCard) -> EncodedRequest:
        dropped = left_out(request, card, carried=("taskType", "title"))
        model = resource(card.id)
        titles = request.titles or (None,) * len(request.inputs)
        requests: list[dict[str, Any]] = []
        for text, title in zip(texts_of(request, card), titles, strict=True):
            each: dict[str, Any] = {"model": model, "content": {"parts": [{"text": text}]}}
            if request.task is not None:
                each["taskType"] = request.task
            if title is not None:
                each["title"] = title
            if request.dimensions is not None:
                each["outputDimensionality"] = request.dimensions
            requests.append(each)
        return EncodedRequest(_encode({"requests": requests}), dropped)

    def decode_reply(self, body: bytes, inputs: int) -> Embeddings:
        try:
            reply = _decode_reply(body)
        except NOT_JSON:
            raise not_embeddings() from None
        found = [reply.embedding] if reply.embedding is not None else reply.embeddings
        if found is None:
            raise not_embeddings(_told(reply.error))
        vectors = checked([tuple(vector.values) for vector in found], inputs)
        return Embeddings(vectors, _usage(reply.usage_metadata))


GEMINI = GeminiEmbeddings()


class GeminiClientEmbeddings:
    """As a caller speaks it, in one of its two verbs."""

    provider: ProviderEmbeddings = GEMINI

    def __init__(self, verb: Verb) -> None:
        self._verb = verb

    def decode_request(self, envelope: Envelope) -> EmbeddingRequest:
        try:
            body = _decode_any(envelope.body)
        except (
            msgspec.ValidationError
        ) as error:  # the envelope is JSON, but holds a number that none can hold
            raise BadRequest(f"The body cannot be read: {error}.") from None
        except RecursionError:
            raise BadRequest("The body is nested too deeply.") from None
        asked = [body] if self._verb == "embedContent" else body.get("requests")
        if not isinstance(asked, list) or not asked:
            raise BadRequest("requests must be a list that holds something", param="requests")
        read = [_One(each, index) for index, each in enumerate(asked)]
        first = read[0]
        for index, each in enumerate(read):
            for name in ("dimensions", "task"):
                if getattr(each, name) != getattr(first, name):
                    raise Unsupported(
                        "the requests of a batch ask for different vectors, which only Gemini can make",
                        param=f"requests[{index}]",
                    )
        foreign = {name: value for each in read for name, value in each.foreign.items()}
        return EmbeddingRequest(
            model=envelope.model,
            inputs=tuple(each.text for each in read),
            dimensions=first.dimensions,
            task=first.task,
            titles=tuple(each.title for each in read),
            foreign=foreign,
        )

    def encode_reply(self, embeddings: Embeddings, envelope: Envelope, model: str) -> bytes:
        vectors = [{"values": vector} for vector in embeddings.vectors]
        reply: dict[str, Any] = (
            {"embedding": vectors[0]} if self._verb == "embedContent" else {"embeddings": vectors}
        )
        if embeddings.usage is not None:
            reply["usageMetadata"] = {"promptTokenCount": embeddings.usage.input_tokens}
        return _encode(reply)

    def forwarded_endpoint(self, model: str) -> str:
        return model_path(model, self._verb)

    def forwarded(self, envelope: Envelope, model: str) -> bytes:
        """The model stands in the path, and may stand in each of the requests too."""
        body = _with_model(envelope.body, envelope.fields, model)
        raw = envelope.fields.get("requests")
        if raw is None:
            return body
        try:
            requests = _decode_list(raw)
            named = [_with_model(bytes(each), _decode_fields(each), model) for each in requests]
        except NOT_JSON:
            return body  # its provider's to judge
        return put_field(body, _decode_fields(body), "requests", _spliced(bytes(raw), requests, named))

    def read_usage(self, body: bytes) -> Usage | None:
        try:
            reply = _decode_watched(body)
        except NOT_JSON:
            raise not_embeddings() from None
        if not (memoryview(reply.embedding).nbytes or memoryview(reply.embeddings).nbytes):
            raise not_embeddings(_told(reply.error))
        return _usage(reply.usage_metadata)


GEMINI_CLIENT = GeminiClientEmbeddings("embedContent")
GEMINI_BATCH_CLIENT = GeminiClientEmbeddings("batchEmbedContents")


class _One:
    """One request of a batch. Names may be written in either of Google's two spellings."""

    def __init__(self, asked: Any, index: int) -> None:
        where = f"requests[{index}]"
        if not isinstance(asked, dict):
            raise BadRequest(f"{where} must be an object", param=where)
        rest = {camel(name): value for name, value in asked.items() if value is not None}
        config = rest.pop("embedContentConfig", None)
        if isinstance(config, dict):
            rest |= {camel(name): value for name, value in config.items() if value is not None}
        rest.pop("model", None)
        self.text = _text_of(rest.pop("content", None), f"{where}.content")
        self.task = _typed(rest.pop("taskType", None), str, f"{where}.taskType")
        if self.task in _TASKS_OF_NOBODY:
            self.task = None
        self.title = _typed(rest.pop("title", None), str, f"{where}.title")
        self.dimensions = _typed(rest.pop("outputDimensionality", None), int, f"{where}.outputDimensionality")
        self.foreign = rest


def _text_of(content: Any, where: str) -> str:
    parts = content.get("parts") if isinstance(content, dict) else None
    parts = [parts] if isinstance(parts, dict) else parts
    if not isinstance(parts, list) or not parts:
        raise BadRequest(f"{where} must hold parts", param=where)
    texts = [part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str)]
    if len(texts) != len(parts):
        raise Unsupported(f"{where} holds something other than text, which only Gemini embeds", param=where)
    return "\n".join(texts)


def _typed(value: Any, kind: type, where: str) -> Any:
    if value is not None and (not isinstance(value, kind) or isinstance(value, bool)):
        raise BadRequest(f"{where} is of the wrong type", param=where)
    return value


def _with_model(text: bytes, fields: Mapping[str, msgspec.Raw], model: str) -> bytes:
    return put_field(text, fields, "model", _encode(resource(model))) if "model" in fields else text


def _spliced(text: bytes, elements: Sequence[msgspec.Raw], instead: Sequence[bytes]) -> bytes:
    """A JSON list with other elements and everything between them as it was."""
    pieces: list[bytes] = []
    position = 0
    for old, new in zip(elements, instead, strict=True):
        start = text.index(bytes(old), position)  # in front of it there is only white space and a comma
        pieces += (text[position:start], new)
        position = start + memoryview(old).nbytes
    return b"".join((*pieces, text[position:]))


def _usage(told: _UsageMetadata | None) -> Usage | None:
    if told is None or told.prompt_token_count is None:
        return None
    return Usage(told.prompt_token_count, 0)


def _told(error: Any) -> str:
    message = error.get("message") if isinstance(error, dict) else error
    return message if isinstance(message, str) else ""
