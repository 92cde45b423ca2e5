"""What an entry becomes in the database, before any database is there."""

import json
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from ledger_samples import ROUTED, TINY, attempt, entry
from sqlalchemy import Column, MetaData, Table, create_engine, func, select

from pointsman.core.decision import Decision
from pointsman.core.usage import Price, Rates, Usage, cost_usd
from pointsman.ledger import schema
from pointsman.ledger.entry import Entry
from pointsman.ledger.money import from_picodollars, to_picodollars
from pointsman.ledger.rows import (
    ATTEMPT_COLUMNS,
    REQUEST_COLUMNS,
    SIDE_CALL_COLUMNS,
    attempt_row,
    request_row,
)


def row_of(entry: Entry) -> dict[str, Any]:
    return dict(zip(REQUEST_COLUMNS, request_row(entry), strict=True))


def test_columns_are_those_of_the_schema() -> None:
    assert tuple(schema.requests.c.keys()) == REQUEST_COLUMNS
    assert tuple(schema.attempts.c.keys()) == ATTEMPT_COLUMNS
    assert tuple(schema.side_calls.c.keys()) == SIDE_CALL_COLUMNS


def test_routed_request_keeps_its_decision() -> None:
    row = row_of(entry())

    assert row["profile"] == "auto"
    assert row["tier"] == "simple"
    assert row["score"] == 0.25
    assert row["chosen_model"] == "tiny"
    assert row["chosen_provider"] == "local"
    assert json.loads(row["reasons"]) == [["size", 0.5, 0.125], ["tools", 1.0, 0.125]]
    assert json.loads(row["rules"]) == ["tools need at least medium"]


def test_words_of_the_prompt_stay_out() -> None:
    assert "words of the prompt" not in str(request_row(entry()))


def test_pinned_request_has_no_score_and_no_reasons() -> None:
    row = row_of(entry(decision=Decision("tiny", "pinned", ROUTED.chain)))

    assert (row["profile"], row["chosen_model"]) == ("pinned", "tiny")
    assert row["tier"] is row["score"] is row["reasons"] is row["rules"] is None


def test_refused_request_has_no_decision_and_no_cost() -> None:
    row = row_of(
        entry(
            decision=None,
            model=None,
            provider=None,
            usage=None,
            status=404,
            outcome="failed",
            fault="UnknownModel",
        )
    )

    assert {row[name] for name in REQUEST_COLUMNS[5:14]} == {None}
    assert {row[name] for name in REQUEST_COLUMNS[15:25]} == {None}
    assert row["fault"] == "UnknownModel"


def test_cost_and_baseline_are_picodollars() -> None:
    row = row_of(entry(usage=Usage(1000, 100, cache_read_tokens=400)))

    assert row["cost_picodollars"] == 140_000_000  # 1,000 at 0.10 and 100 at 0.40 a million
    assert row["baseline_picodollars"] == (600 * 15_000_000) + 400 * 1_500_000 + 100 * 75_000_000


def test_unknown_price_leaves_cost_empty_and_keeps_the_baseline() -> None:
    row = row_of(entry(price=None))

    assert row["cost_picodollars"] is None
    assert row["price_source"] is None
    assert row["rates"] is None
    assert row["baseline_picodollars"] == 22_500_000_000


def test_usage_without_output_leaves_both_costs_empty() -> None:
    row = row_of(entry(usage=Usage(1000)))

    assert row["input_tokens"] == 1000
    assert row["cost_picodollars"] is row["baseline_picodollars"] is None


def test_rates_are_those_that_were_charged() -> None:
    long = Price(
        TINY.rates, "configuration", above=((500, Rates(Decimal("0.20"), Decimal("0.80"), Decimal("0.02"))),)
    )

    row = row_of(entry(price=long))

    assert json.loads(row["rates"]) == {"input": "0.20", "output": "0.80", "cache_read": "0.02"}
    assert row["price_source"] == "configuration"


def test_what_was_dropped_is_listed() -> None:
    assert row_of(entry(dropped=("seed", "top_k")))["dropped"] == '["seed","top_k"]'
    assert row_of(entry())["dropped"] is None


def test_requested_name_of_any_length_is_cut() -> None:
    assert row_of(entry(requested_model="x" * 10_000))["requested_model"] == "x" * 200


def test_attempt_row_begins_with_its_request() -> None:
    row = dict(
        zip(ATTEMPT_COLUMNS, attempt_row("pm_1", attempt(2, fault="overloaded", status=529)), strict=True)
    )

    assert (row["request_id"], row["number"], row["fault"], row["status"]) == ("pm_1", 2, "overloaded", 529)


def test_dollars_pass_through_a_database_exactly() -> None:
    usd = Decimal("0.000000000001")
    engine = create_engine("sqlite://")
    table = Table("costs", MetaData(), Column("cost", schema.Picodollars))
    with engine.begin() as connection:
        table.create(connection)
        connection.execute(table.insert(), [{"cost": usd}, {"cost": usd * 2}, {"cost": None}])

        assert connection.scalars(select(table.c.cost)).all() == [usd, usd * 2, None]
        assert connection.scalar(select(func.sum(table.c.cost))) == usd * 3
    engine.dispose()


@given(st.integers(min_value=-(2**63), max_value=2**63 - 1))
def test_picodollars_come_back_exactly(picodollars: int) -> None:
    assert to_picodollars(from_picodollars(picodollars)) == picodollars


@given(
    st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**9)), max_size=20),
    st.decimals("0", "10000", places=6),
    st.decimals("0", "10000", places=6),
)
def test_prices_of_six_decimals_lose_nothing(
    tokens: list[tuple[int, int]], into: Decimal, out: Decimal
) -> None:
    price = Price(Rates(into, out), "test")
    costs = [cost_usd(Usage(*pair), price) or Decimal(0) for pair in tokens]

    assert from_picodollars(sum(map(to_picodollars, costs))) == sum(costs)


def test_half_a_picodollar_goes_to_the_even_side() -> None:
    assert [to_picodollars(Decimal(n) / 2 / 10**12) for n in (1, 3, 5)] == [0, 2, 2]
