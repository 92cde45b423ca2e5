"""Fixtures every test may use."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent

settings.register_profile("search", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("repeat", settings.get_profile("search"), derandomize=True, database=None)
# The same examples in every run, however slow the machine: a run that fails does so for a change. Others are looked for
# with --hypothesis-profile=search, and by `make fuzz`.
settings.load_profile("repeat")


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
