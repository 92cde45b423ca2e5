"""Ready-made lists of tiers by name, and where the tiers of any list begin. Data and arithmetic only."""

from collections.abc import Mapping
from itertools import pairwise

DEFAULT_TIERS = ("simple", "medium", "complex", "reasoning")

PRESETS: Mapping[str, tuple[str, ...]] = {
    "standard": DEFAULT_TIERS,
    "difficulty": ("super_easy", "easy", "medium", "hard", "super_hard"),
    "cost": ("economy", "balanced", "premium"),
    "size": ("small", "medium", "large"),
}
"""What `tiers:` takes instead of a list."""

# Set by hand so that everyday requests land where a careful person would place them (tests/routing/everyday.jsonl).
# What the weakest models do well ends at EASY_BELOW; what needs a strong one begins at HARD_FROM; TOP_FROM asks for
# long thinking and TRIVIAL_BELOW for next to none.
TRIVIAL_BELOW, EASY_BELOW, HARD_FROM, TOP_FROM = 0.14, 0.28, 0.54, 0.80

_BY_COUNT: Mapping[int, tuple[float, ...]] = {
    1: (),
    2: ((EASY_BELOW + HARD_FROM) / 2,),
    3: (EASY_BELOW, HARD_FROM),
    4: (EASY_BELOW, HARD_FROM, TOP_FROM),
    5: (TRIVIAL_BELOW, EASY_BELOW, HARD_FROM, TOP_FROM),
}
"""Three tiers are easy, middle and hard; a fourth parts the hard, a fifth the easy."""


def default_boundaries(tier_count: int) -> tuple[float, ...]:
    """The scores at which the second and every further tier begin. More than five tiers divide the spans of five
    evenly."""
    if tier_count in _BY_COUNT:
        return _BY_COUNT[tier_count]
    curve = (0.0, *_BY_COUNT[5], 1.0)
    spans = list(pairwise(curve))
    boundaries = []
    for step in range(1, tier_count):
        at = step * len(spans) / tier_count
        low, high = spans[int(at)]
        boundaries.append(round(low + (at - int(at)) * (high - low), 4))
    return tuple(boundaries)
