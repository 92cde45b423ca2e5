"""Texts as vectors: what is asked for and what comes back, for every API that embeds. Only a request that changes its
API passes through here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pointsman.core.usage import Usage

Vector = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class EmbeddingRequest:
    """One vector is wanted for each of `inputs`; an input that is numbers is text in a tokenizer's own tokens. `task` is
    what the vectors are for, in Gemini's words (RETRIEVAL_QUERY), `titles` those of the inputs that have one.
    `foreign` and `must_not_drop` are as in core.request."""

    model: str
    inputs: tuple[str | tuple[int, ...], ...]
    dimensions: int | None = None
    task: str | None = None
    titles: tuple[str | None, ...] = ()
    user: str | None = None
    foreign: Mapping[str, Any] = field(default_factory=dict)
    must_not_drop: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Embeddings:
    """`vectors` in the order of the inputs. `usage` is None where the provider said nothing."""

    vectors: tuple[Vector, ...]
    usage: Usage | None = None
