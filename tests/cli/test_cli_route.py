import json

import pytest
from typer.testing import CliRunner

from pointsman.cli.commands import app
from pointsman.ledger.feedback import FeedbackStore

MOVED = """\
providers: {demo: {}}
models:
  small: {provider: demo, tier: simple, usd_per_million_input: 1, usd_per_million_output: 2}
  large: {provider: demo, tier: complex, usd_per_million_input: 10, usd_per_million_output: 20}
tiers: [simple, complex]
routing: {boundaries: [0.5]}
feedback: {calibrate: apply}
"""


def test_route_explains_in_words(run):
    ran = run("route", "What is the capital of France?")
    assert ran.exit_code == 0
    for word in (
        "model     demo-simple at demo",
        "tier      simple",
        "score     0.",
        "estimate  $0.",
        "base",
    ):
        assert word in ran.output
    assert "against demo-reasoning" in ran.output


def test_route_as_json_is_flat_and_complete(run):
    decision = json.loads(run("route", "What is the capital of France?", "--json").output)

    assert decision["model"] == "demo-simple"
    assert decision["provider"] == "demo"
    assert decision["tier"] == "simple"
    assert decision["profile"] == "auto"
    assert 0 <= decision["score"] <= 1
    assert decision["estimated_cost_usd"] > 0
    assert decision["saving_usd"] > 0
    assert decision["dearest_model"] == "demo-reasoning"
    assert [candidate["model"] for candidate in decision["candidates"]] == [
        "demo-simple",
        "demo-medium",
        "demo-complex",
        "demo-reasoning",
    ]
    assert decision["reasons"][0].keys() == {"signal", "value", "share", "detail"}
    assert decision["reasons"][0]["signal"] == "base"


def test_shares_add_up_to_the_score(run):
    decision = json.loads(run("route", "Prove that the square root of 2 is irrational.", "--json").output)
    total = sum(reason["share"] for reason in decision["reasons"])
    assert min(max(total, 0), 1) == pytest.approx(decision["score"])


def test_tools_and_profiles_matter(run):
    with_tools = json.loads(run("route", "hi", "--tools", "3", "--json").output)
    assert with_tools["tier"] == "medium"
    premium = json.loads(run("route", "hi", "--profile", "premium", "--json").output)
    assert (premium["profile"], premium["tier"]) == ("premium", "medium")


def test_why_a_model_fell_out_is_said(run, home):
    (home / "pointsman.yaml").write_text(
        "providers: {demo: }\n"
        "models:\n"
        "  small: {provider: demo, id: demo-simple, tier: simple, abilities: []}\n"
        "  able: {provider: demo, id: demo-medium, tier: medium}\n"
    )
    ran = run("route", "hi", "--tools", "1")
    assert "out: it cannot call tools" in ran.output


def test_system_text_is_read(run):
    plain = json.loads(run("route", "hi", "--json").output)
    long = json.loads(run("route", "hi", "--system", "You are an assistant. " * 500, "--json").output)
    assert long["estimated_cost_usd"] > plain["estimated_cost_usd"]


def test_unpriced_models_have_no_estimate(run, home):
    (home / "pointsman.yaml").write_text(
        'providers: {mine: {dialect: openai-chat, base_url: "http://127.0.0.1:9/v1"}}\n'
        "models: {m: {provider: mine, tier: simple}}\n"
    )
    decision = json.loads(run("route", "hi", "--json").output)
    assert decision["estimated_cost_usd"] is None
    assert decision["saving_usd"] is None
    assert "estimate  not known" in run("route", "hi").output


def test_a_chain_that_was_written_down_is_the_order(run, home):
    (home / "pointsman.yaml").write_text(
        'providers: {mine: {dialect: openai-chat, base_url: "http://127.0.0.1:9/v1"}}\n'
        "models: {m: {provider: mine, tier: simple}, n: {provider: mine, tier: simple}}\n"
        "chains: {tiers: {simple: [n, m]}}\n"
    )
    decision = json.loads(run("route", "hi", "--json").output)

    assert decision["model"] == "n"
    assert "chain of tier simple" in decision["rules"]


@pytest.mark.parametrize("command", [("route", "hi"), ("models",)])
def test_unknown_profile_is_told_with_those_there_are(command, run):
    ran = run(*command, "--profile", "fast")
    assert ran.exit_code == 2
    assert "there is no profile 'fast'; there are auto, eco" in ran.output


def test_no_able_model_is_said_in_words(run):
    ran = run("route", "hi", "--profile", "free")
    assert ran.exit_code == 2
    assert "not free" in ran.output


def test_models_prints_the_table_and_each_tiers_order(run):
    ran = run("models")
    assert ran.exit_code == 0
    assert "demo-simple     demo      simple       0.10     0.40      32k  tools json_schema" in ran.output
    assert "medium     medium     demo-medium, demo-complex, demo-reasoning, demo-simple" in ran.output


def test_models_names_the_places_of_those_that_have_several(run, home):
    (home / "pointsman.yaml").write_text(
        "providers:\n"
        '  a: {dialect: openai-chat, base_url: "http://127.0.0.1:9001/v1"}\n'
        '  b: {dialect: openai-chat, base_url: "http://127.0.0.1:9002/v1"}\n'
        "models:\n"
        "  shared:\n"
        "    backends:\n"
        "      - {provider: a, weight: 0}\n"
        "      - {provider: b, weight: 2.5, region: eu}\n"
        "  single: {provider: a}\n"
    )
    output = run("models").output

    assert "  shared@b (weight 2.5, in eu)\n  shared@a (weight 0)\n" in output
    assert "single@" not in output


def test_models_shows_what_a_profile_changes(run):
    lines = run("models", "--profile", "premium").output.splitlines()
    assert any(line.split()[:2] == ["simple", "medium"] for line in lines)
    assert "not free" in run("models", "--profile", "free").output


def test_route_decides_with_the_boundaries_that_reports_have_moved(tmp_path):
    config = tmp_path / "pointsman.yaml"
    config.write_text(MOVED)
    environ = {"POINTSMAN_STATE_DIR": str(tmp_path)}

    def tier() -> str:
        asked = ["route", "Explain how the garden grows.", "--json", "--config", str(config)]
        tier: str = json.loads(CliRunner().invoke(app, asked, env=environ).output)["tier"]
        return tier

    assert tier() == "simple"
    FeedbackStore(tmp_path / "ledger.db", 1000).calibrate(1000.0, 300, (0.5,), (0.05,))
    assert tier() == "complex"
    FeedbackStore(tmp_path / "ledger.db", 1000).revoke(2000.0)
    assert tier() == "simple"
