"""What README.md tells a newcomer to type works, from a fresh clone.

Every ```bash and ```python block whose first line is `# tested` is run in the clone, in the order of the page, against
the server that `make serve` starts there, and must end well. The address http://127.0.0.1:4000 stands for wherever
that server listens. Python blocks run with the tests' own interpreter, which has the clients they import.
"""

import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("readme")]

ADDRESS = re.compile(r"(127\.0\.0\.1|localhost):4000")
BLOCK = re.compile(r"^```(bash|python)\n(# tested\n.*?)^```$", re.MULTILINE | re.DOTALL)
RUN = {"bash": ["bash", "-euo", "pipefail", "-c"], "python": [sys.executable, "-c"]}


def test_readme_examples_work_from_a_fresh_clone(
    fresh_clone: Path, newcomer: Mapping[str, str], start_server: Callable[..., str]
) -> None:
    text = (fresh_clone / "README.md").read_text()
    assert re.search(r"^make serve\b", text, re.MULTILINE)
    blocks = BLOCK.findall(text)
    assert {language for language, _ in blocks} == {"bash", "python"}

    url = start_server(["make", "serve", "ARGS=--port 0"], cwd=fresh_clone, env=newcomer, within_s=300)

    address = url.removeprefix("http://")
    for language, code in blocks:
        here = ADDRESS.sub(address, code)
        ran = subprocess.run(
            [*RUN[language], here],
            cwd=fresh_clone,
            env=newcomer,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert ran.returncode == 0, f"{here}\n{ran.stdout}\n{ran.stderr}"


def test_readme_names_the_test_command_and_it_runs_pytest(
    fresh_clone: Path, newcomer: Mapping[str, str]
) -> None:
    assert re.search(r"^make test\b", (fresh_clone / "README.md").read_text(), re.MULTILINE)

    ran = subprocess.run(
        ["make", "-n", "test"], cwd=fresh_clone, env=newcomer, capture_output=True, text=True, check=True
    )

    assert ran.stdout.splitlines()[-1].startswith(".venv/bin/pytest")
    assert "requirements-dev.lock" in ran.stdout


def test_make_help_lists_every_command(fresh_clone: Path, newcomer: Mapping[str, str]) -> None:
    phony = re.search(r"^\.PHONY: (.+)$", (fresh_clone / "Makefile").read_text(), re.MULTILINE)
    assert phony is not None

    ran = subprocess.run(["make"], cwd=fresh_clone, env=newcomer, capture_output=True, text=True, check=True)

    assert re.findall(r"^make ([a-z-]+) ", ran.stdout, re.MULTILINE) == phony[1].split()
