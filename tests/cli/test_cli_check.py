import pytest

BROKEN = """\
server: {port: many}
providers:
  local: {dialect: openai-chat, base_url: "http://127.0.0.1:9001/v1", api_key: sk-in-the-open}
models:
  tiny: {provider: locl, tier: simple}
"""
RIGHT = """\
providers:
  local: {dialect: openai-chat, base_url: "http://127.0.0.1:9001/v1"}
models:
  tiny: {provider: local, tier: simple}
"""


def test_check_lists_all_problems_and_exits_2(run_process, home):
    (home / "pointsman.yaml").write_text(BROKEN)
    ran = run_process("check")

    assert ran.returncode == 2
    assert "3 problems" in ran.stderr
    assert "server.port (line 1): is 'many'; expected a whole number" in ran.stderr
    assert "providers.local.api_key (line 3)" in ran.stderr
    assert "models.tiny.provider (line 5): is 'locl'" in ran.stderr
    assert "did you mean 'local'?" in ran.stderr
    assert "sk-in-the-open" not in ran.stdout + ran.stderr
    assert "Traceback" not in ran.stderr


def test_check_of_a_good_file_says_so_and_what_is_not_known(run, home):
    (home / "pointsman.yaml").write_text(RIGHT)
    ran = run("check")

    assert ran.exit_code == 0
    assert "pointsman.yaml is fine: 1 model of 1 provider, tiers simple" in ran.output
    assert "models.tiny: price and context size not known" in ran.output


def test_check_without_a_file_checks_what_was_found(run):
    ran = run("check")
    assert ran.exit_code == 0
    assert "4 models of 1 provider" in ran.output


def test_check_makes_no_ledger(run, home):
    run("check")
    assert not (home / "state").exists()


def test_check_finds_a_ledger_that_cannot_be(run, home):
    (home / "state").write_text("a file where a folder should be")
    ran = run("check")
    assert ran.exit_code == 2
    assert "state" in ran.output


def test_check_finds_a_ledger_of_another_kind(run, home):
    (home / "state").mkdir()
    (home / "state" / "ledger.db").write_text("not a database, but long enough to look at" * 50)
    ran = run("check")
    assert ran.exit_code == 2
    assert "ledger.db" in ran.output


def test_check_prints_warnings(run):
    ran = run("check", POINTSMAN_PROT="1")
    assert "POINTSMAN_PROT is not read; did you mean POINTSMAN_PORT?" in ran.output


def test_an_open_door_is_refused_with_a_line_saying_how(run):
    for command in ("check", "serve"):
        ran = run(command, "--host", "0.0.0.0")
        assert ran.exit_code == 2
        assert "export POINTSMAN_MASTER_KEY=" in ran.output


@pytest.mark.parametrize(
    "command", [("serve",), ("check",), ("models",), ("config", "show"), ("route", "x"), ("stats",)]
)
def test_a_missing_file_is_said_in_words(command, run):
    ran = run(*command, "--config", "nowhere.yaml")
    assert ran.exit_code == 2
    assert "nowhere.yaml: is not there" in ran.output


def test_broken_yaml_is_told_with_its_line(run, home):
    (home / "pointsman.yaml").write_text("server:\n  port: [1\n")
    ran = run("serve")
    assert ran.exit_code == 2
    assert "pointsman.yaml (line 3)" in ran.output
    assert "valid YAML" in ran.output
