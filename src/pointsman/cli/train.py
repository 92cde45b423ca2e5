"""`pointsman train`: weights from a labelled file, to be named in `routing.learned.path`."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import typer

from pointsman.cli.evaluate import pair_of
from pointsman.config.learned import shipped_weights
from pointsman.config.load import load
from pointsman.config.values import policy_of
from pointsman.core.errors import ConfigError, Problem
from pointsman.learning.adapting import LABELS_MIN, adapt, correction, with_chances
from pointsman.learning.evaluation import both_of
from pointsman.learning.metrics import apgr, outcomes_of
from pointsman.learning.outcomes import read_labelled
from pointsman.learning.production import Production
from pointsman.learning.training import Example, Prepared, train
from pointsman.routing.learned import LEARNED, Learned

_FOLDS = 5
_FULL_WEIGHT = 1.0


def run(
    file: Path,
    output: Path,
    path: Path | None,
    environ: Mapping[str, str],
    *,
    weak: str | None,
    strong: str | None,
    from_nothing: bool,
) -> int:
    policy = policy_of(load(path, environ, {}).settings)
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
