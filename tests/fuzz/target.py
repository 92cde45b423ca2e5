"""One thing that reads bytes from outside, as a function of those bytes and of random numbers, and what all of them
draw: for which model, cut where."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fuzz.corpus import Form
from pointsman.app import DIALECTS
from pointsman.core.model_card import ABILITIES, ModelCard
from pointsman.wire.envelope import Address

Run = Callable[[bytes, random.Random], str]
"""Returns a word for what came of it: bytes that end otherwise than all before are worth keeping. Raises what nobody
documented, or a Violation of what must hold."""


@dataclass(frozen=True, slots=True)
class Target:
    """`dialect` and `form` say which recordings it is fed with, None for any; `starts` is what it is fed with besides."""

    name: str
    run: Run
    dialect: str | None
    form: Form | None
    starts: tuple[bytes, ...] = ()

    @property
    def is_stream(self) -> bool:
        return self.form == "stream"


CLIENTS: Mapping[str, Any] = {
    name: each for name, each in DIALECTS.items() if hasattr(each, "decode_request")
}
"""The dialects that callers speak too."""

MAKERS = ("here", "there", "")

_MODELS: Mapping[str, tuple[str, ...]] = {
    "openai-chat": ("gpt-4.1", "gpt-5.2", "o3-mini", "deepseek-reasoner", "mistral-large", "x/y"),
    "openai-responses": ("gpt-5.2", "gpt-4.1", "o3", "grok-4"),
    "anthropic-messages": ("claude-opus-4-6", "claude-sonnet-4-5", "claude-3-haiku", "claude-x"),
    "gemini": ("gemini-2.5-flash", "gemini-3-pro-preview", "gemini-2.0-flash", "gemma-3"),
    "ollama": ("qwen3:8b", "llama3.2"),
}


def card_of(dialect: str, rng: random.Random) -> ModelCard:
    abilities = rng.choice((None, None, None, frozenset(), frozenset(rng.sample(ABILITIES, 3))))
    limit = rng.choice((None, None, 1, 4096, 200_000))
    model = rng.choice(_MODELS.get(dialect, ("a-model",)))
    return ModelCard("m", rng.choice(MAKERS), model, max_output_tokens=limit, abilities=abilities)


def address_of(dialect: Any, rng: random.Random) -> Address | None:
    if dialect.name != "gemini":
        return None
    return Address("gemini-2.5-flash", rng.random() < 0.5, as_array=rng.random() < 0.5)


def cut(data: bytes, rng: random.Random) -> list[bytes]:
    match rng.randrange(5):
        case 0:
            return [data]
        case 1 if len(data) < 4000:
            return [data[place : place + 1] for place in range(len(data))]
        case 2:
            return [data[place : place + 100] for place in range(0, len(data), 100)]
        case _:
            return between(data, places(len(data), rng.choice((1, 2, 7, 40)), rng))


def places(size: int, count: int, rng: random.Random) -> list[int]:
    """Draws as much for every size, so that all else is the same for data of another one."""
    return sorted(int(rng.random() * (size + 1)) for _ in range(count))


def between(whole: Any, cuts: Sequence[int]) -> list[Any]:
    return [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]


def outcome(error: Exception) -> str:
    """What kind of end it was, without the values in it."""
    fault = getattr(error, "fault", "")
    param = "".join("0" if letter.isdigit() else letter for letter in (getattr(error, "param", None) or ""))
    return f"{type(error).__name__}:{fault}:{param[:60]}:{str(error)[:16]}"
