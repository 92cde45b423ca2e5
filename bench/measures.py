"""What is measured, one function per figure. Rounds go through all lanes in turn, so that a busy minute of the
machine falls on everybody; the ratio to nginx is taken within a round and the median over the rounds is kept."""

import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import decide
from contestants import Lane, Setup
from load import drive, one_answer
from processes import PROXY_CORE, cpu_s, free_port, rss_mb, spawn, stop

CONNECTIONS = 32
STREAMS = 64
SLOW_CONNECTIONS = 4
UPSTREAM_MS = 20


@dataclass(frozen=True, slots=True)
class Pace:
    """How long to measure. `warm_s` is driven before the first round and not counted; 0 leaves it out."""

    rounds: int
    seconds: int
    warm_s: int
    starts: int
    memory_requests: int


FULL = Pace(rounds=5, seconds=3, warm_s=2, starts=7, memory_requests=50_000)
QUICK = Pace(rounds=1, seconds=1, warm_s=0, starts=1, memory_requests=1_000)


@dataclass(frozen=True, slots=True)
class CpuRow:
    """CPU of the server's process tree per unit of work: a request or a chunk. `ratio` is to the first lane."""

    name: str
    cpu_us: float
    lowest_us: float
    ratio: float
    per_s: float
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class Sample:
    cpu_us: float
    per_s: float
    p50_ms: float
    p99_ms: float


def cpu_rows(
    setup: Setup, lanes: Sequence[Lane], pace: Pace, *, connections: int, unit: str, seconds: int
) -> list[CpuRow]:
    """`unit` is what the upstream counts: "requests" or "chunks"."""
    for lane in lanes:
        one_answer(
            lane.url, lane.body_file, lane.headers
        )  # some load half of themselves at the first request
        if pace.warm_s:
            drive(lane.url, lane.body_file, lane.headers, connections=connections, seconds=pace.warm_s)
    rounds = [
        [_sample(setup, lane, connections, unit, seconds) for lane in lanes] for _ in range(pace.rounds)
    ]
    rows = []
    for place, lane in enumerate(lanes):
        samples = [samples[place] for samples in rounds]
        rows.append(
            CpuRow(
                name=lane.name,
                cpu_us=median(sample.cpu_us for sample in samples),
                lowest_us=min(sample.cpu_us for sample in samples),
                ratio=median(samples[place].cpu_us / samples[0].cpu_us for samples in rounds),
                per_s=median(sample.per_s for sample in samples),
                p50_ms=median(sample.p50_ms for sample in samples),
                p99_ms=median(sample.p99_ms for sample in samples),
            )
        )
    return rows


def _sample(setup: Setup, lane: Lane, connections: int, unit: str, seconds: int) -> Sample:
    assert lane.process is not None
    sent_before, cpu_before = _quiet(setup, lane)[unit], cpu_s(lane.process.pid)
    load = drive(lane.url, lane.body_file, lane.headers, connections=connections, seconds=seconds)
    sent = _quiet(setup, lane)[unit] - sent_before
    cpu_us = (cpu_s(lane.process.pid) - cpu_before) * 1e6 / sent
    per_s = sent / seconds if unit == "chunks" else load.per_s
    return Sample(cpu_us, per_s, load.p50_ms, load.p99_ms)


def _quiet(setup: Setup, lane: Lane, within_s: float = 30.0) -> dict[str, int]:
    """Waits until neither the upstream sends nor the server works any more: what a load left behind is part of
    its cost, and must not fall on the next. Returns what the upstream has sent by then."""
    assert lane.process is not None
    deadline = time.monotonic() + within_s
    before = (setup.sent(), cpu_s(lane.process.pid))
    while True:
        time.sleep(0.15)
        now = (setup.sent(), cpu_s(lane.process.pid))
        if (now[0] == before[0] and now[1] - before[1] <= 0.02) or time.monotonic() > deadline:
            return now[0]
        before = now


@dataclass(frozen=True, slots=True)
class LatencyRow:
    """`added_ms` is the p50 above that of the first lane, the upstream itself, in the same round."""

    name: str
    p50_ms: float
    p99_ms: float
    added_ms: float


