"""Sums over a ledger's file."""

import sqlite3
import tempfile
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_samples import attempt, entry

from pointsman.core.usage import Price, Rates, Usage
from pointsman.ledger.database import LedgerError, prepare
from pointsman.ledger.entry import Entry, SideCall
from pointsman.ledger.stats import DayTotals, ModelTotals, SideTotals, Totals, summary
from pointsman.ledger.store import Ledger


def book(path: Path, entries: Iterable[Entry]) -> Path:
    ledger = Ledger(path)
    ledger.open()
    for booked in entries:
        ledger.record(booked)
    assert ledger.close(30)
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


def noon(day: int) -> float:
    return datetime(2026, 3, day, 12, tzinfo=UTC).timestamp()


def test_empty_ledger_sums_to_nothing(path: Path) -> None:
    prepare(path)

    found = summary(path)

    assert found.totals == Totals()
    assert found.models == ()
    assert found.days == ()


def test_missing_ledger_is_an_error(path: Path) -> None:
    with pytest.raises(LedgerError, match="there is no ledger"):
        summary(path)


def test_ledger_without_its_tables_is_an_error(path: Path) -> None:
    prepare(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE requests")

    with pytest.raises(LedgerError, match=f"cannot read the ledger {path}: no such table: requests"):
        summary(path)


def test_ledger_of_an_older_version_is_an_error(path: Path) -> None:
    prepare(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM alembic_version")

    with pytest.raises(LedgerError, match=f"{path} is of an older version: start the gateway once"):
        summary(path)


def test_all_kinds_of_requests_are_summed(path: Path) -> None:
    free = Price(Rates(Decimal(0), Decimal(0)), "demo")
    book(
        path,
        [
            entry(1, started_at_s=noon(1), usage=Usage(1000, 100, 400, 200, 50, 30)),
            entry(2, started_at_s=noon(1), usage=Usage(10, 1), outcome="partial", fault="broken"),
            entry(3, started_at_s=noon(2), usage=None, outcome="cancelled", status=499),
            entry(4, started_at_s=noon(2), usage=Usage(50, 5), price=None, model="rare", provider="other"),
            entry(5, started_at_s=noon(2), usage=Usage(20, 2), baseline=None),
            entry(6, started_at_s=noon(3), usage=Usage(5, 5), price=free, model="demo", provider="demo"),
            entry(
                7,
                started_at_s=noon(3),
                decision=None,
                model=None,
                provider=None,
                usage=None,
                status=404,
                outcome="failed",
            ),
        ],
    )

    found = summary(path)

    cost_1 = Decimal("0.00014")
    cost_2 = Decimal("0.0000014")
    cost_5 = Decimal("0.0000028")
    baseline_1 = Decimal("0.0171")  # 600 at 15, 400 at 1.5 and 100 at 75 a million
    baseline_2 = Decimal("0.000225")
    baseline_4 = Decimal("0.001125")
    baseline_6 = Decimal("0.00045")
    assert found.totals == Totals(
        requests=7,
        complete=4,
        partial=1,
        failed=1,
        cancelled=1,
        input_tokens=1085,
        output_tokens=113,
        cache_read_tokens=400,
        cache_write_tokens=200,
        reasoning_tokens=30,
        cost_usd=cost_1 + cost_2 + cost_5,
        unknown_cost=2,
        baseline_usd=baseline_1 + baseline_2 + baseline_4 + baseline_6,
        savings_usd=baseline_1 + baseline_2 + baseline_6 - cost_1 - cost_2,
    )
    assert [(one.model, one.provider, one.totals.requests) for one in found.models] == [
        ("tiny", "local", 4),
        (None, None, 1),
        ("demo", "demo", 1),
        ("rare", "other", 1),
    ]
    assert found.models[3] == ModelTotals(
        "rare",
        "other",
        Totals(
            requests=1, complete=1, input_tokens=50, output_tokens=5, unknown_cost=1, baseline_usd=baseline_4
        ),
    )
    assert [(one.day, one.totals.requests) for one in found.days] == [
        (date(2026, 3, 1), 2),
        (date(2026, 3, 2), 3),
        (date(2026, 3, 3), 2),
    ]
    assert found.days[1] == DayTotals(
        date(2026, 3, 2),
        Totals(
            requests=3,
            complete=2,
            cancelled=1,
            input_tokens=70,
            output_tokens=7,
            cost_usd=cost_5,
            unknown_cost=2,
            baseline_usd=baseline_4,
        ),
    )


def test_time_limits_take_the_first_and_leave_the_last(path: Path) -> None:
    book(path, [entry(day, started_at_s=noon(day)) for day in (1, 2, 3, 4)])

    found = summary(path, since_s=noon(2), until_s=noon(4))

    assert (found.since_s, found.until_s) == (noon(2), noon(4))
    assert [one.day.day for one in found.days] == [2, 3]
    assert found.totals.requests == 2


def test_failed_attempts_are_counted_by_model_and_cause(path: Path) -> None:
    ledger = Ledger(path)
    ledger.open()
    fails = [("tiny", "timed_out", None), ("tiny", "rate_limited", 429), ("big", None, 200)]
    for day in (1, 2, 3):
        tries = [
            attempt(number, model=model, fault=fault, status=status)
            for number, (model, fault, status) in enumerate(fails[: day + 1], 1)
        ]
        ledger.record(entry(day, started_at_s=noon(day)), tries)
    assert ledger.close(30)

    found = [(one.model, one.fault, one.status, one.attempts) for one in summary(path, noon(2)).failures]

    assert found == [("tiny", "rate_limited", 429, 2), ("tiny", "timed_out", None, 2)]


def test_simulated_models_cost_nothing_once_there_are_others(path: Path) -> None:
    ledger = Ledger(path)
    ledger.open()
    for number in (1, 2):
        tried = attempt(1, model="demo-simple", provider="demo", fault="timed_out")
        ledger.record(entry(number, model="demo-simple", provider="demo"), (tried,))
    assert ledger.close(30)

    tried_out = summary(path, simulator="demo")
    assert (tried_out.totals.requests, tried_out.simulated) == (2, 0), "there is nothing else to see"
    assert [one.provider for one in tried_out.models] == ["demo"]

    book(path, [entry(3)])
    found = summary(path, simulator="demo")
    assert (found.totals.requests, found.simulated) == (1, 2)
    assert found.totals == summary(book(path.with_name("other.db"), [entry(3)])).totals
    assert "demo" not in {one.provider for one in (*found.models, *found.failures)}


def test_days_change_at_midnight_utc(path: Path) -> None:
    midnight = datetime(2026, 3, 2, tzinfo=UTC).timestamp()
    book(path, [entry(1, started_at_s=midnight - 0.001), entry(2, started_at_s=midnight)])

    assert [one.day for one in summary(path).days] == [date(2026, 3, 1), date(2026, 3, 2)]


def test_sums_beyond_what_the_database_can_add_are_right(path: Path) -> None:
    """9.2 million dollars are the end of a sum in SQLite; these are of different days."""
    price = Price(Rates(Decimal(1_000_000), Decimal(0)), "test")
    book(
        path,
        [entry(day, started_at_s=noon(day), usage=Usage(6_000_000, 0), price=price) for day in range(1, 6)],
    )

    assert summary(path).totals.cost_usd == 30_000_000


def test_sum_reads_while_the_ledger_writes(path: Path) -> None:
    ledger = Ledger(path)
    ledger.open()
    ledger.record(entry(1))
    assert ledger.flush(30)

    assert summary(path).totals.requests == 1
    assert ledger.close(30)


money = st.decimals("0", "1000", places=6)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 10**7), st.integers(0, 10**7), money, money), max_size=30))
def test_sums_of_money_are_exact(booked: list[tuple[int, int, Decimal, Decimal]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = book(
            Path(folder) / "ledger.db",
            [
                entry(number, usage=Usage(into, out), price=Price(Rates(*rates), "test"))
                for number, (into, out, *rates) in enumerate(booked)
            ],
        )

        totals = summary(path).totals

    cost = sum((into * a + out * b for into, out, a, b in booked), Decimal(0)) / 1_000_000
    baseline = sum((into * 15 + out * 75 for into, out, _, _ in booked), Decimal(0)) / 1_000_000
    assert totals.cost_usd == cost
    assert totals.baseline_usd == baseline
    assert totals.savings_usd == baseline - cost


def test_what_is_paid_beside_answers_is_part_of_the_cost_and_no_saving(path: Path) -> None:
    """Two judges of one request, one from memory; a draft of another that nobody has a price for."""
    rates = Price(Rates(Decimal(1), Decimal(2)), "config")
    judged = (
        SideCall("judge", "small", "near", "complete", None, Usage(2_000_000, 500_000), rates, 12.0),
        SideCall("judge", "small", "near", "cached", None, None, rates, 0.0),
    )
    draft = SideCall("draft", "tiny", "local", "complete", None, Usage(10, 1), None, 30.0)
    plain = book(path, [entry(1, started_at_s=noon(1))])
    alone = summary(plain).totals
    book(
        path,
        [
            entry(2, started_at_s=noon(1), side_calls=judged),
            entry(3, started_at_s=noon(1), side_calls=(draft,)),
        ],
    )

    found = summary(path)

    assert found.totals.side_usd == 3
    assert found.totals.cost_usd == 3 * alone.cost_usd + 3
    assert found.totals.savings_usd == 3 * alone.savings_usd - 3
    assert found.beside == (
        SideTotals("judge", "small", "near", 2, 1, 1, 2_000_000, 500_000, Decimal(3)),
        SideTotals("draft", "tiny", "local", 1, 1, 0, 10, 1, Decimal(0)),
    )
    assert summary(path, since_s=noon(2)).beside == ()


def test_impossible_counts_of_a_judge_do_not_keep_its_request_out(path: Path) -> None:
    made_up = SideCall("judge", "small", "near", "complete", None, Usage(2**70, 1), None, 1.0)

    book(path, [entry(1, side_calls=(made_up,))])

    found = summary(path)
    assert found.totals.requests == 1
    assert found.beside[0].input_tokens == 0
