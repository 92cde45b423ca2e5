"""eval, calibrate and train on a file of prompts whose difficulty is plain."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pointsman.cli.commands import app
from pointsman.routing.learned import unpack

NAMES = (
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

CONFIG = """\
providers:
  demo: {}
models:
  small: {provider: demo, tier: simple, usd_per_million_input: 1, usd_per_million_output: 2}
  large: {provider: demo, tier: reasoning, usd_per_million_input: 10, usd_per_million_output: 20}
"""


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    rows = []
    for one in NAMES:
        for other in NAMES:
            hard = (
                f"Integrate the {one} over the {other}, prove that it converges and derive {one} = {other}^2"
            )
            rows.append({"prompt": hard, "scores": {"small": 0, "large": 1}, "source": "hard"})
            rows.append(
                {"prompt": f"hello {one} {other}", "scores": {"small": 1, "large": 1}, "source": "easy"}
            )
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


@pytest.fixture
def run(tmp_path: Path):
    config = tmp_path / "pointsman.yaml"
    config.write_text(CONFIG)

    def call(*arguments: object):
        own_state = {"POINTSMAN_STATE_DIR": str(tmp_path)}
        return CliRunner().invoke(app, [*map(str, arguments), "--config", str(config)], env=own_state)

    return call


def test_eval_prints_every_way_beside_the_router(run, labelled: Path, tmp_path: Path) -> None:
    done = run("eval", labelled, "--plot", tmp_path / "curve.svg")

    assert done.exit_code == 0, done.output
    for way in ("pointsman", "fifteen dimensions", "prompt length", "random", "always cheap", "best single"):
        assert way in done.output
    assert (tmp_path / "curve.svg").read_text().startswith("<svg")


def test_eval_as_json_ranks_what_is_plain_above_chance(run, labelled: Path) -> None:
    done = json.loads(run("eval", labelled, "--json").output)

    ways = {way["name"]: way for way in done["ways"]}
    assert (done["weak"], done["strong"]) == ("small", "large")
    assert ways["pointsman"]["apgr"]["value"] > 0.7
    assert ways["pointsman"]["cost_at_95"] < 0.7
    assert sum(done["tiers"].values()) == pytest.approx(1)


def test_calibrate_for_a_share_gives_that_share(run, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text("\n".join(json.dumps({"score": place / 200}) for place in range(200)))

    done = json.loads(run("calibrate", log, "--strong-share", "0.3", "--json").output)

    assert done["scores"] == 200
    assert done["strong_share"]["value"] == pytest.approx(0.3, abs=0.01)
    assert done["boundaries"] == sorted(done["boundaries"])
    assert 0 <= done["threshold"] <= 1


def test_calibrate_for_quality_keeps_it(run, labelled: Path) -> None:
    done = json.loads(run("calibrate", labelled, "--keep-quality", "0.95", "--json").output)

    assert done["quality_kept"]["value"] >= 0.95
    assert done["cost"]["value"] < 1


@pytest.mark.parametrize("arguments", [(), ("--strong-share", "0.3", "--keep-quality", "0.9")])
def test_calibrate_wants_one_aim(run, labelled: Path, arguments: tuple[str, ...]) -> None:
    done = run("calibrate", labelled, *arguments)

    assert done.exit_code == 2
    assert "one of the two" in done.output


def test_train_writes_weights_that_the_configuration_can_name(run, labelled: Path, tmp_path: Path) -> None:
    output = tmp_path / "ours.bin"

    done = run("train", labelled, "--output", output)

    assert done.exit_code == 0, done.output
    weights, _, _ = unpack(output.read_bytes())
    assert weights.terms
    with (tmp_path / "pointsman.yaml").open("a") as config:
        config.write("routing:\n  weights: {learned: 1}\n  learned: {path: ours.bin}\n")
    assert run("eval", labelled).exit_code == 0


def test_train_refuses_labels_that_are_too_few(run, labelled: Path, tmp_path: Path) -> None:
    few = tmp_path / "few.jsonl"
    few.write_text("\n".join(labelled.read_text().splitlines()[:50]))

    done = run("train", few, "--output", tmp_path / "ours.bin")

    assert done.exit_code == 2
    assert not (tmp_path / "ours.bin").exists()


def test_weights_that_are_none_are_a_problem_of_the_configuration(
    run, labelled: Path, tmp_path: Path
) -> None:
    (tmp_path / "ours.bin").write_bytes(b"not weights")
    with (tmp_path / "pointsman.yaml").open("a") as config:
        config.write("routing: {learned: {path: ours.bin}}\n")

    done = run("eval", labelled)

    assert done.exit_code == 2
    assert "routing.learned.path" in done.output


@pytest.mark.parametrize("command", ["train", "eval"])
def test_models_that_do_equally_well_are_a_problem(tmp_path: Path, run, command: str) -> None:
    path, output = tmp_path / "rows.jsonl", tmp_path / "learned.bin"
    path.write_text(f"{json.dumps({'prompt': 'hello', 'scores': {'small': 1, 'large': 1}})}\n" * 300)

    result = run(command, path, *(["--output", output] if command == "train" else []))

    assert result.exit_code == 2
    assert "a strong model that does better" in result.output
    assert not output.exists()
