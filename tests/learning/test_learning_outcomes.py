import gzip
import json
from pathlib import Path

import pytest

from pointsman.core.errors import ConfigError
from pointsman.learning.outcomes import Labelled, mean_score, read_labelled, without_copies

ROW = {"prompt": "2 + 2?", "scores": {"small": 0, "large": 1}, "source": "sums"}


def test_labelled_file_is_read_gzipped_or_not(tmp_path: Path) -> None:
    plain, packed = tmp_path / "rows.jsonl", tmp_path / "rows.jsonl.gz"
    plain.write_text(json.dumps(ROW) + "\n\n")
    packed.write_bytes(gzip.compress(plain.read_bytes()))

    assert read_labelled(plain) == read_labelled(packed)
    assert read_labelled(plain)[0].scores == {"small": 0.0, "large": 1.0}


def test_every_wrong_line_is_named_by_its_number(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(["{", '{"prompt": 1}', '{"prompt": "a", "scores": {"m": 2}}', json.dumps(ROW)]))

    with pytest.raises(ConfigError) as raised:
        read_labelled(path)

    assert [problem.path.rpartition(":")[2] for problem in raised.value.problems] == ["1", "2", "3"]


def test_empty_file_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("")

    with pytest.raises(ConfigError):
        read_labelled(path)


@pytest.mark.parametrize(
    "line",
    [
        '{"prompt": "a", "scores": {"m": true}}',
        '{"prompt": "a", "scores": {"m": NaN}}',
        '{"prompt": "a", "scores": {"m": 1}, "cost_usd": {"m": -1}}',
        '{"prompt": "a", "scores": {"m": 1}, "cost_usd": {"m": Infinity}}',
        "[" * 100_000,
    ],
)
def test_line_that_makes_no_sense_is_a_problem(tmp_path: Path, line: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(line)

    with pytest.raises(ConfigError, match=":1: expected"):
        read_labelled(path)


@pytest.mark.parametrize("spoil", [lambda packed: packed[:-9], lambda packed: packed[:12] + b"\xff" * 20])
def test_damaged_archive_is_a_problem(tmp_path: Path, spoil) -> None:
    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(spoil(gzip.compress(json.dumps(ROW).encode() * 100)))

    with pytest.raises(ConfigError, match="a readable file"):
        read_labelled(path)


def test_copies_that_differ_in_case_and_spaces_are_taken_out() -> None:
    rows = [Labelled("What is  2 + 2?", {"m": 1}), Labelled("What is 3 + 3?", {"m": 1})]

    assert without_copies(rows, [Labelled("what is 2 + 2", {"m": 0})]) == rows[1:]


def test_mean_score_is_of_those_that_have_one() -> None:
    row = Labelled("?", {"a": 1.0, "b": 0.5})

    assert mean_score(row, ["a", "b", "c"]) == 0.75
    assert mean_score(row, ["c"]) is None
