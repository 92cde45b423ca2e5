"""The system messages of a request, for every dialect that writes them: which of them lead the conversation, and their
text. It writes nothing."""

from collections.abc import Sequence
from itertools import takewhile

from pointsman.core.errors import Unsupported
from pointsman.core.model_card import ModelCard
from pointsman.core.request import Message, Text


def is_system(message: Message) -> bool:
    return message.role in {"system", "developer"}


def leading_system(messages: Sequence[Message]) -> tuple[Sequence[Message], Sequence[Message]]:
    """The system messages that the conversation begins with, and the rest of it."""
    leading = tuple(takewhile(is_system, messages))
    return leading, messages[len(leading) :]


def system_texts(message: Message, card: ModelCard) -> list[str]:
    """Raises Unsupported for anything that is not text: what is written here is text alone."""
    texts: list[str] = []
    for part in message.parts:
        if not isinstance(part, Text):
            kind = type(part).__name__.lower()
            raise Unsupported(
                f"'messages': {kind} content in a system message cannot be sent to the model {card.name}.",
                param="messages",
                code="unsupported_value",
            )
        texts.append(part.text)
    return texts
