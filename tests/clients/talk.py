"""What a test may ask of any SDK: a conversation. No SDK is imported here; `sdks` brings them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
TOOL_SCHEMA = {"type": "object", "properties": {"key": {"type": "string"}}, "required": ["key"]}
TOOL_DESCRIPTION = "Looks a word up."
COLOUR_SCHEMA = {
    "type": "object",
    "properties": {"colour": {"type": "string"}, "count": {"type": "integer"}},
    "required": ["colour", "count"],
    "additionalProperties": False,
}


@dataclass
class Heard:
    """One answer, as an SDK gives it. `ended` is "done" or "calls", or the client's own word for anything else.
    `usage` is input and output tokens."""

    text: str = ""
    thinking: str = ""
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    ended: str = ""
    usage: tuple[int, int] | None = None


@dataclass(frozen=True)
class Manner:
    """How a conversation is to be had."""

    streams: bool = False
    tools: bool = False
    thinks: bool = False


class Talk(Protocol):
    """One conversation. Its history is kept the way the SDK's own documentation does."""

    def ask(self, model: str, text: str, *, picture: str | None = None) -> Heard:
        """A user's next words, with a PNG if one is given."""
        ...

    def give(self, model: str, results: Sequence[str]) -> Heard:
        """What the tools of the last answer said, in the order of their calls."""
        ...

    def describe(self, model: str) -> Any:
        """The answer to "describe" that must look like COLOUR_SCHEMA, parsed."""
        ...


class OwnLoop(Protocol):
    """A conversation whose SDK calls tools by itself."""

    def run(self, model: str, text: str) -> str:
        """What is said at the end, behind all calls of tools."""
        ...


class Failure(Exception):
    """An SDK's own error: its class, the status and the message it shows."""

    def __init__(self, kind: str, status: int | None, message: str) -> None:
        super().__init__(f"{kind} {status}: {message}")
        self.kind = kind
        self.status = status
        self.message = message


class Client(Protocol):
    """One SDK. `loses_thoughts` if its own loop gives none back, so that a vendor of its dialect would miss them."""

    name: ClassVar[str]
    dialect: ClassVar[str]
    loses_thoughts: ClassVar[bool]

    def talk(self, manner: Manner) -> Talk: ...

    def close(self) -> None: ...
