"""Other ways in which people write a keyword: without accents, or misspelt by one letter. It knows no keywords of its
own."""

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping

_SHORTEST_CHARS = 7
"""Of shorter words too many are real ones that differ by a letter."""
_LONGEST_CHARS = 20
_WORD = re.compile(rf"[^\W\d_]{{{_SHORTEST_CHARS - 1},{_LONGEST_CHARS}}}")  # one may be missing
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
            if len(word) >= _SHORTEST_CHARS and _WORD.fullmatch(word) and _is_spelt(word)
        }
        self._lacking: dict[str, int] = {}
        for word, place in self._known.items():
            for at in range(1, len(word)):
                self._lacking.setdefault(word[:at] + word[at + 1 :], place)
        in_phrases = {part for word in words for part in _WORD.findall(word)}
        self._never = in_phrases.union(never)

    def find(self, text: str) -> Iterator[int]:
        """The places of the words that were meant, in the order of `text`; those that are spelt right are left out."""
        known, lacking, never = self._known, self._lacking, self._never
        for word in _WORD.findall(text.lower()):
            if word in known or word in never:
                continue
            place = lacking.get(word)
            if place is not None:
                yield place
                continue
            for at in range(1, len(word)):
                less = word[:at] + word[at + 1 :]
                place = lacking.get(less)
                if place is None:
                    place = known.get(less)
                if place is not None:
                    yield place
                    break


def _is_spelt(word: str) -> bool:
    """Scripts of syllables and pictures are not misspelt by a letter."""
    return word < "\u0e00"
