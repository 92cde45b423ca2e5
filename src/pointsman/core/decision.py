"""A choice that explains itself: which models, in which order, and why."""

from decimal import Decimal
from typing import NamedTuple

from pointsman.core.model_card import ModelCard

Share = tuple[str, float, float]
"""One signal's part in the score: its name, what it read, 0..1 (or below 0 where it argues for an easier model),
and what that added to the score, weight included. Every routed request has some, so they are bare."""


class Reason(NamedTuple):
    """A share with what its signal saw."""

    signal: str
    value: float
    share: float
    detail: str = ""


class Candidate(NamedTuple):
    """A model that was looked at. `excluded` says why it fell out, None when it is in the running."""

    card: ModelCard
    estimated_cost_usd: Decimal | None
    excluded: str | None = None


class Edge(NamedTuple):
    """Where `tier` begins; `distance` is how much the score lacks, below 0 where it is past that."""

    tier: str
    at: float
    distance: float


class Tip(NamedTuple):
    """Without these signals, the tier."""

    without: tuple[str, ...]
    tier: str


class Tipping(NamedTuple):
    """What would have made it another tier. `tips` is empty where it takes more than a few signals; `asks` names those
    whose opinion would be asked for first."""

    edges: tuple[Edge, ...]
    tips: tuple[Tip, ...]
    asks: tuple[str, ...] = ()


class Decision(NamedTuple):
    """`chain` is the order in which models are tried: the choice first, then its fallbacks.

    `profile` is the virtual model asked for, or "pinned". `score` and `tier` are None for a pin: nothing
    was scored. `shares` add up to the score. `rules` names what changed the tier or the order, in the order it
    applied. `category` is the kind of task, `confidence` how sure the tier is (0..1); both None for a pin. Empty unless asked for: `reasons`, which are the shares explained, and `candidates`,
    every model with why it fell out, the chain's order first, and `tipping`.
    """

    requested: str
    profile: str
    chain: tuple[ModelCard, ...]
    score: float | None = None
    tier: str | None = None
    shares: tuple[Share, ...] = ()
    rules: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    category: str | None = None
    confidence: float | None = None
    tipping: Tipping | None = None

    @property
    def card(self) -> ModelCard:
        return self.chain[0]
