"""`pointsman lab`: fails on purpose, and shows for each fallback of the configuration whether it works."""

import asyncio
import json
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import typer

from pointsman.cli.tables import table
from pointsman.config.files import find_file
from pointsman.config.load import load
from pointsman.config.schema import Settings
from pointsman.core.errors import ClientError
from pointsman.lab.faults import FAULTS, Fault
from pointsman.lab.routes import tiers_missed
from pointsman.lab.trials import COMMON, Lab, Trial
from pointsman.upstream.known_providers import KNOWN_PROVIDERS

EXIT_BROKEN = 1
"""A fallback does not work."""

_REFERENCE = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)")
_STAND_IN = "lab"
_NAMED_MAX = 4


def run(
    path: Path | None,
    environ: Mapping[str, str],
    *,
    names: Sequence[str],
    every: bool,
    as_json: bool,
) -> int:
    logging.getLogger("pointsman").addHandler(logging.NullHandler())  # failures are what is wanted here
    faults = _faults(names, every=every)
    settings = load(path, _with_stand_ins(path, environ), {}).settings
    trials, missed = asyncio.run(_try(settings, faults))
    typer.echo(json.dumps(_told(trials), indent=2) if as_json else "\n".join(_lines(trials, missed)))
    return EXIT_BROKEN if any(trial.wrong for trial in trials) else 0


async def _try(settings: Settings, faults: Sequence[Fault]) -> tuple[list[Trial], list[str]]:
    async with Lab(settings) as lab:
        routes = lab.routes()
        trials = [trial for route in routes for trial in await lab.try_route(route, faults)]
        return trials, tiers_missed(routes, lab.brain)


def _faults(names: Sequence[str], *, every: bool) -> list[Fault]:
    """Raises ClientError for a name that is none."""
    early = {
        name: fault
        for name, fault in FAULTS.items()
        if "early" in {fault.stream, fault.plain} and not fault.is_large
    }
    wanted = list(early) if every else names or COMMON
    unknown = [name for name in wanted if name not in early]
    if unknown:
        raise ClientError(f"there is no fault {unknown[0]!r}; there are {', '.join(early)}")
    return [early[name] for name in wanted]


def _with_stand_ins(path: Path | None, environ: Mapping[str, str]) -> Mapping[str, str]:
    """The environment, and something for each key that is not there: the lab needs none."""
    file = find_file(path, environ)
    if file is None or not file.is_file():
        return environ
    named = _REFERENCE.findall(file.read_text("utf-8", "replace"))
    known = [known.key_variables[0] for known in KNOWN_PROVIDERS.values() if known.key_variables]
    return {name: _STAND_IN for name in (*named, *known) if not environ.get(name, "").strip()} | {
        name: value for name, value in environ.items() if value.strip()
    }


def _lines(trials: Sequence[Trial], missed: Sequence[str]) -> Iterator[str]:
    for route, of_route in groupby(trials, key=lambda trial: trial.route):
        yield f"{route.name}: {' -> '.join(card.name for card in route.chain)}"
        for name, ceiling in route.withheld:
            yield f"  {name} may not answer in place of {route.chain[0].name}: {ceiling}"
        places = [list(of_place) for _, of_place in groupby(of_route, key=lambda trial: trial.failing)]
        rows = [row for place in places for row in _rows(place)]
        yield "\n".join(f"  {line}" for line in table(_HEADINGS, rows).split("\n"))
        yield ""
    if missed:
        yield f"No prompt of the lab asks for the tier {' or '.join(missed)}: its chain was not tried."
    wrong = {
        (trial.route.name, trial.failing): trial.wrong is not None
        for trial in sorted(trials, key=lambda trial: trial.wrong is not None)
        if trial.failing and trial.wanted and (trial.wrong or not trial.is_out_of_reach)
    }
    yield f"{len(wrong) - sum(wrong.values())} of {len(wrong)} fallbacks work, in {len(trials)} trials."
    others = sum(trial.wrong is not None and trial.wanted is None for trial in trials)
    if others:
        yield f"{others} failures that nobody could answer were told wrongly."


_HEADINGS = ("fails", "asked", "answers", "verdict", "by")


def _rows(place: Sequence[Trial]) -> Iterator[tuple[str, ...]]:
    """One line for each path that was taken, with the faults that led to it."""
    ordered = sorted(place, key=lambda trial: (trial.path, trial.answered or "", trial.wrong or ""))
    for _, group in groupby(ordered, key=lambda trial: (trial.path, trial.answered, trial.wrong)):
        alike = list(group)
        first = alike[0]
        yield (
            ", ".join(first.failing) or "nobody",
            _path(first.path),
            first.answered or "nobody",
            _verdict(first, alike),
            _causes(alike, place),
        )


def _path(path: Sequence[str]) -> str:
    steps = [(name, len(list(times))) for name, times in groupby(path)]
    return " -> ".join(name if times == 1 else f"{name} x{times}" for name, times in steps) or "nobody"


def _verdict(first: Trial, alike: Sequence[Trial]) -> str:
    if first.wrong is not None:
        return f"BROKEN: {first.wrong}"
    if first.is_out_of_reach:
        return f"a request has no attempt left for {first.wanted}"
    if first.wanted is None:
        return f"told {', '.join(str(status) for status in sorted({one.status or 0 for one in alike}))}"
    return "works"


def _causes(alike: Sequence[Trial], place: Sequence[Trial]) -> str:
    faults = list(dict.fromkeys(trial.fault for trial in alike if trial.fault is not None))
    if not faults:
        return "streamed and not"
    every = {trial.fault for trial in place}
    is_every = set(faults) == every and len(faults) > 1
    named = f"all {len(faults)} faults" if is_every else ", ".join(faults[:_NAMED_MAX])
    if not is_every and len(faults) > _NAMED_MAX:
        named += f" and {len(faults) - _NAMED_MAX} more"
    ways = {trial.stream for trial in alike}
    return named if len(ways) == 2 else f"{named}, {'streamed' if ways == {True} else 'not streamed'}"


def _told(trials: Sequence[Trial]) -> dict[str, Any]:
    return {
        "works": not any(trial.wrong for trial in trials),
        "trials": [
            {
                "asked_for": list(trial.route.asked),
                "tiers": list(trial.route.tiers),
                "chain": [card.name for card in trial.route.chain],
                "withheld": dict(trial.route.withheld),
                "fault": trial.fault,
                "stream": trial.stream,
                "failing": list(trial.failing),
                "path": list(trial.path),
                "status": trial.status,
                "answered": trial.answered,
                "wanted": trial.wanted,
                "wrong": trial.wrong,
                "out_of_reach": trial.is_out_of_reach,
            }
            for trial in trials
        ],
    }
