"""Gateways to throw bytes at."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from callers import BEHIND, DEMO, KEY, StartBehind

from gateways import Gateway, running_gateway
from pointsman.testing import FakeUpstream


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Simulated models, no key, 64 MB bodies."""
    with running_gateway(DEMO, tmp_path_factory.mktemp("demo")) as gateway:
        yield gateway


@pytest.fixture(scope="session")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """The same behind a key, with one web page listed and small bodies."""
    yaml = DEMO + (
        'server: {master_key: "$KEY", cors_origins: ["https://chat.example.org"], max_body_bytes: 200000}\n'
    )
    with running_gateway(yaml, tmp_path_factory.mktemp("locked"), {"KEY": KEY}) as gateway:
        yield gateway


@pytest.fixture
def upstream() -> Iterator[FakeUpstream]:
    with FakeUpstream.in_thread() as upstream:
        yield upstream


@pytest.fixture
def behind(upstream: FakeUpstream, tmp_path: Path) -> Iterator[StartBehind]:
    """`behind()` starts a gateway in front of `upstream`; it is stopped after the test."""
    with ExitStack() as stack:

        def start(grace_s: float = 5.0) -> Gateway:
            yaml = BEHIND.format(base_url=upstream.base_url, grace_s=grace_s)
            return stack.enter_context(running_gateway(yaml, tmp_path))

        yield start
