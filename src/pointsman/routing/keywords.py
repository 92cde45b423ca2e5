"""Finds the words that tell something about a prompt, in one linear pass. What they mean is up to the signals."""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ahocorasick_rs import AhoCorasick, Implementation, MatchKind

EDGE_CHARS = 800
"""Someone who pastes a long text says before or behind it what to do with it: these many characters at either
end count as said, what stands between them as pasted."""

_BLOCK_CHARS = 16_384
_MATCH_BUDGET = 16_384
"""A text of nothing but keywords gives a match every few characters, each of them an object. What is pasted is
searched block by block, and no further block is begun once this many matches were looked at: 400 KB of "first
first first" then cost 4 ms, not 30. Prose has 5 to 17 matches per 1,000 characters and source code 24, so it
takes more than half a million characters of either for a block to be left out."""


@dataclass(frozen=True, slots=True)
class Found:
    """List name -> the different words of that list, in the order of their first mention. `said` holds those
    near either end of the text, `pasted` those that only stand further inside."""

    said: Mapping[str, Sequence[str]]
    pasted: Mapping[str, Sequence[str]] = field(default_factory=dict)


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
        # As fast as the DFA on prose (its 1 MB stays in the processor's cache), which takes 12 MB and five
        # times as long to build.
        self._automaton = AhoCorasick(
            [entry.word for entry in self._entries],
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
        if not padded.isascii():
            padded = padded.replace("\u2019", "'")
        length = len(padded)
        said: dict[str, list[str]] = {}
        seen: set[int] = set()
        if length <= 2 * EDGE_CHARS:
            self._collect(padded, 0, length, seen, said)
            return Found(said)
        self._collect(padded, 0, EDGE_CHARS, seen, said)
        self._collect(padded, length - EDGE_CHARS, length, seen, said)
        pasted: dict[str, list[str]] = {}
        budget = _MATCH_BUDGET
        for begin in range(EDGE_CHARS - self._overlap, length - EDGE_CHARS, _BLOCK_CHARS):
            end = min(begin + _BLOCK_CHARS, length - EDGE_CHARS) + self._overlap
            budget -= self._collect(padded, max(begin, 0), min(end, length), seen, pasted)
            if budget <= 0:
                break
        return Found(said, pasted)

    def _collect(self, padded: str, begin: int, end: int, seen: set[int], found: dict[str, list[str]]) -> int:
        """Adds the words of padded[begin:end] that are not in `seen` yet to both; returns how many matches
        were looked at."""
        matches = self._automaton.find_matches_as_indexes(padded[begin:end], overlapping=True)
        for index, start, stop in matches:
            if index in seen:
                continue
            entry = self._entries[index]
            # Most neighbours are spaces: comparing spares the call.
            if entry.starts_word and (left := padded[begin + start - 1]) > " " and _joins(left):
                continue
            if entry.ends_word and (right := padded[begin + stop]) > " " and _joins(right):
                continue
            seen.add(index)
            for name in entry.lists:
                found.setdefault(name, []).append(entry.told)
        return len(matches)


def _joins(char: str) -> bool:
    """True when a letter or digit beside `char` belongs to the same word.

    Scripts from U+0E00 on (Thai, Han, kana, hangul) set no space between words, or attach endings to them:
    beside them a word begins or ends anywhere. Latin and Greek with further accents lie up there too.
    """
    return (char.isalnum() or char == "_") and (char < "\u0e00" or "\u1e00" <= char < "\u2000")
