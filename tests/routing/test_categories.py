"""Kinds of task, an operator's and those that are there, and whose models are tried first."""

from dataclasses import replace

import pytest
from routing_values import Ask, MakeCard

from pointsman.core.errors import ConfigError
from pointsman.core.model_card import ModelCard
from pointsman.routing.categories import Category, category_of, json_of, problems, significant_words
from pointsman.routing.decide import Router
from pointsman.routing.keywords import Keywords
from pointsman.routing.policy import Policy

LEGAL = Category("legal", ("big",), ("contract*", "plaintiff", "합의서", "договор*"))
COOKING = Category("cooking", ("mid",), description="Questions about recipes, ingredients and kitchen tools")


@pytest.fixture
def decide(keywords: Keywords, policy: Policy, four_cards: tuple[ModelCard, ...]):
    """With these categories, the decision about a prompt."""

    def build(*categories: Category, cards: tuple[ModelCard, ...] = four_cards, **changes):
        router = Router(cards, replace(policy, categories=categories, **changes), keywords)
        profiles = {profile.name: profile for profile in policy.profiles}
        return lambda prompt, profile="auto": router.decide(prompt, profiles[profile], profile)

    return build


BUILT_IN = [
    ("Hello there", {}, "conversation"),
    ("How are you today, my friend?", {}, "conversation"),
    ("Debug this Python function", {}, "code"),
    ("写一个Python函数", {}, "code"),
    ("напиши функцию на python", {}, "code"),
    ("Prove that the sum of two even numbers is even", {}, "reasoning"),
    ("证明这个定理", {}, "reasoning"),
    ("What is the weather in Lima?", {"tool_count": 1}, "tools"),
    ("Debug this Python function", {"tool_count": 2}, "tools"),
    ("explain the class struggle", {}, "reasoning"),
    ("what is the capital of Peru", {}, "conversation"),
]


@pytest.mark.parametrize(("text", "fields", "name"), BUILT_IN, ids=[row[0][:30] for row in BUILT_IN])
def test_request_is_of_a_category(decide, ask: Ask, text: str, fields, name: str) -> None:
    assert decide()(ask(text, **fields)).category == name


@pytest.mark.parametrize(
    "text", ["Review this contract", "CONTRACTS!", "이 합의서를 봐줘", "Проверь договор аренды"]
)
def test_own_category_is_met_by_its_words(decide, ask: Ask, text: str) -> None:
    decision = decide(LEGAL)(ask(text))

    assert (decision.category, decision.card.name) == ("legal", "big")


def test_own_words_are_not_met_inside_others(decide, ask: Ask) -> None:
    assert decide(LEGAL)(ask("a subcontractor and complaints")).category == "conversation"


def test_description_needs_two_of_its_words(decide, ask: Ask) -> None:
    cook = decide(COOKING)

    assert cook(ask("which ingredients go into this recipe of hers")).category == "cooking"
    assert cook(ask("the kitchen is dark")).category == "conversation"


def test_most_points_win_and_of_equal_ones_the_first(decide, ask: Ask) -> None:
    first, second = (
        Category("first", keywords=("apple", "pear")),
        Category("second", keywords=("plum", "fig")),
    )

    assert decide(first, second)(ask("apple and plum")).category == "first"
    assert decide(second, first)(ask("apple and plum")).category == "second"
    assert decide(first, second)(ask("apple, plum and fig")).category == "second"


def test_own_category_goes_before_tools(decide, ask: Ask) -> None:
    assert decide(LEGAL)(ask("Review this contract", tool_count=3)).category == "legal"


def test_word_in_what_was_pasted_is_not_enough(decide, ask: Ask) -> None:
    prose = "The harbour lay quiet in the early light while the fishermen mended their nets. "

    assert decide(LEGAL)(ask(prose * 20 + "a contract " + prose * 20)).category == "conversation"


def test_models_of_a_category_go_first_and_the_tier_follows(decide, ask: Ask) -> None:
    decision = decide(Category("conversation", ("deep", "big")))(ask("Hello!"))

    assert [card.name for card in decision.chain] == ["deep", "big", "tiny", "mid"]
    assert decision.tier == "simple"
    assert decision.rules == ("tried before those of simple: deep of reasoning",)


def test_models_of_a_category_that_cannot_take_it_are_left_out(decide, ask: Ask, make_card: MakeCard) -> None:
    blind = make_card("blind", "simple", ("1", "1"), abilities=frozenset())
    sees = make_card("sees", "simple", ("2", "2"), abilities=frozenset({"vision"}))
    talk = decide(Category("conversation", ("blind",)), cards=(blind, sees))

    assert [card.name for card in talk(ask("hello", image_count=1)).chain] == ["sees"]
    assert talk(ask("hello")).card.name == "blind"


@pytest.mark.parametrize("name", ["loose", "local/loose-1", "local:loose-1", "loose-1"])
def test_model_without_a_tier_serves_its_category(decide, ask: Ask, make_card: MakeCard, name: str) -> None:
    cards = (make_card("tiny"), make_card("loose", None))
    decision = decide(Category("conversation", (name,)), cards=cards)(ask("Hello!"))

    assert [card.name for card in decision.chain] == ["loose", "tiny"]
    assert [candidate.excluded for candidate in decision.candidates] == [None, None]


@pytest.mark.parametrize(
    ("profile", "model"), [("auto", "deep"), ("agentic", "deep"), ("eco", "tiny"), ("premium", "mid")]
)
def test_profiles_with_an_order_of_their_own_keep_it(decide, ask: Ask, profile: str, model: str) -> None:
    assert decide(Category("conversation", ("deep",)))(ask("Hello!"), profile).card.name == model


def test_significant_words_are_those_that_tell_something() -> None:
    assert significant_words("Questions about the law of contracts") == ("contract*",)
    assert significant_words("医疗 和 健康") == ("医疗", "健康")
    assert significant_words("юридические договоры") == ("юридические", "договоры")


def test_category_goes_to_json_and_back() -> None:
    for category in (LEGAL, COOKING, Category("tools", ("openai/gpt-4o",))):
        assert category_of(json_of(category)) == category


def test_json_needs_only_a_name() -> None:
    assert category_of({"name": "code", "models": ["openai/gpt-4o"]}) == Category("code", ("openai/gpt-4o",))
    assert category_of({"name": "code", "keywords": None, "description": None}) == Category("code")


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({}, "name"),
        ({"name": 7}, "name"),
        ({"name": "a", "models": "gpt"}, "models"),
        ({"name": "a", "models": [1]}, "models"),
        ({"name": "a", "keywords": {"b": 1}}, "keywords"),
        ({"name": "a", "description": []}, "description"),
        ({"name": "a", "colour": "red"}, "colour"),
    ],
)
def test_json_that_is_wrong_is_named(fields, path: str) -> None:
    with pytest.raises(ConfigError) as caught:
        category_of(fields)

    assert path in [problem.path for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("category", "path"),
    [
        (Category("a", ("nobody",), ("b",)), "models[0]"),
        (Category(" ", ("m",), ("b",)), "name"),
        (Category("a", ("m",), ("*",)), "keywords"),
        (Category("code"), "models"),
        (Category("a", ("m",)), "keywords"),
        (Category("a", ("m",), description="of the and"), "keywords"),
    ],
)
def test_unusable_category_is_told(category: Category, path: str) -> None:
    assert path in [problem.path for problem in problems(category, {"m"})]


@pytest.mark.parametrize("category", [LEGAL, COOKING, Category("code", ("big",))])
def test_usable_category_has_no_problem(category: Category) -> None:
    assert problems(category, {"big", "mid"}) == []