def latency_rows(lanes: Sequence[Lane], pace: Pace) -> list[LatencyRow]:
    for lane in lanes if pace.warm_s else ():
        drive(lane.url, lane.body_file, connections=SLOW_CONNECTIONS, seconds=pace.warm_s)
    rounds = [
        [
            drive(lane.url, lane.body_file, connections=SLOW_CONNECTIONS, seconds=pace.seconds)
            for lane in lanes
        ]
        for _ in range(pace.rounds)
    ]
    return [
        LatencyRow(
            name=lane.name,
            p50_ms=median(loads[place].p50_ms for loads in rounds),
            p99_ms=median(loads[place].p99_ms for loads in rounds),
            added_ms=median(loads[place].p50_ms - loads[0].p50_ms for loads in rounds),
        )
        for place, lane in enumerate(lanes)
    ]


@dataclass(frozen=True, slots=True)
class StartRow:
    """Seconds from the start of the process to the first answered request."""

    state: str
    median_s: float
    slowest_s: float


def start_rows(setup: Setup, pace: Pace) -> list[StartRow]:
    request = setup.body_file("small").read_bytes()
    fresh = [_start_s(setup, setup.folder / f"fresh-{turn}", request) for turn in range(pace.starts)]
    warm = [_start_s(setup, setup.folder / "fresh-0", request) for _ in range(pace.starts)]
    return [
        StartRow(state, median(times), max(times))
        for state, times in (("no ledger yet", fresh), ("a ledger from before", warm))
    ]


def _start_s(setup: Setup, state: Path, request: bytes) -> float:
    port = free_port()
    command, env = setup.pointsman_command(state, port)
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        f"Connection: close\r\nContent-Length: {len(request)}\r\n\r\n"
    ).encode()
    begun = time.perf_counter()
    process = spawn(command, core=PROXY_CORE, log=setup.folder / "starts.log", env=env)
    try:
        while time.perf_counter() - begun < 30:
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
                    connection.sendall(head + request)
                    answer = connection.recv(65536)
            except ConnectionRefusedError:
                time.sleep(0.002)
                continue
            assert answer.startswith(b"HTTP/1.1 200 "), answer[:500]
            return time.perf_counter() - begun
        raise TimeoutError(f"no answer within 30 s: {(setup.folder / 'starts.log').read_text()}")
    finally:
        stop(process)


@dataclass(frozen=True, slots=True)
class MemoryRow:
    """Resident memory once `requests` or more have been answered."""

    requests: int
    mb: float


def memory_rows(setup: Setup, lanes: Sequence[Lane], pace: Pace) -> list[MemoryRow]:
    """The lanes of one freshly started server take turns, a second each."""
    process = lanes[0].process
    assert process is not None
    answered = 0
    rows = [MemoryRow(0, rss_mb(process.pid))]
    for goal in (pace.memory_requests, 2 * pace.memory_requests):
        while answered < goal:
            for lane in lanes:
                answered += drive(lane.url, lane.body_file, connections=CONNECTIONS, seconds=1).requests
        time.sleep(0.5)  # the ledger writes behind the answers
        rows.append(MemoryRow(answered, rss_mb(process.pid)))
    return rows


@dataclass(frozen=True, slots=True)
class DecideRow:
    """CPU of one call of `decide`, by the prompt's size in bytes."""

    kind: str
    cpu_us: Mapping[int, float]

    @property
    def growth(self) -> float:
        """How many times longer four times the text takes."""
        return self.cpu_us[400_000] / self.cpu_us[100_000]


def decide_rows(pace: Pace) -> list[DecideRow]:
    router, names = decide.build()
    profile = names.resolve("auto")
    rows = []
    for kind, text_of in decide.KINDS.items():
        prompts = {size: decide.prompt_of(text_of(size)) for size in decide.SIZES}
        times = {
            size: decide.lowest_us(
                lambda prompt=prompt: router.decide(prompt, profile, "auto", explain=False), pace.rounds
            )
            for size, prompt in prompts.items()
        }
        rows.append(DecideRow(kind, times))
    return rows
