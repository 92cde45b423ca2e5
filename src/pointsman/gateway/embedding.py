"""Embedding as an operation: its bytes as they are between two ends of one API, through core.embeddings between two."""

from pointsman.core.errors import BadRequest, PointsmanError, Unsupported
from pointsman.core.model_card import ModelCard
from pointsman.core.prompt import Prompt
from pointsman.gateway.crossing import Crossing
from pointsman.wire.dialect import ClientDialect, ProviderDialect, ReplyContext
from pointsman.wire.embeddings import EMBEDDINGS_OF_DIALECT
from pointsman.wire.embeddings.contract import ClientEmbeddings, ProviderEmbeddings
from pointsman.wire.embeddings.gemini import GEMINI_BATCH_CLIENT, GEMINI_CLIENT
from pointsman.wire.embeddings.openai import OPENAI_CLIENT
from pointsman.wire.envelope import Envelope


class _SameApi(Crossing):
    """Bytes in, the same bytes out, but for the model."""

    __slots__ = ("_source",)

    speaks_callers_dialect = True

    def __init__(self, source: ClientEmbeddings, envelope: Envelope, card: ModelCard) -> None:
        super().__init__(source.forwarded_endpoint(card.id), source.forwarded(envelope, card.id))
        self._source = source

    def whole(self, reply: bytes) -> bytes:
        self._usage = self._source.read_usage(reply)
        return reply


class _OtherApi(Crossing):
    """The provider's vectors in the caller's packaging."""

    __slots__ = ("_card", "_envelope", "_inputs", "_source", "_target")

    def __init__(
        self, source: ClientEmbeddings, target: ProviderEmbeddings, envelope: Envelope, card: ModelCard
    ) -> None:
        request = source.decode_request(envelope)
        encoded = target.encode_request(request, card)
        super().__init__(target.endpoint(card.id), encoded.body, encoded.dropped)
        self._source = source
        self._target = target
        self._envelope = envelope
        self._card = card
        self._inputs = len(request.inputs)

    def whole(self, reply: bytes) -> bytes:
        embeddings = self._target.decode_reply(reply, self._inputs)
        self._usage = embeddings.usage
        return self._source.encode_reply(embeddings, self._envelope, self._card.id)


class Embedding:
    """Vectors of two models cannot be compared, so the caller must name the model: a virtual one is refused."""

    is_generation = False

    def __init__(self, source: ClientEmbeddings) -> None:
        self._source = source

    def reader(self, dialect: ClientDialect) -> "Embedding":
        return self

    def require_messages(self, envelope: Envelope) -> None:
        """What is in it is for the provider to judge."""

    def read_prompt(self, envelope: Envelope) -> Prompt:
        raise BadRequest(
            f"Embeddings need a model by its own name: {envelope.model[:80]!r} stands for several, and vectors of"
            " different models cannot be compared.",
            param="model",
            code="model_not_pinned",
        )

    def cross(
        self,
        envelope: Envelope,
        card: ModelCard,
        spoken: ProviderDialect,
        context: ReplyContext,
        *,
        tell_usage: bool,
    ) -> Crossing:
        target = EMBEDDINGS_OF_DIALECT.get(spoken.name)
        if target is None:
            raise Unsupported(
                f"The model {card.name} is served by {card.provider}, whose API ({spoken.name}) has no embeddings.",
                param="model",
                code="unsupported_operation",
            )
        if target is self._source.provider:
            return _SameApi(self._source, envelope, card)
        return _OtherApi(self._source, target, envelope, card)

    def answer_instead(
        self, error: PointsmanError, dialect: ClientDialect, envelope: Envelope, model: str
    ) -> bytes | None:
        return None


EMBED_OPENAI = Embedding(OPENAI_CLIENT)
EMBED_GEMINI = Embedding(GEMINI_CLIENT)
EMBED_GEMINI_BATCH = Embedding(GEMINI_BATCH_CLIENT)
