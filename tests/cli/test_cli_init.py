import re
from pathlib import Path

import pytest

from pointsman.config.load import load

KEYS = ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "OPENROUTER_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY")


@pytest.mark.parametrize("keys", [(), *((key,) for key in KEYS), KEYS])
def test_written_file_passes_check(keys, run):
    variables = dict.fromkeys(keys, "key-0123456789")
    assert run("init", **variables).exit_code == 0
    ran = run("check", **variables)
    assert ran.exit_code == 0
    assert "pointsman.yaml is fine" in ran.output
    assert "not known" not in ran.output


def test_written_file_holds_what_would_be_served_without_it(run, home):
    environ = {"HOME": str(home), "OLLAMA_HOST": "127.0.0.1:1", "OPENAI_API_KEY": "k"}
    before = load(None, environ, {}, home).settings
    run("init", OPENAI_API_KEY="k")
    after = load(None, environ, {}, home)

    assert after.path is not None
    assert (after.settings.models, after.settings.tiers) == (before.models, before.tiers)


def test_commented_parts_are_right_too(run, home):
    """Whoever takes the comment signs away gets a file that loads."""
    run("init")
    text = (home / "pointsman.yaml").read_text()
    commented_key = re.compile(r"^( *)# ( *(?!yaml-)[a-z][a-z0-9_.-]*:(?: .*)?)$", re.MULTILINE)
    assert len(commented_key.findall(text)) > 20
    (home / "all.yaml").write_text(commented_key.sub(r"\1\2", text))

    ran = run("check", "--config", "all.yaml", ANTHROPIC_API_KEY="k", POINTSMAN_MASTER_KEY="k" * 16)

    assert ran.exit_code == 0, ran.output
    assert "9 models of 3 providers" in ran.output
    assert "with a master key" in ran.output


def test_a_file_that_is_there_is_left_alone(run, home):
    (home / "pointsman.yaml").write_text("mine")
    ran = run("init")
    assert ran.exit_code == 2
    assert "--force" in ran.output
    assert (home / "pointsman.yaml").read_text() == "mine"

    assert run("init", "--force").exit_code == 0
    assert "providers:" in (home / "pointsman.yaml").read_text()


def test_another_path_is_named_in_what_to_do_next(run, home):
    ran = run("init", "other.yaml")
    assert "pointsman check --config other.yaml" in ran.output
    assert (home / "other.yaml").exists()


def test_a_path_that_cannot_be_written_is_said_in_words(run):
    ran = run("init", "no/such/folder/p.yaml")
    assert ran.exit_code == 2
    assert "cannot write no/such/folder/p.yaml" in ran.output


def test_first_line_leads_editors_to_the_schema(run, home):
    run("init")
    first = (home / "pointsman.yaml").read_text().splitlines()[0]
    path = Path(first.removeprefix("# yaml-language-server: $schema="))
    assert '"title": "Pointsman configuration"' in path.read_text()
