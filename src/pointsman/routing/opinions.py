"""What others than the rules think of a request, and when they are worth asking. It asks nobody."""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from pointsman.core.prompt import Prompt
from pointsman.routing.reading import Measures
from pointsman.routing.tiers import Ladder

When = Literal["never", "unsure", "always"]


class Opinion(NamedTuple):
    """How strong a model a request asks for: as a number, 0..1, or as a tier; `detail` says it in words. Neither:
    whoever was asked has no opinion, and `detail` says why."""

    detail: str
    value: float | None = None
    tier: str | None = None

    @property
    def is_none(self) -> bool:
        return self.value is None and self.tier is None


Opinions = Mapping[str, Opinion]
"""By the name of whoever was asked."""


class Seat(NamedTuple):
    """Somebody who may be asked. "unsure" means: only where the score, moved by `band` up or down, would mean
    another tier. The opinion replaces so much of the score as `weight` says: 1 is all of it."""

    judge: str
    when: When
    band: float
    weight: float


class Question(NamedTuple):
    """`asked` is what the user wants (see reading.Reading), which the prompt holds as well."""

    prompt: Prompt
    asked: str


class Ask(NamedTuple):
    """Instead of a decision: `judge` is to be asked first. Whatever comes of it, the same decision is then asked for
    with one opinion more, so this ends after as many questions as there are seats."""

    judge: str
    question: Question


def may_matter(seat: Seat, ladder: Ladder, score: float, measures: Measures) -> bool:
    """Whether the opinion of `seat` is wanted, and could change the tier. Floors and ceilings may have settled it."""
    if seat.when == "never":
        return False
    low, high = (score - seat.band, score + seat.band) if seat.when == "unsure" else (0.0, 1.0)
    return ladder.place(low, measures).place != ladder.place(high, measures).place


def middles(tiers: Sequence[str], boundaries: Sequence[float]) -> dict[str, float]:
    """The score that stands for each tier: halfway between its boundaries."""
    edges = (0.0, *boundaries, 1.0)
    return {tier: (edges[place] + edges[place + 1]) / 2 for place, tier in enumerate(tiers)}
