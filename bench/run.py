"""What Pointsman costs, measured against nginx in front of the same upstream; writes docs/benchmarks.md.

Needs Linux with two cores, nginx, wrk and a C compiler. Figures are compared within one run only.
"""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import measures
import peers
import report
import translate
from contestants import ROOT, Lane, Setup
from measures import CONNECTIONS, FULL, QUICK, STREAMS, Pace
from processes import DidNotStart

NEEDED = {
    "nginx": "nginx-light",
    "wrk": "wrk",
    "taskset": "util-linux",
    os.environ.get("CC", "cc"): "gcc libc6-dev",
}


@dataclass(frozen=True, slots=True)
class Bench:
    """Everything is up, and how long to measure it."""

    setup: Setup
    nginx: Mapping[str, Lane]
    pointsman: Mapping[str, Lane]
    pace: Pace
    with_peers: bool


def plain(bench: Bench) -> report.Section:
    lanes = [bench.nginx["pinned"], *(bench.pointsman[name] for name in ("pinned", "routed", "again"))]
    if bench.with_peers:
        lanes += peers.start_peers(bench.setup)
    rows = measures.cpu_rows(
        bench.setup, lanes, bench.pace, connections=CONNECTIONS, unit="requests", seconds=bench.pace.seconds
    )
    return report.plain(rows, bench.pace)


def streamed(bench: Bench) -> report.Section:
    lanes = [bench.nginx["stream"], bench.pointsman["stream"], bench.pointsman["translated"]]
    seconds = bench.pace.seconds + 1  # an answer alone takes half of one
    rows = measures.cpu_rows(
        bench.setup, lanes, bench.pace, connections=STREAMS, unit="chunks", seconds=seconds
    )
    return report.streamed(rows)


def latency(bench: Bench) -> report.Section:
    lanes = [bench.setup.direct(), bench.nginx["slow"], bench.pointsman["slow"]]
    return report.latency(measures.latency_rows(lanes, bench.pace))


def start(bench: Bench) -> report.Section:
    return report.start(measures.start_rows(bench.setup, bench.pace))


def memory(bench: Bench) -> report.Section:
    fresh = bench.setup.start_pointsman("pointsman-memory")
    return report.memory(measures.memory_rows(bench.setup, [fresh["pinned"], fresh["routed"]], bench.pace))


def decision(bench: Bench) -> report.Section:
    return report.decision(measures.decide_rows(bench.pace), bench.pace)


def translation(bench: Bench) -> report.Section:
    return report.translation(translate.rows(bench.pace.rounds), bench.pace)


SECTIONS: Mapping[str, Callable[[Bench], report.Section]] = {
    function.__name__: function
    for function in (plain, streamed, latency, start, memory, decision, translation)
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round: does it run at all?")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, help="these sections; printed, not written")
    parser.add_argument("--peers", action="store_true", help="install and measure LiteLLM and Portkey too")
    parser.add_argument("--output", type=Path, help="default: docs/benchmarks.md when everything is measured")
    chosen = parser.parse_args()
    refuse_what_cannot_work()
    is_whole = not (chosen.quick or chosen.only)
    output = chosen.output or (ROOT / "docs" / "benchmarks.md" if is_whole else None)

    with tempfile.TemporaryDirectory(prefix="pointsman-bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # nginx, started by root, works as another user
        setup = Setup(Path(folder))
        try:
            setup.start_upstream()
            pace = QUICK if chosen.quick else FULL
            bench = Bench(setup, setup.start_nginx(), setup.start_pointsman(), pace, chosen.peers)
            sections = []
            for name in chosen.only or SECTIONS:
                print(f"measuring: {name}", file=sys.stderr, flush=True)
                sections.append(SECTIONS[name](bench))
        except DidNotStart as failed:
            sys.exit(str(failed))
        finally:
            setup.end()
    text = report.render(sections)
    print(text)
    if output is not None:
        output.write_text(text)
        print(f"written to {output}")


def refuse_what_cannot_work() -> None:
    missing = {
        program: package
        for program, package in NEEDED.items()
        if shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin") is None
    }
    if missing:
        sys.exit(
            f"make bench needs {', '.join(missing)}. On Debian: apt-get install {' '.join(missing.values())}"
        )
    if len(os.sched_getaffinity(0)) < 2:
        sys.exit("make bench needs two cores: one for the proxies, one for the load and the upstream")


if __name__ == "__main__":
    main()
