"""Settings of judge and sidecar: what is wrong with them, and what they come to."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pointsman.config.loaded import Loaded
from pointsman.config.opinions import JudgeSettings, default_routes, table_of
from pointsman.core.errors import Problem

LoadText = Callable[..., Loaded]
ProblemsOf = Callable[..., tuple[Problem, ...]]

RIGHT = """\
providers:
  local: {dialect: openai-chat, base_url: http://127.0.0.1:9001/v1}
  theirs:
    dialect: openai-chat
    base_url: https://api.example.org/v1
    pass_through_caller_key: true
    caller_key_prefixes: [sk-]
models:
  tiny: {provider: local, tier: simple}
  own: {provider: theirs}
"""


@pytest.mark.parametrize(
    ("section", "path", "expected"),
    [
        ("judge: {when: unsure}", "judge.model", "since there is to be a judge"),
        ("judge: {when: always, model: tny}", "judge.model", "did you mean 'tiny'?"),
        ("judge: {when: always, model: own}", "judge.model", "whose provider has a key here"),
        ("judge: {when: sometimes}", "judge.when", "one of never, unsure, always"),
        ("judge: {weight: 1.5}", "judge.weight", "at most 1"),
        ("judge: {routes_file: nowhere.md}", "nowhere.md", "a file with a Markdown table"),
        ("sidecar: {weight: 0.5}", "sidecar.url", "the address of the classifier"),
        (
            "sidecar: {url: 'localhost:6060'}",
            "sidecar.url",
            "an address such as http://127.0.0.1:6060/classify",
        ),
        ("sidecar: {url: 'http://me:secret@host/x'}", "sidecar.url", "an address without a user name"),
    ],
)
def test_what_is_wrong_is_said(problems_of: ProblemsOf, section: str, path: str, expected: str) -> None:
    (problem,) = problems_of(RIGHT + section + "\n")
    assert problem.path.endswith(path)
    assert expected in str(problem)
    assert "secret" not in str(problem)


def test_broken_table_is_a_problem_at_start_with_its_line(problems_of: ProblemsOf, tmp_path: Path) -> None:
    (tmp_path / "mine.md").write_text("| task | level |\n| --- | --- |\n| a | simple |\n| b | hardest |\n")
    (problem,) = problems_of(RIGHT + "judge: {routes_file: mine.md}\n")
    assert (problem.path, problem.line) == (str(tmp_path / "mine.md"), 4)


def test_both_are_off_by_default(load_text: LoadText) -> None:
    settings = load_text(RIGHT).settings
    assert (settings.judge.when, settings.judge.model, settings.sidecar.url) == ("never", None, None)


def test_table_of_a_file_is_found_beside_the_configuration(load_text: LoadText, tmp_path: Path) -> None:
    (tmp_path / "mine.md").write_text("| task | level |\n| --- | --- |\n| a | simple |\n")
    settings = load_text(RIGHT + "judge: {routes_file: mine.md, model: tiny, when: always}\n").settings
    assert [row.task for row in table_of(settings.judge, settings.tiers)] == ["a"]


def test_printed_table_is_the_default_one() -> None:
    tiers = ("simple", "medium", "complex", "reasoning")
    assert default_routes().count("\n| ") == len(table_of(JudgeSettings(), tiers)) + 2
