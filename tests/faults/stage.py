"""Where a cell is played: a gateway in front of the lab's provider, with a model that fails and one behind it. Each cell has
a pipeline of its own, so that nothing that one cell does to a breaker is felt by another."""

import asyncio
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from faults.cells import Cell
from faults.heard import Callers, Heard
from faults.judges import Played
from gateways import Gateway, running_gateway
from pointsman.app import Lasting, build, build_brain
from pointsman.config.load import load
from pointsman.config.schema import Settings
from pointsman.control.runtime import Brain, Runtime
from pointsman.core.ports import Answer, Deadlines, Incoming, Outgoing, Send
from pointsman.gateway.call import Call
from pointsman.gateway.pipeline import Pipeline, Record
from pointsman.lab.upstream import MARK, Case, FaultUpstream, fault_of
from pointsman.ledger.entry import Attempt, Entry
from pointsman.upstream.client import Client
from waiting import PATIENCE_S

IMPATIENT = Deadlines(connect_s=10, first_byte_s=1.0, idle_s=1.0, total_s=5)
"""For what never goes on. Whoever does go on has all the time there is, however slow the machine."""

_AT_ONCE = 12
_CONSENT = {"x-pointsman-consent": "price"}

_HEDGED_AT_ONCE_S, _NEVER_S = 0.05, 600
_CONFIG = """
server: {{keepalive_after_s: {keepalive_after_s}, log_level: error}}
reliability: {{retries: {{backoff_s: 0.01}}, hedging: {hedging}}}
consent: {consent}
providers:
  one: {{dialect: {first}, base_url: {one}, api_key: $KEY, include_stream_usage: {asks_first}}}
  two: {{dialect: {second}, base_url: {two}, api_key: $KEY, include_stream_usage: {asks_second}}}
models:
  first: {{provider: one, tier: simple, usd_per_million_input: 1, usd_per_million_output: 1}}
  second: {{provider: two, tier: simple, usd_per_million_input: 2, usd_per_million_output: 2}}
"""


@dataclass(frozen=True)
class Setting:
    """What a configuration says besides who is asked. A caller of a stream is told to be patient after
    `keepalive_after_s` seconds."""

    hedging: str = "{}"
    consent: str = "{}"
    keepalive_after_s: float = 60


STRAIGHT = Setting()
IMPATIENT_CALLERS = Setting(keepalive_after_s=0.01)


def setting_of(cell: Cell) -> Setting:
    match cell.way:
        case "hedged":
            delay_s = _HEDGED_AT_ONCE_S if cell.is_hedged_for_real else _NEVER_S
            return Setting(hedging=f"{{models: {{first: {delay_s}}}}}")
        case "ceiling" | "consent":
            return Setting(consent="{price_multiple_max: 1.5}")
        case _:
            return STRAIGHT


def config(upstream: FaultUpstream, first: str, second: str, setting: Setting = STRAIGHT) -> str:
    return _CONFIG.format(
        hedging=setting.hedging,
        consent=setting.consent,
        keepalive_after_s=setting.keepalive_after_s,
        first=first,
        second=second,
        one=upstream.base_url("one"),
        two=upstream.base_url("two"),
        asks_first=str(first == "openai-chat").lower(),
        asks_second=str(second == "openai-chat").lower(),
    )


class FreshPipelines:
    """Stands where a gateway's pipeline does: a new one for each cell, of the settings that the cell wants."""

    def __init__(self, upstream: FaultUpstream, folder: Path, send: Send, record: Record) -> None:
        self._upstream = upstream
        self._folder = folder
        self._send = send
        self._record = record
        self._cells: dict[str, Cell] = {}
        self._answers: dict[str, Answer] = {}
        self._brain_for = lru_cache(self._load)

    def expect(self, mark: str, cell: Cell) -> None:
        self._cells[mark] = cell

    async def handle(self, call: Call, answer: Answer) -> None:
        found = MARK.search(call.body)
        assert found is not None
        mark = found[0].decode()
        self._answers[mark] = answer
        await self._pipeline(self._cells[mark]).handle(call, answer)

    async def wait_for_patience(self, outgoing: Outgoing) -> None:
        """Returns when the caller was told to be patient, where the cell wants that."""
        found = MARK.search(outgoing.body)
        mark = "" if found is None else found[0].decode()
        if mark in self._cells and self._cells[mark].way == "patience":
            while not self._answers[mark].is_started:  # noqa: ASYNC110 - it has no event
                await asyncio.sleep(0.01)

    def _pipeline(self, cell: Cell) -> Pipeline:
        settings, brain = self._brain_for(cell.first, cell.second, setting_of(cell))
        made = build(settings, Lasting(self._send, self._record), now_s=0.0, brain=brain)
        return made.pipeline

    def _load(self, first: str, second: str, setting: Setting) -> tuple[Settings, Brain]:
        file = self._folder / f"{first}-{second}.yaml"
        file.write_text(config(self._upstream, first, second, setting))
        settings = load(file, {"KEY": "sk-lab", "POINTSMAN_STATE_DIR": str(self._folder)}, {}).settings
        return settings, build_brain(settings)


