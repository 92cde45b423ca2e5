"""Finds the words that tell something about a prompt, in one linear pass. What they mean is up to the signals."""

import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec
from ahocorasick_rs import BytesAhoCorasick, Implementation, MatchKind

from pointsman.routing.spellings import Misspelt, unaccented

EDGE_CHARS = 800
"""Someone who pastes a long text says before or behind it what to do with it: these many characters at either
end count as said, what stands between them as pasted."""

COURTESIES = "greeting"
"""The list of them."""

_COURTESY_BYTES = 110
"""Whoever says more in a sentence says something."""

_COURTESY_SHARE = 0.4
"""Of "could you please help me with this?" so much is known courtesies."""

_PROOFREAD_BYTES = 600
"""A wish of this size rests on a few words, so that one misspelt makes a difference; a longer one says it twice."""

_ARABIC_PREFIXES = "وفبكلاس"
"""And, so, with, as, for, the, will: written together with the word behind them."""
_MOST_PREFIXES = 5

_STEM_CHARS = 7
"""Shorter stems of words that may go on are too often real words themselves, but for a letter."""

_BLOCK_CHARS = 8_192
"""Of what is pasted, so much behind the first edge and before the last is searched: a longer text has some of
everything anyway, and 400 KB of nothing but keywords then cost 3 ms, not 30."""


class Word(NamedTuple):
    """A keyword as it is told, and the lists it stands in."""

    told: str
    lists: tuple[str, ...]


class Found(msgspec.Struct, frozen=True, gc=False):
    """How many different words of each list a text holds, by the list's name: `said` near either end of it,
    `pasted` only further inside. `places` are those of the words among `known`, in the order of their first
    mention, those that were said first."""

    said: dict[str, int]
    pasted: dict[str, int]
    places: dict[int, None]
    known: Sequence[Word]

    def words(self, name: str) -> list[str]:
        """Those of one list."""
        return [self.known[place].told for place in self.places if name in self.known[place].lists]

    def beside(self, pasted: "Found") -> "Found":
        """With what was found in a text that was pasted beside this one."""
        behind = dict(self.pasted)
        for counts in (pasted.said, pasted.pasted):
            for name, count in counts.items():
                behind[name] = behind.get(name, 0) + count
        return Found(self.said, behind, dict.fromkeys((*self.places, *pasted.places)), self.known)


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
        self._words = tuple(sought.place for sought in words)
        self._lists = tuple(sought.lists for sought in words)
        self._starts_word = bytes(sought.starts_word for sought in words)
        self._ends_word = bytes(sought.ends_word for sought in words)
        self.overlap = max(map(len, patterns), default=1)

    def may_find(self, data: bytes) -> bool:
        """Whether there is a word, or part of one, that is spelt like one of these."""
        return bool(self._find(data))

    def search(
        self, data: bytes, begin: int, end: int, found: dict[int, None], counts: dict[str, int]
    ) -> None:
        """Adds the words in that part of `data` which are not in `found` yet to it, and to the count of their lists."""
        lists, starts_word, ends_word, edges = self._lists, self._starts_word, self._ends_word, _EDGES
        words, count_of = self._words, counts.get
        near = data[begin - 1 :] if begin else b"\n" + data  # so that nothing has to be added up
        for index, start, stop in self._find(data[begin:end], True):
            word = words[index]
            if (
                word in found
                or (
                    starts_word[index]
                    and (edge := edges[near[start]])
                    and (edge == _JOINS or _joins_before(data, begin + start))
                )
                or (
                    ends_word[index]
                    and (edge := edges[near[stop + 1]])
                    and (edge == _JOINS or _joins_at(data, begin + stop))
                )
            ):
                continue
            found[word] = None
            for name in lists[index]:
                counts[name] = count_of(name, 0) + 1


class _Sought(NamedTuple):
    """A keyword as it is sought, at which of its ends a word must begin or end, and its place among the words."""

    pattern: bytes
    place: int
    lists: tuple[str, ...]
    starts_word: bool
    ends_word: bool


