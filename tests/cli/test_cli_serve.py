"""The command as a process: what it prints, and that it serves."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from pointsman import __version__

Start = Callable[..., tuple[list[str], str]]


@pytest.fixture
def start(home: Path) -> Iterator[Start]:
    """Starts the command; gives what it printed up to the line with its address, and the address."""
    processes: list[subprocess.Popen[str]] = []

    def start_it(*arguments: str, **variables: str) -> tuple[list[str], str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "pointsman", *arguments],
            cwd=home,
            env={**os.environ, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        processes.append(process)
        assert process.stdout is not None
        lines: list[str] = []
        for line in process.stdout:
            lines.append(line.rstrip("\n"))
            if " listening on " in line:
                return lines, line.split()[-1]
        raise AssertionError(f"it did not start: {lines}")

    yield start_it
    for process in processes:
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        assert process.stdout is not None
        process.stdout.close()


def post(url: str, body: object) -> dict[str, object]:
    request = Request(url, json.dumps(body).encode(), {"content-type": "application/json"})
    with urlopen(request, timeout=60) as answer:
        return json.load(answer)


def test_bare_command_serves_simulated_models_and_says_how_to_add_a_key(start):
    lines, url = start(POINTSMAN_PORT="0")

    assert lines[0].startswith("model")
    assert [line.split()[0] for line in lines[1:5]] == [
        "demo-simple",
        "demo-medium",
        "demo-complex",
        "demo-reasoning",
    ]
    assert len(lines) == 8
    assert "ANTHROPIC_API_KEY" in lines[6]
    answer = post(
        f"{url}/v1/chat/completions", {"model": "auto", "messages": [{"role": "user", "content": "hi"}]}
    )
    assert "simulated" in json.dumps(answer)


def test_route_endpoint_and_route_command_agree(start, run):
    _, url = start("serve", "--port", "0")
    text = "Prove that the square root of 2 is irrational, step by step."

    there = post(f"{url}/v1/route", {"model": "auto", "messages": [{"role": "user", "content": text}]})
    here = json.loads(run("route", text, "--json").output)

    for key in ("score", "tier", "profile", "model", "provider", "reasons", "rules"):
        assert there[key] == here[key]
    assert there.keys() == here.keys()


def test_file_and_flags_are_served(start, home):
    (home / "mine.yaml").write_text(
        "providers: {demo: }\nmodels: {only: {provider: demo, id: demo-medium, tier: medium}}\n"
    )
    lines, url = start("serve", "--config", "mine.yaml", "--host", "localhost", "--port", "0")
    assert lines[1].startswith("only")
    assert len(lines) == 3
    with urlopen(f"{url}/v1/models", timeout=60) as answer:
        assert "only" in {model["id"] for model in json.load(answer)["data"]}


def test_version_is_printed(run):
    for arguments in (("version",), ("--version",)):
        ran = run(*arguments)
        assert (ran.exit_code, ran.output) == (0, f"pointsman {__version__}\n")


@pytest.mark.parametrize(
    "arguments", [("nonsense",), ("serve", "--prot", "1"), ("serve", "--port", "x"), ("route",)]
)
def test_wrong_usage_is_told_without_a_traceback(arguments, run_process):
    ran = run_process(*arguments)
    assert ran.returncode == 2
    assert "Traceback" not in ran.stderr
    assert "Usage:" in ran.stderr


def test_rich_is_not_loaded_to_serve(home):
    code = (
        "import sys; from pointsman.cli.commands import app; import pointsman.cli.serve;"
        "print([name for name in ('rich', 'genai_prices', 'ruamel.yaml', 'alembic') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
