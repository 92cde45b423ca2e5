"""The same wish written differently gets the same tier, nearly always: measured on everyday requests, and on public
prompts where they are at hand."""

from collections import Counter
from pathlib import Path

import pytest
from disturbances import DISTURBANCES, everyday_prompts, flips, public_prompts, tiers
from everyday import default_router

from pointsman.core.prompt import Prompt
from pointsman.routing.decide import Router

AT_MOST = 0.05
ON_AVERAGE = 0.02


@pytest.fixture(scope="module")
def router() -> Router:
    return default_router()


def differences(router: Router, prompts: list[Prompt]) -> dict[str, float]:
    return {name: flips(router, prompts, disturb) for name, disturb in DISTURBANCES.items()}


def test_everyday_requests_keep_their_tier(router: Router) -> None:
    shares = differences(router, everyday_prompts())

    assert max(shares.values()) <= AT_MOST, shares
    assert sum(shares.values()) / len(shares) <= ON_AVERAGE, shares


def test_public_prompts_keep_their_tier(router: Router, shared: Path) -> None:
    prompts = public_prompts(shared / "routing", 60)
    shares = differences(router, prompts)

    assert max(shares.values()) <= AT_MOST, shares
    assert sum(shares.values()) / len(shares) <= ON_AVERAGE, shares


def test_everyday_requests_are_spread_over_the_tiers(router: Router) -> None:
    """A router that gave everything the same tier would never change its mind."""
    spread = Counter(tiers(router, everyday_prompts()))

    assert len(spread) == 4
    assert max(spread.values()) <= len(everyday_prompts()) / 2


@pytest.mark.parametrize("name", ["lower case", "upper case", "title case", "padding"])
def test_looks_do_not_matter(router: Router, name: str) -> None:
    assert flips(router, everyday_prompts(), DISTURBANCES[name]) == 0
