"""Other ways in which people write a keyword: without accents, or misspelt by one letter. It knows no keywords of its
own."""

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping

_SHORTEST_CHARS = 7
"""Of shorter words too many are real ones that differ by a letter."""
_LONGEST_CHARS = 20
_UNSPELT = "\u0e00-\u1dff\u2000-\U0010ffff"
"""Scripts of syllables and pictures are not misspelt by a letter. Letters of Latin and Greek with further accents lie
between them."""
_WORD = re.compile(rf"[^\W\d_{_UNSPELT}]{{{_SHORTEST_CHARS - 1},{_LONGEST_CHARS}}}")  # one may be missing
_MEANT_MAX = 10_000
_NOTHING = -1
_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
_MAY_DROP_ACCENTS = re.compile("[\u00c0-\u024f\u0451]")


def unaccented(word: str) -> Iterator[str]:
    """How a word of a Latin script, or one with a Cyrillic yo, is written where accents are hard to type."""
    if _MAY_DROP_ACCENTS.search(word) is None:
        return
    for spelling in (word.replace("ß", "ss"), word.translate(_GERMAN)):
        decomposed = unicodedata.normalize("NFD", spelling.replace("й", "\0"))
        bare = "".join(char for char in decomposed if not unicodedata.combining(char)).replace("\0", "й")
        if bare != word:
            yield bare


class Misspelt:
    """Finds words with a letter missing, too many, wrong, or two changed about, after their first letter.

    Two words that differ so are equal when each lacks one letter at most (the symmetric deletion method of SymSpell):
    what is left of each keyword without one letter is worked out beforehand.
    """

    def __init__(self, words: Mapping[str, int], never: Collection[str]) -> None:
        self._known = {
            word: place
            for word, place in words.items()
            if len(word) >= _SHORTEST_CHARS and _WORD.fullmatch(word)
        }
        self._lacking: dict[str, int] = {}
        for word, place in self._known.items():
            for at in range(1, len(word)):
                self._lacking.setdefault(word[:at] + word[at + 1 :], place)
        in_phrases = {part for word in words for part in _WORD.findall(word)}
        self._never = in_phrases.union(never)
        self._meant: dict[str, int] = {}  # people use the same few thousand words again and again

    def find(self, text: str) -> Iterator[int]:
        """The places of the words that were meant, in the order of `text`; those that are spelt right are left out."""
        meant = self._meant
        for word in _WORD.findall(text.lower()):
            place = meant.get(word)
            if place is None:
                if len(meant) >= _MEANT_MAX:
                    meant.clear()
                place = meant[word] = self._place(word)
            if place != _NOTHING:
                yield place

    def _place(self, word: str) -> int:
        """Of the keyword that was meant."""
        known, lacking = self._known, self._lacking
        if word in known or word in self._never:
            return _NOTHING
        if word in lacking:
            return lacking[word]
        for at in range(1, len(word)):
            less = word[:at] + word[at + 1 :]
            if less in lacking:
                return lacking[less]
            if less in known:
                return known[less]
        return _NOTHING
