from decimal import Decimal

import pytest
from routing_values import Ask, MakeCard, Route

from pointsman.core.decision import Decision
from pointsman.core.errors import Unsupported
from pointsman.core.model_card import ModelCard
from pointsman.core.usage import Price, Rates
from pointsman.routing.chain import estimate_usd

EASY = "What is the capital of France?"


def names(decision: Decision) -> list[str]:
    return [card.name for card in decision.chain]


def excluded(decision: Decision) -> dict[str, str]:
    return {each.card.name: each.excluded for each in decision.candidates if each.excluded is not None}


def test_cheapest_of_the_tier_comes_first_then_higher_tiers_then_lower(
    route: Route, ask: Ask, make_card: MakeCard
) -> None:
    cards = (
        make_card("deep", "reasoning", ("10", "40")),
        make_card("big", "complex", ("3", "15")),
        make_card("tiny", "simple", ("0.1", "0.4")),
        make_card("mid-dear", "medium", ("2", "8")),
        make_card("mid-cheap", "medium", ("1", "4")),
    )

    decision = route(ask(EASY, tool_count=1), cards=cards)

    assert decision.tier == "medium"
    assert names(decision) == ["mid-cheap", "mid-dear", "big", "deep", "tiny"]


def test_unknown_price_sorts_after_known_and_ties_keep_their_order(
    route: Route, ask: Ask, make_card: MakeCard
) -> None:
    cards = (
        make_card("unknown-1"),
        make_card("b", usd=("1", "1")),
        make_card("unknown-2"),
        make_card("a", usd=("1", "1")),
        make_card("cheap", usd=("0.5", "0.5")),
    )

    assert names(route(ask(EASY), cards=cards)) == ["cheap", "b", "a", "unknown-1", "unknown-2"]


def test_cheapest_means_for_this_request(route: Route, ask: Ask, make_card: MakeCard) -> None:
    """Dear input and cheap output wins on a short question, and the other way round on a long one."""
    cards = (make_card("long-in", usd=("0.1", "10")), make_card("long-out", usd=("1", "1")))

    assert names(route(ask(EASY), cards=cards))[0] == "long-out"
    assert names(route(ask(EASY, system="word " * 20_000), cards=cards))[0] == "long-in"


@pytest.mark.parametrize("tier", ["medium", "complex", "reasoning"])
def test_empty_tier_uses_the_next_higher_one(route: Route, ask: Ask, make_card: MakeCard, tier: str) -> None:
    decision = route(ask(EASY), cards=(make_card("only", tier),))

    assert decision.tier == "simple"
    assert names(decision) == ["only"]
    assert decision.rules == (f"no model of simple can take it: only of {tier}",)


def test_empty_top_tier_uses_the_next_lower_one(route: Route, ask: Ask, make_card: MakeCard) -> None:
    cards = (make_card("tiny", "simple"), make_card("mid", "medium"))

    decision = route(ask("Prove the theorem step by step"), cards=cards)

    assert decision.tier == "reasoning"
    assert names(decision) == ["mid", "tiny"]


CANNOT = [
    ({"tool_count": 2}, {"abilities": frozenset({"vision"})}, "it cannot call tools"),
    ({"image_count": 1}, {"abilities": frozenset()}, "it cannot see images"),
    ({"document_count": 1}, {"abilities": frozenset()}, "it cannot read documents"),
    ({"audio_count": 1}, {"abilities": frozenset()}, "it cannot hear audio"),
    ({"output_format": "json_schema"}, {"abilities": frozenset()}, "it cannot answer to a JSON schema"),
    (
        {"max_output_tokens": 9_000},
        {"max_output_tokens": 4_096},
        "it writes at most 4,096 tokens, the request asks for up to 9,000",
    ),
]


