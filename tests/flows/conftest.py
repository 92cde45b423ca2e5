"""A whole gateway for a test: settings from YAML text, a real listener, its own thread and loop."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvloop

from pointsman.app import Stopper, listen, run, url_of
from pointsman.config.load import load
from pointsman.ledger.entry import Attempt, Entry


@dataclass
class Gateway:
    """`url` is its address; `booked` what the ledger was given, in order."""

    url: str
    booked: list[tuple[Entry, tuple[Attempt, ...]]] = field(default_factory=list)


@contextmanager
def running_gateway(yaml: str, folder: Path, environ: Mapping[str, str] | None = None) -> Iterator[Gateway]:
    file = folder / "pointsman.yaml"
    file.write_text(yaml)
    settings = load(file, {"POINTSMAN_STATE_DIR": str(folder), **(environ or {})}, {"port": 0}).settings
    listener = listen(settings.server.host, settings.server.port)
    gateway = Gateway(url_of(listener))
    stopper = Stopper()

    def main() -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(
                run(settings, listener, lambda entry, tries: gateway.booked.append((entry, tries)), stopper)
            )

    thread = threading.Thread(target=main)
    thread.start()
    try:
        yield gateway
    finally:
        stopper.stop()
        thread.join(20)
        assert not thread.is_alive(), "the gateway did not stop"


GatewayFactory = Callable[..., Gateway]


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[GatewayFactory]:
    """`gateway(yaml, **environment)` starts one; all are stopped after the test."""
    with ExitStack() as stack:

        def start(yaml: str, **environ: Any) -> Gateway:
            return stack.enter_context(running_gateway(yaml, tmp_path, environ))

        yield start
