"""Writes the figures of docs/routing-quality.md anew from the folder of outcomes: `make eval`. It trains for every
family of benchmarks, ten minutes on one core, and keeps nothing of what it trained."""

from collections.abc import Iterator, Sequence

import numpy as np

from pointsman.learning import baselines
from pointsman.learning.adapting import correction
from pointsman.learning.benchmarks import PAIRS, Benchmarks
from pointsman.learning.evaluation import rank, task_oracle
from pointsman.learning.metrics import Floats, Outcomes, apgr
from pointsman.learning.production import opinions
from pointsman.learning.robustness import flips
from pointsman.routing.learned import CLIP, LEARNED, Learned
from pointsman.routing.policy import DEFAULT_WEIGHTS
from train_router import ROOT, WEIGHTS, outcomes_folder

PAGE = ROOT / "docs/routing-quality.md"
BEGIN, END = "<!-- figures: make eval -->", "<!-- end of figures -->"
CALIBRATED_ON = (200, 500)
DRAWS = 6
REWRITTEN = 1_000
"""As many prompts of the benchmarks are written in other ways."""


def main() -> None:
    benchmarks = Benchmarks(outcomes_folder())
    ways = ways_of(benchmarks)
    page = PAGE.read_text("utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    figures = "\n".join([*figures_of(benchmarks, ways), *changes_of(benchmarks)])
    PAGE.write_text(f"{before}{BEGIN}\n\n{figures}\n{END}{after}", "utf-8")
    print(f"written: {PAGE.relative_to(ROOT)}")


def ways_of(benchmarks: Benchmarks) -> dict[str, Floats]:
    """Every way to rank all prompts. What is learned of a benchmark's family is never used on it."""
    learned = benchmarks.out_of_family(opinions)
    rules = benchmarks.production.scores(benchmarks.readings, None)
    prompts = [row.prompt for row in benchmarks.rows]
    return {
        "pointsman": np.clip(rules + DEFAULT_WEIGHTS[LEARNED] * learned, 0.0, 1.0),
        "its rules alone": rules,
        "its learned part alone": learned,
        "fifteen dimensions": baselines.fifteen_dimensions(prompts),
        "prompt length": baselines.length(prompts),
        "random": baselines.chance(prompts),
    }


def figures_of(benchmarks: Benchmarks, ways: dict[str, Floats]) -> Iterator[str]:
    pairs = [(pair.name, *benchmarks.pair(pair)) for pair in PAIRS]
    everything = (list(range(len(benchmarks.rows))), benchmarks.everything())
    yield "APGR, benchmarks left out of the training one family at a time:"
    yield ""
    yield f"| ranked by | {' | '.join(name for name, _, _ in pairs)} | mean | all benchmarks, mean models |"
    yield "| --- |" + " ---: |" * (len(pairs) + 2)
    for name, scores in ways.items():
        yield _row(
            name,
            [apgr(scores[places], outcomes) for _, places, outcomes in pairs],
            apgr(scores, everything[1]),
        )
    oracles = [
        task_oracle([benchmarks.rows[place].source for place in places], outcomes)
        for _, places, outcomes in pairs
    ]
    yield _row(
        "who knows each task's gain",
        [apgr(oracle, outcomes) for oracle, (_, _, outcomes) in zip(oracles, pairs, strict=True)],
        apgr(task_oracle([row.source for row in benchmarks.rows], everything[1]), everything[1]),
    )
    for count in CALIBRATED_ON:
        yield _row(
            f"pointsman after {count} labels",
            [_calibrated(benchmarks, ways, places, outcomes, count) for _, places, outcomes in pairs],
            None,
        )
    yield ""
    for name, places, outcomes in [*pairs, ("All benchmarks, mean weak and strong models", *everything)]:
        yield f"{name} ({len(places):,} prompts), with 95 % intervals:"
        yield ""
        yield "| ranked by | APGR | CPT50 | CPT80 | cost at 95 % quality, strong ten times the price | over fifteen dimensions |"
        yield "| --- | ---: | ---: | ---: | ---: | ---: |"
        priced = outcomes._replace(weak_usd=np.full(len(places), 0.1))
        for way in rank({way: scores[places] for way, scores in ways.items()}, priced):
            over = way.over_fifteen
            yield (
                f"| {way.name} | {way.apgr} | {way.cpt50:.0%} | {way.cpt80:.0%} | {way.cost_at_95:.0%} |"
                f" {over.value:+.3f} ({over.low:+.3f} to {over.high:+.3f}) |"
            )
        yield ""


def changes_of(benchmarks: Benchmarks) -> Iterator[str]:
    """How many decisions change with how a prompt is written, with the weights that ship."""
    production, learned = benchmarks.production, Learned(WEIGHTS.read_bytes())
    prompts = [row.prompt for row in benchmarks.rows[:: len(benchmarks.rows) // REWRITTEN]]
    shares = flips(prompts, lambda prompt: production.tiers([prompt], learned)[0])
    yield f"Decisions that change when {len(prompts):,} of these prompts are written in another way:"
    yield ""
    yield "| what is changed | tiers that change |"
    yield "| --- | ---: |"
    for name, share in shares.items():
        yield f"| {name} | {share:.1%} |"
    yield f"| mean | {sum(shares.values()) / len(shares):.1%} |"
    yield ""


def _row(name: str, values: Sequence[float], last: float | None) -> str:
    cells = [
        *(f"{value:.3f}" for value in values),
        f"{np.mean(values):.3f}",
        "" if last is None else f"{last:.3f}",
    ]
    return f"| {name} | {' | '.join(cells)} |"


def _calibrated(
    benchmarks: Benchmarks, ways: dict[str, Floats], places: Sequence[int], outcomes: Outcomes, count: int
) -> float:
    """The mean APGR on the rest after a correction from `count` labels, drawn with every benchmark alike."""
    at = np.asarray(places)
    scores = ways["pointsman"][at]
    gain = outcomes.strong - outcomes.weak
    rows = np.array([benchmarks.prepared.rows[place] for place in places])
    found = []
    for draw in range(DRAWS):
        chance = np.random.default_rng(draw)
        chosen = chance.choice(len(at), count, replace=False, p=outcomes.weight / outcomes.weight.sum())
        rest = np.setdiff1d(np.arange(len(at)), chosen)
        terms = correction(
            [benchmarks.rows[place].prompt for place in at[chosen]], scores[chosen], gain[chosen]
        )
        added = sum(
            term.weight * np.clip((rows[rest, feature] - term.mean) * term.scale, -CLIP, CLIP)
            for feature, term in enumerate(terms)
        )
        found.append(apgr(scores[rest] + added, outcomes.pick(rest)))
    return float(np.mean(found))


if __name__ == "__main__":
    main()
