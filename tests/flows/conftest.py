"""What every flow needs: whole gateways, each with its own thread and event loop."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from calls import GatewayFactory

from gateways import Gateway, running_gateway


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[GatewayFactory]:
    """`gateway(yaml, **environment)` starts one; all are stopped after the test."""
    with ExitStack() as stack:

        def start(yaml: str, **environ: Any) -> Gateway:
            return stack.enter_context(running_gateway(yaml, tmp_path, environ))

        yield start
