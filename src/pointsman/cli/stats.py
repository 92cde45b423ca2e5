"""`pointsman stats`: what was asked, what it cost and what routing saved, by model and by day."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import typer

from pointsman.cli.tables import table
from pointsman.config.files import ledger_path
from pointsman.ledger.stats import Summary, Totals, summary
from pointsman.upstream.known_providers import DEMO

_SUMS = ("requests", "in", "out", "cost $", "saved $")
_DIGITS = 12


def run(path: Path | None, environ: Mapping[str, str], *, days: int, as_json: bool) -> int:
    ledger = ledger_path(path, environ)
    first_day = datetime.now(UTC).date() - timedelta(days=days - 1)
    since_s = datetime.combine(first_day, time(), UTC).timestamp()
    found = (
        summary(ledger, since_s, simulator=DEMO)
        if ledger.exists()
        else Summary(since_s, None, Totals(), models=(), days=())
    )
    if as_json:
        typer.echo(json.dumps({"ledger": str(ledger), "since": f"{first_day}", **_plain(found)}, indent=2))
    else:
        typer.echo("\n".join(_lines(found, f"since {first_day} (UTC), from {ledger}")))
    return 0


def _lines(found: Summary, where: str) -> Iterator[str]:
    totals = found.totals
    if not totals.requests:
        yield f"Nothing was booked {where}."
        return
    outcomes = ", ".join(
        f"{count} {word.replace('_', ' ')}"
        for word in ("complete", "failed_over", "partial", "refused", "failed", "cancelled")
        if (count := getattr(totals, word))
    )
    yield f"{totals.requests} requests {where}: {outcomes}"
    yield ""
    rows = [(one.model or "(none)", one.provider or "", *_sums(one.totals)) for one in found.models]
    yield table(("model", "provider", *_SUMS), [*rows, ("total", "", *_sums(totals))])
    yield ""
    yield table(("day", *_SUMS), [(f"{one.day}", *_sums(one.totals)) for one in found.days])
    if found.failures:
        yield ""
        yield table(
            ("failed attempts at", "provider", "because", "status", "times"),
            [
                (one.model, one.provider, one.fault, f"{one.status or ''}", f"{one.attempts:,}")
                for one in found.failures
            ],
        )
    if found.beside:
        yield ""
        yield table(
            ("besides answers", "model", "provider", "times", "from memory", "in", "out", "cost $"),
            [
                (
                    one.kind,
                    one.model,
                    one.provider,
                    f"{one.calls:,}",
                    f"{one.cached:,}",
                    f"{one.input_tokens:,}",
                    f"{one.output_tokens:,}",
                    f"{one.cost_usd:.6f}",
                )
                for one in found.beside
            ],
        )
    if totals.unknown_cost:
        yield ""
        many = "1 request is" if totals.unknown_cost == 1 else f"{totals.unknown_cost} requests is"
        yield f"The cost of {many} not known and not in these sums: no price, or no usage was reported."
    if found.simulated:
        yield ""
        many = "1 request was" if found.simulated == 1 else f"{found.simulated} requests were"
        yield f"{many} answered by simulated models and not in these sums."


def _sums(totals: Totals) -> tuple[str, ...]:
    return (
        f"{totals.requests:,}",
        f"{totals.input_tokens:,}",
        f"{totals.output_tokens:,}",
        _cost(totals),
        f"{totals.savings_usd:.6f}",
    )


def _cost(totals: Totals) -> str:
    """What is known of it; a question mark stands for what is not."""
    if not totals.unknown_cost:
        return f"{totals.cost_usd:.6f}"
    return f"{totals.cost_usd:.6f} + ?" if totals.cost_usd else "?"


def _plain(found: Summary) -> dict[str, Any]:
    return {
        "totals": _numbers(found.totals),
        "simulated": found.simulated,
        "models": [
            {"model": one.model, "provider": one.provider, **_numbers(one.totals)} for one in found.models
        ],
        "failures": [asdict(one) for one in found.failures],
        "beside": [{**asdict(one), "cost_usd": round(float(one.cost_usd), _DIGITS)} for one in found.beside],
        "days": [{"day": f"{one.day}", **_numbers(one.totals)} for one in found.days],
    }


def _numbers(totals: Totals) -> dict[str, float | None]:
    numbers: dict[str, float | None] = {
        name: round(float(value), _DIGITS) if isinstance(value, Decimal) else value
        for name, value in asdict(totals).items()
    }
    if totals.unknown_cost and not totals.cost_usd:
        numbers["cost_usd"] = None
    return numbers
