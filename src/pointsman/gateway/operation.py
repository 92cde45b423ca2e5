"""What a caller can want besides a reply, as the pipeline sees it. No operation lives here."""

from typing import Protocol

from pointsman.core.errors import PointsmanError
from pointsman.core.model_card import ModelCard
from pointsman.core.prompt import Prompt
from pointsman.gateway.crossing import Crossing
from pointsman.wire.dialect import ClientDialect, ProviderDialect, ReplyContext
from pointsman.wire.envelope import Envelope


class PromptReader(Protocol):
    """What deciding needs of a dialect."""

    def require_messages(self, envelope: Envelope) -> None: ...

    def read_prompt(self, envelope: Envelope) -> Prompt: ...


class Operation(Protocol):
    """One thing to do with a model other than to have it reply to messages."""

    is_generation: bool
    """The model writes something: its cost can be compared with a dearer model's."""

    def reader(self, dialect: ClientDialect) -> PromptReader:
        """How its requests are read; `dialect` is the caller's."""
        ...

    def cross(
        self,
        envelope: Envelope,
        card: ModelCard,
        spoken: ProviderDialect,
        context: ReplyContext,
        *,
        tell_usage: bool,
    ) -> Crossing:
        """The way to a model whose provider speaks `spoken`. Raises ClientError where there is none."""
        ...

    def answer_instead(
        self, error: PointsmanError, dialect: ClientDialect, envelope: Envelope, model: str
    ) -> bytes | None:
        """What is answered although no provider answered: an estimate. None where `error` has to be told. `model` is
        what the provider calls the model that was to answer, empty where none was found."""
        ...
