"""`pointsman lab`, on the configuration of the README and on ones whose fallbacks do not work."""

import json
import re
import socket
from pathlib import Path

import pytest

README = Path(__file__).resolve().parents[2] / "README.md"
KEY = "sk-ant-api03-a-key-that-must-not-leave"


@pytest.fixture
def example(home):
    """The example of the README."""
    found = re.search(r"^```yaml\n(providers:\n.*?)^```$", README.read_text(), re.MULTILINE | re.DOTALL)
    assert found is not None
    (home / "pointsman.yaml").write_text(found[1])


def test_lab_proves_the_fallbacks_of_the_readmes_example(run, example):
    ran = run("lab")

    assert ran.exit_code == 0, ran.output
    lines = [re.sub(r" {2,}", " | ", line.strip()) for line in ran.output.splitlines()]
    assert lines[0] == "auto, eco (simple): tiny -> opus"
    assert lines[2:4] == [
        "nobody | tiny | tiny | works | streamed and not",
        "tiny | tiny -> opus | opus | works | all 12 faults",
    ]
    assert lines[4].startswith(
        "tiny, opus | tiny -> opus | nobody | told 429, 502, 504 | slow_head, 401, 404"
    )
    assert lines[-1] == "2 of 2 fallbacks work, in 152 trials."


@pytest.mark.parametrize(
    ("section", "fault", "wrong"),
    [
        ("outcomes: {server_error: stop}", "500", "opus is never asked, the caller was told 502"),
        ("retries: {attempts_max: 1}", "408", "opus is never asked, the caller was told 504"),
    ],
)
def test_lab_tells_that_a_fallback_is_broken_and_exits_1(run, example, home, section, fault, wrong):
    """Two ways to forbid what the order of models promises."""
    file = home / "pointsman.yaml"
    file.write_text(f"{file.read_text()}reliability:\n  {section}\n")

    ran = run("lab", "--fault", fault)

    assert ran.exit_code == 1
    assert f"BROKEN: {wrong}" in ran.output
    assert "0 of 2 fallbacks work" in ran.output


def test_lab_needs_no_key_and_sends_none(run, example, home):
    """With the key in the environment and without it the same happens; that it is sent to nobody, the trials show."""
    with_key = run("lab", "--fault", "401", "--json", ANTHROPIC_API_KEY=KEY)
    without = run("lab", "--fault", "401", "--json")

    assert with_key.exit_code == without.exit_code == 0
    assert KEY not in with_key.output
    assert [trial["path"] for trial in json.loads(with_key.output)["trials"]] == [
        trial["path"] for trial in json.loads(without.output)["trials"]
    ]


def test_lab_tells_every_trial_as_json(run, example):
    told = json.loads(run("lab", "--fault", "429_retry_after", "--json").output)

    assert told["works"] is True
    first = next(trial for trial in told["trials"] if trial["failing"] == ["tiny"] and trial["stream"])
    assert first["asked_for"] == ["auto", "eco"]
    assert first["chain"] == ["tiny", "opus"]
    assert first["path"][0] == "tiny"
    assert (first["path"][-1], first["answered"], first["wanted"], first["wrong"]) == (
        "opus",
        "opus",
        "opus",
        None,
    )
    last = next(trial for trial in told["trials"] if trial["failing"] == ["tiny", "opus"])
    assert (last["status"], last["answered"]) == (429, None)


def test_lab_reaches_nobody_but_its_own_provider(run, home):
    """What listens at the address of the configuration hears nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        listener.settimeout(0)
        (home / "pointsman.yaml").write_text(
            "providers:\n"
            f'  local: {{dialect: openai-chat, base_url: "http://127.0.0.1:{port}/v1"}}\n'
            "models:\n  only: {provider: local, tier: simple}\n"
        )
        ran = run("lab", "--fault", "500")
        with pytest.raises(BlockingIOError):
            listener.accept()

    assert ran.exit_code == 0
    assert "only: only" in ran.output


def test_lab_refuses_a_fault_it_does_not_know(run, example):
    ran = run("lab", "--fault", "plague")

    assert ran.exit_code == 2
    assert "there is no fault 'plague'" in ran.output


def test_lab_of_simulated_models_works(run, home):
    """Without a configuration: the simulated models are replaced by the lab's too."""
    ran = run("lab", "--fault", "500")

    assert ran.exit_code == 0, ran.output
    assert "demo-simple" in ran.output
