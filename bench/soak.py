"""A soak: a real gateway under mixed load and faults for SOAK_MINUTES, then everything it should have let go of. Prints
figures and ends with 1 when something grew or was kept. Linux only.

    memory      slope of its resident memory after a warm-up
    held        tasks, slots, sockets and files once nobody asks any more
    idle        CPU it takes then, also after every provider failed
    hang up     how long a provider is kept after its caller left
    stuck       what a thousand streams take that nobody reads
    end         SIGTERM with streams under way
"""

import argparse
import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pointsman.lab.faults import FAULTS
from pointsman.lab.scripted import FakeUpstream, scripted
from pointsman.lab.upstream import Case, FaultUpstream
from pointsman.server.sockets import allow_files
from soak_load import DIALECTS, Callers, Line, request

CALLERS = 16
PAUSE_S = 0.2
SAMPLE_EVERY_S = 5.0
STUCK = 1000
KEEPING_NOTHING = ("chat", "messages")
"""The others are told at the end all that was said, or where, so that an answer's text is kept until then."""
HANG_UPS = 25
WARM_UP = 1 / 3
SHORT_MINUTES = 10
FLAT_MB_PER_H = 1.0
NOISE_MB = 1.0
"""A run cannot tell less from what allocators do anyway."""
IDLE_CPU_MAX = 0.02
HANG_UP_S = 0.2
SETTLE_S = 30.0
STUCK_SETTLE_S = 120.0
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")

CONFIG = """
server: {{shutdown_grace_s: 2, max_body_bytes: 1000000}}
limits: {{in_flight: {in_flight}, queue: 8, queue_timeout_s: 5, connections: 5000}}
breaker: {{consecutive_failures: 1000, min_calls: 1000000, open_s: 0.01, open_max_s: 0.01, auth_open_s: 0.01,
  rate_limited_s: 0.01, overloaded_s: 0.01, retry_after_max_s: 0.01, slow_start_s: 0}}  # or faults would keep the rest away
providers:
  chats: {{dialect: openai-chat, base_url: "{chats}/v1", deadlines: {deadlines}}}
  messages: {{dialect: anthropic-messages, base_url: "{messages}/v1", api_key: $KEY, deadlines: {deadlines}}}
  geminis: {{dialect: gemini, base_url: "{geminis}/v1beta", api_key: $KEY, deadlines: {deadlines}}}
  stuck: {{dialect: openai-chat, base_url: "{stuck}"}}
models:
  chat-1: {{provider: chats, tier: simple}}
  claude-1: {{provider: messages, tier: simple}}
  gemini-1: {{provider: geminis, tier: simple}}
  stuck-1: {{provider: stuck}}
"""
MODELS = ("chat-1", "claude-1", "gemini-1")
TARGETS = ("chats/chat-1", "messages/claude-1", "geminis/gemini-1")


@dataclass(slots=True)
class Sample:
    at_s: float
    rss_mb: float
    files: int
    held: dict[str, int]


@dataclass(slots=True)
class Report:
    """Lines as they come, and what was not as it should be."""

    wrong: list[str] = field(default_factory=list)

    def say(self, what: str, figure: str, *, good: bool = True) -> None:
        print(f"{what:34} {figure}{'' if good else '   <- not as it should be'}", flush=True)
        if not good:
            self.wrong.append(what)


