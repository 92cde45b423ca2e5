"""The soak runs from end to end, if only for seconds."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("bench")]


def test_short_soak_finds_everything_as_it_should_be(root: Path, need: Callable[[bool, str], None]) -> None:
    need(Path("/proc/self/statm").exists(), "/proc")

    ran = subprocess.run(
        [sys.executable, root / "bench/soak.py", "--minutes", "0.1"],
        capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip

    for figure in ("memory", "held after the load", "CPU idle after that", "hang up", "SIGTERM"):
        assert figure in ran.stdout, ran.stdout + ran.stderr
    # How much CPU a busy machine gives to whom is not judged here.
    wrong = ran.stdout.strip().splitlines()[-1]
    assert "held" not in wrong
    assert "files" not in wrong
    assert "tracebacks" not in wrong
