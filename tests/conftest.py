"""Fixtures every test may use."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of recorded provider traffic that lies beside the repository for its developers.

    Someone who has only the repository runs without: the vectors in tests/golden cover the same ground
    more thinly.
    """
    folder = Path(os.environ.get("POINTSMAN_SHARED", ROOT.parent / "shared"))
    if not (folder / "wire").is_dir():
        pytest.skip("the recordings are not here (set POINTSMAN_SHARED)")
    return folder
