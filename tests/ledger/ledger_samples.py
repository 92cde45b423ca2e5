"""Entries that ledger tests write, and the plain look into the file that they are checked with."""

import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

from pointsman.core.decision import Decision
from pointsman.core.model_card import ModelCard
from pointsman.core.usage import Price, Rates, Usage
from pointsman.ledger.entry import Attempt, Entry

TINY = Price(Rates(Decimal("0.10"), Decimal("0.40")), "configuration")
DEAR = Price(Rates(Decimal(15), Decimal(75), Decimal("1.5")), "genai-prices")
CARD = ModelCard("tiny", "local", "tiny-1", "simple", TINY)
ROUTED = Decision(
    requested="auto",
    profile="auto",
    chain=(CARD,),
    score=0.25,
    tier="simple",
    shares=(("size", 0.5, 0.125), ("tools", 1.0, 0.125)),
    rules=("tools need at least medium",),
    category="tools",
    confidence=0.875,
)


def entry(number: int = 1, **changes: Any) -> Entry:
    usual = Entry(
        request_id=f"pm_{number:011x}",
        started_at_s=1_764_000_000.125 + number,
        caller="master",
        dialect="openai-chat",
        requested_model="auto",
        decision=ROUTED,
        model="tiny",
        provider="local",
        stream=True,
        usage=Usage(1000, 100),
        price=TINY,
        baseline=DEAR,
        first_token_ms=120.5,
        total_ms=789.25,
        status=200,
        outcome="complete",
    )
    return usual._replace(**changes)


def attempt(number: int = 1, **changes: Any) -> Attempt:
    return Attempt(number, "tiny", "local", 0.5, 200, "complete", None, 119.0, 788.0)._replace(**changes)


def read(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


def number_of_requests(path: Path) -> int:
    count: int = read(path, "SELECT count(*) FROM requests")[0][0]
    return count
