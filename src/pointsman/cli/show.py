"""`pointsman config show` and `config schema`: every value in force with its origin, and what the file may hold."""

import importlib.resources
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path

import typer
from pydantic import SecretStr

from pointsman.cli.tables import table
from pointsman.config.cards import baseline_of, cards_of
from pointsman.config.loaded import Loaded
from pointsman.config.references import MASK, is_secret
from pointsman.config.source import Where, dotted
from pointsman.config.values import policy_of, providers_of
from pointsman.control.discoverer import load_with_models
from pointsman.core.model_card import ModelCard
from pointsman.upstream.known_providers import KNOWN_PROVIDERS


def run(path: Path | None, flags: Mapping[str, object], environ: Mapping[str, str]) -> int:
    loaded = load_with_models(path, environ, flags)
    where = str(loaded.path) if loaded.path is not None else "none"
    typer.echo(f"configuration file: {where}\n")
    typer.echo(table(("setting", "value", "origin"), rows(loaded)))
    for warning in loaded.warnings:
        typer.echo(f"warning: {warning}", err=True)
    return 0


def schema() -> int:
    text = importlib.resources.files("pointsman.config").joinpath("pointsman.schema.json").read_text("utf-8")
    typer.echo(text, nl=False)
    return 0


def rows(loaded: Loaded) -> Iterator[tuple[str, str, str]]:
    """(dotted path, value, origin) of every setting, in the order of the schema."""
    settings = loaded.settings
    derived = _derived(loaded)
    values = settings.model_dump()
    policy = policy_of(settings)
    values["routing"] = {"boundaries": policy.boundaries, "weights": dict(policy.weights)}
    for where, value in _walk(values):
        path = dotted(where)
        origin = loaded.origin(path)
        if path in derived and origin.kind == "default":
            in_force, because = derived[path]
            yield path, _shown(in_force, where), because
        else:
            hidden = where[-1:] == ("base_url",) and "$" in origin.detail
            yield path, MASK if hidden else _shown(value, where), str(origin)


def _walk(value: object, where: Where = ()) -> Iterator[tuple[Where, object]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _walk(inner, (*where, key))
    else:
        yield where, value


def _derived(loaded: Loaded) -> dict[str, tuple[object, str]]:
    """What is in force where nothing was written, and by whose word."""
    settings = loaded.settings
    found: dict[str, tuple[object, str]] = {}
    for name, provider in providers_of(settings).items():
        origin = f"default (known as {name})" if name in KNOWN_PROVIDERS else "default"
        for key in ("dialect", "also_speaks", "base_url", "credential_header", "caller_key_prefixes"):
            found[f"providers.{name}.{key}"] = (getattr(provider, key), origin)
    cards = cards_of(settings)
    baseline = baseline_of(settings, cards)
    if baseline is not None:
        found["baseline_model"] = (baseline.name, "default (the dearest)")
    for card in cards:
        for key, value, origin in _card_values(card):
            found[f"models.{card.name}.{key}"] = (value, origin)
    return found


def _card_values(card: ModelCard) -> Iterator[tuple[str, object, str]]:
    yield "id", card.id, "default (the name)"
    if card.price is not None:
        origin = f"default ({card.price.source})"
        rates = card.price.rates
        for key in ("input", "output", "cache_read", "cache_write"):
            yield f"usd_per_million_{key}", getattr(rates, f"usd_per_million_{key}"), origin
    if card.context_tokens is not None:
        yield "context_tokens", card.context_tokens, "default (bundled data)"
    if card.abilities is not None:
        yield "abilities", card.abilities, "default (known model)"


def _shown(value: object, where: Where) -> str:
    match value:
        case None:
            return "-"
        case SecretStr():
            return MASK
        case _ if is_secret(where):
            return MASK
        case bool():
            return "true" if value else "false"
        case Decimal():
            return f"{value:f}"
        case frozenset():
            return f"[{', '.join(sorted(value))}]"
        case tuple() | list():
            return f"[{', '.join(str(item) for item in value)}]"
        case _:
            return str(value)
