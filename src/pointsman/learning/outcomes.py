"""Reads labelled files: prompts and how well each of some models answered them. It scores nothing.

One JSON object per line, the file may be gzipped:

    prompt     what the user sent
    scores     {model: quality, 0..1}
    source     the benchmark it is from; prompts of one source weigh together as much as those of any other
    category   the task inside the source
    cost_usd   {model: what its answer cost}; optional
"""

import gzip
import json
import math
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pointsman.core.errors import ConfigError, Problem

_PROBLEMS_TOLD = 10
_EDGE_CHARS = 100
_UNREADABLE = (OSError, UnicodeDecodeError, EOFError, zlib.error)
"""The last two: a gzipped file that ends early or is damaged."""
_NOT_A_WORD = re.compile(r"\W+")


class Labelled(NamedTuple):
    prompt: str
    scores: Mapping[str, float]
    source: str = ""
    category: str = ""
    cost_usd: Mapping[str, float] = {}

    @property
    def key(self) -> str:
        """The same for two copies of one prompt that differ in spaces, case or marks: its first and last 100
        characters without them."""
        plain = _NOT_A_WORD.sub(" ", self.prompt.lower()).strip()
        return f"{plain[:_EDGE_CHARS]}|{plain[-_EDGE_CHARS:]}"


def read_labelled(path: Path) -> list[Labelled]:
    """Raises ConfigError with every line that is wrong (the first ten of them), or that the file has none."""
    rows: list[Labelled] = []
    problems: list[Problem] = []
    try:
        for number, line in enumerate(_lines(path), 1):
            if not line.strip():
                continue
            row, problem = _row(line)
            if row is not None:
                rows.append(row)
            elif len(problems) < _PROBLEMS_TOLD:
                problems.append(Problem(f"{path}:{number}", None, problem))
    except _UNREADABLE as error:
        raise ConfigError([Problem(str(path), None, f"a readable file ({error})")]) from error
    if not rows and not problems:
        problems.append(Problem(str(path), None, "at least one line with a prompt and scores"))
    if problems:
        raise ConfigError(problems)
    return rows


def read_log(path: Path) -> tuple[list[str], list[float]]:
    """A log of requests, one JSON object per line with a `prompt` or a `score`: the prompts, and the scores of those
    lines that have one. Raises ConfigError as above."""
    prompts: list[str] = []
    scores: list[float] = []
    problems: list[Problem] = []
    try:
        for number, line in enumerate(_lines(path), 1):
            if not line.strip():
                continue
            read = _object(line) or {}
            score, prompt = read.get("score"), read.get("prompt")
            if isinstance(score, int | float) and 0 <= score <= 1:
                scores.append(float(score))
            elif isinstance(prompt, str):
                prompts.append(prompt)
            elif len(problems) < _PROBLEMS_TOLD:
                problems.append(
                    Problem(f"{path}:{number}", None, "an object with a prompt, or a score from 0 to 1")
                )
    except _UNREADABLE as error:
        raise ConfigError([Problem(str(path), None, f"a readable file ({error})")]) from error
    if not prompts and not scores and not problems:
        problems.append(Problem(str(path), None, "at least one line"))
    if problems:
        raise ConfigError(problems)
    return prompts, scores


def without_copies(rows: Iterable[Labelled], of: Iterable[Labelled]) -> list[Labelled]:
    """`rows` without those whose prompt also stands in `of`."""
    taken = {row.key for row in of}
    return [row for row in rows if row.key not in taken]


def mean_score(row: Labelled, models: Iterable[str]) -> float | None:
    """Of those of `models` that have one."""
    known = [row.scores[model] for model in models if model in row.scores]
    return sum(known) / len(known) if known else None


def _lines(path: Path) -> Iterator[str]:
    if path.suffix == ".gz":
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            yield from lines
    else:
        with path.open(encoding="utf-8") as lines:
            yield from lines


def _object(line: str) -> dict[str, Any] | None:
    try:
        read = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return read if isinstance(read, dict) else None


def _is_number(value: object) -> bool:
    """True and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _row(line: str) -> tuple[Labelled | None, str]:
    """The row, or what was expected."""
    read = _object(line)
    if read is None:
        return None, "a JSON object"
    prompt, scores = read.get("prompt"), read.get("scores")
    if not isinstance(prompt, str):
        return None, "a prompt (text)"
    if not isinstance(scores, dict) or not scores:
        return None, "scores by model"
    if not all(_is_number(score) and 0 <= score <= 1 for score in scores.values()):
        return None, "scores from 0 to 1"
    costs = read.get("cost_usd") or {}
    if not isinstance(costs, dict) or not all(_is_number(cost) and cost >= 0 for cost in costs.values()):
        return None, "cost_usd as numbers by model, 0 or more"
    return (
        Labelled(
            prompt,
            {model: float(score) for model, score in scores.items()},
            str(read.get("source") or ""),
            str(read.get("category") or ""),
            costs,
        ),
        "",
    )