class Stage:
    def __init__(
        self, upstream: FaultUpstream, gateway: Gateway, pipelines: FreshPipelines, callers: Callers
    ) -> None:
        self._callers = callers
        self._upstream = upstream
        self._gateway = gateway
        self._pipelines = pipelines

    def play(self, cell: Cell) -> Played:
        faults = {"one/first": cell.fault.name}
        if cell.second_fault is not None:
            faults["two/second"] = cell.second_fault.name
        case = self._upstream.case(faults)
        self._pipelines.expect(case.mark, cell)
        model = "first" if cell.behind == "none" else "auto"
        heard = self._callers.ask(
            self._gateway.url,
            cell.client,
            model,
            f"Hello, {case.mark}.",
            stream=cell.stream,
            headers=_CONSENT if cell.way == "consent" else {},
        )
        _let_hang_up(case)
        return Played(cell, heard, case, _booked(self._gateway, heard))


def _let_hang_up(case: Case) -> None:
    """The caller has its answer before a provider that says no more notices that nobody waits for it."""
    until = monotonic() + PATIENCE_S
    silent = [call.received for call in case.calls if (fault := fault_of(call)) is not None and fault.waits]
    while any(each is not None and each.hung_up_at_s is None for each in silent) and monotonic() < until:
        sleep(0.005)


def _booked(gateway: Gateway, heard: Heard) -> tuple[Entry, tuple[Attempt, ...]] | None:
    """The rows of this request. They are booked behind its answer, so they may still be on their way."""
    wanted = heard.headers.get("x-pointsman-request-id")
    until = monotonic() + PATIENCE_S
    while wanted is not None and monotonic() < until:
        for entry, attempts in reversed(gateway.booked):
            if entry.request_id == wanted:
                return entry, attempts
        sleep(0.005)
    return None


@contextmanager
def stage(folder: Path, setting: Setting = STRAIGHT) -> Iterator[Stage]:
    made: list[FreshPipelines] = []
    clients: list[Client] = []

    def make(settings: Settings, record: Record) -> Runtime:
        client = Client()
        clients.append(client)
        through = upstream.through(client.send, IMPATIENT)

        async def send(outgoing: Outgoing) -> Incoming:
            await made[0].wait_for_patience(outgoing)
            return await through(outgoing)

        pipelines: Any = FreshPipelines(upstream, folder, send, record)
        made.append(pipelines)
        runtime = build(settings, Lasting(send, record), now_s=0.0)
        return replace(runtime, pipeline=pipelines)

    with FaultUpstream.in_thread() as upstream:
        yaml = config(upstream, "openai-chat", "openai-chat", setting)
        with running_gateway(yaml, folder, {"KEY": "sk-lab"}, make=make) as gateway, Callers() as callers:
            gateway.in_loop(lambda: None)  # it is built
            try:
                yield Stage(upstream, gateway, made[0], callers)
            finally:
                assert gateway.loop is not None
                asyncio.run_coroutine_threadsafe(clients[0].close(), gateway.loop).result(60)
    assert upstream.strays == [], "somebody was sent elsewhere"


def play_all(cells: Iterable[Cell], folder: Path) -> list[Played]:
    """Every cell, several at once, in their order."""
    wanted = list(cells)
    played: dict[str, Played] = {}
    for setting in (STRAIGHT, IMPATIENT_CALLERS):
        here = [cell for cell in wanted if (cell.way == "patience") is (setting is IMPATIENT_CALLERS)]
        if here:
            with stage(folder, setting) as one_stage, ThreadPoolExecutor(_AT_ONCE) as threads:
                played |= {one.cell.name: one for one in threads.map(one_stage.play, here)}
    return [played[cell.name] for cell in wanted]
