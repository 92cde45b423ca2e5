# ruff: noqa: RUF001 - prompts in many scripts
"""Whole decisions: the examples people try first, and what must hold for every prompt."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from routing_values import PROMPTS, Ask, MakeCard, Route

from pointsman.core.model_card import ModelCard
from pointsman.core.prompt import Prompt
from pointsman.routing.decide import Router, pin
from pointsman.routing.keywords import Keywords
from pointsman.routing.policy import Policy, default_policy
from pointsman.routing.profiles import Profile

EASY, MIDDLE, HARD = {"simple"}, {"medium"}, {"complex", "reasoning"}

EXAMPLES = [
    ("What is the capital of France?", EASY),
    ("Hello!", EASY),
    ("Translate good morning to Spanish", EASY),
    ("Approve the waterproof jacket order", EASY),
    ("explain the class struggle", MIDDLE),
    ("Fix the grammar: she go to school yesterday", EASY),
    ("法国的首都是哪里？", EASY),
    ("Was ist die Hauptstadt von Frankreich?", EASY),
    ("Write a haiku about autumn", EASY),
    ("Write a Python function that parses CSV with tests", MIDDLE),
    ("Solve x^2+y^2=25", MIDDLE),
    ("Explain how garbage collection works in Java", MIDDLE),
    ("用Python写一个函数，解析CSV文件并编写单元测试", MIDDLE),
    (
        "Janet's ducks lay 16 eggs per day. She eats three and sells the remainder daily. How much does she make?",
        MIDDLE,
    ),
    ("Design a high-availability microservices architecture for an e-commerce platform", HARD),
    (
        "Implement a distributed rate limiter in Go with Redis, explain the trade-offs, and write unit tests",
        HARD,
    ),
    (
        "Write a compiler for a small functional language in Rust, with type inference and garbage collection",
        HARD,
    ),
    ("Prove that sqrt(2) is irrational, step by step", HARD),
    ("Prove by induction that the sum of the first n odd numbers is n^2", HARD),
    ("证明根号2是无理数，一步一步推导", HARD),
    ("Докажи теорему Пифагора пошагово", HARD),
    ("ルート2が無理数であることを段階的に証明してください", HARD),
    ("Demuestra paso a paso que la raíz de 2 es irracional", HARD),
]


@pytest.mark.parametrize(("text", "tiers"), EXAMPLES, ids=[text[:30] for text, _ in EXAMPLES])
def test_example_lands_where_it_belongs(route: Route, ask: Ask, text: str, tiers: set[str]) -> None:
    assert route(ask(text)).tier in tiers


def test_decision_explains_itself(route: Route, ask: Ask) -> None:
    decision = route(ask("What is the capital of France?"))

    assert (decision.requested, decision.profile, decision.tier) == ("auto", "auto", "simple")
    assert decision.card.name == "tiny"
    assert decision.rules == ()
    assert [(reason.signal, reason.detail) for reason in decision.reasons] == [
        ("base", "where every request starts"),
        ("size", "about 7 tokens asked"),
        ("simple", "what is, capital of"),
    ]
    assert decision.score == pytest.approx(sum(reason.share for reason in decision.reasons))


def test_short_follow_up_stays_as_hard_as_what_it_follows(route: Route, ask: Ask) -> None:
    proof = "Prove that sqrt(2) is irrational, step by step"

    assert route(ask(proof, "Shall I go on?", "yes, go on")).tier in HARD
    assert route(ask(proof, "Shall I go on?", "no, thanks")).tier in EASY
    assert route(ask("yes, go on")).tier in EASY


def test_pasted_text_does_not_ask_for_the_top(route: Route, ask: Ask) -> None:
    book = "The theorem of the proof of the lemma was derived logically by an algorithm in a distributed database. "
    prose = "The harbour lay quiet in the early light while the fishermen mended their nets. "

    decision = route(ask("Summarize this for me. " + prose * 15 + book * 50 + prose * 15 + "Keep it brief."))

    assert decision.tier in {"medium", "complex"}


@given(PROMPTS, st.sampled_from(default_policy().profiles))
@settings(deadline=None)
def test_same_input_gives_same_decision(
    keywords: Keywords,
    four_cards: tuple[ModelCard, ...],
    make_card: MakeCard,
    prompt: Prompt,
    profile: Profile,
) -> None:
    cards = (*four_cards, make_card("gift", "medium", ("0", "0")))
    policy = default_policy()

    first = Router(cards, policy, keywords).decide(prompt, profile, "x")
    again = Router(cards, policy, keywords).decide(prompt, profile, "x")

    assert first == again
    assert {card.name for card in first.chain} | {
        each.card.name for each in first.candidates if each.excluded
    } == {card.name for card in cards}


@given(st.integers(1, 300), st.text(max_size=30))
@settings(deadline=None, max_examples=30)
def test_longer_conversation_is_decided(route: Route, ask: Ask, turns: int, text: str) -> None:
    decision = route(ask(*[text] * turns))

    assert decision.score is not None
    assert 0 <= decision.score <= 1


HOSTILE = [
    "first " * 70_000,
    "first then " * 40_000,
    "a" * 400_000,
    '"' * 400_000,
    "\\" * 400_000,
    "\n" * 400_000,
    "\n```" * 100_000,
    "?" * 400_000,
    "1234567890" * 40_000,
    "\U0001f600" * 100_000,
    "证明" * 66_000,
    "\U0001d52d\U0001d52f\U0001d52c" * 30_000,
    "e\u0301" * 100_000,
    "\ud800" * 100_000,
    "\x00" * 400_000,
    "ǅŉİß" * 50_000,
    "modhex" * 60_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=[repr(text[:8]) for text in HOSTILE])
def test_hostile_text_is_decided(route: Route, ask: Ask, text: str) -> None:
    decision = route(ask(text))

    assert 0 <= decision.score <= 1
    assert decision.chain


def test_profile_outside_the_policy_is_followed(
    keywords: Keywords, policy: Policy, four_cards, ask: Ask
) -> None:
    router = Router(four_cards, policy, keywords)

    assert router.decide(ask("hello"), Profile("strict", floor="complex"), "strict").tier == "complex"


def test_one_tier_is_enough(keywords: Keywords, ask: Ask, make_card: MakeCard) -> None:
    policy = default_policy(["only"])
    router = Router((make_card("m", "only"),), policy, keywords)

    for profile in policy.profiles:
        if not profile.only_free:
            assert router.decide(ask("Prove the theorem", tool_count=1), profile, "auto").tier == "only"


def test_pin_is_left_alone(make_card: MakeCard) -> None:
    card = make_card("loose", None)

    decision = pin("loose", card, Decimal("0.5"))

    assert (decision.requested, decision.profile, decision.chain) == ("loose", "pinned", (card,))
    assert (decision.score, decision.tier, decision.reasons, decision.rules) == (None, None, (), ())
    assert decision.candidates[0].estimated_cost_usd == Decimal("0.5")
