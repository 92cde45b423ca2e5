"""The long run: `python -m fuzz FOLDER`. Failures that are new in it are made small and saved in the folder, each with
how to see it again: `python -m fuzz --again FILE`. Ends with 1 if there were any."""

import argparse
import hashlib
import random
import sys
import time
from pathlib import Path

from fuzz.campaign import Campaign, Failure, tried
from fuzz.corpus import read_seeds
from fuzz.growth import Grower, Growth, grower, measured
from fuzz.hostile import HOSTILE
from fuzz.minimise import minimised
from fuzz.target import Target
from fuzz.targets import all_targets


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


_BATCH = 400
_REPORT_S = 60.0
_GROWTH_SHARE = 0.25
"""Of the time."""


def main() -> int:
    wanted = _arguments()
    targets = {target.name: target for target in all_targets() if target.name.startswith(tuple(wanted.only))}
    if wanted.again is not None:
        return _again(wanted.again)
    seeds = read_seeds(wanted.shared if (wanted.shared / "wire").is_dir() else None)
    _say(f"{len(seeds)} recordings, {len(targets)} targets, random seed {wanted.seed}")
    run = _LongRun(Campaign([*targets.values()], seeds, wanted.seed), targets, wanted.folder)
    run.go_on(wanted.minutes * 60, random.Random(wanted.seed))
    run.try_hostile()
    run.report()
    return 1 if run.failures else 0


def _arguments() -> argparse.Namespace:
    root = Path(__file__).resolve().parent.parent.parent
    parser = argparse.ArgumentParser(prog="make fuzz")
    parser.add_argument(
        "folder", type=Path, nargs="?", default=Path("fuzz-failures"), help="where failures are saved"
    )
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 2**32, help="of all random numbers")
    parser.add_argument("--only", action="append", help="targets whose names begin so: stream:gemini")
    parser.add_argument(
        "--shared", type=Path, default=root.parent / "shared", help="the folder of recordings"
    )
    parser.add_argument("--again", type=Path, help="runs one saved failure and shows what happens")
    wanted = parser.parse_args()
    wanted.only = wanted.only or [""]
    return wanted


class _LongRun:
    def __init__(self, campaign: Campaign, targets: dict[str, Target], folder: Path) -> None:
        self._campaign = campaign
        self._targets = targets
        self._folder = folder
        self.failures: dict[str, Failure] = {}
        self._worst: dict[tuple[str, str], Growth] = {}
        self._probes = 0

    def go_on(self, seconds: float, rng: random.Random) -> None:
        start_s = reported_s = time.monotonic()
        growth_s = 0.0
        while (now_s := time.monotonic()) < start_s + seconds:
            if growth_s < _GROWTH_SHARE * (now_s - start_s):
                self._probe(rng)
                growth_s += time.monotonic() - now_s
            else:
                for failure in self._campaign.run(_BATCH):
                    self._found(failure)
            if now_s > reported_s + _REPORT_S:
                reported_s = now_s
                done, kinds = self._campaign.executions.total(), self._campaign.outcomes
                _say(f"{(now_s - start_s) / 60:5.1f} min {done} executions, {kinds} outcomes, {self._probes} growths, "
                      f"{len(self.failures)} failures")  # fmt: skip

    def _found(self, failure: Failure) -> None:
        if failure.place in self.failures:
            return
        self.failures[failure.place] = failure
        target = self._targets[failure.target]
        fails_again = isinstance(tried(target, failure.data, failure.random_seed), Failure)
        small = minimised(target, failure) if fails_again else failure
        self._folder.mkdir(parents=True, exist_ok=True)
        name = f"{hashlib.sha256(failure.place.encode()).hexdigest()[:10]}"
        path = self._folder / f"{small.target.replace(':', '=')}={small.random_seed}={name}.bin"
        path.write_bytes(small.data)
        path.with_suffix(".txt").write_text(f"{small.place}\n\n{small.told}", errors="replace")
        _say(f"FAILED {small.target}: {small.place}\n       {path}\n       {small.data[:400]!r}")

    def _probe(self, rng: random.Random) -> None:
        target = rng.choice([*self._targets.values()])
        what, grow = grower(self._campaign.next_data(target), rng, is_stream=target.is_stream)
        try:
            growth = measured(target, what, grow, random_seed := rng.randrange(2**32))
        except Exception as error:  # noqa: BLE001  what only fails under measurement is told all the same
            growth = Failure(target.name, f"measuring {error!r}"[:200], repr(error), grow(2), random_seed)
        self._probes += 1
        self._grown(growth, grow, random_seed)

    def _grown(self, growth: Growth | Failure, grow: Grower, random_seed: int) -> None:
        if isinstance(growth, Failure):
            self._found(growth)
            return
        for measure in ("ratio", "memory_times", "took_s"):
            key = (growth.target, measure)
            if key not in self._worst or getattr(growth, measure) > getattr(self._worst[key], measure):
                self._worst[key] = growth
        if growth.is_too_much and (place := f"{growth.target} grows: {growth.pattern}") not in self.failures:
            small = Failure(growth.target, place, str(growth), grow(50), random_seed)
            self._found(small)
            _say(f"       {growth}")

    def try_hostile(self) -> None:
        """What somebody thought of, each with a few random seeds."""
        for name, (target, times, made) in HOSTILE.items():
            if target not in self._targets:
                continue
            growths = [measured(self._targets[target], name, made, seed, times) for seed in range(3)]
            for growth in growths:
                self._grown(growth, made, growths.index(growth))

    def report(self) -> None:
        _say("\nexecutions")
        for name, count in sorted(self._campaign.executions.items()):
            _say(f"  {name:32}{count:10}")
        _say("\nworst growth, input doubled: time, its ratio, memory in multiples of the input, what grew")
        for (name, measure), growth in sorted(self._worst.items()):
            _say(f"  {name:28}{measure:13}{growth.took_s * 1000:8.0f} ms{growth.ratio:6.2f}x{growth.memory_times:7.0f}x "
                  f"{growth.read_bytes:8} bytes  {growth.pattern}")  # fmt: skip
        _say(f"\n{len(self.failures)} failures")
        for place, failure in self.failures.items():
            _say(f"  {failure.target}: {place}")


def _again(path: Path) -> int:
    *name, random_seed, _ = path.stem.split("=")
    target = next(target for target in all_targets() if target.name == ":".join(name))
    outcome = tried(target, path.read_bytes(), int(random_seed))
    _say(outcome.told if isinstance(outcome, Failure) else f"holds: {outcome}")
    return int(isinstance(outcome, Failure))


if __name__ == "__main__":
    sys.exit(main())
