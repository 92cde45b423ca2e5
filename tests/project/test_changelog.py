"""The version is the same wherever it is written."""

import re
import tomllib
from pathlib import Path

import pointsman


def test_changelog_names_this_version(root: Path) -> None:
    headings = re.findall(r"^## \[?([^\]\s]+)\]?", (root / "CHANGELOG.md").read_text(), re.MULTILINE)

    assert next(heading for heading in headings if heading != "Unreleased") == pointsman.__version__


def test_package_has_this_version(root: Path) -> None:
    assert tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"] == pointsman.__version__
