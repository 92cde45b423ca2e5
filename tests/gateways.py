"""A whole gateway for a test: settings from YAML text, a real listener, its own thread and event loop."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import uvloop

from pointsman.app import Stopper, answer, listen, run, url_of
from pointsman.config.load import load
from pointsman.config.loaded import Loaded
from pointsman.config.schema import Settings
from pointsman.control.runtime import Runtime
from pointsman.gateway.pipeline import Record
from pointsman.ledger.entry import Attempt, Entry
from pointsman.ledger.store import Ledger
from pointsman.server.eager_task import EagerTask
from waiting import PATIENCE_S, wait_until

T = TypeVar("T")

Booked = tuple[Entry, tuple[Attempt, ...]]
MakeRuntime = Callable[[Settings, Record], Runtime]


@dataclass
class Gateway:
    """`url` is its address, `file` its configuration, `rows` what the ledger was given so far."""

    url: str
    stopper: Stopper
    file: Path
    rows: list[Booked] = field(default_factory=list)
    loop: asyncio.AbstractEventLoop | None = None
    started: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        assert parts.hostname is not None
        assert parts.port is not None
        return parts.hostname, parts.port

    def in_loop(self, function: Callable[[], T]) -> T:
        """The result of `function`, called in the gateway's own thread."""

        async def call() -> T:
            return function()

        assert self.started.wait(PATIENCE_S)
        assert self.loop is not None
        return asyncio.run_coroutine_threadsafe(call(), self.loop).result(PATIENCE_S)

    def catch_up(self) -> None:
        """Returns when the gateway's thread is done with what it is at, or has ended. What it does behind the last byte of
        an answer, within the same turn of its loop, has been done then: it is booked, and what failed is logged."""
        assert self.started.wait(PATIENCE_S)
        assert self.loop is not None
        turned = threading.Event()
        with suppress(RuntimeError):  # its loop is closed
            self.loop.call_soon_threadsafe(turned.set)
        wait_until(lambda: turned.wait(0.05) or self.ended.is_set())

    @property
    def booked(self) -> list[Booked]:
        """What the ledger was given, in order. Whoever has the whole of an answer finds it here."""
        self.catch_up()
        return self.rows.copy()

    def tasks_under_way(self) -> int:
        """Requests that are being answered, and tasks besides the server's own main one and the one that counts."""
        return self.in_loop(lambda: len(asyncio.all_tasks()) - 2 + self._requests_under_way())

    def _requests_under_way(self) -> int:
        server = self.stopper.server
        tasks = () if server is None else server.server_state.tasks
        return sum(isinstance(task, EagerTask) for task in tasks)


_NEVER_OPEN = {
    "consecutive_failures": 1_000_000_000,
    "min_calls": 1_000_000_000,
    "open_s": 0.0,
    "auth_open_s": 0.0,
    "rate_limited_s": 0.0,
    "overloaded_s": 0.0,
    "retry_after_max_s": 0.0,
}


def with_one_try(settings: Settings, *, retries: int = 0, is_guarded: bool = False) -> Settings:
    reliability = settings.reliability
    reliability = reliability.model_copy(
        update={"retries": reliability.retries.model_copy(update={"per_target": retries})}
    )
    settings = settings.model_copy(update={"reliability": reliability})
    if is_guarded:
        return settings
    return settings.model_copy(update={"breaker": settings.breaker.model_copy(update=_NEVER_OPEN)})


def altered(loaded: Loaded, alter: Callable[[Settings], Settings]) -> Loaded:
    """The same in other settings, now and whenever it is read again."""
    return replace(
        loaded,
        settings=alter(loaded.settings),
        again=lambda *, lists, overlay=None: altered(loaded.again(lists=lists, overlay=overlay), alter),
    )


@contextmanager
def running_gateway(
    yaml: str,
    folder: Path,
    environ: Mapping[str, str] | None = None,
    *,
    make: MakeRuntime | None = None,
    retries: int = 0,
    is_guarded: bool = False,
) -> Iterator[Gateway]:
    """`make` builds another runtime than the real one, which reaches its providers over the network. No target is asked twice, unless `retries` says so: most tests are about what one
    failure does. For the same reason no circuit opens, unless it `is_guarded`."""
    file = next(file for number in count() if not (file := folder / f"pointsman{number or ''}.yaml").exists())
    file.write_text(yaml)
    loaded = load(file, {"POINTSMAN_STATE_DIR": str(folder), **(environ or {})}, {"port": 0})
    loaded = altered(loaded, partial(with_one_try, retries=retries, is_guarded=is_guarded))
    settings = loaded.settings
    listener = listen(settings.server.host, settings.server.port)
    gateway = Gateway(url_of(listener), Stopper(), file)

    ledger = Ledger(None)

    def record(entry: Entry, attempts: tuple[Attempt, ...]) -> None:
        ledger.tally.add([(entry, attempts)])
        gateway.rows.append((entry, attempts))

    async def main() -> None:
        gateway.loop = asyncio.get_running_loop()
        gateway.started.set()
        if make is None:
            await run(loaded, listener, record, gateway.stopper, ledger=ledger)
        else:
            await answer(loaded, lambda settings: make(settings, record), listener, gateway.stopper, 1000)

    def work() -> None:
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(main())
        finally:
            gateway.ended.set()

    thread = threading.Thread(target=work, name="gateway")
    thread.start()
    try:
        yield gateway
    finally:
        gateway.stopper.stop()
        thread.join(PATIENCE_S)
        assert not thread.is_alive(), "the gateway did not stop"
