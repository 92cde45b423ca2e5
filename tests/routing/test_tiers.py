from dataclasses import replace
from typing import get_args

import pytest
from routing_values import Ask

from pointsman.core.prompt import Prompt
from pointsman.routing.keywords import Keywords
from pointsman.routing.policy import Floor, Measure, Policy
from pointsman.routing.profiles import Profile
from pointsman.routing.reading import read
from pointsman.routing.tiers import _READ_AS, Ladder

AUTO = Profile("auto")


@pytest.fixture
def place(keywords: Keywords, policy: Policy, ask: Ask):
    def find(score: float, prompt: Prompt | None = None, profile: Profile = AUTO, under: Policy = policy):
        measures = read(prompt or ask("a plain wish of mine"), keywords).measures
        at, rules = Ladder(under, profile).place(score, measures)
        return under.tiers[at], rules

    return find


@pytest.mark.parametrize(
    ("score", "tier"),
    [
        (0, "simple"),
        (0.279, "simple"),
        (0.28, "medium"),
        (0.449, "medium"),
        (0.45, "complex"),
        (0.75, "reasoning"),
        (1, "reasoning"),
    ],
)
def test_boundary_belongs_to_the_tier_above(place, score: float, tier: str) -> None:
    assert place(score) == (tier, ())


FLOORS = [
    ({"tool_count": 1}, "medium", "tools: at least medium"),
    ({"output_format": "json_schema"}, "medium", "json schema: at least medium"),
    ({"system": "word " * 110_000}, "complex", "very long context: at least complex"),
]


@pytest.mark.parametrize(("fields", "tier", "rule"), FLOORS, ids=[row[2] for row in FLOORS])
def test_floor_raises_and_says_so(place, ask: Ask, fields, tier: str, rule: str) -> None:
    assert place(0.0, ask("hello", **fields)) == (tier, (rule,))


def test_two_strong_markers_ask_for_the_top(place, ask: Ask) -> None:
    assert place(0.2, ask("Prove it step by step")) == (
        "reasoning",
        ("strong reasoning: at least reasoning",),
    )
    assert place(0.2, ask("Improve my email step by step")) == ("simple", ())


def test_floor_that_changes_nothing_is_not_named(place, ask: Ask) -> None:
    assert place(0.9, ask("hello", tool_count=3)) == ("reasoning", ())


def test_several_floors_are_named_in_order(place, ask: Ask) -> None:
    tier, rules = place(0.0, ask("Prove it step by step", tool_count=1))

    assert tier == "reasoning"
    assert rules == ("tools: at least medium", "strong reasoning: at least reasoning")


def test_json_mode_alone_is_no_floor(place, ask: Ask) -> None:
    assert place(0.0, ask("hello", output_format="json_object")) == ("simple", ())


@pytest.mark.parametrize(
    ("profile", "score", "tier", "rules"),
    [
        (Profile("p", boundary_shift=0.12), 0.3, "simple", ()),
        (Profile("p", boundary_shift=-0.1), 0.2, "medium", ()),
        (Profile("p", boundary_scale=2), 0.5, "simple", ()),
        (Profile("p", lift=1), 0.0, "medium", ("p: medium instead of simple",)),
        (Profile("p", lift=-1), 0.5, "medium", ("p: medium instead of complex",)),
        (Profile("p", lift=1), 0.9, "reasoning", ()),
        (Profile("p", floor="complex"), 0.1, "complex", ("p: at least complex",)),
        (Profile("p", ceiling="medium"), 0.9, "medium", ("p: at most medium",)),
    ],
)
def test_profile_moves_the_tier(
    place, profile: Profile, score: float, tier: str, rules: tuple[str, ...]
) -> None:
    assert place(score, profile=profile) == (tier, rules)


def test_ceiling_holds_against_floors(place, ask: Ask) -> None:
    tier, rules = place(0.0, ask("Prove it step by step"), Profile("eco", ceiling="complex"))

    assert tier == "complex"
    assert rules == ("strong reasoning: at least reasoning", "eco: at most complex")


def test_floors_may_look_at_media(place, ask: Ask, policy: Policy) -> None:
    pictures = replace(policy, floors=(Floor("pictures", "media", 2, "complex"),))

    assert place(0.0, ask("hello", image_count=1, document_count=1), under=pictures)[0] == "complex"
    assert place(0.0, ask("hello", image_count=1), under=pictures)[0] == "simple"


def test_every_measure_is_known() -> None:
    assert set(_READ_AS) == set(get_args(Measure))
