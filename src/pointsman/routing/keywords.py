"""Finds the words that tell something about a prompt, in one linear pass. What they mean is up to the signals."""

import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

from ahocorasick_rs import AhoCorasick, BytesAhoCorasick, Implementation, MatchKind

EDGE_CHARS = 800
"""Someone who pastes a long text says before or behind it what to do with it: these many characters at either
end count as said, what stands between them as pasted."""

_BLOCK_CHARS = 16_384
_MATCH_BUDGET = 16_384
"""A text of nothing but keywords gives a match every few characters, each of them an object. What is pasted is
searched block by block, and no further block is begun once this many matches were looked at: 400 KB of "first
first first" then cost 4 ms, not 30. Prose has 5 to 17 matches per 1,000 characters and source code 24, so it
takes more than half a million characters of either for a block to be left out."""


class Found(NamedTuple):
    """List name -> the different words of that list, in the order of their first mention. `said` holds those
    near either end of the text, `pasted` those that only stand further inside."""

    said: Mapping[str, Sequence[str]]
    pasted: Mapping[str, Sequence[str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class _Entry:
    """One keyword as it is sought and as it is told, and at which of its ends a word must begin or end."""

    word: str
    told: str
    lists: tuple[str, ...]
    starts_word: bool
    ends_word: bool


class Keywords:
    """The word lists as one automaton. Build it once; `find` may be called from anywhere.

    `MatchKind.Standard` with overlaps reports every entry at every place. The leftmost kinds would let an
    entry that fails the word-edge test swallow a good one that begins inside it.
    """

    def __init__(self, lists: Mapping[str, Iterable[str]]) -> None:
        owners: dict[tuple[str, bool], list[str]] = {}
        for name, words in lists.items():
            for word in words:
                key = (word.removesuffix("*").lower(), word.endswith("*"))
                if not key[0]:
                    raise ValueError(f"an empty keyword in {name}")
                names = owners.setdefault(key, [])
                if name not in names:
                    names.append(name)
        self._entries = tuple(
            _Entry(
                word,
                word.strip(),
                tuple(names),
                starts_word=_joins(word[0]),
                ends_word=not goes_on and _joins(word[-1]),
            )
            for (word, goes_on), names in owners.items()
        )
        self._overlap = max((len(entry.word) for entry in self._entries), default=1)
        # As fast as the DFA on prose, which takes 12 MB and five times as long to build. Most texts are ASCII:
        # for them a machine of the ASCII words alone, over bytes, is smaller and a third faster.
        self._automaton = AhoCorasick(
            [entry.word for entry in self._entries],
            matchkind=MatchKind.Standard,
            implementation=Implementation.ContiguousNFA,
        )
        self._ascii_entries = tuple(entry for entry in self._entries if entry.word.isascii())
        self._ascii_automaton = BytesAhoCorasick(
            [entry.word.encode() for entry in self._ascii_entries],
            matchkind=MatchKind.Standard,
            implementation=Implementation.ContiguousNFA,
        )

    @classmethod
    def parse(cls, text: str) -> "Keywords":
        """From TOML: a table per list, in it an array of words per language."""
        return cls(
            {
                name: [word for words in by_language.values() for word in words]
                for name, by_language in tomllib.loads(text).items()
            }
        )

    def find(self, text: str) -> Found:
        """`text` must be encodable as UTF-8 (no lone surrogates)."""
        # So every match has a neighbour on either side, and the text begins like any other line.
        padded = f"\n{text.lower()}\n"
        if padded.isascii():
            data = padded.encode()
            return self._search(
                data,
                lambda begin, end: self._ascii_automaton.find_matches_as_indexes(
                    data[begin:end], overlapping=True
                ),
                self._ascii_entries,
                _JOINING_BYTES.__contains__,
            )
        padded = padded.replace("\u2019", "'")
        return self._search(
            padded,
            lambda begin, end: self._automaton.find_matches_as_indexes(padded[begin:end], overlapping=True),
            self._entries,
            _joins,
        )

    def _search(
        self,
        padded: Sequence[Any],
        matches: Callable[[int, int], list[tuple[int, int, int]]],
        entries: Sequence[_Entry],
        joins: Callable[[Any], bool],
    ) -> Found:
        """`padded` is the text as characters or as bytes; `matches` finds in a part of it, `joins` judges one
        element of it."""
        length = len(padded)
        said: dict[str, list[str]] = {}
        pasted: dict[str, list[str]] = {}
        seen: set[int] = set()

        def collect(begin: int, end: int, found: dict[str, list[str]]) -> int:
            """Adds the words of that part which are not in `seen` yet to both; returns how many matches were
            looked at."""
            parts = matches(begin, end)
            for index, start, stop in parts:
                if index in seen:
                    continue
                entry = entries[index]
                if entry.starts_word and joins(padded[begin + start - 1]):
                    continue
                if entry.ends_word and joins(padded[begin + stop]):
                    continue
                seen.add(index)
                for name in entry.lists:
                    found.setdefault(name, []).append(entry.told)
            return len(parts)

        if length <= 2 * EDGE_CHARS:
            collect(0, length, said)
            return Found(said)
        collect(0, EDGE_CHARS, said)
        collect(length - EDGE_CHARS, length, said)
        budget = _MATCH_BUDGET
        for begin in range(EDGE_CHARS - self._overlap, length - EDGE_CHARS, _BLOCK_CHARS):
            end = min(begin + _BLOCK_CHARS, length - EDGE_CHARS) + self._overlap
            budget -= collect(max(begin, 0), min(end, length), pasted)
            if budget <= 0:
                break
        return Found(said, pasted)


def _joins(char: str) -> bool:
    """True when a letter or digit beside `char` belongs to the same word.

    Scripts from U+0E00 on (Thai, Han, kana, hangul) set no space between words, or attach endings to them:
    beside them a word begins or ends anywhere. Latin and Greek with further accents lie up there too.
    """
    return (char.isalnum() or char == "_") and (char < "\u0e00" or "\u1e00" <= char < "\u2000")


_JOINING_BYTES = frozenset(byte for byte in range(128) if _joins(chr(byte)))
