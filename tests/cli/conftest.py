"""Runs commands as a user would, in a folder and an environment of their own."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from served import Serve, Served
from typer.testing import CliRunner, Result

from pointsman.cli.commands import app
from pointsman.testing import FakeUpstream
from pointsman.upstream.known_providers import KNOWN_PROVIDERS

KEY_VARIABLES = {variable for known in KNOWN_PROVIDERS.values() for variable in known.key_variables}

Run = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory in which nothing of the machine's own is found."""
    for variable in os.environ:
        if variable in KEY_VARIABLES or variable.startswith(("POINTSMAN_", "XDG_")):
            monkeypatch.delenv(variable)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("POINTSMAN_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:1")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(home: Path) -> Run:
    """`pointsman` with these arguments; keyword arguments are environment variables."""

    def run_it(*arguments: str, **variables: str) -> Result:
        return CliRunner().invoke(app, arguments, env=variables, prog_name="pointsman")

    return run_it


@pytest.fixture
def run_process(home: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The same as a process of its own."""

    def run_it(*arguments: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pointsman", *arguments],
            cwd=home,
            env={**os.environ, **(env or {})},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return run_it


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """`serve(*arguments, **environment)`; all are killed after the test."""
    with contextlib.ExitStack() as stack:

        def start(*arguments: str, **environ: str) -> Served:
            if not arguments:
                arguments = ("serve", "--port", "0")
            return stack.enter_context(Served(arguments, tmp_path, environ))

        yield start


@pytest.fixture
def upstream() -> Iterator[FakeUpstream]:
    with FakeUpstream.in_thread() as upstream:
        yield upstream
