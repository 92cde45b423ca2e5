"""`pointsman train` without a file: from what callers reported of the answers that a running gateway booked."""

import json
import math
import random
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from served import Served
from typer.testing import CliRunner

from pointsman.cli.commands import app
from pointsman.config.learned import shipped_weights
from pointsman.learning.reported import Rated, moved_weights, rightly_doubted, scores_by, with_signals
from pointsman.routing.learned import BASE, Learned
from pointsman.routing.policy import DEFAULT_BASE, DEFAULT_WEIGHTS

# Whatever is asked goes to the cheap model.
CONFIG = """\
server: {port: 0}
providers:
  demo: {}
models:
  small: {provider: demo, tier: simple, usd_per_million_input: 1, usd_per_million_output: 2}
  large: {provider: demo, tier: complex, usd_per_million_input: 10, usd_per_million_output: 20}
tiers: [simple, complex]
routing:
  boundaries: [0.9]
"""
THINGS = (
    "harbour",
    "bread",
    "winter",
    "garden",
    "letter",
    "window",
    "river",
    "train",
    "music",
    "stone",
    "cloud",
)
EASY = "What is the French word for {} {}?"
POEM = "Write a poem about the {} {}."


class _Shop:
    """A gateway in a folder of its own, and the commands that read what it booked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "pointsman.yaml"
        self.config.write_text(CONFIG)

    def ask_and_report(self, prompts: list[tuple[str, float]]) -> None:
        with Served(("serve",), self.folder, {}) as served:
            address = urlsplit(served.url)
            assert address.hostname is not None
            connection = HTTPConnection(address.hostname, address.port or 0, timeout=60)

            def post(path: str, body: dict[str, Any]) -> str:
                connection.request("POST", path, json.dumps(body), {"content-type": "application/json"})
                response = connection.getresponse()
                said = response.read()
                assert response.status == 200, said
                return response.headers["x-pointsman-request-id"]

            for prompt, quality in prompts:
                asked = {"model": "auto", "messages": [{"role": "user", "content": prompt}]}
                request_id = post("/v1/chat/completions", asked)
                post("/v1/feedback", {"request_id": request_id, "quality": quality})
            connection.close()
            assert served.stop() == 0

    def run(self, *arguments: str) -> Any:
        environ = {"POINTSMAN_STATE_DIR": str(self.folder)}
        return CliRunner().invoke(app, [*arguments, "--config", str(self.config)], env=environ)

    def score(self, prompt: str) -> float:
        done = self.run("route", prompt, "--json")
        assert done.exit_code == 0, done.output
        score: float = json.loads(done.output)["score"]
        return score


@pytest.fixture
def shop(tmp_path: Path) -> _Shop:
    return _Shop(tmp_path)


def test_what_fails_on_a_cheap_model_is_scored_higher_from_then_on(shop: _Shop) -> None:
    pairs = [(one, other) for one in THINGS for other in THINGS]
    shop.ask_and_report(
        [(EASY.format(*pair), 0.0) for pair in pairs] + [(POEM.format(*pair), 1.0) for pair in pairs]
    )
    poem, easy = POEM.format("old", "bridge"), EASY.format("old", "bridge")
    before = shop.score(poem) - shop.score(easy)
    output = shop.folder / "ours.bin"

    done = shop.run("train", "--output", str(output))

    assert done.exit_code == 0, done.output
    assert "from 242 reports" in done.output
    shop.config.write_text(CONFIG + "  learned:\n    path: ours.bin\n")
    assert shop.score(poem) - shop.score(easy) < before - 0.05


def test_few_reports_move_nothing(shop: _Shop) -> None:
    shop.ask_and_report([(EASY.format("old", "bridge"), 1.0)])

    done = shop.run("train", "--output", str(shop.folder / "ours.bin"))

    assert done.exit_code == 2
    assert "1 reports" in done.output
    assert not (shop.folder / "ours.bin").exists()


def test_without_a_file_there_is_no_pair_to_choose(shop: _Shop) -> None:
    done = shop.run("train", "--weak", "small")

    assert done.exit_code == 2
    assert "a labelled file" in done.output


def _rated(size: int, seed: int, *, hidden: float) -> list[Rated]:
    """Answers of a tier that is able up to 0.4, but for what nobody has counted: "calculation" is as hard as `hidden`."""
    chance = random.Random(seed)
    rows = []
    for _ in range(size):
        values = {"technical": float(chance.random() < 0.5), "calculation": float(chance.random() < 0.4)}
        score = (
            DEFAULT_BASE + DEFAULT_WEIGHTS["technical"] * values["technical"] + hidden * values["calculation"]
        )
        good = 1 / (1 + math.exp(-8 * (0.4 - score)))
        rows.append(Rated(float(chance.random() < good), 0.4, values))
    return rows


def test_a_hidden_difficulty_is_found_in_about_its_proportion() -> None:
    moved = moved_weights(_rated(2000, 1, hidden=0.45), DEFAULT_WEIGHTS, DEFAULT_BASE)

    ours = {name: DEFAULT_WEIGHTS[name] + moved[name] for name in ("calculation", "technical")}
    assert ours["calculation"] / ours["technical"] == pytest.approx(0.45 / 0.25, rel=0.2)


def test_where_the_weights_are_right_hardly_anything_moves() -> None:
    moved = moved_weights(
        _rated(2000, 2, hidden=DEFAULT_WEIGHTS["calculation"]), DEFAULT_WEIGHTS, DEFAULT_BASE
    )

    assert all(abs(one) < 0.06 for one in moved.values())


def test_what_is_learned_doubts_rightly_on_answers_it_has_not_seen() -> None:
    moved = moved_weights(_rated(1000, 3, hidden=0.45), DEFAULT_WEIGHTS, DEFAULT_BASE)
    unseen = _rated(1000, 4, hidden=0.45)
    ours = {name: weight + moved.get(name, 0.0) for name, weight in DEFAULT_WEIGHTS.items()}

    before = rightly_doubted(unseen, scores_by(unseen, DEFAULT_WEIGHTS, DEFAULT_BASE))
    after = rightly_doubted(unseen, scores_by(unseen, ours, DEFAULT_BASE + moved[BASE]))

    assert after > before + 0.05


def test_the_mean_score_of_what_was_reported_stays() -> None:
    rated = _rated(1000, 5, hidden=0.45)
    moved = moved_weights(rated, DEFAULT_WEIGHTS, DEFAULT_BASE)
    ours = {name: weight + moved.get(name, 0.0) for name, weight in DEFAULT_WEIGHTS.items()}

    before = scores_by(rated, DEFAULT_WEIGHTS, DEFAULT_BASE).mean()

    assert scores_by(rated, ours, DEFAULT_BASE + moved[BASE]).mean() == pytest.approx(before, abs=0.01)


def test_what_was_moved_is_read_back_from_the_file() -> None:
    assert Learned(with_signals(shipped_weights(), {"code": 0.1, "size": 0.0})).signals == {"code": 0.1}
