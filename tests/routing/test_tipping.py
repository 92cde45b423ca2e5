"""What would have made a decision another one."""

from itertools import combinations

import pytest
from hypothesis import given, settings
from routing_values import PROMPTS, Ask, Route

from pointsman.core.decision import Decision, Tip
from pointsman.core.prompt import Prompt


def test_distance_to_each_boundary_is_told(route: Route, ask: Ask) -> None:
    decision = route(ask("Write a parser in Rust, please."))
    assert decision.tipping is not None
    assert decision.score is not None
    assert [edge.tier for edge in decision.tipping.edges] == ["medium", "complex", "reasoning"]
    for edge in decision.tipping.edges:
        assert edge.distance == pytest.approx(edge.at - decision.score)


def test_boundaries_are_those_of_the_profile(route: Route, ask: Ask) -> None:
    auto, eco = route(ask("Hello!")), route(ask("Hello!"), "eco")
    assert auto.tipping is not None
    assert eco.tipping is not None
    assert auto.tipping.edges[0].at < eco.tipping.edges[0].at


def test_one_signal_that_holds_the_tier_is_named(route: Route, ask: Ask) -> None:
    """Tools alone lift a greeting, by a rule: without them it is easy."""
    decision = route(ask("Hello!", tool_count=3))
    assert decision.tipping is not None
    assert decision.tier == "medium"
    assert Tip(("tools",), "simple") in decision.tipping.tips


@given(PROMPTS)
@settings(max_examples=60)
def test_tips_are_small_and_true(route: Route, prompt: Prompt) -> None:
    """Taking the named signals' shares away crosses a boundary, or a rule no longer holds."""
    decision: Decision = route(prompt)
    tipping = decision.tipping
    assert tipping is not None
    assert decision.score is not None
    assert len({len(tip.without) for tip in tipping.tips}) <= 1
    known = {name for name, _, _ in decision.shares}
    for tip in tipping.tips:
        assert set(tip.without) <= known - {"base"}
        assert tip.tier != decision.tier
    for one, other in combinations(tipping.tips, 2):
        assert set(one.without) != set(other.without)
