"""What an answer says, without its packaging, and where two answers differ. It knows no wire format."""

import json
from dataclasses import dataclass, field
from typing import Any, Literal

Stop = Literal["done", "length", "tools", "blocked", "pause"]


@dataclass(frozen=True)
class Call:
    """`arguments` is the parsed value; the raw text where it is not JSON."""

    name: str
    arguments: Any
    id: str | None = None


@dataclass
class Tokens:
    """Input with what was cached, output with what was thought, and what of the input was put into the cache; None
    where nobody said."""

    input: int | None = None
    output: int | None = None
    cached: int | None = None
    reasoning: int | None = None
    written: int | None = None


@dataclass(frozen=True)
class Failure:
    """`status` is the HTTP status, None for a failure within a 200. An empty message is one that nobody gave."""

    status: int | None
    message: str = ""
    is_auth: bool = False


@dataclass
class Meaning:
    """`order` is the sequence of kinds of what was said, neighbours of one kind taken together. `foreign` names what
    only its own dialect can say and a caller would have to act on, `explanation` is why nothing was said."""

    text: str = ""
    refusal: str = ""
    reasoning: str = ""
    calls: list[Call] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    cited: list[str] = field(default_factory=list)
    logprobs: int = 0
    stop: Stop | None = None
    stop_sequence: str | None = None
    usage: Tokens | None = None
    order: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    explanation: str = ""
    failure: Failure | None = None

    def say(self, kind: str, piece: str = "") -> None:
        """Adds to the text, the refusal or the reasoning, or notes that something else was said here."""
        if kind in {"text", "refusal", "reasoning"}:
            if not piece:
                return
            setattr(self, kind, getattr(self, kind) + piece)
        said = "text" if kind == "refusal" else kind
        if self.order[-1:] != [said]:
            self.order.append(said)

    def call(self, name: str, arguments: Any, id_: str | None = None) -> None:
        self.calls.append(Call(name, arguments, id_))
        self.say("call")

    def image(self, data: str) -> None:
        self.images.append(data)
        self.say("image")

    def ended(self, stop: Stop | None) -> None:
        """A call is a reason of its own, whatever the provider said, unless it was cut short."""
        if self.calls and stop in {"done", None}:
            stop = "tools"
        elif self.refusal and stop in {"done", None}:
            stop = "blocked"
        self.stop = stop


def arguments_in(text: str | None) -> Any:
    """The value of a call's argument text; the text itself where it is not JSON."""
    if text is None or not text.strip():
        return {}
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def bare(text: str) -> str:
    """Without white space: how paragraphs of thought are set apart is packaging."""
    return "".join(text.split())
