"""`pointsman check`: everything a start does short of listening."""

from collections.abc import Mapping, Sized
from pathlib import Path

import typer

from pointsman.app import build_brain
from pointsman.config.load import load
from pointsman.config.values import providers_of


def run(path: Path | None, flags: Mapping[str, object], environ: Mapping[str, str]) -> int:
    loaded = load(path, environ, flags)
    settings = loaded.settings
    cards = build_brain(settings).cards
    providers = providers_of(settings)
    for warning in loaded.warnings:
        typer.echo(f"warning: {warning}")
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
        f"{where} is fine: {_count(cards, 'model')} of {_count(providers, 'provider')},"
        f" tiers {', '.join(used) or 'none'}, on {settings.server.host}:{settings.server.port},"
        f" {'with' if settings.server.master_key else 'without'} a master key."
    )
    return 0


def _count(things: Sized, word: str) -> str:
    count = len(things)
    return f"{count} {word}{'' if count == 1 else 's'}"
