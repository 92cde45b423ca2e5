"""How work and memory grow with hostile input: something in recorded bytes is made longer, then twice as long. For the
long run alone: it measures time."""

import gc
import random
import time
import tracemalloc
from collections.abc import Callable
from typing import Any, NamedTuple

from fuzz.campaign import Failure, tried
from fuzz.target import Target
from fuzz.trees import Fields, Written, copied, read_tree, slots, write_tree

RATIO_MAX = 2.6
"""Twice the input may take so many times the work: 2, and what caches and allocation add to it."""

MEMORY_RATIO_MAX = 2.6
START_BYTES = 60_000
_NOISE_S = 0.004
"""Below this the clock tells nothing."""

_PATTERNS = (
    "a", "a ", "\n", "\r\n", "\\", '"', "é", "🎉", "<", "{", "[", "{}", "[]", "[1,", '{"a":', ",", ".", "-", "1", "A1b2", "=",
    "data:", "base64,", "\n\n", "sk-", "https://a?", "key=", "/", "%41", "<think>", "</think>", "```", "a\n", "x.y", "  ",
)  # fmt: skip
_BYTES = (
    b"\n", b"\r", b"\r\n", b"\r\n\n", b":\n", b"data:\n", b"data: \n", b"data: 1\n\n", b"data: {}\n\n", b"event: a\n", b"[", b'{"a":',
    b"{}", b"{}\n", b"{}{}", b" ", b'"', b"\\", b"data: [DONE]\n\n", b"[{}\r\n,", b"x", b"\xc3\xa9", b"\xff", b": ping\n\n",
)  # fmt: skip

Grower = Callable[[int], bytes]
"""So many times the pattern."""


class Growth(NamedTuple):
    target: str
    pattern: str
    read_bytes: int
    """Of the longer input."""
    took_s: float
    ratio: float
    memory_times: float
    """The most memory at once, in multiples of the input."""
    memory_ratio: float

    @property
    def is_too_much(self) -> bool:
        return self.ratio > RATIO_MAX or self.memory_ratio > MEMORY_RATIO_MAX


def grower(data: bytes, rng: random.Random, *, is_stream: bool) -> tuple[str, Grower]:
    """What grows, in words, and the function that makes it."""
    if is_stream and rng.random() < 0.4:
        end = b"\r\n\r\n" if b"\r\n\r\n" in data else b"\n\n" if b"\n\n" in data else b"\n"
        pieces = data.split(end)
        place, run = rng.randrange(len(pieces)), rng.choice((1, 1, 2, 3, 6))
        again = pieces[place : place + run]
        before, piece, after = (end.join([*part, b""]) for part in (pieces[:place], again, pieces[place:]))
        return f"{len(again)} events", lambda times: before + piece * times + after
    if is_stream:
        lines = data.split(b"\n")
        candidates = [place for place, line in enumerate(lines) if line.startswith((b"data:", b"{"))]
        if candidates and rng.random() < 0.8:
            place = rng.choice(candidates)
            head = b"data:" if lines[place].startswith(b"data:") else b""
            before, after = b"\n".join([*lines[:place], head]), b"\n".join([b"", *lines[place + 1 :]])
            what, inner = grower(lines[place].removeprefix(head), rng, is_stream=False)
            return what, lambda times: before + inner(times) + after
    try:
        tree = read_tree(data)
    except ValueError:
        tree = None
    if not isinstance(tree, list) or not slots(tree) or rng.random() < 0.1:
        pattern, start = rng.choice(_BYTES), rng.choice((0, len(data), rng.randint(0, len(data))))
        return f"bytes {pattern!r}", lambda times: data[:start] + pattern * times + data[start:]
    return _of_tree(tree, rng)


def _of_tree(tree: list[Any], rng: random.Random) -> tuple[str, Grower]:
    holder, place = rng.choice(slots(tree))
    value = holder[place]
    kind = rng.randrange(4)
    if isinstance(value, Fields) and kind:
        inner = copied(value[-1][1]) if value and kind == 1 else 1
        return "fields", _put(
            tree, holder, place, lambda n: Fields([*value, *([f"k{i}", inner] for i in range(n))])
        )
    if isinstance(value, list) and not isinstance(value, Fields) and kind and value:
        element = rng.choice(value)
        return "an element", _put(tree, holder, place, lambda n: [*value, *[element] * n])
    if rng.random() < 0.15:
        element = rng.choice((Fields(), [], "", 1, value))
        return "elements", _put(tree, holder, place, lambda n: [element] * n)
    pattern = rng.choice(_PATTERNS)
    start = value if isinstance(value, str) and not isinstance(value, Written) and rng.random() < 0.5 else ""
    return f"text {pattern!r}", _put(tree, holder, place, lambda n: start + pattern * n)


def _put(tree: Any, holder: list[Any], place: int, made: Callable[[int], Any]) -> Grower:
    def grown(times: int) -> bytes:
        before, holder[place] = holder[place], made(times)
        try:
            return write_tree(tree)
        finally:
            holder[place] = before

    return grown


def measured(
    target: Target, what: str, grow: Grower, random_seed: int, times: int | None = None
) -> Growth | Failure:
    """So many `times` and twice as many; if not told, as many as make some bytes."""
    times = times or max(1, START_BYTES // max(1, len(grow(2)) - len(grow(1))))
    short, long = grow(times), grow(2 * times)
    for data in (short, long):
        if isinstance(found := tried(target, data, random_seed), Failure):
            return found
    growth = _compared(target, what, short, long, random_seed, rounds=1)
    if growth.is_too_much:
        growth = _compared(target, what, short, long, random_seed, rounds=5)
    if growth.is_too_much:
        # Something that only the machine did happens once; a loop within a loop is there at every size.
        longer = _compared(target, what, long, grow(4 * times), random_seed, rounds=5)
        growth = min(growth, longer, key=lambda each: (each.is_too_much, each.ratio))
    return growth


def _compared(target: Target, what: str, short: bytes, long: bytes, random_seed: int, rounds: int) -> Growth:
    short_s = min(_took_s(target, short, random_seed) for _ in range(rounds))
    long_s = min(_took_s(target, long, random_seed) for _ in range(rounds))
    short_bytes, long_bytes = (
        _memory_bytes(target, short, random_seed),
        _memory_bytes(target, long, random_seed),
    )
    ratio = long_s / max(short_s, _NOISE_S / 2) if long_s > _NOISE_S else 1.0
    scale = len(long) / len(short) / 2  # what does not grow counts in both
    return Growth(
        target.name,
        what,
        len(long),
        long_s,
        ratio / max(scale, 0.5),
        long_bytes / len(long),
        long_bytes / max(short_bytes, 1 << 20),
    )


def _took_s(target: Target, data: bytes, random_seed: int) -> float:
    gc.collect()
    gc.disable()
    try:
        start_s = time.process_time()
        target.run(data, random.Random(random_seed))
        return time.process_time() - start_s
    finally:
        gc.enable()


def _memory_bytes(target: Target, data: bytes, random_seed: int) -> int:
    """The most that was held at once besides the input."""
    gc.collect()
    tracemalloc.start()
    try:
        target.run(data, random.Random(random_seed))
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
