"""What prompts of every kind weigh and score: a change here is a change of what users get."""

import json
from pathlib import Path

import pytest

from pointsman.core.prompt import Prompt, Turn
from pointsman.routing.keywords import Keywords
from pointsman.routing.policy import Policy
from pointsman.routing.reading import read
from pointsman.routing.scorer import Scorer

GOLDEN = Path(__file__).parents[1] / "golden" / "routing" / "readings.jsonl"
ROWS = [json.loads(line) for line in GOLDEN.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("row", ROWS, ids=[f"{place}" for place in range(len(ROWS))])
def test_prompt_is_read_and_scored_as_before(keywords: Keywords, policy: Policy, row) -> None:
    fields = row["prompt"]
    turns = tuple(Turn(speaker, text) for speaker, text in fields["turns"])

    reading = read(Prompt(**fields | {"turns": turns}), keywords)
    score, shares = Scorer(policy).score(reading)

    assert reading.measures["input_tokens"] == row["input_tokens"]
    assert score == pytest.approx(row["score"], abs=1e-8)
    assert {signal: share for signal, _, share in shares} == pytest.approx(row["shares"], abs=1e-8)
