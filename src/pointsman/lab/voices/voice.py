"""What a voice is: the sounds one dialect's providers make. It makes none itself."""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple


@dataclass(frozen=True, slots=True)
class Said:
    """One answer: its words, in the order they are streamed, and the request it is an answer to."""

    model: str
    words: tuple[str, ...]
    asked: Mapping[str, Any]

    @property
    def text(self) -> str:
        return "".join(self.words)

    @property
    def input_tokens(self) -> int:
        """About four characters to a token, as everybody counts who has no tokenizer."""
        return max(len(json.dumps(self.asked)) // 4, 1)

    @property
    def output_tokens(self) -> int:
        """A word is a token."""
        return len(self.words)


class Stream(NamedTuple):
    """The events of one answer. `opening` holds nothing of it yet, `content` has a word in each, and without
    `closing` the answer is not whole."""

    opening: tuple[bytes, ...]
    content: tuple[bytes, ...]
    closing: tuple[bytes, ...]


class Voice(ABC):
    """One dialect's providers."""

    dialect: ClassVar[str]
    stream_type: ClassVar[bytes] = b"text/event-stream"
    heartbeat: ClassVar[bytes] = b": still here\n\n"
    """What a stream may hold between two events, and is nothing of an answer."""

    @abstractmethod
    def whole(self, said: Said) -> dict[str, Any]:
        """The answer that is not streamed."""

    @abstractmethod
    def stream(self, said: Said) -> Stream: ...

    @abstractmethod
    def error(self, status: int, message: str) -> dict[str, Any]:
        """What stands in the body of an error."""

    @abstractmethod
    def stream_error(self, message: str) -> bytes:
        """The event that says within a stream that there will be no more."""

    def unreadable(self) -> bytes:
        """An event whose JSON is broken."""
        return b'data: {"choices": [{"delta": \n\n'

    def model_missing(self, model: str) -> str:
        """The words for a model that is not served."""
        return f"The model `{model}` does not exist or you do not have access to it."


def event(data: Mapping[str, Any], name: str | None = None) -> bytes:
    """One server-sent event."""
    head = b"" if name is None else b"event: %b\n" % name.encode()
    return b"%bdata: %b\n\n" % (head, json.dumps(data).encode())
