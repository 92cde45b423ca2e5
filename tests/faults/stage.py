"""Where a cell is played: gateways in front of the lab's provider, each with a model that fails and one behind it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Lock
from time import monotonic, sleep

from faults.cells import Cell
from faults.heard import Heard, ask
from faults.judges import Played
from gateways import Gateway, running_gateway
from pointsman.core.ports import Deadlines
from pointsman.lab.upstream import FaultUpstream
from pointsman.ledger.entry import Attempt, Entry

IMPATIENT = Deadlines(connect_s=10, first_byte_s=0.4, idle_s=0.8, total_s=60)
"""For what never goes on. Whoever does go on has all the time there is, however slow the machine."""

_AT_ONCE = 8
_BOOKED_WITHIN_S = 20.0

_CONFIG = """
server: {{keepalive_after_s: 60, log_level: error}}
providers:
  one: {{dialect: {first}, base_url: {one}, api_key: $KEY, include_stream_usage: {asks_first}}}
  two: {{dialect: {second}, base_url: {two}, api_key: $KEY, include_stream_usage: {asks_second}}}
models:
  first: {{provider: one, tier: simple, usd_per_million_input: 1, usd_per_million_output: 1}}
  second: {{provider: two, tier: simple, usd_per_million_input: 2, usd_per_million_output: 2}}
"""


class Stage:
    """One gateway for each pair of dialects, started when it is first needed."""

    def __init__(self, upstream: FaultUpstream, folder: Path, stack: ExitStack) -> None:
        self._upstream = upstream
        self._folder = folder
        self._stack = stack
        self._lock = Lock()
        self._gateways: dict[tuple[str, str], Gateway] = {}

    def play(self, cell: Cell) -> Played:
        gateway = self._gateway(cell.first, cell.second)
        faults = {"first": cell.fault.name}
        if cell.second_fault is not None:
            faults["second"] = cell.second_fault.name
        case = self._upstream.case(faults)
        model = "first" if cell.behind == "none" else "auto"
        heard = ask(gateway.url, cell.client, model, f"Hello, {case.mark}.", stream=cell.stream)
        return Played(cell, heard, case, _booked(gateway, heard))

    def _gateway(self, first: str, second: str) -> Gateway:
        with self._lock:
            found = self._gateways.get((first, second))
            if found is None:
                found = self._gateways[first, second] = self._start(first, second)
            return found

    def _start(self, first: str, second: str) -> Gateway:
        folder = self._folder / f"{first} {second}"
        folder.mkdir()
        yaml = _CONFIG.format(
            first=first,
            second=second,
            one=self._upstream.base_url("one"),
            two=self._upstream.base_url("two"),
            asks_first=str(first == "openai-chat").lower(),
            asks_second=str(second == "openai-chat").lower(),
        )
        return self._stack.enter_context(
            running_gateway(
                yaml,
                folder,
                {"KEY": "sk-lab"},
                through=lambda send: self._upstream.through(send, IMPATIENT),
            )
        )


def _booked(gateway: Gateway, heard: Heard) -> tuple[Entry, tuple[Attempt, ...]] | None:
    """The rows of this request. They are booked behind its answer, so they may still be on their way."""
    wanted = heard.headers.get("x-pointsman-request-id")
    until = monotonic() + _BOOKED_WITHIN_S
    while wanted is not None and monotonic() < until:
        for entry, attempts in reversed(gateway.booked):
            if entry.request_id == wanted:
                return entry, attempts
        sleep(0.005)
    return None


@contextmanager
def stage(folder: Path) -> Iterator[Stage]:
    with FaultUpstream.in_thread() as upstream, ExitStack() as stack:
        yield Stage(upstream, folder, stack)
    assert upstream.strays == [], "somebody was sent elsewhere"


def play_all(cells: list[Cell], folder: Path) -> list[Played]:
    """Every cell, several at once, in their order."""
    with stage(folder) as here, ThreadPoolExecutor(_AT_ONCE) as threads:
        return list(threads.map(here.play, cells))
