"""Sums over the ledger: what was asked, what it cost and what it saved, by model and by day; and what of
it others learn from. It reads only, and prints nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from operator import add, attrgetter
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Row, Select, and_, case, cast, create_engine, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool
from sqlalchemy.types import BigInteger

from pointsman.core.decision import Share
from pointsman.ledger.database import LedgerError, open_for_reading
from pointsman.ledger.schema import Picodollars, attempts, feedback, requests, side_calls

Query = Select[Any]

_EPOCH = datetime.fromtimestamp(0, UTC).date()
_DAY_S = 86_400
_ZERO = Decimal(0)

_TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
_SUMS = ("requests", *_TOKENS, "cost_usd", "side_usd", "unknown_cost", "baseline_usd", "savings_usd")


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over some requests. Tokens are those reported; the cache's are part of `input_tokens`, the reasoning's
    of `output_tokens`.

    `cost_usd` adds up the costs that are known; `side_usd` is the part of it that was not paid for answers: judges,
    and answers that were not good enough. `unknown_cost` counts the requests that may have cost something
    nobody knows: no price or no usage, and neither refused nor failed. `baseline_usd` is what the same usage would
    have cost at the baseline model, `savings_usd` the difference over those requests alone where both are known, less what was
    paid beside their answers.
    """

    requests: int = 0
    complete: int = 0
    failed_over: int = 0
    partial: int = 0
    refused: int = 0
    failed: int = 0
    cancelled: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    cost_usd: Decimal = _ZERO
    side_usd: Decimal = _ZERO
    unknown_cost: int = 0
    baseline_usd: Decimal = _ZERO
    savings_usd: Decimal = _ZERO

    def __add__(self, other: "Totals") -> "Totals":
        return Totals(*map(add, _values(self), _values(other)))


_values = attrgetter(*(field.name for field in fields(Totals)))


@dataclass(frozen=True, slots=True)
class ModelTotals:
    """`model` and `provider` are None for the requests that no model answered."""

    model: str | None
    provider: str | None
    totals: Totals


@dataclass(frozen=True, slots=True)
class DayTotals:
    """A day in UTC."""

    day: date
    totals: Totals


@dataclass(frozen=True, slots=True)
class Failures:
    """How often attempts at one model ended in one fault. `status` is the provider's, None where there was none."""

    model: str
    provider: str
    fault: str
    status: int | None
    attempts: int


@dataclass(frozen=True, slots=True)
class SideTotals:
    """What one model was asked besides for answers, as `kind` says. `cached` opinions were at hand and free."""

    kind: str
    model: str
    provider: str
    calls: int
    complete: int
    cached: int
    input_tokens: int
    output_tokens: int
    cost_usd: Decimal


@dataclass(frozen=True, slots=True)
class Summary:
    """`models` are in the order of their cost, dearest first, `days` in the order of time, `failures` the most
    frequent first, `beside` what was paid for besides answers. A request counts where it started. `simulated` requests,
    answered by simulated models before there were others, are in none of it."""

    since_s: float | None
    until_s: float | None
    totals: Totals
    models: tuple[ModelTotals, ...]
    days: tuple[DayTotals, ...]
    failures: tuple[Failures, ...] = ()
    beside: tuple[SideTotals, ...] = ()
    simulated: int = 0


def summary(
    path: Path, since_s: float | None = None, until_s: float | None = None, *, simulator: str | None = None
) -> Summary:
    """Of the requests that started at `since_s` (Unix time) or later and before `until_s`. What the provider `simulator`
    answered counts where nobody else has answered anything: its costs are none. Raises LedgerError."""
    models: dict[tuple[str | None, str | None], Totals] = {}
    days: dict[date, Totals] = {}
    everything = Totals()
    cells, failures, beside = _read(
        path, _cells(since_s, until_s), _failures(since_s, until_s), _beside(since_s, until_s)
    )
    simulated = 0
    if simulator is not None and any(row.provider not in {None, simulator} for row in cells):
        simulated = sum(row.requests for row in cells if row.provider == simulator)
        cells, failures, beside = (
            [row for row in rows if row.provider != simulator] for rows in (cells, failures, beside)
        )
    for row in cells:
        totals = _totals(row)
        everything += totals
        model = (row.model, row.provider)
        models[model] = models.get(model, Totals()) + totals
        day = _EPOCH + timedelta(days=row.day)
        days[day] = days.get(day, Totals()) + totals
    return Summary(
        since_s,
        until_s,
        everything,
        tuple(
            ModelTotals(*model, models[model]) for model in sorted(models, key=lambda m: _rank(m, models[m]))
        ),
        tuple(DayTotals(day, days[day]) for day in sorted(days)),
        tuple(Failures(**row._asdict()) for row in failures),
        tuple(SideTotals(**{**row._asdict(), "cost_usd": row.cost_usd or _ZERO}) for row in beside),
        simulated,
    )


def scores_since(path: Path, since_s: float) -> list[float]:
    """Of the routed requests that started at `since_s` (Unix time) or later. Raises LedgerError."""
    r = requests.c
    (rows,) = _read(path, select(r.score).where(r.started_at_s >= since_s, r.score.is_not(None)))
    return [row.score for row in rows]


