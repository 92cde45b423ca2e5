from dataclasses import replace

import pytest
from routing_values import Ask

from pointsman.core.prompt import Prompt
from pointsman.routing.keywords import Keywords
from pointsman.routing.policy import Policy
from pointsman.routing.profiles import Profile
from pointsman.routing.reading import read
from pointsman.routing.rules import MEASURES, READ_AS, Rule
from pointsman.routing.tiers import Ladder, Placed

AUTO = Profile("auto")


@pytest.fixture
def place(keywords: Keywords, policy: Policy, ask: Ask):
    def find(score: float, prompt: Prompt | None = None, profile: Profile = AUTO, under: Policy = policy):
        sought = keywords.and_also(under.keyword_lists)
        measures = read(prompt or ask("a plain wish of mine"), sought).measures
        placed = Ladder(under, profile).place(score, measures)
        return under.tiers[placed.place], placed.rules

    return find


@pytest.mark.parametrize(
    ("score", "tier"),
    [
        (0, "simple"),
        (0.279, "simple"),
        (0.28, "medium"),
        (0.539, "medium"),
        (0.54, "complex"),
        (0.8, "reasoning"),
        (1, "reasoning"),
    ],
)
def test_boundary_belongs_to_the_tier_above(place, score: float, tier: str) -> None:
    assert place(score) == (tier, ())


FLOORS = [
    ({"tool_count": 1}, "medium", "tools: at least medium"),
    ({"output_format": "json_schema"}, "medium", "json_schema: at least medium"),
    ({"system": "word " * 110_000}, "complex", "long_context: at least complex"),
]


@pytest.mark.parametrize(("fields", "tier", "rule"), FLOORS, ids=[row[2] for row in FLOORS])
def test_floor_raises_and_says_so(place, ask: Ask, fields, tier: str, rule: str) -> None:
    assert place(0.0, ask("hello", **fields)) == (tier, (rule,))


def test_two_strong_markers_ask_for_the_top(place, ask: Ask) -> None:
    assert place(0.2, ask("Prove it step by step")) == (
        "reasoning",
        ("strong_reasoning: at least reasoning",),
    )
    assert place(0.2, ask("Improve my email step by step")) == ("simple", ())


def test_floor_that_changes_nothing_is_not_named(place, ask: Ask) -> None:
    assert place(0.9, ask("hello", tool_count=3)) == ("reasoning", ())


def test_several_floors_are_named_in_order(place, ask: Ask) -> None:
    tier, rules = place(0.0, ask("Prove it step by step", tool_count=1))

    assert tier == "reasoning"
    assert rules == ("tools: at least medium", "strong_reasoning: at least reasoning")


def test_json_mode_alone_is_no_floor(place, ask: Ask) -> None:
    assert place(0.0, ask("hello", output_format="json_object")) == ("simple", ())


