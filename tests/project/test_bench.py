"""The benchmark runs from end to end; its figures are not judged here."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("bench")]


def test_quick_benchmark_prints_every_figure(
    root: Path, need: Callable[[bool, str], None], tmp_path: Path
) -> None:
    for program in ("nginx", "wrk", "cc"):
        need(shutil.which(program) is not None or Path("/usr/sbin", program).exists(), program)
    output = tmp_path / "benchmarks.md"

    ran = subprocess.run(
        [sys.executable, root / "bench/run.py", "--quick", "--output", output],
        capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip

    assert ran.returncode == 0, ran.stdout + ran.stderr
    text = output.read_text()
    for figure in (
        "CPU per request, routed",
        "CPU per streamed chunk",
        "start to first answer",
        "resident memory",
    ):
        assert figure in text
