"""`pointsman check`: everything a start does short of listening."""

import os
from collections.abc import Mapping, Sized
from pathlib import Path

import typer

from pointsman.app import Lasting, build
from pointsman.control.discoverer import load_with_models
from pointsman.core.ports import Incoming, Outgoing
from pointsman.ledger.database import LedgerError, prepare


def run(path: Path | None, flags: Mapping[str, object], environ: Mapping[str, str]) -> int:
    loaded = load_with_models(path, environ, flags)
    settings = loaded.settings
    cards = build(settings, Lasting(_nowhere, _unbooked), now_s=0).brain.cards
    if settings.ledger.enabled and settings.ledger.path is not None:
        _check_ledger(Path(settings.ledger.path))
    for warning in loaded.warnings:
        typer.echo(f"warning: {warning}")
    for note in loaded.notes:
        typer.echo(f"note: {note}")
    for card in cards:
        unknown = [
            word
            for word, value in (("price", card.price), ("context size", card.context_tokens))
            if value is None
        ]
        if unknown:
            typer.echo(f"note: models.{card.name}: {' and '.join(unknown)} not known")
    where = str(loaded.path) if loaded.path is not None else "What was found in the environment"
    used = [tier for tier in settings.tiers if any(card.tier == tier for card in cards)]
    typer.echo(
        f"{where} is fine: {_count(cards, 'model')} of {_count(settings.providers, 'provider')},"
        f" tiers {', '.join(used) or 'none'}, on {settings.server.host}:{settings.server.port},"
        f" {'with' if settings.server.master_key else 'without'} a master key."
    )
    return 0


def _count(things: Sized, word: str) -> str:
    count = len(things)
    return f"{count} {word}{'' if count == 1 else 's'}"


def _check_ledger(path: Path) -> None:
    """Raises LedgerError where a start would. A ledger that is not there yet is not made."""
    if path.exists():
        prepare(path)
        return
    nearest = next(folder for folder in path.absolute().parents if folder.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        raise LedgerError(f"cannot create {path} for the ledger: {nearest} cannot be written to")


async def _nowhere(outgoing: Outgoing) -> Incoming:
    raise AssertionError("a check sends nothing")


def _unbooked(entry: object, attempts: object) -> None:
    raise AssertionError("a check books nothing")
