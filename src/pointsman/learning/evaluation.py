"""Judges an order of prompts against everything it has to beat, on a labelled file. It prints nothing.

A labelled file holds what models scored (`pointsman.learning.outcomes`); two of them are the weak and the strong one.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from pointsman.core.errors import ConfigError, Problem
from pointsman.core.usage import Rates
from pointsman.learning import baselines
from pointsman.learning.metrics import (
    Curve,
    Floats,
    Interval,
    Outcomes,
    apgr,
    cost_at_quality,
    cpt,
    curve,
    outcomes_of,
    paired_difference,
    spread,
)
from pointsman.learning.outcomes import Labelled
from pointsman.learning.production import Production
from pointsman.routing.learned import Learned
from pointsman.routing.tokens import text_tokens, weigh

ANSWER_TOKENS = 300
"""What an answer is priced at where the file does not say what it cost."""

_MILLION = 1_000_000


class Ranked(NamedTuple):
    """What one way to rank the prompts is worth."""

    name: str
    apgr: Interval
    cpt50: float
    cpt80: float
    cost_at_95: float
    over_fifteen: Interval
    """How much more APGR it has than the fifteen dimensions."""


class Evaluation(NamedTuple):
    """`oracle` is the APGR of who knows only each task's mean gain; a router cannot be expected to pass it by much.
    `best_single` is the better of the two models for everything, with its quality."""

    weak: str
    strong: str
    prompts: int
    quality: Mapping[str, float]
    usd: Mapping[str, float]
    ranked: tuple[Ranked, ...]
    oracle: float
    curves: Mapping[str, Curve]

    @property
    def best_single(self) -> str:
        return max(self.quality, key=lambda model: (self.quality[model], -self.usd[model]))


def models_of(rows: Sequence[Labelled]) -> dict[str, float]:
    """Every model that scored at least half of the prompts, with its mean quality, the weakest first."""
    scores: dict[str, list[float]] = {}
    for row in rows:
        for model, score in row.scores.items():
            scores.setdefault(model, []).append(score)
    means = {model: sum(found) / len(found) for model, found in scores.items() if len(found) * 2 >= len(rows)}
    return dict(sorted(means.items(), key=lambda item: item[1]))


def both_of(
    rows: Sequence[Labelled], weak: str, strong: str, rates: Mapping[str, Rates] | None = None
) -> tuple[list[Labelled], Outcomes]:
    """The rows that have both models, and what those made of them. Costs are those of the file; where it has none,
    list prices for the prompt and an answer of ANSWER_TOKENS, and without prices 0 and 1. Raises ConfigError when
    there are none, and when the strong model does no better: nothing can be told of a choice between them then."""
    kept = [row for row in rows if weak in row.scores and strong in row.scores]
    if not kept:
        raise ConfigError([Problem("scores", f"{weak}, {strong}", "prompts with scores of both models")])
    weak_usd, strong_usd = (_usd(kept, model, rates or {}) for model in (weak, strong))
    if weak_usd is None or strong_usd is None:
        weak_usd, strong_usd = np.zeros(len(kept)), np.ones(len(kept))
    outcomes = outcomes_of(
        [row.scores[weak] for row in kept],
        [row.scores[strong] for row in kept],
        groups=[row.source for row in kept],
        weak_usd=weak_usd,
        strong_usd=strong_usd,
    )
    reached, at_least = _mean(outcomes.strong, outcomes), _mean(outcomes.weak, outcomes)
    if reached <= at_least:
        found = f"{reached:.3f} for {strong} and {at_least:.3f} for {weak}, every source weighing the same"
        raise ConfigError([Problem("scores", found, "a strong model that does better than the weak one")])
    return kept, outcomes


def evaluate(
    rows: Sequence[Labelled],
    weak: str,
    strong: str,
    learned: Learned | None,
    rates: Mapping[str, Rates] | None = None,
    production: Production | None = None,
) -> Evaluation:
    """Raises ConfigError when no row has both models."""
    kept, outcomes = both_of(rows, weak, strong, rates)
    production = production or Production()
    readings = [production.reading(row.prompt) for row in kept]
    prompts = [row.prompt for row in kept]
    ways = {
        "pointsman": production.scores(readings, learned),
        "its rules alone": production.scores(readings, None),
        "fifteen dimensions": baselines.fifteen_dimensions(prompts),
        "prompt length": baselines.length(prompts),
        "random": baselines.chance(prompts),
    }
    if learned is not None:
        ways["its learned part alone"] = np.array([learned.read(reading.asked).value for reading in readings])
    tasks = [f"{row.source}/{row.category}" for row in kept]
    return Evaluation(
        weak,
        strong,
        len(kept),
        {weak: _mean(outcomes.weak, outcomes), strong: _mean(outcomes.strong, outcomes)},
        {weak: _mean(outcomes.weak_usd, outcomes), strong: _mean(outcomes.strong_usd, outcomes)},
        rank(ways, outcomes),
        apgr(task_oracle(tasks, outcomes), outcomes),
        {name: curve(scores, outcomes) for name, scores in ways.items()},
    )


def rank(ways: Mapping[str, Floats], outcomes: Outcomes) -> tuple[Ranked, ...]:
    """`ways` holds "fifteen dimensions" among others."""
    fifteen = ways["fifteen dimensions"]
    return tuple(
        Ranked(
            name,
            spread(apgr, scores, outcomes),
            cpt(scores, outcomes, 0.5),
            cpt(scores, outcomes, 0.8),
            cost_at_quality(scores, outcomes),
            paired_difference(scores, fifteen, outcomes),
        )
        for name, scores in ways.items()
    )


def task_oracle(tasks: Sequence[str], outcomes: Outcomes) -> Floats:
    """The mean gain of each prompt's task."""
    _, place = np.unique(np.asarray(tasks), return_inverse=True)
    gain = np.bincount(place, weights=outcomes.strong - outcomes.weak) / np.bincount(place)
    return np.asarray(gain[place], dtype=np.float64)


def _usd(rows: Sequence[Labelled], model: str, rates: Mapping[str, Rates]) -> Floats | None:
    if all(model in row.cost_usd for row in rows):
        return np.array([row.cost_usd[model] for row in rows])
    known = rates.get(model)
    if known is None:
        return None
    tokens = np.array([text_tokens(weigh(row.prompt)) for row in rows])
    of_input, of_output = float(known.usd_per_million_input), float(known.usd_per_million_output)
    return np.asarray((tokens * of_input + ANSWER_TOKENS * of_output) / _MILLION, dtype=np.float64)


def _mean(values: Floats, outcomes: Outcomes) -> float:
    return float(np.average(values, weights=outcomes.weight))
