"""Fixtures for tests of the project as a whole: what git holds, a fresh copy of it, servers in processes of their own."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LISTENING = re.compile(r"listening on (http://\S+)")

StartServer = Callable[..., str]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def git_files() -> list[str]:
    """What git holds, and what it would take up: in a fresh clone that is the same."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    ran = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return sorted({name for name in ran.stdout.split("\0") if name and (ROOT / name).is_file()})


@pytest.fixture(scope="session")
def fresh_clone(git_files: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the repository and nothing else, as someone who has just cloned it finds them."""
    folder = tmp_path_factory.mktemp("clone") / "pointsman"
    for name in git_files:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target)
    return folder


@pytest.fixture(scope="session")
def newcomer(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """The environment of someone with no provider key, no Ollama and an empty home. How packages are found and
    fetched on this machine stays as it is."""
    home = tmp_path_factory.mktemp("home")
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in {"PATH", "LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE", "CI"}
        or name.startswith(("PIP_", "NPM_CONFIG_", "PYENV_"))
        or name.lower() in {"http_proxy", "https_proxy", "no_proxy"}
    }
    pip_configs = [
        path
        for path in (Path.home() / ".config/pip/pip.conf", Path.home() / ".pip/pip.conf")
        if path.is_file()
    ]
    if pip_configs:
        kept.setdefault("PIP_CONFIG_FILE", str(pip_configs[0]))
    npm_config = Path.home() / ".npmrc"
    if npm_config.is_file():
        kept.setdefault("NPM_CONFIG_USERCONFIG", str(npm_config))
    # nothing listens on port 1
    return kept | {"HOME": str(home), "OLLAMA_HOST": "127.0.0.1:1"}


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[StartServer]:
    """Starts a command that says where it listens, and returns that URL; stops it after the test."""
    started: list[subprocess.Popen[bytes]] = []

    def start(
        command: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path = tmp_path, within_s: float = 60
    ) -> str:
        log = tmp_path / f"server-{len(started)}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                command,
                cwd=cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        started.append(process)
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            said = log.read_text()
            found = LISTENING.search(said)
            if found is not None:
                return found[1]
            if process.poll() is not None:
                pytest.fail(f"{command} ended with status {process.returncode}:\n{said}")
            time.sleep(0.02)
        pytest.fail(f"{command} did not say where it listens within {within_s} s:\n{log.read_text()}")

    yield start
    for process in started:
        signal_group(process, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        signal_group(process, signal.SIGKILL)
        process.wait()


def signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


@pytest.fixture(scope="session")
def need() -> Callable[[bool, str], None]:
    """Skips the test where something outside the repository is missing; fails it where everything must be there."""

    def need(is_there: bool, what: str) -> None:
        if is_there:
            return
        if os.environ.get("CI") == "true":
            pytest.fail(f"needs {what}")
        pytest.skip(f"needs {what}")

    return need
