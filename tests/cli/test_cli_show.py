import json
import re

CONFIG = """\
server:
  port: 4111
  master_key: $GATE
providers:
  anthropic:
    api_key: $MY_KEY
    headers: {x-team: $TEAM}
models:
  opus: {provider: anthropic, id: claude-opus-4-6, tier: complex}
routing:
  weights: {code: 0.2}
"""
VARIABLES = {"GATE": "gate-key-0123456789", "MY_KEY": "sk-ant-0123456789", "TEAM": "team-0123456789"}


def rows(output: str) -> dict[str, tuple[str, str]]:
    cells = [re.split(r"\s{2,}", line) for line in output.splitlines()]
    return {cell[0]: (cell[1], cell[2]) for cell in cells if len(cell) == 3}


def test_show_prints_every_value_with_its_origin(run, home):
    (home / "pointsman.yaml").write_text(CONFIG)
    shown = rows(
        run("config", "show", "--log-level", "error", POINTSMAN_HOST="127.0.0.2", **VARIABLES).output
    )

    assert shown["server.port"] == ("4111", "file (line 2)")
    assert shown["server.host"] == ("127.0.0.2", "environment (POINTSMAN_HOST)")
    assert shown["server.log_level"] == ("error", "flag (--log-level)")
    assert shown["server.max_body_bytes"] == ("67108864", "default")
    assert shown["providers.anthropic.base_url"] == (
        "https://api.anthropic.com/v1",
        "default (known as anthropic)",
    )
    assert shown["models.opus.id"] == ("claude-opus-4-6", "file (line 9)")
    assert shown["models.opus.usd_per_million_input"][0] == "5"
    assert shown["models.opus.usd_per_million_input"][1].startswith("default (genai-prices")
    assert shown["models.opus.context_tokens"] == ("1000000", "default (bundled data)")
    assert shown["tiers"] == ("[simple, medium, complex, reasoning]", "default")
    assert shown["routing.weights.code"] == ("0.2", "file (line 11)")
    assert shown["routing.weights.size"][1] == "default"
    assert shown["baseline_model"] == ("opus", "default (the dearest)")
    assert shown["ledger.path"] == (str(home / "state" / "ledger.db"), "environment (POINTSMAN_STATE_DIR)")


def test_show_masks_secrets(run, home):
    (home / "pointsman.yaml").write_text(CONFIG)
    output = run("config", "show", **VARIABLES).output
    shown = rows(output)

    assert shown["server.master_key"] == ("********", "file (line 3, $GATE)")
    assert shown["providers.anthropic.api_key"] == ("********", "file (line 6, $MY_KEY)")
    assert shown["providers.anthropic.headers.x-team"] == ("********", "file (line 7, $TEAM)")
    for secret in VARIABLES.values():
        assert secret not in output


def test_show_names_the_environment_where_there_is_no_file(run):
    output = run("config", "show", OPENAI_API_KEY="sk-0123456789").output
    shown = rows(output)
    assert "configuration file: none" in output
    assert shown["providers.openai.api_key"] == ("********", "environment ($OPENAI_API_KEY)")
    assert shown["models.gpt-6-luna.tier"] == ("simple", "environment ($OPENAI_API_KEY)")


def test_schema_is_printed(run):
    ran = run("config", "schema")
    assert ran.exit_code == 0
    assert json.loads(ran.output)["title"] == "Pointsman configuration"


def test_table_of_a_judge_is_printed_ready_to_be_used(run, home):
    table = run("config", "routes").output
    (home / "ROUTES.md").write_text(table)
    judge = "judge: {model: opus, when: unsure, routes_file: ROUTES.md}\n"
    (home / "pointsman.yaml").write_text(CONFIG + judge)
    assert run("check", **VARIABLES).exit_code == 0
    (home / "ROUTES.md").write_text(table.replace("| medium |", "| middling |", 1))
    checked = run("check", **VARIABLES)
    assert checked.exit_code == 2
    assert "ROUTES.md (line" in checked.output
    assert "one of simple, medium, complex, reasoning" in checked.output
