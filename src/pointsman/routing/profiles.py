"""Profiles: what a virtual model (auto, eco ...) changes about a policy. Data only; the tiers module and the
chain module read it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Order = Literal["cheapest", "strongest"]


@dataclass(frozen=True, slots=True)
class Profile:
    """A virtual model of this `name`.

    A boundary b becomes b * `boundary_scale` + `boundary_shift`: up means that a request has to be harder to
    get a stronger tier. `lift` raises the tier by so many steps; then `floor` and `ceiling` (tier names) hold.
    `order` says which model of a tier comes first; for "strongest" the dearest stands for it, as nothing else
    is known of models within a tier. `models` are the profile's own table: for a tier, the models that are
    tried before all others, in their order. `follows_categories` lets a category's models go first (before that
    table). `needs_tools` leaves out models that cannot call tools even when the request brings none.
    """

    name: str
    boundary_scale: float = 1.0
    boundary_shift: float = 0.0
    lift: int = 0
    floor: str | None = None
    ceiling: str | None = None
    order: Order = "cheapest"
    only_free: bool = False
    needs_tools: bool = False
    follows_categories: bool = True
    models: tuple[tuple[str, tuple[str, ...]], ...] = ()


def default_profiles(tiers: Sequence[str]) -> tuple[Profile, ...]:
    """The five every installation has, for any list of tiers."""
    return (
        Profile("auto"),
        Profile("eco", boundary_shift=0.12, ceiling=hard_tier(tiers), follows_categories=False),
        Profile("premium", lift=1, order="strongest", follows_categories=False),
        Profile("agentic", boundary_shift=-0.05, floor=middle_tier(tiers), needs_tools=True),
        Profile("free", only_free=True),
    )


def middle_tier(tiers: Sequence[str]) -> str:
    """The one above the lowest: enough for a task that the lowest tends to get wrong."""
    return tiers[min(1, len(tiers) - 1)]


def hard_tier(tiers: Sequence[str]) -> str:
    """For hard work that needs no long thinking: below the top where there are four tiers or more."""
    return tiers[-2] if len(tiers) >= 4 else tiers[-1]
