"""The layers and borders in pyproject.toml hold, and would be noticed if they did not."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

LINT_IMPORTS = [
    sys.executable,
    "-c",
    "import sys; sys.path.insert(0, 'src'); from importlinter.cli import lint_imports_command; lint_imports_command()",
    "--no-cache",
]


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(LINT_IMPORTS, cwd=folder, capture_output=True, text=True, check=False)


def test_import_contracts_are_kept(root: Path) -> None:
    ran = lint_imports(root)

    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("core/usage.py", "import time"),
        ("routing/decide.py", "import pointsman.upstream.client"),
        ("wire/openai_chat.py", "import pointsman.wire.anthropic_messages"),
        ("utils.py", "import json"),
    ],
)
def test_forbidden_import_is_noticed(root: Path, tmp_path: Path, module: str, line: str) -> None:
    shutil.copy(root / "pyproject.toml", tmp_path)
    shutil.copytree(root / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    with (tmp_path / "src/pointsman" / module).open("a") as file:
        file.write(f"\n{line}\n")

    ran = lint_imports(tmp_path)

    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "BROKEN" in ran.stdout
