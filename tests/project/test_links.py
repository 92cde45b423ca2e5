"""Documents point at files that exist."""

import re
from pathlib import Path

LINK = re.compile(r"\]\(([^)#\s]+)")


def test_links_between_documents_lead_somewhere(root: Path, git_files: list[str]) -> None:
    broken = [
        f"{name}: {target}"
        for name in git_files
        if name.endswith(".md") and not name.startswith("tests/golden/")
        for target in LINK.findall((root / name).read_text())
        if "://" not in target and not target.startswith("mailto:")
        if not (root / name).parent.joinpath(target).exists()
    ]

    assert broken == []
