"""One model as a provider's list tells of it, and which of them answer in text. Where lists come from is elsewhere."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import NamedTuple

from pointsman.core.model_card import Ability

_NOT_TEXT = frozenset(
    [
        "asr",
        "bge",
        "clip",
        "colbert",
        "dall",
        "dalle",
        "e5",
        "embed",
        "embedder",
        "embedding",
        "embeddings",
        "flux",
        "gte",
        "guard",
        "imagen",
        "minilm",
        "moderation",
        "ocr",
        "realtime",
        "rerank",
        "reranker",
        "sd",
        "sdxl",
        "sora",
        "speech",
        "stt",
        "transcribe",
        "transcription",
        "tts",
        "veo",
        "whisper",
        "kokoro",
        "piper",
        "xtts",
    ]
)
_NOT_TEXT_STEMS = ("embed", "rerank")
_WORDS = re.compile(r"[a-z]+\d*")


class Rates(NamedTuple):
    """US dollars per million tokens."""

    input: Decimal
    output: Decimal
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """`billions` are all parameters. None is what the list does not tell. `writes_text` False is for what embeds, ranks,
    speaks or draws."""

    id: str
    billions: float | None = None
    context_tokens: int | None = None
    max_output_tokens: int | None = None
    abilities: frozenset[Ability] | None = None
    rates: Rates | None = None
    writes_text: bool = True


def seems_to_write_text(model_id: str) -> bool:
    """What its name says of a model of which its provider says nothing."""
    words = _WORDS.findall(model_id.lower().rpartition("/")[2])
    return not any(word in _NOT_TEXT or word.startswith(_NOT_TEXT_STEMS) for word in words)


def is_wanted(model_id: str, allow: Sequence[str], block: Sequence[str]) -> bool:
    """Whether a model passes the lists of patterns (`*`, `?`, `[abc]`; in any case). An empty `allow` lets all pass;
    `block` has the last word."""
    name = model_id.lower()

    def is_on(patterns: Sequence[str]) -> bool:
        return any(fnmatchcase(name, pattern.lower()) for pattern in patterns)

    return (not allow or is_on(allow)) and not is_on(block)