class Watched:
    """The gateway's process."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("soak_gateway.py")), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(folder / "log").open("wb"),
            text=True,
            env={**os.environ, "KEY": "key-of-the-soak"},
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._in, self._out = self.process.stdin, self.process.stdout
        url = self._out.readline().strip()
        if not url:
            raise SystemExit(f"the gateway did not start: {(folder / 'log').read_text()}")
        host, port = url.removeprefix("http://").split(":")
        self.address = (host, int(port))
        self._proc = Path(f"/proc/{self.process.pid}")

    def held(self) -> dict[str, int]:
        self._in.write("\n")
        self._in.flush()
        counted: dict[str, int] = json.loads(self._out.readline())
        return counted

    def rss_mb(self) -> float:
        return int((self._proc / "statm").read_text().split()[1]) * PAGE_BYTES / 1e6

    def files(self) -> int:
        return len(list((self._proc / "fd").iterdir()))

    def cpu_s(self) -> float:
        fields = (self._proc / "stat").read_text().rpartition(") ")[2].split()
        return sum(map(int, fields[11:13])) / TICKS_PER_S

    async def sample(self) -> Sample:
        held = await asyncio.to_thread(self.held)
        return Sample(time.monotonic(), self.rss_mb(), self.files(), held)

    async def idle_cpu(self, seconds: float = 5.0) -> float:
        """Part of one core."""
        before = self.cpu_s()
        await asyncio.sleep(seconds)
        return (self.cpu_s() - before) / seconds


def slope_mb_per_h(samples: Sequence[Sample]) -> float:
    """The median of the slopes between all pairs (Theil and Sen): single peaks do not count."""
    slopes = [
        (later.rss_mb - sooner.rss_mb) / (later.at_s - sooner.at_s) * 3600
        for place, sooner in enumerate(samples)
        for later in samples[place + 1 :]
    ]
    return statistics.median(slopes) if slopes else 0.0


async def until(holds: Callable[[], bool], within_s: float) -> bool:
    end_s = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > end_s:
            return False
        await asyncio.sleep(0.001)
    return True


async def settled(gateway: Watched) -> Sample:
    """When nothing is under way, or when that takes too long."""
    end_s = time.monotonic() + SETTLE_S
    while True:
        sample = await gateway.sample()
        if is_empty(sample) or time.monotonic() > end_s:
            return sample
        await asyncio.sleep(0.2)


def is_empty(sample: Sample) -> bool:
    return not any(sample.held[name] for name in ("tasks", "requests", "slots", "waiting", "clients"))


def report_held(report: Report, when: str, sample: Sample, before: Sample) -> None:
    held = ", ".join(f"{count} {name}" for name, count in sample.held.items())
    report.say(f"held {when}", held, good=is_empty(sample))
    # Towards providers some connections are kept for the next request, which is what they are for.
    report.say(
        f"files {when}", f"{sample.files} ({before.files} before)", good=sample.files <= before.files + 128
    )


async def load(
    report: Report, gateway: Watched, marks: dict[str, str], cases: Sequence[Case], minutes: float
) -> None:
    callers = Callers(gateway.address, marks, (*MODELS, "auto"))
    going = [asyncio.create_task(callers.go(PAUSE_S)) for _ in range(CALLERS)]
    began_s = time.monotonic()
    samples: list[Sample] = []
    while time.monotonic() - began_s < minutes * 60:
        await asyncio.sleep(SAMPLE_EVERY_S)
        samples.append(await gateway.sample())
        for case in cases:
            case.calls.clear()
        if len(samples) % 24 == 0:
            latest = samples[-1]
            print(
                f"  {(latest.at_s - began_s) / 60:5.1f} min: {latest.rss_mb:.1f} MB, {latest.files} files, {latest.held}",
                flush=True,
            )
    callers.is_over = True
    await asyncio.gather(*going)
    for what, count in sorted(callers.counts.items(), key=lambda pair: -pair[1]):
        report.say(f"  {what}", str(count), good=what != "no answer within a minute")
    asked = sum(callers.counts.values())
    report.say("things done", f"{asked} in {minutes:g} minutes, {asked / minutes / 60:.0f} a second")
    if minutes < SHORT_MINUTES:
        report.say("memory", f"not judged in less than {SHORT_MINUTES} minutes")
    else:
        judged = samples[int(len(samples) * WARM_UP) :]
        slope = slope_mb_per_h(judged)
        half = len(judged) // 2
        growth = statistics.median(s.rss_mb for s in judged[half:]) - statistics.median(
            s.rss_mb for s in judged[:half]
        )
        is_flat = slope <= FLAT_MB_PER_H or growth <= NOISE_MB
        report.say(
            "memory",
            f"{judged[0].rss_mb:.1f} to {judged[-1].rss_mb:.1f} MB, most {max(s.rss_mb for s in samples):.1f};"
            f" slope {slope:+.1f} MB/h, second half {growth:+.2f} MB above the first: {'flat' if is_flat else 'NOT FLAT'}",
            good=is_flat,
        )
        report.say("files under load", f"most {max(s.files for s in samples)}")


async def every_provider_fails(report: Report, gateway: Watched, mark: str) -> None:
    counts: dict[str, int] = {}
    line = await Line.open(gateway.address)
    for number in range(200):
        status = await line.ask(
            request(DIALECTS[number % 4], (*MODELS, "auto")[number % 3], mark, stream=number % 2 == 0)
        )
        counts[status] = counts.get(status, 0) + 1
    line.leave()
    told = ", ".join(f"{count} x {status}" for status, count in counts.items())
    report.say("  all providers fail", told, good="200" not in counts)
    cpu = await gateway.idle_cpu()
    report.say("CPU idle after that", f"{cpu:.1%} of a core", good=cpu <= IDLE_CPU_MAX)


async def hang_up(report: Report, gateway: Watched, stuck: FakeUpstream) -> None:
    for dialect in ("chat", "messages"):
        for stream in (False, True):
            took_s: list[float] = []
            for _ in range(HANG_UPS):
                before = len(stuck.requests)
                line = await Line.open(gateway.address)
                line.writer.write(request(dialect, "stuck-1", "begin", stream=stream))
                await until(lambda before=before: len(stuck.requests) > before, SETTLE_S)
                if stream:
                    await line.reader.readuntil(b"\r\n\r\n")
                left_s = time.monotonic()
                line.leave(rudely=True)
                asked = stuck.requests[before]
                await until(lambda asked=asked: asked.hung_up_at_s is not None, SETTLE_S)
                took_s.append((asked.hung_up_at_s or left_s + SETTLE_S) - left_s)
            took_s.sort()
            report.say(
                f"hang up, {dialect}, {'stream' if stream else 'plain'}",
                f"median {statistics.median(took_s) * 1000:.1f} ms, worst {took_s[-1] * 1000:.1f} ms",
                good=statistics.median(took_s) <= HANG_UP_S,
            )


async def get_stuck(report: Report, gateway: Watched, stuck: FakeUpstream) -> None:
    before = await gateway.sample()
    asked_before = len(stuck.requests)
    lines = []
    for number in range(STUCK):
        line = await Line.open(gateway.address, receive_buffer=4096)
        line.writer.transport.pause_reading()  # type: ignore[attr-defined]
        line.writer.write(request(KEEPING_NOTHING[number % 2], "stuck-1", "endless", stream=True))
        lines.append(line)
    sent, end_s = -1, time.monotonic() + STUCK_SETTLE_S
    while time.monotonic() < end_s:
        await asyncio.sleep(2)
        before_it, sent = sent, sum(asked.sent_bytes for asked in stuck.requests)
        if sent == before_it and len(stuck.requests) - asked_before == STUCK:
            break
    report.say(
        "  asked for, and sent by providers",
        f"{len(stuck.requests) - asked_before}, {sent / 1e6:.0f} MB",
        good=len(stuck.requests) - asked_before == STUCK,
    )
    sample = await gateway.sample()
    report.say(
        f"{STUCK} streams nobody reads",
        f"{sample.rss_mb - before.rss_mb:.0f} MB more, {sample.held['requests']} under way",
        good=sample.rss_mb - before.rss_mb < STUCK * 0.3,
    )
    for line in lines:
        line.leave(rudely=True)
    report_held(report, "after those", await settled(gateway), before)


async def end(report: Report, gateway: Watched) -> None:
    lines = []
    for number in range(20):
        line = await Line.open(gateway.address)
        line.writer.write(request(DIALECTS[number % 4], "stuck-1", "begin", stream=True))
        await line.reader.readuntil(b"\r\n\r\n")
        lines.append(line)
    began_s = time.monotonic()
    gateway.process.send_signal(signal.SIGTERM)
    words = [await line.reader.read() for line in lines]
    code = await asyncio.to_thread(gateway.process.wait, 30)
    told = sum(b"shutting down" in word for word in words)
    report.say(
        "SIGTERM with 20 streams",
        f"exit code {code} after {time.monotonic() - began_s:.1f} s; {told} were told",
        good=code == 0 and told == 20,
    )


async def soak(folder: Path, minutes: float) -> Report:
    report = Report()
    piece = b'data: {"id":"1","choices":[{"index":0,"delta":{"content":"%b"}}]}\n\n'
    begin, endless = (
        scripted(sse=[piece % b"word"], ending="stall"),
        scripted(sse=[piece % (b"x" * 16_000)] * 4000),
    )
    with FakeUpstream.in_thread() as stuck, FaultUpstream.in_thread() as upstream:
        stuck.answer_with(lambda asked: endless if b"endless" in asked.body else begin)
        patient = "{connect_s: 1, first_byte_s: 1, idle_s: 1, total_s: 5}"
        (folder / "pointsman.yaml").write_text(
            CONFIG.format(
                in_flight=STUCK + 100,
                deadlines=patient,
                stuck=stuck.base_url,
                **{name: upstream.base_url(name) for name in ("chats", "messages", "geminis")},
            )
        )
        # The lab makes those fail by the way it is reached.
        faults = {name for name, fault in FAULTS.items() if fault.reach == "served" and not fault.is_large}
        cases = {name: upstream.case(dict.fromkeys(TARGETS, name)) for name in sorted(faults)}
        marks = {"": "", **{name: case.mark for name, case in cases.items()}}
        everything = [upstream.unmarked, *cases.values()]
        gateway = Watched(folder)
        try:
            before = await gateway.sample()
            report.say("at the start", f"{before.rss_mb:.1f} MB, {before.files} files")
            await load(report, gateway, marks, everything, minutes)
            report_held(report, "after the load", await settled(gateway), before)
            cpu = await gateway.idle_cpu()
            report.say("CPU idle", f"{cpu:.1%} of a core", good=cpu <= IDLE_CPU_MAX)
            await every_provider_fails(report, gateway, marks["closed"])
            await hang_up(report, gateway, stuck)
            report_held(report, "after hanging up", await settled(gateway), before)
            await get_stuck(report, gateway, stuck)
            await end(report, gateway)
        finally:
            if gateway.process.poll() is None:
                gateway.process.kill()
            gateway.process.wait()
    log = (folder / "log").read_text("utf-8", "replace")
    report.say("tracebacks in its log", str(log.count("Traceback")), good="Traceback" not in log)
    return report


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--minutes", type=float, default=20.0, help="of mixed load")
    minutes = parser.parse_args().minutes
    allow_files(8000)
    with tempfile.TemporaryDirectory(prefix="pointsman-soak-") as folder:
        report = asyncio.run(soak(Path(folder), minutes))
    print(f"not as it should be: {', '.join(report.wrong)}" if report.wrong else "all as it should be")
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
