"""One run over some targets: takes bytes that were seen to do something, spoils them, watches what comes of it, keeps
what is new. It measures no time and writes no file."""

import random
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fuzz.corpus import Seed
from fuzz.holding import Violation
from fuzz.mutations import Mutator, vocabulary
from fuzz.target import Target

_KEPT_PER_TARGET = 600


@dataclass(frozen=True, slots=True)
class Failure:
    """`place` tells it from others: what was raised, and where in the code of this project."""

    target: str
    place: str
    told: str
    data: bytes
    random_seed: int


def tried(target: Target, data: bytes, random_seed: int) -> str | Failure:
    """What came of it."""
    try:
        return target.run(data, random.Random(random_seed))
    except Exception as error:  # noqa: BLE001  that is what is looked for
        return Failure(
            target.name,
            _place(target.name, error),
            "".join(traceback.format_exception(error)[-12:]),
            data,
            random_seed,
        )


def _place(target: str, error: Exception) -> str:
    if isinstance(error, Violation):
        return f"{target}: {str(error)[:90]}"
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "/pointsman/" in frame.filename and "/fuzz/" not in frame.filename]
    frame = (ours or list(frames))[-1]
    return f"{type(error).__name__} {'/'.join(Path(frame.filename).parts[-2:])}:{frame.name}:{frame.lineno}"


@dataclass
class Campaign:
    targets: Sequence[Target]
    seeds: Sequence[Seed]
    random_seed: int
    words: Sequence[str] | None = None
    """The vocabulary of the seeds, where it is known already."""
    executions: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._rng = random.Random(self.random_seed)
        words = self.words or vocabulary([seed.data for seed in self.seeds])
        self._pools = {target.name: self._fed_with(target) for target in self.targets}
        self._kept: dict[str, list[bytes]] = {target.name: [] for target in self.targets}
        self._seen: set[tuple[str, str]] = set()
        self._mutators = {
            target.name: Mutator(self._rng, words, self._pools[target.name]) for target in self.targets
        }

    def _fed_with(self, target: Target) -> list[bytes]:
        own = [
            seed.data
            for seed in self.seeds
            if target.dialect in {None, seed.dialect} and target.form in {None, seed.form}
        ]
        return [*own, *target.starts] or [b"{}"]

    def run(self, executions: int) -> Iterator[Failure]:
        """Every failure, also those of a kind that was seen before."""
        for _ in range(executions):
            target = self._rng.choice(self.targets)
            data = self.next_data(target)
            outcome = tried(target, data, self._rng.randrange(2**32))
            self.executions[target.name] += 1
            if isinstance(outcome, Failure):
                yield outcome
            elif (key := (target.name, outcome)) not in self._seen:
                self._seen.add(key)
                self._keep(target, data)

    @property
    def outcomes(self) -> int:
        """How many different ones there were."""
        return len(self._seen)

    def next_data(self, target: Target) -> bytes:
        kept = self._kept[target.name]
        start = self._rng.choice(kept if kept and self._rng.random() < 0.4 else self._pools[target.name])
        return self._mutators[target.name].mutated(start, is_stream=target.is_stream)

    def _keep(self, target: Target, data: bytes) -> None:
        kept = self._kept[target.name]
        if len(data) > 32 * 1024:
            return
        if len(kept) < _KEPT_PER_TARGET:
            kept.append(data)
        else:
            kept[self._rng.randrange(len(kept))] = data
