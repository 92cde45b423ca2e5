from dataclasses import replace

import pytest

from pointsman.routing.policy import (
    DEFAULT_WEIGHTS,
    Floor,
    Policy,
    default_boundaries,
    default_policy,
    problems,
)
from pointsman.routing.profiles import Profile
from pointsman.routing.signals import SIGNALS


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 9])
def test_default_policy_suits_any_number_of_tiers(count: int) -> None:
    policy = default_policy([f"t{place}" for place in range(count)])

    assert problems(policy) == []
    assert len(policy.boundaries) == count - 1
    assert list(policy.boundaries) == sorted(set(policy.boundaries))
    assert all(0 < boundary < 1 for boundary in policy.boundaries)


@pytest.mark.parametrize(
    ("tiers", "middle", "hard"),
    [("a", "a", "a"), ("ab", "b", "b"), ("abc", "b", "c"), ("abcd", "b", "c"), ("abcde", "b", "d")],
)
def test_default_floors_are_named_by_position(tiers: str, middle: str, hard: str) -> None:
    floors = {floor.name: floor.tier for floor in default_policy(tiers).floors}

    assert floors == {
        "tools": middle,
        "json schema": middle,
        "very long context": hard,
        "strong reasoning": tiers[-1],
    }


def test_four_tiers_have_the_hand_set_boundaries() -> None:
    assert default_boundaries(4) == (0.28, 0.45, 0.75)
    assert default_boundaries(2) == (0.45,)


def test_every_signal_has_a_default_weight_and_no_other_has() -> None:
    assert set(DEFAULT_WEIGHTS) == {signal.name for signal in SIGNALS}


def test_five_profiles_are_there() -> None:
    assert [profile.name for profile in default_policy().profiles] == [
        "auto",
        "eco",
        "premium",
        "agentic",
        "free",
    ]


def changed(**fields) -> Policy:
    return replace(default_policy(), **fields)


@pytest.mark.parametrize(
    ("policy", "path"),
    [
        (changed(tiers=()), "tiers"),
        (changed(tiers=("a", "a", "b", "c")), "tiers"),
        (changed(tiers=("a", "", "b", "c")), "tiers"),
        (changed(boundaries=(0.5,)), "boundaries"),
        (changed(boundaries=(0.2, 0.4, 1.4)), "boundaries[2]"),
        (changed(boundaries=(0.2, 0.5, 0.4)), "boundaries[2]"),
        (changed(weights={"colour": 0.1}), "weights.colour"),
        (changed(weights={"size": 7.0}), "weights.size"),
        (changed(weights={"size": float("nan")}), "weights.size"),
        (changed(base=-1), "base"),
        (changed(expected_output_tokens=0), "expected_output_tokens"),
        (changed(floors=(Floor("tools", "tools", 1, "huge"),)), "floors.tools.tier"),
        (changed(floors=(Floor("odd", "shoe size", 1, "simple"),)), "floors.odd.measure"),
        (changed(profiles=(Profile("a"), Profile("a"))), "profiles"),
        (changed(profiles=(Profile("a", floor="huge"),)), "profiles.a.floor"),
        (changed(profiles=(Profile("a", ceiling="huge"),)), "profiles.a.ceiling"),
        (changed(profiles=(Profile("a", floor="complex", ceiling="simple"),)), "profiles.a.floor"),
        (changed(profiles=(Profile("a", boundary_scale=0),)), "profiles.a.boundary_scale"),
    ],
)
def test_problem_is_named_by_its_path(policy: Policy, path: str) -> None:
    assert path in [problem.path for problem in problems(policy)]


def test_all_problems_are_listed_at_once() -> None:
    assert len(problems(changed(boundaries=(), base=2, weights={"colour": 1}))) == 3
