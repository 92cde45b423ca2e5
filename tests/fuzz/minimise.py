"""Makes the bytes of a failure smaller as long as they fail in the same place: whole events, then fields and elements,
then single bytes."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

from fuzz.campaign import Failure, tried
from fuzz.target import Target
from fuzz.trees import Fields, copied, lists, read_tree, slots, write_tree

TRIES_MAX = 1200
_OTHER_SEEDS = (0, 1, 2, 3)
"""What is drawn depends on the size of the data: smaller data may need another cut to fail."""


class _Search:
    def __init__(self, target: Target, failure: Failure) -> None:
        self._target = target
        self.best = failure
        self._tries = 0

    def accepts(self, data: bytes) -> bool:
        if self._tries >= TRIES_MAX:
            return False
        self._tries += 1
        for random_seed in (self.best.random_seed, *_OTHER_SEEDS):
            found = tried(self._target, data, random_seed)
            if isinstance(found, Failure) and found.place == self.best.place:
                self.best = found
                return True
        return False


def minimised(target: Target, failure: Failure) -> Failure:
    search = _Search(target, failure)
    size = len(failure.data) + 1
    while len(search.best.data) < size:
        size = len(search.best.data)
        for separator in (b"\n\n", b"\r\n\r\n", b"\n"):
            _fewer(search.best.data.split(separator), separator.join, search.accepts)
        _smaller_documents(search)
        if len(search.best.data) < 3000:
            _fewer(list(search.best.data), bytes, search.accepts)
    return search.best


def _fewer(
    pieces: list[Any], joined: Callable[[list[Any]], bytes], accepts: Callable[[bytes], bool]
) -> list[Any]:
    """Leaves out halves, then quarters, down to single pieces."""
    size = max(1, len(pieces) // 2)
    while True:
        start = 0
        while start < len(pieces):
            fewer = pieces[:start] + pieces[start + size :]
            if len(fewer) < len(pieces) and accepts(joined(fewer)):
                pieces = fewer
            else:
                start += size
        if size == 1:
            return pieces
        size //= 2


def _smaller_documents(search: _Search) -> None:
    """Each line that holds JSON, behind its field name if it has one."""
    place = 0
    while place < len(lines := search.best.data.split(b"\n")):
        head, mark, text = (
            lines[place].partition(b"data:")
            if lines[place].startswith(b"data:")
            else (b"", b"", lines[place])
        )
        before, after = lines[:place], lines[place + 1 :]

        def accepts(written: bytes, head=head + mark, before=before, after=after) -> bool:
            return search.accepts(b"\n".join([*before, head + written, *after]))

        _smaller_document(text, accepts)
        place += 1


def _smaller_document(text: bytes, accepts: Callable[[bytes], bool]) -> None:
    try:
        tree = read_tree(text)
    except ValueError:
        return
    failed = 0
    while True:
        # What failed before fails again: those behind it have moved up to its place.
        for candidate in itertools.islice(_simpler(tree), failed, None):
            written = write_tree(candidate)
            if len(written) < len(text) and accepts(written):
                tree, text = candidate, written
                break
            failed += 1
        else:
            return


def _simpler(tree: object) -> Iterator[object]:
    yield tree  # without its white space
    for place, holder in enumerate(lists(tree)):
        for element in range(len(holder)):
            candidate = copied(tree)
            del lists(candidate)[place][element]
            yield candidate
    for place, (holder, index) in enumerate(slots(tree)):
        value = holder[index]
        if value in (None, 0, "", []) or not isinstance(value, str | list | float | int):
            continue
        for simple in (
            (value[: len(value) // 2], "")
            if isinstance(value, str)
            else (Fields() if isinstance(value, Fields) else [], 0)
        ):
            candidate = copied(tree)
            inner, at = slots(candidate)[place]
            inner[at] = simple
            yield candidate
