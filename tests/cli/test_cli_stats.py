import json
import time
from decimal import Decimal
from pathlib import Path

import pytest

from pointsman.core.usage import Price, Rates, Usage
from pointsman.ledger.entry import Attempt, Entry, SideCall
from pointsman.ledger.store import Ledger

CHEAP = Price(Rates(Decimal("0.10"), Decimal("0.40")), "config")
DEAR = Price(Rates(Decimal(10), Decimal(50)), "config")


def entry(number: int, age_s: float = 0.0, price: Price | None = CHEAP) -> Entry:
    return Entry(
        request_id=f"pm_{number}",
        started_at_s=time.time() - age_s,
        caller="anonymous",
        dialect="openai-chat",
        requested_model="auto",
        decision=None,
        model="tiny",
        provider="local",
        stream=False,
        usage=Usage(input_tokens=1000, output_tokens=100),
        price=price,
        baseline=DEAR,
        first_token_ms=1.0,
        total_ms=2.0,
        status=200,
        outcome="complete",
    )


@pytest.fixture
def booked(home: Path) -> Path:
    """A ledger with two requests of today, one without a price, and one of long ago."""
    path = home / "state" / "ledger.db"
    ledger = Ledger(path)
    ledger.open()
    failed = Attempt(1, "big", "far", 0.0, 503, "failed", "overloaded", None, 2.0)
    ledger.record(entry(1), (failed,))
    for row in (entry(2), entry(3, price=None), entry(4, age_s=100 * 86_400)):
        ledger.record(row, ())
    assert ledger.close()
    return path


def test_stats_leaves_out_what_was_tried_with_simulated_models(booked, run):
    ledger = Ledger(booked)
    ledger.open()
    ledger.record(entry(5)._replace(model="demo-simple", provider="demo"))
    assert ledger.close()
    ran = run("stats")
    assert "3 requests since" in ran.output
    assert "1 request was answered by simulated models and not in these sums." in ran.output
    assert json.loads(run("stats", "--json").output)["simulated"] == 1


def test_stats_sums_by_model_and_day(booked, run):
    ran = run("stats")
    assert ran.exit_code == 0
    lines = [line.split() for line in ran.output.splitlines()]
    # 1000 * 0.10 + 100 * 0.40 dollars per million, twice
    assert ["tiny", "local", "3", "3,000", "300", "0.000280", "+", "?", "0.029720"] in lines
    assert ["total", "3", "3,000", "300", "0.000280", "+", "?", "0.029720"] in lines
    assert ["big", "far", "overloaded", "503", "1"] in lines
    assert "3 requests since" in ran.output
    assert "3 complete" in ran.output
    assert "The cost of 1 request is not known" in ran.output


def test_stats_tells_what_was_paid_besides_answers(home, run):
    price = Price(Rates(Decimal(1), Decimal(2)), "config")
    judged = SideCall("judge", "small", "near", "complete", None, Usage(1000, 10), price, 3.0)
    ledger = Ledger(home / "state" / "ledger.db")
    ledger.open()
    ledger.record(entry(1)._replace(side_calls=(judged,)), ())
    assert ledger.close()
    lines = [line.split() for line in run("stats").output.splitlines()]
    assert ["judge", "small", "near", "1", "0", "1,000", "10", "0.001020"] in lines
    (beside,) = json.loads(run("stats", "--json").output)["beside"]
    assert (beside["kind"], beside["calls"], beside["cost_usd"]) == ("judge", 1, 0.00102)


def test_stats_counts_the_days_it_is_told(booked, run):
    assert json.loads(run("stats", "--days", "1", "--json").output)["totals"]["requests"] == 3
    assert json.loads(run("stats", "--days", "365", "--json").output)["totals"]["requests"] == 4


def test_stats_as_json_is_exact(booked, run):
    found = json.loads(run("stats", "--json").output)
    assert found["ledger"] == str(booked)
    assert found["totals"]["cost_usd"] == 0.00028
    assert [(model["model"], model["provider"], model["requests"]) for model in found["models"]] == [
        ("tiny", "local", 3)
    ]
    assert len(found["days"]) == 1


def test_stats_without_a_ledger_is_nothing_and_no_error(run, home):
    ran = run("stats")
    assert ran.exit_code == 0
    assert "Nothing was booked" in ran.output
    assert not (home / "state").exists()


def test_stats_needs_no_keys(run, home):
    (home / "pointsman.yaml").write_text(
        "providers: {openai: {api_key: $NOT_SET}}\nmodels: {m: {provider: openai}}\nledger: {path: here.db}\n"
    )
    ran = run("stats", "--json")
    assert ran.exit_code == 0
    assert json.loads(ran.output)["ledger"] == "here.db"


def test_stats_of_what_is_no_ledger_is_said_in_words(run, home):
    (home / "state").mkdir()
    (home / "state" / "ledger.db").write_bytes(b"not a database at all, but long enough" * 100)
    ran = run("stats")
    assert ran.exit_code == 2
    assert "ledger.db" in ran.output
