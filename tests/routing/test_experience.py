"""Which model of a tier comes first, by what was reported of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from routing_values import MakeCard

from pointsman.core.decision import Decision
from pointsman.routing.experience import Experience, explore, peers_of, prefer_proven

DAY_S = 86_400.0
NOW_S = 1_800_000_000.0


@pytest.fixture(scope="session")
def decision(make_card: MakeCard) -> Decision:
    """Three models of the tier, then one of another."""
    cards = (*(make_card(name, "simple") for name in "abc"), make_card("big", "complex"))
    return Decision("auto", "auto", cards, 0.1, "simple", category="code")


def names(decision: Decision) -> list[str]:
    return [card.name for card in decision.chain]


def test_nothing_reported_keeps_the_configured_order(decision: Decision) -> None:
    assert prefer_proven(decision, Experience(30 * DAY_S), NOW_S) is decision


def test_model_that_did_better_comes_first_and_the_rule_says_why(decision: Decision) -> None:
    experience = Experience(30 * DAY_S)
    for _ in range(20):
        experience.add("code", "c", 0.95, NOW_S)
        experience.add("code", "a", 0.4, NOW_S)
    preferred = prefer_proven(decision, experience, NOW_S)
    assert names(preferred) == ["c", "b", "a", "big"]
    assert preferred.rules == ("reports: c (0.85) before a (0.50)",)
    other = prefer_proven(decision._replace(category="conversation"), experience, NOW_S)
    assert names(other) == ["a", "b", "c", "big"]


def test_one_report_is_not_enough(decision: Decision) -> None:
    experience = Experience(30 * DAY_S)
    experience.add("code", "c", 1.0, NOW_S)
    experience.add("code", "a", 0.6, NOW_S)
    assert names(prefer_proven(decision, experience, NOW_S))[-1] == "big"
    experience = Experience(30 * DAY_S)
    experience.add("code", "b", 0.7, NOW_S)
    assert names(prefer_proven(decision, experience, NOW_S)) == ["a", "b", "c", "big"]


def test_old_reports_fade(decision: Decision) -> None:
    experience = Experience(30 * DAY_S)
    for _ in range(20):
        experience.add("code", "c", 1.0, NOW_S)
    assert names(prefer_proven(decision, experience, NOW_S))[0] == "c"
    assert names(prefer_proven(decision, experience, NOW_S + 3000 * DAY_S))[0] == "a"
    (record,) = experience.records(NOW_S + 30 * DAY_S)
    assert (record.reports, record.quality) == (pytest.approx(10), pytest.approx(1.0))


def test_pin_and_lone_model_are_left_alone(decision: Decision) -> None:
    experience = Experience(DAY_S)
    pinned = Decision("a", "pinned", decision.chain[:1])
    lone = decision._replace(chain=decision.chain[2:])
    for one in (pinned, lone):
        assert prefer_proven(one, experience, NOW_S) is one
        assert explore(one, 0.5, 0.0) is one


def test_exploration_is_as_frequent_as_it_is_told_and_stays_in_the_tier(decision: Decision) -> None:
    lots = [number / 1000 for number in range(1000)]
    explored = [explore(decision, 0.1, lot) for lot in lots]
    changed = [names(one)[0] for one in explored if one is not decision]
    assert len(changed) == 100
    assert changed.count("b") == changed.count("c") == 50
    assert all(names(one)[-1] == "big" for one in explored)
    assert explored[0].rules == ("exploring: b first",)
    assert explore(decision, 0.0, 0.0) is decision


@given(st.floats(0, 1, exclude_max=True), st.floats(0.001, 0.5))
def test_any_lot_gives_the_same_models_in_some_order(decision: Decision, lot: float, rate: float) -> None:
    assert sorted(names(explore(decision, rate, lot))) == sorted(names(decision))
    assert [card.name for card in peers_of(decision)] == ["a", "b", "c"]
