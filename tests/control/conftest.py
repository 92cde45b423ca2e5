"""Gateways whose configuration changes under them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from operators import ADMIN, Operator

from gateways import running_gateway
from pointsman.testing import FakeUpstream


@pytest.fixture
def upstream() -> Iterator[FakeUpstream]:
    with FakeUpstream.in_thread() as upstream:
        yield upstream


@pytest.fixture
def operated(tmp_path: Path) -> Iterator[Callable[..., Operator]]:
    """`operated(yaml, **environment)` starts a gateway that looks after its file only when it is told to."""
    with ExitStack() as stack:

        def start(yaml: str, **environ: str) -> Operator:
            known = {"POINTSMAN_ADMIN_KEY": ADMIN, **environ}
            return stack.enter_context(Operator(stack.enter_context(running_gateway(yaml, tmp_path, known))))

        yield start
