"""What a scripted vendor is asked and what it answers, free of any dialect; and the model that all of them serve. It
reads and writes no wire format."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Think:
    """Thoughts, which a vendor that seals its thoughts seals."""

    text: str


@dataclass(frozen=True)
class Say:
    text: str


@dataclass(frozen=True)
class Call:
    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Fail:
    """An error instead of an answer."""

    status: int
    message: str


Answer = Sequence[Think | Say | Call] | Fail


class RefusedError(Exception):
    """What the vendor will not take; a 400 in its own words. One with `details` is for the client to act upon."""

    def __init__(self, why: str, details: dict[str, Any] | None = None) -> None:
        super().__init__(why)
        self.details = details


@dataclass
class Turn:
    """One message of a history as a vendor reads it. `images` are media type and base64 data; `results` what tools
    said, in the order of their calls."""

    role: str
    text: str = ""
    images: list[tuple[str, str]] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    results: list[str] = field(default_factory=list)


@dataclass
class Asked:
    """One request. `seals` are those of its own that the vendor got back. `forced` is a tool that must be called, or
    "*" for any; `schema` what the answer must look like; `thinks` whether thoughts were asked for."""

    model: str
    is_stream: bool
    turns: list[Turn]
    tools: dict[str, Any] = field(default_factory=dict)
    forced: str | None = None
    schema: Any = None
    thinks: bool = False
    seals: list[str] = field(default_factory=list)
    raw: Any = None

    @property
    def texts(self) -> str:
        """Everything a reader of the conversation sees."""
        return "\n".join(turn.text for turn in self.turns)


Brain = Callable[[Asked], Answer]
"""The model behind a vendor's API."""


# The model that the tests talk to ---------------------------------------------------------------------------

TOOL = "look_up"
FACTS = {"bird": "a robin", "tree": "an oak", "stone": "a flint"}
COLOUR = {"colour": "blue", "count": 2}
THOUGHT = "One look will not do"

_LOOK_UP = re.compile(r"look up ((?:\w+(?: and | then )?)+)")


def lamp(asked: Asked) -> Answer:
    """It obeys the last instruction of its user:

    say WORDS               answers WORDS
    look up a and b then c  calls the tool for a and b at once, then for c, then says what it was told
    fail STATUS WORDS       an error
    what is on the picture  names the pictures of the message by their types
    describe                answers COLOUR in the form that was asked for
    """
    place, order = _order(asked)
    match order.split(" ", 1):
        case ["say", words]:
            return [*_thought(asked), Say(words)]
        case ["look", _]:
            return _looking_up(asked, place, order)
        case ["fail", what]:
            status, words = what.split(" ", 1)
            return Fail(int(status), words)
        case ["what", _]:
            seen = [kind for turn in asked.turns[place:] for kind, _ in turn.images]
            return [Say(f"Pictures: {' '.join(seen)}")]
        case ["describe", *_] if asked.schema is not None:
            return [Say(json.dumps(COLOUR))]
        case ["describe", *_] if asked.forced is not None:
            return [Call(next(iter(asked.tools)) if asked.forced == "*" else asked.forced, COLOUR)]
        case _:
            raise RefusedError(f"the scripted model does not understand {order!r}")


def _order(asked: Asked) -> tuple[int, str]:
    words = re.compile(r"\b(?:say |look up |fail \d|what is on the picture|describe)[^\n<]*")
    for place in range(len(asked.turns) - 1, -1, -1):
        turn = asked.turns[place]
        if turn.role == "user" and (found := words.search(turn.text)):
            return place, found[0].strip()
    raise RefusedError("the scripted model was told nothing")


def _thought(asked: Asked) -> list[Think]:
    text = f"{THOUGHT}, says {asked.model} after {len(asked.turns)} turns."
    return [Think(text)] if asked.thinks else []


def _looking_up(asked: Asked, place: int, order: str) -> Answer:
    if TOOL not in asked.tools:
        raise RefusedError(f"{TOOL} is not among the tools: {list(asked.tools)}")
    if "key" not in (asked.tools[TOOL] or {}).get("properties", {}):
        raise RefusedError(f"{TOOL} came without its parameters: {asked.tools[TOOL]}")
    found = _LOOK_UP.search(order)
    assert found is not None, order
    rounds = [part.split(" and ") for part in found[1].split(" then ")]
    # Behind the words, a dialect may point at a picture that it cannot hold there.
    told = [result.partition("\n")[0] for turn in asked.turns[place:] for result in turn.results]
    done = told
    for keys in rounds:
        if not done:
            return [*_thought(asked), *(Call(TOOL, {"key": key}) for key in keys)]
        if [FACTS[key] for key in keys] != done[: len(keys)]:
            raise RefusedError(f"the tool said {done[: len(keys)]} about {keys}")
        done = done[len(keys) :]
    return [*_thought(asked), Say(f"I found {', '.join(told)}.")]
