"""Completing a bare prompt (`/v1/completions`) as an operation: passed through to providers that have the endpoint, and
translated to nothing, since a chat would answer the text instead of going on with it."""

from pointsman.core.errors import PointsmanError, Unsupported
from pointsman.core.model_card import ModelCard
from pointsman.gateway.crossing import Crossing
from pointsman.gateway.operation import PromptReader
from pointsman.gateway.relayed import SameDialect
from pointsman.wire.dialect import ClientDialect, ProviderDialect, ReplyContext
from pointsman.wire.envelope import Envelope
from pointsman.wire.openai_chat import OPENAI_CHAT
from pointsman.wire.openai_chat.completions import OPENAI_COMPLETIONS


class Completion:
    is_generation = True

    def reader(self, dialect: ClientDialect) -> PromptReader:
        return OPENAI_COMPLETIONS

    def cross(
        self,
        envelope: Envelope,
        card: ModelCard,
        spoken: ProviderDialect,
        context: ReplyContext,
        *,
        tell_usage: bool,
    ) -> Crossing:
        if spoken is not OPENAI_CHAT:
            raise Unsupported(
                f"The model {card.name} is served by {card.provider}, whose API ({spoken.name}) does not complete bare"
                " prompts: use /v1/chat/completions.",
                param="model",
                code="unsupported_operation",
            )
        return SameDialect(OPENAI_COMPLETIONS, envelope, card, context, tell_usage=tell_usage)

    def answer_instead(
        self, error: PointsmanError, dialect: ClientDialect, envelope: Envelope, model: str
    ) -> bytes | None:
        return None


COMPLETE = Completion()
