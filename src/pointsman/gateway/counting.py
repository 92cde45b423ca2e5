"""Counting a request's tokens as an operation: by the provider where it speaks the caller's API, else by an estimate that
errs high. There is an answer for every model, whatever its provider says."""

from pointsman.core.errors import PointsmanError, Unsupported, UpstreamError, UpstreamFault
from pointsman.core.model_card import ModelCard
from pointsman.core.prompt import Prompt
from pointsman.core.usage import Usage
from pointsman.gateway.crossing import Crossing
from pointsman.routing.counting import tokens_at_most
from pointsman.wire.counting import ANTHROPIC_TOKENS, GEMINI_TOKENS, RESPONSES_TOKENS, CountingApi
from pointsman.wire.dialect import ClientDialect, ProviderDialect, ReplyContext
from pointsman.wire.envelope import Envelope

_NOT_COUNTED_THERE = frozenset({404, 405})
"""Refusals that say nothing about the request: the provider does not count, or not for this model."""


class _Asked(Crossing):
    """The provider counts."""

    __slots__ = ("_api",)

    speaks_callers_dialect = True

    def __init__(self, api: CountingApi, envelope: Envelope, card: ModelCard) -> None:
        super().__init__(api.endpoint(card.id), api.forwarded(envelope, card.id))
        self._api = api
        self._usage = Usage(0, 0)  # no provider charges for counting

    def whole(self, reply: bytes) -> bytes:
        self._api.require_count(reply)
        return reply


class _Reader:
    """Reads the request whose input is counted."""

    def __init__(self, api: CountingApi, dialect: ClientDialect) -> None:
        self._api = api
        self._dialect = dialect

    def require_messages(self, envelope: Envelope) -> None:
        self._dialect.require_messages(self._api.asked(envelope))

    def read_prompt(self, envelope: Envelope) -> Prompt:
        return self._dialect.read_prompt(self._api.asked(envelope))


class Counting:
    is_generation = False

    def __init__(self, api: CountingApi) -> None:
        self._api = api

    def reader(self, dialect: ClientDialect) -> _Reader:
        return _Reader(self._api, dialect)

    def cross(
        self,
        envelope: Envelope,
        card: ModelCard,
        spoken: ProviderDialect,
        context: ReplyContext,
        *,
        tell_usage: bool,
    ) -> Crossing:
        if spoken.name != self._api.dialect:
            raise Unsupported(f"the provider of {card.name} does not count for callers of this API")
        return _Asked(self._api, envelope, card)

    def answer_instead(
        self, error: PointsmanError, dialect: ClientDialect, envelope: Envelope, model: str
    ) -> bytes | None:
        if not _may_be_estimated(error):
            return None
        return self._api.encode_count(tokens_at_most(self.reader(dialect).read_prompt(envelope), model))


def _may_be_estimated(error: PointsmanError) -> bool:
    if isinstance(error, UpstreamError):
        return error.fault is not UpstreamFault.REJECTED or error.status in _NOT_COUNTED_THERE
    return isinstance(error, Unsupported)


COUNT_ANTHROPIC = Counting(ANTHROPIC_TOKENS)
COUNT_RESPONSES = Counting(RESPONSES_TOKENS)
COUNT_GEMINI = Counting(GEMINI_TOKENS)
