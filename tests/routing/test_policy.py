from dataclasses import replace

import pytest

from pointsman.routing.categories import Category
from pointsman.routing.learned import LEARNED
from pointsman.routing.policy import DEFAULT_WEIGHTS, Policy, default_policy, problems
from pointsman.routing.presets import EASY_BELOW, HARD_FROM, PRESETS, TOP_FROM, default_boundaries
from pointsman.routing.profiles import Profile
from pointsman.routing.rules import Rule
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
    floors = {rule.name: rule.floor for rule in default_policy(tiers).rules}

    assert floors == {
        "tools": middle,
        "json_schema": middle,
        "long_context": hard,
        "strong_reasoning": tiers[-1],
    }


@pytest.mark.parametrize("count", [3, 4, 5])
def test_easy_middle_and_hard_begin_at_the_same_scores_in_every_preset(count: int) -> None:
    assert {EASY_BELOW, HARD_FROM} <= set(default_boundaries(count))


def test_fourth_tier_parts_the_hard_and_a_fifth_the_easy() -> None:
    assert default_boundaries(4)[-1] == default_boundaries(5)[-1] == TOP_FROM
    assert default_boundaries(5)[0] < EASY_BELOW < default_boundaries(2)[0] < HARD_FROM


@pytest.mark.parametrize("tiers", PRESETS.values(), ids=list(PRESETS))
def test_preset_makes_a_policy(tiers: tuple[str, ...]) -> None:
    assert problems(default_policy(tiers)) == []


def test_every_signal_has_a_default_weight_and_no_other_has() -> None:
    assert set(DEFAULT_WEIGHTS) == {*(signal.name for signal in SIGNALS), LEARNED}


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
        (changed(rules=(Rule("tools", "tools", floor="huge"),)), "rules.tools.floor"),
        (changed(rules=(Rule("tools", "tools", ceiling="huge"),)), "rules.tools.ceiling"),
        (changed(rules=(Rule("tools", "tools", tier="huge"),)), "rules.tools.tier"),
        (changed(rules=(Rule("both", "tools", tier="simple", floor="simple"),)), "rules.both.tier"),
        (changed(rules=(Rule("odd", "shoe size", floor="simple"),)), "rules.odd.when"),
        (changed(rules=(Rule("idle", "tools"),)), "rules.idle.floor"),
        (changed(rules=(Rule("never", floor="simple"),)), "rules.never.when"),
        (changed(rules=(Rule("empty", keywords=("*",), floor="simple"),)), "rules.empty.keywords"),
        (changed(rules=(Rule("a", "tools", model="m"), Rule("a", "tools", model="m"))), "rules"),
        (changed(categories=(Category("a"), Category("a"))), "categories"),
        (changed(profiles=(Profile("a", models=(("huge", ("m",)),)),)), "profiles.a.models.huge"),
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