@pytest.mark.parametrize(("wish", "card", "reason"), CANNOT, ids=[row[2] for row in CANNOT])
def test_model_that_cannot_falls_out_and_says_why(
    route: Route, ask: Ask, make_card: MakeCard, wish, card, reason
) -> None:
    cards = (make_card("weak", usd=("0", "0"), **card), make_card("able", usd=("5", "5")))

    decision = route(ask(EASY, **wish), cards=cards)

    assert names(decision) == ["able"]
    assert excluded(decision) == {"weak": reason}


def test_model_too_small_for_prompt_and_answer_falls_out(route: Route, ask: Ask, make_card: MakeCard) -> None:
    cards = (make_card("small", context_tokens=4_000), make_card("large", context_tokens=40_000))

    assert names(route(ask(EASY), cards=cards)) == ["small", "large"]
    assert names(route(ask(EASY, max_output_tokens=3_995), cards=cards)) == ["large"]
    decision = route(ask(EASY, system="word " * 10_000), cards=cards)
    assert names(decision) == ["large"]
    assert excluded(decision)["small"].startswith(
        "it holds 4,000 tokens, the request and its answer need about 11,"
    )


def test_unknown_abilities_and_sizes_are_tried(route: Route, ask: Ask, make_card: MakeCard) -> None:
    decision = route(
        ask(EASY, tool_count=1, image_count=1, max_output_tokens=64_000),
        cards=(make_card("unknown", abilities=None),),
    )

    assert names(decision) == ["unknown"]


def test_thinking_is_preferred_and_not_demanded(route: Route, ask: Ask, make_card: MakeCard) -> None:
    cards = (
        make_card("plain", usd=("1", "1"), abilities=frozenset()),
        make_card("thinker", usd=("2", "2"), abilities=frozenset({"thinking"})),
    )

    assert names(route(ask(EASY), cards=cards)) == ["plain", "thinker"]
    assert names(route(ask(EASY, wants_thinking=True), cards=cards)) == ["thinker", "plain"]


def test_model_without_tier_is_reached_by_name_only(route: Route, ask: Ask, make_card: MakeCard) -> None:
    cards = (make_card("loose", None), make_card("odd", "gigantic"), make_card("tiny"))

    decision = route(ask(EASY), cards=cards)

    assert names(decision) == ["tiny"]
    assert excluded(decision) == {
        "loose": "it has no tier",
        "odd": "its tier gigantic is not among the tiers",
    }


def test_candidates_list_the_chain_first_and_everyone_once(
    route: Route, ask: Ask, make_card: MakeCard
) -> None:
    cards = (
        make_card("loose", None),
        make_card("blind", abilities=frozenset()),
        make_card("mid", "medium", ("1", "4")),
        make_card("tiny", usd=("0.1", "0.4")),
    )

    decision = route(ask(EASY, image_count=1), cards=cards)

    assert [each.card.name for each in decision.candidates] == ["tiny", "mid", "blind", "loose"]


def test_nobody_able_is_told_with_reasons(route: Route, ask: Ask, make_card: MakeCard) -> None:
    cards = (make_card("blind", abilities=frozenset()), make_card("loose", None))

    with pytest.raises(Unsupported) as caught:
        route(ask("Describe this secret picture", image_count=1), cards=cards)

    assert caught.value.message == (
        "no model can take this request as auto (blind: it cannot see images; loose: it has no tier)"
    )
    assert caught.value.status == 400
    assert caught.value.param == "model"


def test_long_list_of_those_who_cannot_is_cut(route: Route, ask: Ask, make_card: MakeCard) -> None:
    cards = tuple(make_card(f"m{number}", None) for number in range(300))

    with pytest.raises(Unsupported, match=r"m4: it has no tier; and 295 more\)"):
        route(ask(EASY), cards=cards)


def test_no_model_at_all_is_told(route: Route, ask: Ask) -> None:
    with pytest.raises(Unsupported, match="none is configured"):
        route(ask(EASY), cards=())


