"""`pointsman train`: weights from a labelled file, or from what callers reported of answers; to be named in
`routing.learned.path`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import typer

from pointsman.cli.evaluate import pair_of
from pointsman.config.files import ledger_path
from pointsman.config.learned import shipped_weights
from pointsman.config.load import load
from pointsman.config.values import policy_of
from pointsman.core.errors import ConfigError, Problem
from pointsman.learning.adapting import LABELS_MIN, adapt, correction, with_chances
from pointsman.learning.evaluation import both_of
from pointsman.learning.metrics import apgr, outcomes_of
from pointsman.learning.outcomes import read_labelled
from pointsman.learning.production import Production
from pointsman.learning.reported import Rated, moved_weights, rightly_doubted, scores_by, with_signals
from pointsman.learning.training import Example, Prepared, train
from pointsman.ledger.stats import Reported, reported_since
from pointsman.routing.learned import BASE, LEARNED, Learned
from pointsman.routing.policy import Policy

_FOLDS = 5
_FULL_WEIGHT = 1.0
_SHOWN_MAX = 8


def run(
    file: Path | None,
    output: Path,
    path: Path | None,
    environ: Mapping[str, str],
    *,
    weak: str | None,
    strong: str | None,
    from_nothing: bool,
    days: int,
) -> int:
    settings = load(path, environ, {}).settings
    policy = policy_of(settings)
    if file is None:
        if from_nothing or weak is not None or strong is not None:
            raise ConfigError(
                [Problem("FILE", None, "a labelled file, for --weak, --strong and --from-nothing")]
            )
        named = settings.routing.learned.path
        in_force = shipped_weights() if named is None else Path(named).read_bytes()
        return _from_reports(ledger_path(path, environ), days, policy, in_force, output)
    return _from_labels(file, output, policy, weak=weak, strong=strong, from_nothing=from_nothing)


def _from_labels(
    file: Path,
    output: Path,
    policy: Policy,
    *,
    weak: str | None,
    strong: str | None,
    from_nothing: bool,
) -> int:
    rows = read_labelled(file)
    weak, strong = pair_of(rows, weak, strong)
    kept, outcomes = both_of(rows, weak, strong)
    if len(kept) < LABELS_MIN:
        few = Problem(
            str(file), f"{len(kept)} labels of {weak} and {strong}", f"{LABELS_MIN} or more: fewer do harm"
        )
        raise ConfigError([few])
    before = policy.weights.get(LEARNED, 0.0)
    production = Production(policy)
    whole = Production(replace(policy, weights={**policy.weights, LEARNED: _FULL_WEIGHT}))
    readings = [production.reading(row.prompt) for row in kept]
    prompts = [row.prompt for row in kept]
    gain = outcomes.strong - outcomes.weak
    used = production if from_nothing else whole
    if from_nothing:
        prepared = Prepared(
            [Example(row.prompt, row.scores[weak], row.scores[strong], row.source) for row in kept]
        )

    def fitted(places: list[int]) -> bytes:
        if from_nothing:
            return train(prepared, places, about=f"{len(places)} prompts: {strong} or {weak}")
        shipped = shipped_weights()
        scores = production.scores([readings[place] for place in places], Learned(shipped))
        terms = correction([prompts[place] for place in places], scores, gain[places])
        return adapt(shipped, before, terms)

    everything = list(range(len(kept)))
    held_back = np.zeros(len(kept))
    for fold in range(_FOLDS):
        inside = everything[fold::_FOLDS]
        learned = Learned(fitted([place for place in everything if place % _FOLDS != fold]))
        held_back[inside] = used.scores([readings[place] for place in inside], learned)
    need = np.clip(gain, 0.0, 1.0)
    output.write_bytes(with_chances(fitted(everything), held_back, need))
    shipped_scores = production.scores(readings, Learned(shipped_weights()))
    judged = outcomes_of(outcomes.weak, outcomes.strong, groups=[row.source for row in kept])
    typer.echo(f"{output}: from {len(kept):,} prompts with {strong} and {weak}")
    typer.echo(
        f"APGR on prompts held back: {apgr(held_back, judged):.3f}; shipped: {apgr(shipped_scores, judged):.3f}"
    )
    typer.echo("\nIn pointsman.yaml:\nrouting:")
    if not from_nothing:
        typer.echo(f"  weights: {{{LEARNED}: {_FULL_WEIGHT:g}}}")
    typer.echo(f"  learned:\n    path: {output}")
    typer.echo("\nThen draw the boundaries anew with `pointsman calibrate`.")
    return 0


def _from_reports(ledger: Path, days: int, policy: Policy, in_force: bytes, output: Path) -> int:
    since_s = (datetime.now(UTC) - timedelta(days=days)).timestamp()
    reported = reported_since(ledger, since_s) if ledger.exists() else []
    rated = list(_rated(reported, policy))
    if len(rated) < LABELS_MIN:
        found = f"{len(rated)} reports in {days} days on answers below the strongest tier"
        raise ConfigError([Problem(str(ledger), found, f"{LABELS_MIN} or more: fewer do harm")])
    moved_before = Learned(in_force).signals
    weights = {name: one + moved_before.get(name, 0.0) for name, one in policy.weights.items()}
    base = policy.base + moved_before.get(BASE, 0.0)
    held_back = np.zeros(len(rated))
    for fold in range(_FOLDS):
        outside = [row for place, row in enumerate(rated) if place % _FOLDS != fold]
        moved = moved_weights(outside, weights, base)
        held_back[fold::_FOLDS] = scores_by(rated[fold::_FOLDS], *_with(moved, weights, base))
    moved = moved_weights(rated, weights, base)
    output.write_bytes(with_signals(in_force, _sum(moved_before, moved)))
    now, then = rightly_doubted(rated, scores_by(rated, weights, base)), rightly_doubted(rated, held_back)
    typer.echo(f"{output}: from {len(rated):,} reports on answers below the strongest tier")
    typer.echo(
        f"of two answers the worse one doubted more: {then:.1%} on reports held back; before: {now:.1%}"
    )
    if not then > now:
        typer.echo("That is no better than what is in force: keep it, and come back with more reports.")
    for name, one in sorted(moved.items(), key=lambda item: -abs(item[1]))[:_SHOWN_MAX]:
        if one:
            typer.echo(f"  {name:<18} {one:+.3f}")
    typer.echo(f"\nIn pointsman.yaml:\nrouting:\n  learned:\n    path: {output}")
    typer.echo("\nThen draw the boundaries anew with `pointsman calibrate`.")
    return 0


def _rated(reported: Sequence[Reported], policy: Policy) -> Iterator[Rated]:
    ceilings = dict(zip(policy.tiers, policy.boundaries, strict=False))  # the strongest has none
    for report in reported:
        ceiling = ceilings.get(report.tier or "")
        if ceiling is not None:
            values: dict[str, float] = {}
            for name, value, _ in report.shares:
                values[name] = values.get(name, 0.0) + value
            yield Rated(report.quality, ceiling, values)


def _with(
    moved: Mapping[str, float], weights: Mapping[str, float], base: float
) -> tuple[dict[str, float], float]:
    return {name: one + moved.get(name, 0.0) for name, one in weights.items()}, base + moved.get(BASE, 0.0)


def _sum(one: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
    return {name: round(one.get(name, 0.0) + other.get(name, 0.0), 4) for name in {**one, **other}}
