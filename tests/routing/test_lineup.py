"""Knowing an order beforehand must never change it."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.errors import Unsupported
from pointsman.core.model_card import ABILITIES, ModelCard
from pointsman.core.prompt import Prompt
from pointsman.core.usage import Price, Rates
from pointsman.routing.chain import Shelf, need_of
from pointsman.routing.lineup import _KINDS_MAX, Lineup
from pointsman.routing.profiles import Profile

TIERS = ("simple", "medium")
EXPECTED_OUTPUT_TOKENS = 500

USD = st.sampled_from([Decimal(usd) for usd in ("0", "0.1", "0.123456789", "1", "1.25", "2", "10")])
RATES = st.builds(Rates, USD, USD)
PRICES = st.builds(
    lambda rates, above: Price(rates, "test", above),
    RATES,
    st.one_of(st.just(()), st.tuples(st.tuples(st.integers(1, 3_000), RATES))),
)
CARDS = st.lists(
    st.builds(
        ModelCard,
        name=st.text(min_size=1, max_size=3),
        provider=st.just("local"),
        id=st.just("m"),
        tier=st.sampled_from(TIERS),
        price=st.none() | PRICES,
        context_tokens=st.none() | st.integers(1, 6_000),
        max_output_tokens=st.none() | st.integers(1, 3_000),
        abilities=st.none() | st.frozensets(st.sampled_from(ABILITIES)),
    ),
    max_size=6,
)
ASKED = st.builds(
    Prompt,
    system=st.just(""),
    turns=st.just(()),
    input_bytes=st.just(0),
    tool_count=st.integers(0, 1),
    image_count=st.integers(0, 1),
    output_format=st.sampled_from(["text", "json_schema"]),
    wants_thinking=st.booleans(),
    max_output_tokens=st.none() | st.integers(-1, 4_000),
)
PROFILES = st.builds(
    Profile, st.just("any"), order=st.sampled_from(["cheapest", "strongest"]), only_free=st.booleans()
)


@given(
    CARDS,
    PROFILES,
    st.lists(st.tuples(ASKED, st.integers(1, 6_000), st.integers(0, 1)), min_size=1, max_size=20),
)
def test_order_is_that_of_the_shelf(
    cards: list[ModelCard], profile: Profile, requests: list[tuple[Prompt, int, int]]
) -> None:
    shelf = Shelf(cards, TIERS)
    lineup = Lineup(shelf, profile, EXPECTED_OUTPUT_TOKENS)

    for prompt, input_tokens, wanted in requests:
        need = need_of(prompt, input_tokens, profile, EXPECTED_OUTPUT_TOKENS)
        try:
            expected = shelf.order(wanted, need, profile)
        except Unsupported as error:
            with pytest.raises(Unsupported) as caught:
                lineup.order(wanted, prompt, input_tokens)
            assert caught.value.message == error.message  # noqa: PT017 - both are compared
        else:
            assert lineup.order(wanted, prompt, input_tokens) == expected


class Counting(Shelf):
    orders = 0

    def order(self, *arguments):
        self.orders += 1
        return super().order(*arguments)


def test_order_of_a_kind_is_worked_out_once(four_cards: tuple[ModelCard, ...]) -> None:
    shelf = Counting(four_cards, ("simple", "medium", "complex", "reasoning"))
    lineup = Lineup(shelf, Profile("auto"), EXPECTED_OUTPUT_TOKENS)

    orders = {lineup.order(1, Prompt("", (), 0, max_output_tokens=300), tokens) for tokens in range(256, 512)}

    assert len(orders) == 1
    assert shelf.orders == 4


def test_what_is_known_stays_bounded(four_cards: tuple[ModelCard, ...]) -> None:
    lineup = Lineup(Shelf(four_cards, ("simple", "medium")), Profile("auto"), EXPECTED_OUTPUT_TOKENS)

    for bits in range(40):
        for limit_bits in range(60):
            lineup.order(0, Prompt("", (), 0, max_output_tokens=1 << limit_bits), 1 << bits)

    assert 0 < len(lineup._known) <= _KINDS_MAX