class TestProfiles:
    def test_free_takes_only_what_is_known_to_cost_nothing(
        self, route: Route, ask: Ask, make_card: MakeCard
    ) -> None:
        cards = (
            make_card("cheap", usd=("0.01", "0.01")),
            make_card("unknown"),
            make_card("half", usd=("0", "1")),
            make_card("gift", "complex", ("0", "0")),
        )

        decision = route(ask(EASY), "free", cards)

        assert names(decision) == ["gift"]
        assert excluded(decision) == {
            "cheap": "it is not free",
            "unknown": "its price is not known, so it may not be free",
            "half": "it is not free",
        }

    def test_free_without_a_free_model_is_an_error(self, route: Route, ask: Ask) -> None:
        with pytest.raises(Unsupported, match=r"as free .*tiny: it is not free"):
            route(ask(EASY), "free")

    def test_eco_never_takes_the_top_tier_first(self, route: Route, ask: Ask) -> None:
        proof = ask("Prove the theorem step by step")

        assert route(proof, "auto").card.name == "deep"
        assert route(proof, "eco").card.name == "big"

    def test_eco_asks_more_of_a_request_before_it_pays_more(self, route: Route, ask: Ask) -> None:
        wish = ask("Write a Python function that parses CSV with tests")

        assert route(wish, "auto").tier == "medium"
        assert route(wish, "eco").tier == "simple"

    def test_premium_goes_one_tier_up_and_takes_the_dearest(
        self, route: Route, ask: Ask, make_card: MakeCard
    ) -> None:
        cards = (
            make_card("tiny", "simple", ("0.1", "0.4")),
            make_card("mid", "medium", ("1", "4")),
            make_card("mid-dear", "medium", ("2", "8")),
            make_card("mid-unknown", "medium"),
            make_card("big", "complex", ("3", "15")),
        )

        decision = route(ask(EASY), "premium", cards)

        assert decision.tier == "medium"
        assert decision.rules == ("premium: medium instead of simple",)
        assert names(decision) == ["mid-dear", "mid", "mid-unknown", "big", "tiny"]

    def test_agentic_needs_tools_and_a_middle_tier(self, route: Route, ask: Ask, make_card: MakeCard) -> None:
        cards = (
            make_card("tiny", "simple"),
            make_card("mute", "medium", abilities=frozenset()),
            make_card("mid", "medium", abilities=frozenset({"tools"})),
        )

        decision = route(ask(EASY), "agentic", cards)

        assert decision.tier == "medium"
        assert names(decision) == ["mid", "tiny"]
        assert excluded(decision) == {"mute": "it cannot call tools"}


class TestEstimate:
    def card(self, price: Price | None) -> ModelCard:
        return ModelCard("m", "p", "m-1", "simple", price)

    def test_price_times_tokens(self) -> None:
        card = self.card(Price(Rates(Decimal("0.10"), Decimal("0.40")), "test"))

        assert estimate_usd(card, 1_000, 500) == Decimal("0.0003")

    def test_long_prompts_are_charged_their_own_rate(self) -> None:
        dear = Rates(Decimal(4), Decimal(8))
        card = self.card(Price(Rates(Decimal(2), Decimal(4)), "test", above=((200_000, dear),)))

        assert estimate_usd(card, 200_000, 0) == Decimal("0.4")
        assert estimate_usd(card, 300_000, 0) == Decimal("1.2")

    def test_unknown_price_stays_unknown(self) -> None:
        assert estimate_usd(self.card(None), 1_000, 500) is None

    @pytest.mark.parametrize(("limit", "output"), [(None, 500), (100, 100), (32_000, 500)])
    def test_answer_is_priced_at_its_usual_length_or_the_limit_below(
        self, route: Route, ask: Ask, make_card: MakeCard, limit: int | None, output: int
    ) -> None:
        decision = route(ask(EASY, max_output_tokens=limit), cards=(make_card("m", usd=("0", "1")),))

        assert decision.candidates[0].estimated_cost_usd == Decimal(output) / 1_000_000
