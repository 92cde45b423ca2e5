"""`pointsman eval`: how well the configured router ranks the prompts of a labelled file. Nothing is sent to anyone."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer

from pointsman.cli.tables import table
from pointsman.config.facts import look_up
from pointsman.config.learned import weights_of
from pointsman.config.load import load
from pointsman.config.schema import Settings
from pointsman.config.values import policy_of
from pointsman.core.errors import ConfigError, Problem
from pointsman.core.usage import Rates
from pointsman.learning.evaluation import Evaluation, evaluate, models_of
from pointsman.learning.metrics import Interval
from pointsman.learning.outcomes import Labelled, read_labelled
from pointsman.learning.plot import plot
from pointsman.learning.production import Production
from pointsman.learning.robustness import flips

_CHANGED_PROMPTS_MAX = 500


def run(
    file: Path,
    path: Path | None,
    environ: Mapping[str, str],
    *,
    weak: str | None,
    strong: str | None,
    plot_to: Path | None,
    as_json: bool,
) -> int:
    settings = load(path, environ, {}).settings
    rows = read_labelled(file)
    weak, strong = pair_of(rows, weak, strong)
    policy, learned = policy_of(settings), weights_of(settings.routing.learned)
    production = Production(policy)
    result = evaluate(rows, weak, strong, learned, rates_of(settings, (weak, strong)), production)
    tiers = production.tiers([row.prompt for row in rows], learned)
    changed = flips(
        [row.prompt for row in rows[:: max(len(rows) // _CHANGED_PROMPTS_MAX, 1)]],
        lambda prompt: production.tiers([prompt], learned)[0],
    )
    spread = {tier: tiers.count(place) / len(tiers) for place, tier in enumerate(policy.tiers)}
    if plot_to is not None:
        plot_to.write_text(plot(result.curves, f"{strong} or {weak}: {result.prompts:,} prompts"), "utf-8")
    if as_json:
        typer.echo(json.dumps(_as_json(result, changed, spread), indent=2))
    else:
        typer.echo("\n".join(_lines(result, changed, spread)))
    return 0


def pair_of(rows: Sequence[Labelled], weak: str | None, strong: str | None) -> tuple[str, str]:
    """The models asked for; else the weakest and the strongest of the file."""
    known = models_of(rows)
    problems = [
        Problem(option, name, f"one of the file's models: {', '.join(known)}")
        for option, name in (("--weak", weak), ("--strong", strong))
        if name is not None and not any(name in row.scores for row in rows)
    ]
    if len(known) < 2 and (weak is None or strong is None):
        problems.append(Problem("scores", ", ".join(known), "two models or more"))
    if problems:
        raise ConfigError(problems)
    names = list(known)
    return weak or names[0], strong or names[-1]


def rates_of(settings: Settings, models: Sequence[str]) -> dict[str, Rates]:
    """List prices: the configuration's, else what is known by the model's name."""
    rates: dict[str, Rates] = {}
    for model in models:
        configured = settings.models.get(model)
        if configured is not None and configured.usd_per_million_input is not None:
            rates[model] = Rates(
                configured.usd_per_million_input,
                configured.usd_per_million_output or configured.usd_per_million_input,
            )
            continue
        price = next(
            (
                facts.price
                for provider in ("openai", "anthropic", "google", "mistral", "openrouter")
                if (facts := look_up(provider, "", model, datetime.now(UTC))).price is not None
            ),
            None,
        )
        if price is not None:
            rates[model] = price.rates
    return rates


def _lines(result: Evaluation, changed: Mapping[str, float], spread: Mapping[str, float]) -> Iterator[str]:
    weak, strong = result.weak, result.strong
    yield f"{result.prompts:,} prompts; every source weighs the same"
    for kind, model in (("always cheap", weak), ("always strong", strong)):
        yield f"{kind:14} {model}: quality {result.quality[model]:.3f}, ${result.usd[model]:.6f} a request"
    yield f"{'best single':14} {result.best_single}"
    yield ""
    yield table(
        ("ranked by", "APGR (95 % interval)", "CPT50", "CPT80", "cost at 95 % quality", "over 15 dimensions"),
        [
            (
                way.name,
                str(way.apgr),
                f"{way.cpt50:.0%}",
                f"{way.cpt80:.0%}",
                f"{way.cost_at_95:.0%}",
                _signed(way.over_fifteen),
            )
            for way in result.ranked
        ],
    )
    yield f"who knows only each task's mean gain reaches {result.oracle:.3f}"
    if result.quality[strong] - result.quality[weak] < 0.08:
        yield "the gap between the two models is below 8 points: these figures are mostly chance"
    yield ""
    yield "tiers          " + ", ".join(f"{tier} {share:.0%}" for tier, share in spread.items())
    yield "another tier   " + ", ".join(f"{name} {share:.1%}" for name, share in changed.items())


def _signed(interval: Interval) -> str:
    return f"{interval.value:+.3f} ({interval.low:+.3f} to {interval.high:+.3f})"


def _as_json(result: Evaluation, changed: Mapping[str, float], spread: Mapping[str, float]) -> dict[str, Any]:
    return {
        "prompts": result.prompts,
        "weak": result.weak,
        "strong": result.strong,
        "best_single": result.best_single,
        "quality": dict(result.quality),
        "usd_per_request": dict(result.usd),
        "task_oracle_apgr": result.oracle,
        "ways": [
            {**way._asdict(), "apgr": way.apgr._asdict(), "over_fifteen": way.over_fifteen._asdict()}
            for way in result.ranked
        ],
        "tiers": dict(spread),
        "flips": dict(changed),
    }
