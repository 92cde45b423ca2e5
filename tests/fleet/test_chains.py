"""Chains that were written down, beside the order that routing gives."""

from noted_fleet import card

from pointsman.core.decision import Decision
from pointsman.fleet.chains import Chains

A, B, C = (card(name) for name in "abc")
ROUTED = Decision("auto", "auto", (A, B), score=0.4, tier="simple", category="code")


def names(decision: Decision) -> list[str]:
    return [each.name for each in decision.chain]


def test_without_a_word_the_order_stays() -> None:
    assert Chains(tiers={"medium": (B,)}).order(ROUTED) is ROUTED


def test_the_chain_of_a_tier_is_the_order_and_says_so() -> None:
    decision = Chains(tiers={"simple": (B, A)}).order(ROUTED)
    assert names(decision) == ["b", "a"]
    assert decision.rules == ("chain of tier simple",)


def test_the_chain_of_a_category_goes_before_its_tiers() -> None:
    assert names(Chains(tiers={"simple": (A,)}, categories={"code": (B,)}).order(ROUTED)) == ["b"]


def test_models_that_cannot_take_the_request_are_left_out() -> None:
    unable = C.__class__("c", "p", "c", tier="simple")
    assert names(Chains(tiers={"simple": (unable, B)}).order(ROUTED)) == ["b"]
    decision = Chains(tiers={"simple": (unable,)}).order(ROUTED)
    assert names(decision) == ["a", "b"]
    assert "can take it" in decision.rules[-1]


def test_a_pinned_model_has_the_fallbacks_that_were_written_for_it_and_no_other() -> None:
    pinned = Decision("a", "pinned", (A,))
    assert names(Chains(tiers={"simple": (B,)}).order(pinned)) == ["a"]
    assert names(Chains(models={"a": (C, B)}).order(pinned)) == ["a", "c", "b"]
