"""Starts programs pinned to one core and reads from /proc what their whole process tree used. Linux only."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PROXY_CORE = 0
LOAD_CORE = 1


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class DidNotStart(Exception):
    """A program ended, or stayed silent, instead of listening. Says what it printed."""


def wait_for_port(port: int, process: subprocess.Popen[bytes], log: Path, within_s: float) -> None:
    """Returns when something accepts connections there; raises DidNotStart."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise DidNotStart(f"{process.args!r} ended with status {process.returncode}:\n{log.read_text()}")
        with socket.socket() as probe:
            probe.settimeout(1.0)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    raise DidNotStart(
        f"{process.args!r} did not listen on port {port} within {within_s:.0f} s:\n{log.read_text()}"
    )


def spawn(
    command: Sequence[str], *, core: int, log: Path, env: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Starts `command` on one core, in a process group of its own, its output in `log`."""
    with log.open("ab") as out:
        return subprocess.Popen(
            ["taskset", "-c", str(core), *command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=None if env is None else dict(env),
            start_new_session=True,
        )


def stop(process: subprocess.Popen[bytes], within_s: float = 10.0) -> None:
    """Asks politely, then ends whatever is left of the group."""
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(within_s)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@dataclass(frozen=True, slots=True)
class _Stat:
    parent: int
    ticks: int


def _stat(pid: int) -> _Stat | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text[text.rindex(")") + 2 :].split()
    # utime, stime and those of children that have ended: fields 14-17 of proc(5), counted from 1
    return _Stat(parent=int(fields[1]), ticks=sum(map(int, fields[11:15])))


def _tree(root: int) -> dict[int, _Stat]:
    everyone = {
        pid: stat
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and (stat := _stat(pid := int(entry.name))) is not None
    }
    tree = {root}
    while True:
        found = {pid for pid, stat in everyone.items() if stat.parent in tree} - tree
        if not found:
            return {pid: everyone[pid] for pid in tree if pid in everyone}
        tree |= found


def cpu_s(root: int) -> float:
    """User and system time that the process and its descendants have used so far."""
    return sum(stat.ticks for stat in _tree(root).values()) / TICKS_PER_S


def rss_mb(root: int) -> float:
    """Resident memory of the process and its descendants now."""
    total_kb = 0
    for pid in _tree(root):
        try:
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError):
            continue
        total_kb += sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
    return total_kb / 1024