class Keywords:
    """The word lists, ready to be sought. Build it once; `find` may be called from anywhere."""

    def __init__(self, lists: Mapping[str, Iterable[str]], never_misspelt: Iterable[str] = ()) -> None:
        self.lists = {name: tuple(words) for name, words in lists.items()}
        self._never_misspelt = frozenset(never_misspelt)
        owners: dict[tuple[str, bool], list[str]] = {}
        for name, listed in self.lists.items():
            for word in listed:
                key = (word.removesuffix("*").lower(), word.endswith("*"))
                if not key[0]:
                    raise ValueError(f"an empty keyword in {name}")
                names = owners.setdefault(key, [])
                if name not in names:
                    names.append(name)
        self._words = tuple(Word(word.strip(), tuple(names)) for (word, _), names in owners.items())
        spelt = {key: place for place, key in enumerate(owners)}
        for (word, goes_on), place in list(spelt.items()):
            for spelling in unaccented(word):
                spelt.setdefault((spelling, goes_on), place)
        sought = [
            _Sought(
                word.encode().title(),
                place,
                self._words[place].lists,
                _joins(word[0]),
                not goes_on and _joins(word[-1]),
            )
            for (word, goes_on), place in spelt.items()
        ]
        # Most texts are ASCII: for them a machine of the ASCII words alone is smaller.
        self._ascii = _Machine([each for each in sought if each.pattern.isascii()])
        self._any = _Machine(sought)
        self._courtesies = _Machine([each for each in sought if COURTESIES in each.lists])
        self._courtesy_chars = {
            place: len(word.told) for place, word in enumerate(self._words) if COURTESIES in word.lists
        }
        self._misspelt = Misspelt(
            {
                spelling: place
                for (word, goes_on), place in spelt.items()
                for spelling in _grown(word, goes_on)
            },
            self._never_misspelt.union(word for word, _ in spelt),
        )

    @classmethod
    def parse(cls, text: str) -> "Keywords":
        """From TOML: a table per list, in it an array of words per language. The table `never_misspelt` is no list:
        its words are not taken for misspelt ones of another."""
        lists = {
            name: [word for words in by_language.values() for word in words]
            for name, by_language in tomllib.loads(text).items()
        }
        return cls(lists, lists.pop("never_misspelt", ()))

    def and_also(self, lists: Mapping[str, Iterable[str]]) -> "Keywords":
        """These and further lists."""
        return Keywords({**self.lists, **lists}, self._never_misspelt) if lists else self

    def find(self, text: str, *, proofread: bool = True) -> Found:
        """`text` must be encodable as UTF-8 (no lone surrogates). `proofread` also reads misspelt words, where it is
        short."""
        if len(text) > 2 * (EDGE_CHARS + _BLOCK_CHARS):
            ends = EDGE_CHARS + _BLOCK_CHARS
            text = f"{text[:ends]}\0{text[-ends:]}"
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
            if proofread and size <= _PROOFREAD_BYTES:
                self._read_misspelt(text, found, said)
            return Found(said, pasted, found, self._words)
        machine.search(data, 0, head, found, said)
        machine.search(data, tail, size, found, said)
        begin = max(head - machine.overlap, 0)
        machine.search(data, begin, min(tail + machine.overlap, size), found, pasted)
        return Found(said, pasted, found, self._words)

    def may_hold_courtesies(self, text: str) -> bool:
        """False where no sentence at either end of it is one for `is_courtesy`."""
        if len(text) > 2 * _COURTESY_BYTES:
            text = f"{text[:_COURTESY_BYTES]}\n{text[-_COURTESY_BYTES:]}"
        return self._courtesies.may_find(text.lower().encode().title())

    def is_courtesy(self, sentence: str, beside: Collection[str]) -> bool:
        """Whether much of it is courtesies, and beside them there are words of other lists at most of those `beside`."""
        data = f"\n{sentence.lower()}\n".encode().title()
        if len(data) > _COURTESY_BYTES:
            return False
        counts: dict[str, int] = {}
        places: dict[int, None] = {}
        self._courtesies.search(data, 0, len(data), places, counts)
        if self.courtesy_chars(places) < _COURTESY_SHARE * len(sentence.strip()):
            return False
        others = {COURTESIES, *beside}
        if self.find(sentence, proofread=False).said.keys() <= others:
            return True
        # A courtesy may hold a word of another list: "answer the following question".
        rest = sentence.lower()
        for courtesy in sorted(
            (self._words[place].told.strip("\n*") for place in places), key=len, reverse=True
        ):
            rest = rest.replace(courtesy, " ")
        return self.find(rest, proofread=False).said.keys() <= others

    def courtesy_chars(self, places: Iterable[int]) -> int:
        """How long those of these words are that are courtesies."""
        chars = self._courtesy_chars
        return sum([chars[place] for place in places if place in chars])

    def _read_misspelt(self, text: str, found: dict[int, None], said: dict[str, int]) -> None:
        for place in self._misspelt.find(text):
            if place not in found:
                found[place] = None
                for name in self._words[place].lists:
                    said[name] = said.get(name, 0) + 1


def _grown(word: str, goes_on: bool) -> tuple[str, ...]:
    """The spellings of a keyword in which a misspelt one is looked for."""
    if not goes_on:
        return (word,)
    return (word, f"{word}s") if word.isascii() and len(word) >= _STEM_CHARS else ()


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
    char = data[begin:at].decode()
    return _joins(char) and not (char in _ARABIC_PREFIXES and _begins_with_prefixes(data, at))


def _begins_with_prefixes(data: bytes, at: int) -> bool:
    """Whether all that stands between the beginning of the word and `at` may be prefixed to an Arabic word."""
    begin = max(at - 2 * _MOST_PREFIXES, 0)
    before = data[begin:at].decode(errors="ignore")
    kept = before.rstrip(_ARABIC_PREFIXES)
    return not (kept and _joins(kept[-1])) and len(before) - len(kept) < _MOST_PREFIXES


def _joins_at(data: bytes, at: int) -> bool:
    end = at + 1
    while data[end] & 0xC0 == 0x80:
        end += 1
    return _joins(data[at:end].decode())


_JOINS = 1
_MAY_JOIN = 2
_EDGES = bytes(_MAY_JOIN if byte >= 0x80 else _JOINS * _joins(chr(byte)) for byte in range(0x100))
"""By the byte beside a match: whether its character joins; where it may, all of it has to be looked at."""
