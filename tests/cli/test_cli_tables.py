from decimal import Decimal

import pytest

from pointsman.cli.tables import dollars, model_table, table, tokens
from pointsman.core.model_card import ModelCard
from pointsman.core.usage import Price, Rates


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "0.00"),
        ("0.10", "0.10"),
        ("3", "3.00"),
        ("0.0375", "0.0375"),
        ("1E+1", "10.00"),
        ("2.50", "2.50"),
    ],
)
def test_dollars_are_never_rounded(amount, text):
    assert dollars(Decimal(amount)) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(None, "?"), (512, "512"), (32_000, "32k"), (8192, "8.19k"), (1_000_000, "1M"), (1_050_000, "1.05M")],
)
def test_tokens_are_short(count, text):
    assert tokens(count) == text


def test_columns_line_up():
    assert table(("a", "requests"), [("x", "1"), ("long", "1000")]) == (
        "a     requests\nx            1\nlong      1000"
    )


def test_unknown_is_shown_as_unknown_and_long_prompts_are_marked():
    rates = Rates(Decimal(1), Decimal(2))
    cards = [
        ModelCard("known", "p", "id-1", "simple", Price(rates, "config", ((1000, rates),)), 1000),
        ModelCard("unknown", "p", "unknown"),
    ]
    text = model_table(cards)
    first, second = text.splitlines()[1:3]
    assert first.split() == ["known", "p", "id-1", "simple", "1.00+", "2.00+", "1k", "?"]
    assert second.split() == ["unknown", "p", "-", "?", "?", "?", "?"]
    assert text.endswith("+ dearer for long prompts")


def test_ids_are_left_out_where_they_are_the_names():
    assert " id " not in model_table([ModelCard("same", "p", "same")])