@pytest.mark.parametrize(
    ("profile", "score", "tier", "rules"),
    [
        (Profile("p", boundary_shift=0.12), 0.3, "simple", ()),
        (Profile("p", boundary_shift=-0.1), 0.2, "medium", ()),
        (Profile("p", boundary_scale=2), 0.5, "simple", ()),
        (Profile("p", lift=1), 0.0, "medium", ("p: medium instead of simple",)),
        (Profile("p", lift=-1), 0.6, "medium", ("p: medium instead of complex",)),
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
    assert rules == ("strong_reasoning: at least reasoning", "eco: at most complex")


RULES = [
    # a rule, a request it is about, the tier from a score of 0.3 (medium), what is said of it
    (
        Rule("r", "media", 2, floor="complex"),
        {"image_count": 1, "document_count": 1},
        "complex",
        "at least complex",
    ),
    (Rule("r", "images", floor="complex"), {"image_count": 1}, "complex", "at least complex"),
    (Rule("r", "documents", floor="complex"), {"document_count": 1}, "complex", "at least complex"),
    (Rule("r", "audio", tier="simple"), {"audio_count": 1}, "simple", "simple"),
    (Rule("r", "tools", 3, floor="reasoning"), {"tool_count": 3}, "reasoning", "at least reasoning"),
    (Rule("r", "json", floor="complex"), {"output_format": "json_object"}, "complex", "at least complex"),
    (Rule("r", "json", floor="complex"), {"system": "Answer in JSON"}, "complex", "at least complex"),
    (
        Rule("r", "json_schema", ceiling="simple"),
        {"output_format": "json_schema"},
        "simple",
        "at most simple",
    ),
    (
        Rule("r", "input_tokens", 500, floor="complex"),
        {"system": "word " * 600},
        "complex",
        "at least complex",
    ),
    (
        Rule("r", "system_chars", 2000, floor="complex"),
        {"system": "word " * 600},
        "complex",
        "at least complex",
    ),
    (
        Rule("r", "tools", floor="simple", ceiling="simple"),
        {"tool_count": 1},
        "simple",
        "at least simple, at most simple",
    ),
]


@pytest.mark.parametrize(("rule", "fields", "tier", "said"), RULES, ids=[str(row[0].when) for row in RULES])
def test_rule_holds_for_what_it_is_about(place, ask: Ask, policy: Policy, rule, fields, tier, said) -> None:
    under = replace(policy, rules=(rule,))

    assert place(0.3, ask("hello", **fields), under=under) == (tier, (f"r: {said}",))
    assert place(0.3, ask("hello"), under=under) == ("medium", ())


@pytest.mark.parametrize("text", ["This is URGENT!", "срочно нужен ответ", "это срочное дело", "我很着急"])
def test_words_of_an_operator_set_the_tier(place, ask: Ask, policy: Policy, text: str) -> None:
    urgent = replace(policy, rules=(Rule("urgent", keywords=("urgent", "срочн*", "着急"), tier="reasoning"),))

    assert place(0.0, ask(text), under=urgent) == ("reasoning", ("urgent: reasoning",))
    assert place(0.0, ask("the insurgents are here"), under=urgent) == ("simple", ())


def test_rules_apply_in_their_order(place, ask: Ask, policy: Policy) -> None:
    floor, ceiling = Rule("up", "tools", floor="complex"), Rule("down", "tools", ceiling="simple")

    assert place(0.0, ask("a", tool_count=1), under=replace(policy, rules=(floor, ceiling)))[0] == "simple"
    assert place(0.0, ask("a", tool_count=1), under=replace(policy, rules=(ceiling, floor)))[0] == "complex"


def test_conversation_may_be_long_enough_for_a_rule(place, ask: Ask, policy: Policy) -> None:
    long = replace(policy, rules=(Rule("long talk", "user_turns", 3, floor="complex"),))

    assert place(0.0, ask(*["a wish of some words"] * 5), under=long)[0] == "complex"
    assert place(0.0, ask(*["a wish of some words"] * 3), under=long)[0] == "simple"


def test_every_measure_is_known() -> None:
    assert set(READ_AS) == set(MEASURES)


@pytest.fixture
def sure(policy: Policy):
    def find(score: float, *shares: float, placed: Placed = Placed(0)) -> float:  # noqa: B008 - a constant
        told = [("base", 0.25, 0.25), *(("signal", 1.0, share) for share in shares)]
        return Ladder(policy, AUTO).confidence(score, told, placed)

    return find


def test_confidence_grows_with_the_distance_from_a_boundary(sure) -> None:
    values = [sure(score) for score in (0.28, 0.27, 0.24, 0.15, 0.0)]

    assert values[0] == 0.5
    assert values == sorted(values)
    assert values[-1] > 0.95


def test_confidence_is_less_where_signals_disagree(sure) -> None:
    assert sure(0.1, 0.2, -0.15) < sure(0.1, -0.1, -0.05)


def test_confidence_of_a_rule_is_its_own(sure) -> None:
    assert sure(0.28, placed=Placed(3, is_by_rule=True)) == 0.9


def test_one_tier_is_certain() -> None:
    assert Ladder(Policy(("only",), (), (), ()), AUTO).confidence(0.3, [], Placed(0)) == 1
