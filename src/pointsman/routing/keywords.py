"""Finds the words that tell something about a prompt, in one linear pass. What they mean is up to the signals."""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
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


class Found(NamedTuple):
    """List name -> the different words of that list, in the order of their first mention. `said` holds those
    near either end of the text, `pasted` those that only stand further inside."""

    said: Mapping[str, Sequence[str]]
    pasted: Mapping[str, Sequence[str]] = MappingProxyType({})


class _Entry(NamedTuple):
    """One keyword as it is told, the lists it stands in, and at which of its ends a word must begin or end."""

    told: str
    lists: tuple[str, ...]
    starts_word: bool
    ends_word: bool


class _Machine:
    """An automaton of some of the words, over UTF-8.

    `MatchKind.Standard` with overlaps reports every entry at every place. The leftmost kinds would let an
    entry that fails the word-edge test swallow a good one that begins inside it. The contiguous NFA is as fast
    as the DFA on prose, which takes 12 MB and five times as long to build.

    Text and words are sought in title case, Every Word Like This: a keyword that begins with a letter then
    matches nothing inside a word, and most of the text leaves the automaton in its first state. That is a third
    of the memory it walks through, which is what it costs where little of it is in the processor's cache.
    """

    def __init__(self, entries: Sequence[tuple[str, _Entry]]) -> None:
        words = [word.encode().title() for word, _ in entries]
        self._entries = tuple(entry for _, entry in entries)
        self._find = BytesAhoCorasick(
            words, matchkind=MatchKind.Standard, implementation=Implementation.ContiguousNFA
        ).find_matches_as_indexes
        self.overlap = max(map(len, words), default=1)

    def search(
        self, data: bytes, begin: int, end: int, found: dict[str, list[str]], seen: set[int]
    ) -> int:
        """Adds the words in that part of `data` which are not in `seen` yet to both; returns how many matches
        were looked at."""
        entries = self._entries
        matches = self._find(data[begin:end], True)  # noqa: FBT003 - overlapping; naming it costs as much as 100 bytes
        for index, start, stop in matches:
            if index in seen:
                continue
            told, lists, starts_word, ends_word = entries[index]
            if starts_word and (edge := _EDGES[data[begin + start - 1]]) and (
                edge == _ASCII_EDGE or _joins(_char_before(data, begin + start))
            ):
                continue
            if ends_word and (edge := _EDGES[data[begin + stop]]) and (
                edge == _ASCII_EDGE or _joins(_char_at(data, begin + stop))
            ):
                continue
            seen.add(index)
            for name in lists:
                words = found.get(name)
                if words is None:
                    found[name] = [told]
                else:
                    words.append(told)
        return len(matches)


class Keywords:
    """The word lists, ready to be sought. Build it once; `find` may be called from anywhere."""

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
        entries = [
            (
                word,
                _Entry(word.strip(), tuple(names), _joins(word[0]), not goes_on and _joins(word[-1])),
            )
            for (word, goes_on), names in owners.items()
        ]
        # Most texts are ASCII: for them a machine of the ASCII words alone is smaller.
        self._ascii = _Machine([entry for entry in entries if entry[0].isascii()])
        self._any = _Machine(entries)

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
        said: dict[str, list[str]] = {}
        seen: set[int] = set()
        # With line ends around it every match has a neighbour on either side, and the text begins like any line.
        if text.isascii():
            machine, data = self._ascii, b"\n%b\n" % text.encode().title()
            size = len(data)
            if size <= 2 * EDGE_CHARS:
                machine.search(data, 0, size, said, seen)
                return Found(said)
            head, tail = EDGE_CHARS, size - EDGE_CHARS
        else:
            padded = f"\n{text.lower()}\n".replace("\u2019", "'")
            machine, data = self._any, padded.encode().title()
            size = len(data)
            if len(padded) <= 2 * EDGE_CHARS:
                machine.search(data, 0, size, said, seen)
                return Found(said)
            head = len(padded[:EDGE_CHARS].encode())
            tail = size - len(padded[-EDGE_CHARS:].encode())
        machine.search(data, 0, head, said, seen)
        machine.search(data, tail, size, said, seen)
        pasted: dict[str, list[str]] = {}
        budget = _MATCH_BUDGET
        for begin in range(max(head - machine.overlap, 0), tail, _BLOCK_BYTES):
            end = min(begin + _BLOCK_BYTES, tail) + machine.overlap
            budget -= machine.search(data, begin, min(end, size), pasted, seen)
            if budget <= 0:
                break
        return Found(said, pasted)


def _joins(char: str) -> bool:
    """True when a letter or digit beside `char` belongs to the same word.

    Scripts from U+0E00 on (Thai, Han, kana, hangul) set no space between words, or attach endings to them:
    beside them a word begins or ends anywhere. Latin and Greek with further accents lie up there too.
    """
    return (char.isalnum() or char == "_") and (char < "\u0e00" or "\u1e00" <= char < "\u2000")


def _char_before(data: bytes, at: int) -> str:
    begin = at - 1
    while data[begin] & 0xC0 == 0x80:
        begin -= 1
    return data[begin:at].decode()


def _char_at(data: bytes, at: int) -> str:
    end = at + 1
    while data[end] & 0xC0 == 0x80:
        end += 1
    return data[at:end].decode()


_ASCII_EDGE, _HIGH_EDGE = 1, 2
_EDGES = bytes(_HIGH_EDGE if byte >= 0x80 else _joins(chr(byte)) for byte in range(0x100))
"""By the byte beside a match: whether it joins (`_ASCII_EDGE`), or its character has to be looked at."""
