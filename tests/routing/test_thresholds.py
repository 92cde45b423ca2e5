"""`router-learned-0.3`: two tiers, divided by the chance that the strong one is needed."""

import importlib.resources

import pytest
from routing_values import Ask

from pointsman.core.errors import UnknownModel
from pointsman.core.model_card import ModelCard
from pointsman.routing.decide import Router
from pointsman.routing.keywords import Keywords
from pointsman.routing.learned import Learned
from pointsman.routing.names import Names
from pointsman.routing.policy import Policy
from pointsman.routing.profiles import Profile


@pytest.fixture(scope="module")
def learned() -> Learned:
    return Learned(importlib.resources.files("pointsman.routing").joinpath("learned.bin").read_bytes())


@pytest.fixture(scope="module")
def names(four_cards: tuple[ModelCard, ...], policy: Policy, learned: Learned) -> Names:
    return Names(four_cards, policy.profiles, score_at=learned.score_at)


@pytest.mark.parametrize(
    ("threshold", "chosen"), [("0", "deep"), ("1", "tiny"), ("1.0", "tiny"), ("0.00", "deep")]
)
def test_ends_of_the_range_send_everything_one_way(
    names: Names,
    four_cards,
    policy,
    keywords: Keywords,
    learned: Learned,
    ask: Ask,
    threshold: str,
    chosen: str,
) -> None:
    profile = names.resolve(f"router-learned-{threshold}")
    assert isinstance(profile, Profile)

    decision = Router(four_cards, policy, keywords, learned=learned).decide(ask("hello there"), profile, "x")

    assert decision.card.name == chosen


def test_lower_threshold_never_sends_less_to_the_strong_model(
    names: Names, four_cards, policy, keywords: Keywords, learned: Learned, ask: Ask
) -> None:
    router = Router(four_cards, policy, keywords, learned=learned)
    prompts = [
        ask("hi"),
        ask("Compare two sorting algorithms in depth"),
        ask("Prove that \\sqrt{2} is irrational"),
    ]
    strong = []
    for threshold in ("0.05", "0.1", "0.2", "0.3", "0.5"):
        profile = names.resolve(f"router-learned-{threshold}")
        assert isinstance(profile, Profile)
        strong.append(sum(router.decide(prompt, profile, "x").tier == "reasoning" for prompt in prompts))

    assert strong == sorted(strong, reverse=True)


def test_threshold_is_taken_to_a_hundredth(names: Names) -> None:
    assert names.resolve("router-learned-0.11593") is names.resolve("Router-Learned-0.12")


@pytest.mark.parametrize(
    "name", ["router-learned-1.2", "router-learned-", "router-mf-0.3", "router-learned-0.3x"]
)
def test_other_names_stay_unknown(names: Names, name: str) -> None:
    with pytest.raises(UnknownModel):
        names.resolve(name)


@pytest.mark.parametrize("threshold", ["2", "-1", "nan", "1e-1", "", "many"])
def test_wrong_threshold_is_told_what_one_looks_like(names: Names, threshold: str) -> None:
    with pytest.raises(UnknownModel, match=r"a threshold from 0 to 1, such as router-learned-0\.3"):
        names.resolve(f"router-learned-{threshold}")


def test_threshold_may_have_all_the_digits_of_a_float(names: Names) -> None:
    assert names.resolve(f"router-learned-{1 / 3}") is names.resolve("router-learned-0.33")


def test_without_weights_there_is_no_threshold(four_cards, policy: Policy) -> None:
    with pytest.raises(UnknownModel):
        Names(four_cards, policy.profiles).resolve("router-learned-0.3")
