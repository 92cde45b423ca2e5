"""Decisions in which others are heard: when they are asked, and what their opinion changes."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from routing_values import Ask as MakePrompt

from pointsman.core.decision import Decision
from pointsman.core.model_card import ModelCard
from pointsman.core.prompt import Prompt
from pointsman.routing.decide import Router
from pointsman.routing.keywords import Keywords
from pointsman.routing.opinions import Ask, Opinion, Opinions, Seat, middles
from pointsman.routing.policy import Policy, default_policy
from pointsman.routing.presets import DEFAULT_TIERS
from pointsman.routing.profiles import Profile

JUDGE = Seat("judge", "always", 0.05, 1.0)
SIDECAR = Seat("sidecar", "always", 0.05, 0.5)


class Court:
    """A router with a panel."""

    def __init__(self, cards: tuple[ModelCard, ...], policy: Policy, keywords: Keywords) -> None:
        self._cards, self._policy, self._keywords = cards, policy, keywords

    def hear(
        self, panel: Sequence[Seat], prompt: Prompt, opinions: Opinions, profile: str = "auto"
    ) -> Decision | Ask:
        chosen: Profile = next(one for one in self._policy.profiles if one.name == profile)
        return Router(self._cards, self._policy, self._keywords, panel).decide(
            prompt, chosen, profile, opinions
        )


@pytest.fixture(scope="session")
def court(four_cards: tuple[ModelCard, ...], policy: Policy, keywords: Keywords) -> Court:
    return Court(four_cards, policy, keywords)


def test_a_judge_is_asked_about_what_the_user_wants(court: Court, ask: MakePrompt) -> None:
    asked = court.hear([JUDGE], ask("Hello!"), {})
    assert isinstance(asked, Ask)
    assert (asked.judge, asked.question.asked) == ("judge", "Hello!")


def test_its_opinion_replaces_the_score_and_says_so(court: Court, ask: MakePrompt) -> None:
    decision = court.hear([JUDGE], ask("Hello!"), {"judge": Opinion("small says complex", 0.6)})
    assert isinstance(decision, Decision)
    assert (decision.tier, decision.score) == ("complex", pytest.approx(0.6))
    assert sum(share for _, _, share in decision.shares) == pytest.approx(0.6)
    assert decision.reasons[-1][0] == "judge"
    assert decision.reasons[-1].detail == "small says complex"


def test_no_opinion_leaves_the_decision_to_the_rules(court: Court, ask: MakePrompt) -> None:
    alone = court.hear([], ask("Hello!"), {})
    decision = court.hear([JUDGE], ask("Hello!"), {"judge": Opinion("small took more than 3 s")})
    assert isinstance(alone, Decision)
    assert isinstance(decision, Decision)
    assert (decision.tier, decision.score, decision.chain) == (alone.tier, alone.score, alone.chain)
    assert decision.rules == ("judge: no opinion, small took more than 3 s",)


def test_a_judge_who_is_wanted_when_unsure_is_not_asked_far_from_a_boundary(
    court: Court, ask: MakePrompt
) -> None:
    prompt = ask("Hello!")
    alone = court.hear([], prompt, {})
    assert isinstance(alone, Decision)
    assert alone.score is not None
    distance = min(abs(alone.score - boundary) for boundary in default_policy().boundaries)
    near = Seat("judge", "unsure", distance + 0.001, 1.0)
    far = Seat("judge", "unsure", distance - 0.001, 1.0)
    assert isinstance(court.hear([near], prompt, {}), Ask)
    assert isinstance(court.hear([far], prompt, {}), Decision)
    assert isinstance(court.hear([near._replace(when="never")], prompt, {}), Decision)


def test_nobody_is_asked_what_floors_and_ceilings_have_settled(
    policy: Policy, four_cards: tuple[ModelCard, ...], keywords: Keywords, ask: MakePrompt
) -> None:
    router = Router(four_cards, policy, keywords, [JUDGE])
    fixed = Profile("fixed", floor="medium", ceiling="medium")
    assert isinstance(router.decide(ask("Hello!"), fixed, "fixed", {}), Decision)


def test_one_after_the_other_is_asked_and_the_second_sees_what_the_first_said(
    court: Court, ask: MakePrompt
) -> None:
    unsure = Seat("judge", "unsure", 0.04, 1.0)
    prompt = ask("Hello!")
    first = court.hear([SIDECAR, unsure], prompt, {})
    assert isinstance(first, Ask)
    assert first.judge == "sidecar"
    alone = court.hear([], prompt, {})
    assert isinstance(alone, Decision)
    assert alone.score is not None
    sure = court.hear([SIDECAR, unsure], prompt, {"sidecar": Opinion("", 1.2 - alone.score)})
    assert isinstance(sure, Decision)
    assert sure.score == pytest.approx(0.6)
    doubtful = court.hear([SIDECAR, unsure], prompt, {"sidecar": Opinion("", 1.04 - alone.score)})
    assert isinstance(doubtful, Ask)
    assert doubtful.judge == "judge"


@given(value=st.floats(0, 1), weight=st.floats(0, 1))
def test_score_with_any_opinion_stays_a_score(
    court: Court, ask: MakePrompt, value: float, weight: float
) -> None:
    seat = Seat("judge", "always", 0, weight)
    decision = court.hear([seat], ask("Write a parser in Rust?"), {"judge": Opinion("", value)})
    assert isinstance(decision, Decision)
    assert decision.score is not None
    assert -1e-9 <= decision.score <= 1 + 1e-9


def test_profile_still_moves_what_a_judge_says(court: Court, ask: MakePrompt) -> None:
    said = {"judge": Opinion("small says medium", 0.365)}
    tiers = {}
    for profile in ("auto", "eco", "premium"):
        decision = court.hear([JUDGE], ask("Hello!"), said, profile)
        assert isinstance(decision, Decision)
        tiers[profile] = decision.tier
    assert tiers == {"auto": "medium", "eco": "simple", "premium": "complex"}


def test_each_tier_has_its_middle() -> None:
    assert middles(DEFAULT_TIERS, (0.2, 0.4, 0.8)) == pytest.approx(
        {"simple": 0.1, "medium": 0.3, "complex": 0.6, "reasoning": 0.9}
    )
    assert middles(("only",), ()) == {"only": 0.5}


def test_dry_run_says_who_would_be_asked(
    policy: Policy, four_cards: tuple[ModelCard, ...], keywords: Keywords, ask: MakePrompt
) -> None:
    never = SIDECAR._replace(when="never")
    told = Router(four_cards, policy, keywords, [never, JUDGE]).decide(
        ask("Hello!"), policy.profiles[0], "auto"
    )
    assert told.tipping is not None
    assert told.tipping.asks == ("judge",)
