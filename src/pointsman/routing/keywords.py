"""Finds the words that tell something about a prompt, in one linear pass. What they mean is up to the signals."""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ahocorasick_rs import BytesAhoCorasick, Implementation, MatchKind

EDGE_CHARS = 800
"""Someone who pastes a long text says before or behind it what to do with it: these many characters at either
end count as said, what stands between them as pasted."""

_BLOCK_BYTES = 16_384
_MATCH_BUDGET = 16_384
"""A text of nothing but keywords gives a match every few characters, each of them an object. What is pasted is
searched block by block, and no further block is begun once this many matches were looked at: 400 KB of "first
first first" then cost 4 ms, not 30. Prose has 5 to 17 matches per 1,000 characters and source code 24, so it
takes more than half a million characters of either for a block to be left out."""


class Word(NamedTuple):
    """A keyword as it is told, and the lists it stands in."""

    told: str
    lists: tuple[str, ...]


class Found(NamedTuple):
    """How many different words of each list a text holds, by the list's name: `said` near either end of it,
    `pasted` only further inside. `places` are those of the words among `known`, in the order of their first
    mention, those that were said first."""

    said: dict[str, int]
    pasted: dict[str, int]
    places: Iterable[int]
    known: Sequence[Word]

    def words(self, name: str) -> list[str]:
        """Those of one list."""
        return [self.known[place].told for place in self.places if name in self.known[place].lists]


class _Machine:
    """An automaton of some of the words, over UTF-8.

    `MatchKind.Standard` with overlaps reports every entry at every place. The leftmost kinds would let an
    entry that fails the word-edge test swallow a good one that begins inside it. The contiguous NFA is as fast
    as the DFA on prose, which takes 12 MB and five times as long to build.

    Text and words are sought in title case, Every Word Like This: a keyword that begins with a letter then
    matches nothing inside a word, and most of the text leaves the automaton in its first state. Fewer states
    walked through are less memory to fetch, which is what a search costs between two other requests' work.
    """

    def __init__(self, words: Sequence["_Sought"]) -> None:
        patterns = [sought.pattern for sought in words]
        self._find = BytesAhoCorasick(
            patterns, matchkind=MatchKind.Standard, implementation=Implementation.ContiguousNFA
        ).find_matches_as_indexes
        self.words = tuple(sought.word for sought in words)
        self._lists = tuple(sought.word.lists for sought in words)
        self._starts_word = bytes(sought.starts_word for sought in words)
        self._ends_word = bytes(sought.ends_word for sought in words)
        self.overlap = max(map(len, patterns), default=1)

    def search(
        self, data: bytes, begin: int, end: int, found: dict[int, None], counts: dict[str, int]
    ) -> int:
        """Adds the words in that part of `data` which are not in `found` yet to it, and to the count of their
        lists; returns how many matches were looked at."""
        lists, starts_word, ends_word, edges = self._lists, self._starts_word, self._ends_word, _EDGES
        matches = self._find(data[begin:end], True)
        for index, start, stop in matches:
            if (
                index in found
                or (
                    starts_word[index]
                    and edges[data[begin + start - 1]]
                    and _joins_before(data, begin + start)
                )
                or (ends_word[index] and edges[data[begin + stop]] and _joins_at(data, begin + stop))
            ):
                continue
            found[index] = None
            for name in lists[index]:
                counts[name] = counts.get(name, 0) + 1
        return len(matches)


class _Sought(NamedTuple):
    """A keyword as it is sought, and at which of its ends a word must begin or end."""

    pattern: bytes
    word: Word
    starts_word: bool
    ends_word: bool


class Keywords:
    """The word lists, ready to be sought. Build it once; `find` may be called from anywhere."""

    def __init__(self, lists: Mapping[str, Iterable[str]]) -> None:
        self.lists = {name: tuple(words) for name, words in lists.items()}
        owners: dict[tuple[str, bool], list[str]] = {}
        for name, words in self.lists.items():
            for word in words:
                key = (word.removesuffix("*").lower(), word.endswith("*"))
                if not key[0]:
                    raise ValueError(f"an empty keyword in {name}")
                names = owners.setdefault(key, [])
                if name not in names:
                    names.append(name)
        sought = [
            _Sought(
                word.encode().title(),
                Word(word.strip(), tuple(names)),
                _joins(word[0]),
                not goes_on and _joins(word[-1]),
            )
            for (word, goes_on), names in owners.items()
        ]
        # Most texts are ASCII: for them a machine of the ASCII words alone is smaller.
        self._ascii = _Machine([each for each in sought if each.pattern.isascii()])
        self._any = _Machine(sought)

    @classmethod
    def parse(cls, text: str) -> "Keywords":
        """From TOML: a table per list, in it an array of words per language."""
        return cls(
            {
                name: [word for words in by_language.values() for word in words]
                for name, by_language in tomllib.loads(text).items()
            }
        )

    def and_also(self, lists: Mapping[str, Iterable[str]]) -> "Keywords":
        """These and further lists."""
        return Keywords({**self.lists, **lists}) if lists else self

    def find(self, text: str) -> Found:
        """`text` must be encodable as UTF-8 (no lone surrogates)."""
        said: dict[str, int] = {}
        pasted: dict[str, int] = {}
        found: dict[int, None] = {}
        # With line ends around it every match has a neighbour on either side, and the text begins like any line.
        if text.isascii():
            machine, data = self._ascii, b"\n%b\n" % text.encode().title()
            size = len(data)
            is_short = size <= 2 * EDGE_CHARS
            head, tail = EDGE_CHARS, size - EDGE_CHARS
        else:
            padded = f"\n{text.lower()}\n".replace("\u2019", "'")
            machine, data = self._any, padded.encode().title()
            size = len(data)
            is_short = len(padded) <= 2 * EDGE_CHARS
            head = len(padded[:EDGE_CHARS].encode())
            tail = size - len(padded[-EDGE_CHARS:].encode())
        if is_short:
            machine.search(data, 0, size, found, said)
            return Found(said, pasted, found, machine.words)
        machine.search(data, 0, head, found, said)
        machine.search(data, tail, size, found, said)
        budget = _MATCH_BUDGET
        for begin in range(max(head - machine.overlap, 0), tail, _BLOCK_BYTES):
            end = min(begin + _BLOCK_BYTES, tail) + machine.overlap
            budget -= machine.search(data, begin, min(end, size), found, pasted)
            if budget <= 0:
                break
        return Found(said, pasted, found, machine.words)


def _joins(char: str) -> bool:
    """True when a letter or digit beside `char` belongs to the same word.

    Scripts from U+0E00 on (Thai, Han, kana, hangul) set no space between words, or attach endings to them:
    beside them a word begins or ends anywhere. Latin and Greek with further accents lie up there too.
    """
    return (char.isalnum() or char == "_") and (char < "\u0e00" or "\u1e00" <= char < "\u2000")


def _joins_before(data: bytes, at: int) -> bool:
    begin = at - 1
    while data[begin] & 0xC0 == 0x80:
        begin -= 1
    return _joins(data[begin:at].decode())


def _joins_at(data: bytes, at: int) -> bool:
    end = at + 1
    while data[end] & 0xC0 == 0x80:
        end += 1
    return _joins(data[at:end].decode())


_EDGES = bytes(byte >= 0x80 or _joins(chr(byte)) for byte in range(0x100))
"""By the byte beside a match: whether its character may join and has to be looked at."""
