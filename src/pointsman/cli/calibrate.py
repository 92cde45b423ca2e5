"""`pointsman calibrate`: where to draw the line between weak and strong tiers, for a share of strong calls or for a
quality to keep. It changes nothing; what it finds is printed to be put into the configuration."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import typer

from pointsman.cli.evaluate import pair_of, rates_of
from pointsman.config.files import ledger_path
from pointsman.config.learned import weights_of
from pointsman.config.load import load
from pointsman.config.values import policy_of
from pointsman.core.errors import ConfigError, Problem
from pointsman.learning.calibration import Cut, cut_for_quality, cut_for_share, moved
from pointsman.learning.evaluation import both_of
from pointsman.learning.metrics import Floats, Interval
from pointsman.learning.outcomes import read_labelled, read_log
from pointsman.learning.production import Production
from pointsman.ledger.stats import scores_since
from pointsman.routing.learned import Learned

_FEW = 200


def run(
    file: Path | None,
    path: Path | None,
    environ: Mapping[str, str],
    *,
    strong_share: float | None,
    keep_quality: float | None,
    weak: str | None,
    strong: str | None,
    days: int,
    as_json: bool,
) -> int:
    if (strong_share is None) == (keep_quality is None):
        raise ConfigError(
            [
                Problem(
                    "--strong-share, --keep-quality",
                    "both or none",
                    "one of the two, such as --strong-share 0.3",
                )
            ]
        )
    settings = load(path, environ, {}).settings
    policy, learned = policy_of(settings), weights_of(settings.routing.learned)
    production = Production(policy)
    if keep_quality is not None:
        if file is None:
            raise ConfigError([Problem("FILE", None, "a labelled file, since quality is to be kept")])
        rows = read_labelled(file)
        weak, strong = pair_of(rows, weak, strong)
        kept, outcomes = both_of(rows, weak, strong, rates_of(settings, (weak, strong)))
        scores = production.scores([production.reading(row.prompt) for row in kept], learned)
        cut = cut_for_quality(scores, outcomes, keep_quality)
    else:
        scores = _scores(file, production, learned, ledger_path(path, environ), days)
        cut = cut_for_share(scores, strong_share or 0.0)
    boundaries = moved(policy.boundaries, cut.score.value) if policy.boundaries else []
    chance = learned.chance_of_need(cut.score.value) if learned is not None else None
    if as_json:
        typer.echo(json.dumps(_as_json(cut, boundaries, chance, len(scores)), indent=2))
    else:
        typer.echo("\n".join(_lines(cut, boundaries, chance, len(scores))))
    return 0


def _scores(
    file: Path | None, production: Production, learned: Learned | None, ledger: Path, days: int
) -> Floats:
    """Of a file of prompts or scores; else of what the ledger booked."""
    if file is None:
        since_s = (datetime.now(UTC) - timedelta(days=days)).timestamp()
        booked = scores_since(ledger, since_s) if ledger.exists() else []
        if not booked:
            problem = Problem(
                str(ledger), f"no scores in {days} days", "routed requests, or a FILE of prompts"
            )
            raise ConfigError([problem])
        return np.array(booked)
    prompts, scores = read_log(file)
    found = production.scores([production.reading(prompt) for prompt in prompts], learned)
    return np.append(found, scores)


def _lines(cut: Cut, boundaries: Sequence[float], chance: float | None, count: int) -> Iterator[str]:
    yield f"from {count:,} {'score' if count == 1 else 'scores'}" + (
        "; fewer than 200, so the intervals are wide" if count < _FEW else ""
    )
    yield f"strong from score  {cut.score}"
    yield f"strong calls       {_percent(cut.strong_share)}"
    if cut.quality_kept is not None:
        yield f"quality kept       {_percent(cut.quality_kept)}"
    if cut.cost is not None:
        yield f"cost               {_percent(cut.cost)} of the strong model alone"
    yield ""
    if boundaries:
        yield "For the tiers, in pointsman.yaml:"
        yield "routing:"
        yield f"  boundaries: [{', '.join(f'{boundary:g}' for boundary in boundaries)}]"
    if chance is not None:
        yield f"For two tiers, as a model name: router-learned-{chance:.2f}"


def _percent(interval: Interval) -> str:
    return f"{interval.value:.1%} ({interval.low:.1%} to {interval.high:.1%})"


def _as_json(cut: Cut, boundaries: Sequence[float], chance: float | None, count: int) -> dict[str, Any]:
    found = {name: None if value is None else value._asdict() for name, value in cut._asdict().items()}
    return {"scores": count, **found, "boundaries": list(boundaries), "threshold": chance}
