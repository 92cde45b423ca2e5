"""What Pointsman costs, measured against nginx in front of the same upstream; writes docs/benchmarks.md.

Needs Linux with two cores, nginx, wrk and a C compiler. Figures are compared within one run only.
"""

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

import measures
import peers
import report
from contestants import ROOT, Setup
from measures import CONNECTIONS, FULL, QUICK, STREAMS
from processes import DidNotStart

NEEDED = {
    "nginx": "nginx-light",
    "wrk": "wrk",
    "taskset": "util-linux",
    os.environ.get("CC", "cc"): "gcc libc6-dev",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round: does it run at all?")
    parser.add_argument("--peers", action="store_true", help="install and measure LiteLLM and Portkey too")
    parser.add_argument(
        "--output", type=Path, default=None, help="default: docs/benchmarks.md; none with --quick"
    )
    chosen = parser.parse_args()
    refuse_what_cannot_work()
    output = chosen.output or (None if chosen.quick else ROOT / "docs" / "benchmarks.md")

    # /tmp, or the system's own choice: short paths, and away from the checkout
    with tempfile.TemporaryDirectory(prefix="pointsman-bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # nginx, started by root, works as another user
        setup = Setup(Path(folder))
        try:
            found = measure(setup, QUICK if chosen.quick else FULL, with_peers=chosen.peers)
        except DidNotStart as failed:
            sys.exit(str(failed))
        finally:
            setup.end()
    text = report.render(found)
    print(text)
    if output is not None:
        output.parent.mkdir(exist_ok=True)
        output.write_text(text)
        print(f"written to {output}")


def measure(setup: Setup, pace: measures.Pace, *, with_peers: bool) -> report.Findings:
    def say(what: str) -> None:
        print(f"measuring {what} ...", file=sys.stderr, flush=True)

    setup.start_upstream()
    nginx, pointsman = setup.start_nginx(), setup.start_pointsman()

    say("plain answers")
    lanes = [nginx["pinned"], pointsman["pinned"], pointsman["routed"]]
    if with_peers:
        lanes += peers.start_peers(setup)
    plain = measures.cpu_rows(
        setup, lanes, pace, connections=CONNECTIONS, unit="requests", seconds=pace.seconds
    )
    say("streamed answers")
    streamed = measures.cpu_rows(
        setup, [nginx["stream"], pointsman["stream"]], pace,
        connections=STREAMS, unit="chunks", seconds=pace.seconds + 1,
    )  # fmt: skip
    say("added latency")
    latency = measures.latency_rows([setup.direct(), nginx["slow"], pointsman["slow"]], pace)
    say("memory")
    fresh = setup.start_pointsman("pointsman-memory")
    memory = measures.memory_rows(setup, [fresh["pinned"], fresh["routed"]], pace)
    say("start")
    starts = measures.start_rows(setup, pace)
    say("the decision")
    return report.Findings(
        plain=plain, streamed=streamed, latency=latency, starts=starts, memory=memory,
        decide=measures.decide_rows(pace), pace=pace,
    )  # fmt: skip


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
