"""A conversation and its model: when it stays, when it goes, and the figures behind it."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.decision import Decision
from pointsman.core.model_card import ModelCard
from pointsman.core.usage import Price, Rates
from pointsman.routing.affinity import Affinity, moving

TIERS = ("simple", "medium", "complex")


def card(name: str, tier: str, usd_in: str, usd_out: str, cached: str | None = None) -> ModelCard:
    rates = Rates(Decimal(usd_in), Decimal(usd_out), None if cached is None else Decimal(cached))
    return ModelCard(name, "p", f"{name}-1", tier, Price(rates, "test"))


TINY = card("tiny", "simple", "0.1", "0.4", "0.05")
MID = card("mid", "medium", "1", "4", "0.1")
MATE = card("mate", "medium", "0.9", "3.6", "0.09")
BIG = card("big", "complex", "5", "25", "0.5")
UNPRICED = ModelCard("unpriced", "p", "u", "medium")
ALL = (TINY, MID, MATE, BIG, UNPRICED)


def decide(*chain: ModelCard, tier: str | None = None) -> Decision:
    return Decision("auto", "auto", chain, 0.3, tier or chain[0].tier)


def affinity(kept_s: float = 300.0, pins_max: int = 10) -> Affinity:
    return Affinity(TIERS, {one.name: kept_s for one in ALL}, 500, pins_max)


def names(decision: Decision) -> list[str]:
    return [one.name for one in decision.chain]


def test_first_turn_is_as_decided() -> None:
    decision = decide(MID, TINY)
    assert affinity().keep(b"k", decision, 1000, 0.0) is decision


def test_conversation_stays_where_its_cache_is_and_both_figures_are_told() -> None:
    kept = affinity()
    kept.keep(b"k", decide(MID, MATE), 20_000, 0.0)
    stayed = kept.keep(b"k", decide(MATE, MID), 21_000, 100.0)
    assert names(stayed) == ["mid", "mate"]
    # 21,000 * 0.1 + 500 * 0.4 dollars per million; 20,000 * 0.9
    assert stayed.rules == (
        "affinity: mid kept, a move to mate saves $0.002300 and loses $0.018000 of prompt cache",
    )


def test_conversation_moves_where_that_saves_more_than_the_cache_is_worth() -> None:
    kept = affinity()
    kept.keep(b"k", decide(BIG, TINY, tier="complex"), 1_000, 0.0)
    moved = kept.keep(b"k", decide(TINY, BIG), 50_000, 100.0)
    assert names(moved) == ["tiny", "big"]
    assert moved.rules == (
        "affinity: from big to tiny, a move to tiny saves $0.257300 and loses $0.004500 of prompt cache",
    )
    again = decide(TINY, BIG)
    assert kept.keep(b"k", again, 51_000, 200.0) is again


def test_harder_turn_goes_up_and_the_conversation_stays_there() -> None:
    kept = affinity()
    kept.keep(b"k", decide(TINY, MID, BIG), 40_000, 0.0)
    harder = decide(MID, BIG, TINY)
    assert kept.keep(b"k", harder, 41_000, 10.0) is harder
    easier = kept.keep(b"k", decide(MATE, MID), 42_000, 20.0)
    assert names(easier)[0] == "mid"
    assert kept.keep(b"k", decide(BIG, MID), 43_000, 30.0).card is BIG


def test_cache_that_has_expired_holds_nobody() -> None:
    kept = affinity(kept_s=300)
    kept.keep(b"k", decide(MID, MATE), 20_000, 0.0)
    kept.keep(b"k", decide(MATE, MID), 20_000, 299.0)
    late = decide(MATE, MID)
    assert kept.keep(b"k", late, 20_000, 599.5) is late


def test_model_that_cannot_take_the_turn_is_left() -> None:
    kept = affinity()
    kept.keep(b"k", decide(MID, MATE), 20_000, 0.0)
    other = decide(MATE, BIG)
    assert kept.keep(b"k", other, 20_000, 1.0) is other
    assert names(kept.keep(b"k", decide(MID, MATE), 20_000, 2.0))[0] == "mate"


def test_unknown_price_keeps_a_conversation() -> None:
    kept = affinity()
    kept.keep(b"k", decide(UNPRICED, MID), 20_000, 0.0)
    stayed = kept.keep(b"k", decide(MID, UNPRICED), 20_000, 1.0)
    assert names(stayed)[0] == "unpriced"
    assert stayed.rules == ("affinity: unpriced kept, the price of a move to mid is not known",)


def test_conversation_follows_the_model_that_answered_instead() -> None:
    kept = affinity()
    kept.keep(b"k", decide(MID, MATE), 20_000, 0.0)
    kept.answered(b"k", "mate", 1.0)
    kept.answered(b"never seen", "mate", 1.0)
    assert names(kept.keep(b"k", decide(MID, MATE), 20_000, 2.0))[0] == "mate"


def test_conversations_do_not_touch_each_other_and_are_bounded() -> None:
    kept = affinity(pins_max=2)
    for number in range(5):
        kept.keep(b"%d" % number, decide(MID, MATE), 20_000, 0.0)
    assert len(kept) == 2
    forgotten = decide(MATE, MID)
    assert kept.keep(b"0", forgotten, 20_000, 1.0) is forgotten
    assert names(kept.keep(b"4", decide(MATE, MID), 20_000, 1.0))[0] == "mid"


def test_conversations_go_on_in_a_successor_as_far_as_there_is_room() -> None:
    old = affinity()
    for number in range(5):
        old.keep(b"%d" % number, decide(MID, MATE), 20_000, 0.0)
    new = affinity(pins_max=3)
    new.take_over(old)
    assert len(new) == 3
    assert names(new.keep(b"4", decide(MATE, MID), 20_000, 1.0))[0] == "mid"
    assert names(new.keep(b"0", decide(MATE, MID), 20_000, 1.0))[0] == "mate"
    assert names(old.keep(b"0", decide(MATE, MID), 20_000, 1.0))[0] == "mid"


@given(
    st.lists(
        st.tuples(st.permutations(ALL), st.sampled_from(TIERS), st.integers(0, 200_000), st.floats(0, 400)),
        max_size=12,
    )
)
def test_whatever_was_said_the_same_models_are_tried(
    turns: list[tuple[list[ModelCard], str, int, float]],
) -> None:
    kept = affinity()
    now_s = 0.0
    for chain, tier, tokens, pause_s in turns:
        now_s += pause_s
        decision = decide(*chain, tier=tier)
        after = kept.keep(b"k", decision, tokens, now_s)
        assert sorted(names(after)) == sorted(names(decision))
        assert after.tier == tier
        assert len(after.rules) <= 1


def test_cache_without_a_price_of_its_own_is_worth_nothing() -> None:
    move = moving(card("a", "medium", "1", "4"), MATE, 1000, 1000, 0)
    assert move is not None
    assert move.cache_usd == 0
    assert move.saving_usd == pytest.approx(Decimal("0.0001"))
