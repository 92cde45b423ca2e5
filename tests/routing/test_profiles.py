"""What the five virtual models are for: each has its own answer to the same request."""

import pytest
from routing_values import Ask, MakeCard, Route

from pointsman.core.errors import Unsupported
from pointsman.core.model_card import ModelCard
from pointsman.routing.decide import Router
from pointsman.routing.keywords import Keywords
from pointsman.routing.policy import Policy, default_policy
from pointsman.routing.profiles import Profile

FIVE = ("auto", "eco", "premium", "agentic", "free")
WITH_TOOLS = frozenset({"tools"})


@pytest.fixture(scope="module")
def shelf(make_card: MakeCard) -> tuple[ModelCard, ...]:
    """Two per tier and a free one; the cheapest of a tier cannot call tools."""
    return (
        make_card("gift", "complex", ("0", "0"), abilities=WITH_TOOLS),
        make_card("tiny", "simple", ("0.1", "0.4"), abilities=frozenset()),
        make_card("mid", "medium", ("1", "4"), abilities=frozenset()),
        make_card("mid-agent", "medium", ("2", "6"), abilities=WITH_TOOLS),
        make_card("big", "complex", ("3", "15"), abilities=frozenset()),
        make_card("big-agent", "complex", ("5", "25"), abilities=WITH_TOOLS),
        make_card("deep", "reasoning", ("10", "40"), abilities=WITH_TOOLS),
    )


def chosen(route: Route, cards: tuple[ModelCard, ...], prompt) -> dict[str, str]:
    return {name: route(prompt, name, cards).card.name for name in FIVE}


def test_five_profiles_give_five_answers(route: Route, ask: Ask, shelf) -> None:
    """A middling wish: the cheapest that will do, one of the tier below, the strongest of the tier above, one that can
    call tools, the free one."""
    wish = ask("Write a letter to my landlord about the heating")

    assert chosen(route, shelf, wish) == {
        "auto": "mid",
        "eco": "tiny",
        "premium": "big-agent",
        "agentic": "mid-agent",
        "free": "gift",
    }


@pytest.mark.parametrize("profile", ["agentic", "free"])
@pytest.mark.parametrize(
    "text", ["Hello!", "Write a Python function that parses CSV", "Prove that 2 is prime, step by step"]
)
def test_free_and_agentic_are_not_auto(route: Route, ask: Ask, shelf, profile: str, text: str) -> None:
    wish = ask(text)
    same = [card.name for card in route(wish, "auto", shelf).chain] == [
        card.name for card in route(wish, profile, shelf).chain
    ]

    assert not same


def test_free_never_costs_anything(route: Route, ask: Ask, shelf) -> None:
    chain = route(ask("Prove the theorem step by step"), "free", shelf).chain

    assert [card.name for card in chain] == ["gift"]
    with pytest.raises(Unsupported, match="free"):
        route(ask("hello"), "free", shelf[1:])


def test_premium_takes_a_strong_model_for_a_hard_design(route: Route, ask: Ask, shelf) -> None:
    decision = route(ask("design a high-availability microservices architecture"), "premium", shelf)

    assert decision.tier in {"complex", "reasoning"}
    assert decision.card.name in {"big-agent", "deep"}


def test_own_table_of_a_profile_goes_first(keywords: Keywords, policy: Policy, ask: Ask, four_cards) -> None:
    house = Profile("house", models=(("simple", ("big", "mid")), ("medium", ("deep",))))
    router = Router(four_cards, policy, keywords)

    easy = router.decide(ask("Hello!"), house, "house")
    hard = router.decide(ask("Prove by induction that it holds"), house, "house")

    assert [card.name for card in easy.chain] == ["big", "mid", "tiny", "deep"]
    assert easy.rules == ("tried before those of simple: big of complex",)
    assert hard.chain[0].tier == hard.tier


@pytest.mark.parametrize("tiers", ["a", "ab", "abc", "abcdefg"])
def test_profiles_suit_any_number_of_tiers(
    keywords: Keywords, make_card: MakeCard, ask: Ask, tiers: str
) -> None:
    policy = default_policy(tiers)
    cards = tuple(make_card(tier, tier, ("0", "0")) for tier in tiers)
    router = Router(cards, policy, keywords)

    for profile in policy.profiles:
        assert router.decide(ask("Prove it step by step", tool_count=1), profile, "x").tier in set(tiers)
