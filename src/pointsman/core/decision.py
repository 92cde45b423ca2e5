"""A choice that explains itself: which models, in which order, and why."""

from decimal import Decimal
from typing import NamedTuple

from pointsman.core.model_card import ModelCard


class Reason(NamedTuple):
    """One signal's part in the score. `value` is what the signal read, 0..1 (or below 0 where it argues
    for an easier model); `share` is what it added to the score, weight included; `detail` what it saw."""

    signal: str
    value: float
    share: float
    detail: str = ""


class Candidate(NamedTuple):
    """A model that was looked at. `excluded` says why it fell out, None when it is in the running."""

    card: ModelCard
    estimated_cost_usd: Decimal | None
    excluded: str | None = None


class Decision(NamedTuple):
    """`chain` is the order in which models are tried: the choice first, then its fallbacks.

    `profile` is the virtual model asked for, or "pinned". `score` and `tier` are None for a pin: nothing
    was scored. `rules` names floors and overrides that changed the tier, in the order they applied.
    `candidates` lists every model with why it fell out, the chain's order first; empty unless asked for.
    """

    requested: str
    profile: str
    chain: tuple[ModelCard, ...]
    score: float | None = None
    tier: str | None = None
    reasons: tuple[Reason, ...] = ()
    rules: tuple[str, ...] = ()
    candidates: tuple[Candidate, ...] = ()

    @property
    def card(self) -> ModelCard:
        return self.chain[0]
