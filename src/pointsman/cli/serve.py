"""`pointsman serve`: says what is about to be served, then serves it."""

from collections.abc import Mapping
from pathlib import Path

import typer

from pointsman.app import serve
from pointsman.cli.tables import model_table
from pointsman.config.cards import cards_of
from pointsman.config.load import load


def run(path: Path | None, flags: Mapping[str, object], environ: Mapping[str, str]) -> int:
    loaded = load(path, environ, flags)
    typer.echo(model_table(cards_of(loaded.settings)))
    for note in loaded.notes:
        typer.echo(note)
    for warning in loaded.warnings:
        typer.echo(f"warning: {warning}", err=True)
    return serve(loaded)