class Reported(NamedTuple):
    """A report on the answer to a routed request: `quality` 0..1, `tier` the one that gave the answer, `shares` as
    they were booked (signal, value, share)."""

    quality: float
    tier: str | None
    shares: tuple[Share, ...]


def reported_since(path: Path, since_s: float) -> list[Reported]:
    """Reports since then (Unix time) on routed requests, oldest first. Raises LedgerError."""
    r, f = requests.c, feedback.c
    (rows,) = _read(
        path,
        select(f.quality, f.tier, r.reasons)
        .join_from(feedback, requests, f.feedback_id == r.request_id)
        .where(f.at_s >= since_s, r.reasons.is_not(None))
        .order_by(f.at_s, f.feedback_id),
    )
    return [Reported(row.quality, row.tier, _shares(row.reasons)) for row in rows]


_shares = msgspec.json.Decoder(tuple[Share, ...]).decode


def _rank(model: tuple[str | None, str | None], totals: Totals) -> tuple[Decimal, int, str, str]:
    return (-totals.cost_usd, -totals.requests, model[0] or "", model[1] or "")


def _cells(since_s: float | None, until_s: float | None) -> Query:
    """One row per day, model and outcome. The rest is added up in Python, whose whole numbers have no end:
    SQLite's sums stop at 9.2 million dollars."""
    r = requests.c
    day = cast(r.started_at_s / _DAY_S, BigInteger).label("day")
    both_known = and_(r.cost_picodollars.is_not(None), r.baseline_picodollars.is_not(None))
    unknown = and_(r.cost_picodollars.is_(None), r.outcome.not_in(("failed", "refused")))
    s = side_calls.c
    paid = (
        select(s.request_id, func.sum(s.cost_picodollars).label("side"))
        .where(s.cost_picodollars.is_not(None))
        .group_by(s.request_id)
        .subquery()
    )
    side = func.coalesce(paid.c.side, 0)
    saved = r.baseline_picodollars - r.cost_picodollars - side
    query = (
        select(
            day,
            r.model,
            r.provider,
            r.outcome,
            func.count().label("requests"),
            *(func.sum(r[name]).label(name) for name in _TOKENS),
            func.sum(func.coalesce(r.cost_picodollars, 0) + side, type_=Picodollars).label("cost_usd"),
            func.sum(side, type_=Picodollars).label("side_usd"),
            func.count(case((unknown, 1))).label("unknown_cost"),
            func.sum(r.baseline_picodollars).label("baseline_usd"),
            func.sum(case((both_known, saved)), type_=Picodollars).label("savings_usd"),
        )
        .select_from(requests.outerjoin(paid, paid.c.request_id == r.request_id))
        .group_by(day, r.model, r.provider, r.outcome)
    )
    return _between(query, since_s, until_s)


def _failures(since_s: float | None, until_s: float | None) -> Query:
    a = attempts.c
    many = func.count().label("attempts")
    query = (
        select(a.model, a.provider, a.fault, a.status, many)
        .join(requests, requests.c.request_id == a.request_id)
        .where(a.fault.is_not(None))
        .group_by(a.model, a.provider, a.fault, a.status)
        .order_by(many.desc(), a.model, a.fault)
    )
    return _between(query, since_s, until_s)


def _beside(since_s: float | None, until_s: float | None) -> Query:
    s = side_calls.c
    cost = func.sum(s.cost_picodollars).label("cost_usd")
    query = (
        select(
            s.kind,
            s.model,
            s.provider,
            func.count().label("calls"),
            func.count(case((s.outcome == "complete", 1))).label("complete"),
            func.count(case((s.outcome == "cached", 1))).label("cached"),
            func.coalesce(func.sum(s.input_tokens), 0).label("input_tokens"),
            func.coalesce(func.sum(s.output_tokens), 0).label("output_tokens"),
            cost,
        )
        .join(requests, requests.c.request_id == s.request_id)
        .group_by(s.kind, s.model, s.provider)
        .order_by(cost.desc(), s.kind, s.model)
    )
    return _between(query, since_s, until_s)


def _between(query: Query, since_s: float | None, until_s: float | None) -> Query:
    r = requests.c
    if since_s is not None:
        query = query.where(r.started_at_s >= since_s)
    if until_s is not None:
        query = query.where(r.started_at_s < until_s)
    return query


def _read(path: Path, *queries: Query) -> list[Sequence[Row[Any]]]:
    with open_for_reading(path) as connection:
        engine = create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)
        try:
            with engine.connect() as reader:
                return [reader.execute(query).all() for query in queries]
        except DBAPIError as error:
            raise LedgerError(f"cannot read the ledger {path}: {error.orig}") from error


def _totals(row: Row[Any]) -> Totals:
    sums = row._asdict()
    outcome = {sums["outcome"]: sums["requests"]}
    return Totals(**outcome, **{name: sums[name] for name in _SUMS if sums[name] is not None})
