"""Runs a judge over its cases and holds its faults against the list of exceptions. It prints nothing."""

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from conformance import answers, requests, same

JUDGES: Mapping[str, ModuleType] = {"answers": answers, "requests": requests, "same": same}
EXCEPTIONS = Path(__file__).with_name("exceptions.toml")


def listed(judge: str) -> dict[str, str]:
    """The reasons by the key of the case."""
    return tomllib.loads(EXCEPTIONS.read_text())[judge]


def key_of(case: Any) -> str:
    """A record and who it is for: however it is streamed, and whichever of the target's models is meant."""
    record, _, target = case.name.partition(" -> ")
    return f"{record} -> {target.partition(' ')[0]}"


@dataclass
class Judgement:
    """`faults` by the name of the case, but for those that are listed. `count` pairs right cases with all of them,
    by where from and where to; listed ones are not right."""

    faults: dict[str, list[str]] = field(default_factory=dict)
    excused: set[str] = field(default_factory=set)
    count: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    judged: set[str] = field(default_factory=set)

    @property
    def unneeded(self) -> set[str]:
        """Keys that are listed, were judged, and have no fault."""
        return self.judged - self.excused

    def __str__(self) -> str:
        return "\n".join(f"{name}: {'; '.join(wrong)}" for name, wrong in self.faults.items())


def judge(name: str, cases: Iterable[Any], dialects: Mapping[str, Any]) -> Judgement:
    judgement, exceptions = Judgement(), listed(name)
    for case in cases:
        key = key_of(case)
        wrong = JUDGES[name].faults(case, dialects)
        pair = case.record.dialect, key.partition(" -> ")[2]
        count = judgement.count.setdefault(pair, [0, 0])
        count[0] += not wrong
        count[1] += 1
        if key in exceptions:
            judgement.judged.add(key)
        if wrong and key in exceptions:
            judgement.excused.add(key)
        elif wrong:
            judgement.faults[case.name] = wrong
    return judgement


def sample(name: str, cases: Iterable[Any], *, one_in: int) -> list[Any]:
    """Always the same cases, spread evenly, and every one that is listed."""
    exceptions = listed(name)

    def is_drawn(case: Any) -> bool:
        return hashlib.sha256(case.name.encode()).digest()[0] % one_in == 0

    return [case for case in cases if is_drawn(case) or key_of(case) in exceptions]
