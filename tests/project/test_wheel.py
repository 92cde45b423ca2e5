"""The wheel holds what git holds, and works in an empty environment with the newest dependencies allowed."""

import http.client
import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("wheel")]

LOOPBACK = re.compile(r"'(127\.\d+\.\d+\.\d+|localhost|::1)'|None, |^socket\.\w+ \('/")


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the working tree as it is, with all that lies around in it."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, root]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(
    root: Path,
    wheel: Path,
    newcomer: Mapping[str, str],
    need: Callable[[bool, str], None],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """An environment that held nothing but pip before."""
    folder = tmp_path_factory.mktemp("installed") / "venv"
    subprocess.run([sys.executable, root / "scripts/bootstrap.py", folder], env=newcomer, check=True)
    command = [folder / "bin/python", "-m", "pip", "install", "-qq", "--disable-pip-version-check", wheel]
    ran = subprocess.run(command, env=newcomer, capture_output=True, text=True, check=False)
    if "No matching distribution" in ran.stderr or "Could not find a version" in ran.stderr:
        need("Connection" not in ran.stderr and "connection" not in ran.stderr, "a package index")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return folder


OLLAMA = "127.0.0.1"  # it is looked for on this machine, and nowhere else


def test_wheel_holds_the_package_as_git_has_it(wheel: Path, git_files: list[str]) -> None:
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}

    assert names == {name.removeprefix("src/") for name in git_files if name.startswith("src/")}


def test_wheel_holds_only_what_wheels_are_made_of_besides(wheel: Path) -> None:
    names = {
        name.partition(".dist-info/")[2]
        for name in zipfile.ZipFile(wheel).namelist()
        if ".dist-info/" in name
    }

    assert names == {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE"}


@pytest.mark.parametrize(
    "pattern",
    [
        "pointsman/py.typed",
        "pointsman/config/.*schema.*\\.json",
        "pointsman/routing/keywords.*\\.toml",
        "pointsman/ledger/migrations/.+\\.(py|sql)",
    ],
)
def test_wheel_holds_data_that_is_read_at_run_time(wheel: Path, pattern: str) -> None:
    names = zipfile.ZipFile(wheel).namelist()

    assert [name for name in names if re.fullmatch(pattern, name)] != []


def test_installed_wheel_streams_an_answer(
    installed: Path, newcomer: Mapping[str, str], start_server: Callable[..., str]
) -> None:
    url = start_server([installed / "bin/pointsman", "serve", "--port", "0"], env=newcomer)

    events = streamed(url)

    assert events[-1] == "[DONE]"
    chunks = [json.loads(event) for event in events[:-1]]
    text = "".join(choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"])
    assert "simulated" in text


def test_start_uses_no_network_and_no_other_program(
    installed: Path, newcomer: Mapping[str, str], start_server: Callable[..., str], tmp_path: Path
) -> None:
    log = tmp_path / "asked"
    recorded = [installed / "bin/python", Path(__file__).with_name("recorded_start.py"), log]

    url = start_server([*recorded, "serve", "--port", "0"], env=newcomer)
    streamed(url)

    asked = log.read_text().splitlines()
    assert any(OLLAMA in line for line in asked), "nothing was recorded"
    assert [line for line in asked if line.startswith("socket.") and not LOOPBACK.search(line)] == []
    assert [line for line in asked if not line.startswith("socket.")] == []


def test_start_makes_no_system_call_that_reaches_out(
    installed: Path,
    newcomer: Mapping[str, str],
    start_server: Callable[..., str],
    need: Callable[[bool, str], None],
    tmp_path: Path,
) -> None:
    """The kernel's view: libraries in C are not seen by Python's own audit."""
    strace = shutil.which("strace")
    if strace is None or subprocess.run([strace, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("needs strace and the right to use it")
    log = tmp_path / "calls"
    traced = [strace, "-f", "-qq", "-e", "trace=connect,execve", "-o", log]

    url = start_server([*traced, installed / "bin/pointsman", "serve", "--port", "0"], env=newcomer)
    streamed(url)

    calls = log.read_text().splitlines()
    connects = [call for call in calls if "connect(" in call]
    assert connects != []
    assert [call for call in connects if not re.search(r'"127\.0\.0\.1"|"::1"|AF_UNIX|AF_UNSPEC', call)] == []
    assert len([call for call in calls if "execve(" in call]) == 1


def streamed(url: str) -> list[str]:
    """The data of every event that a routed, streamed request is answered with."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    body = {"model": "auto", "stream": True, "messages": [{"role": "user", "content": "Say hello."}]}
    connection.request("POST", "/v1/chat/completions", json.dumps(body), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    assert answer.status == 200, text
    return [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]
