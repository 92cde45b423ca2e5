"""What the learned score reads of a text: its words, pieces of them, and some thirty counts. It weighs nothing.

Training reads a text with these same functions. Whatever changes here needs new weights (`make train`) and a new
FEATURES_VERSION. All of it depends on bytes alone: no locale, no hash of the interpreter's.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from math import log1p
from zlib import crc32

import msgspec

FEATURES_VERSION = 2

SLOTS = 1 << 16
"""How many weights the pieces of words share."""

EDGE_CHARS = 800
"""What is asked stands at either end of a long text; these many characters of each are read."""

_PIECE_BYTES = 4
_STEADYING_WORDS = 20
"""As many words of nothing are added to what is counted per word: one misspelt among few then changes less."""
_LONGEST_WORD_BYTES = 24  # a script without spaces makes one word of a sentence


def _plain() -> bytes:
    table = bytearray(range(0x100))
    for byte in range(0x80):
        char = chr(byte)
        if char.isdigit():
            table[byte] = ord("0")
        elif not (char.isalpha() or char == "'"):
            table[byte] = ord(" ")
    return bytes(table)


# Every digit a 0, every other mark a space: what numbers there are says little, how long they are a lot.
_PLAIN = _plain()
_DIGITS = b"0123456789"
_NO_MARKS = bytes(
    byte
    for byte in range(0x100)
    if byte >= 0x80 or chr(byte).isalpha() or (chr(byte).isspace() and byte != ord("\n"))
)


def _words(text: str) -> frozenset[bytes]:
    return frozenset(text.encode().split())


_SETS: Sequence[tuple[str, frozenset[bytes]]] = (
    ("asking", _words("what which who whom whose where when why how")),
    (
        "making",
        _words("write create implement generate design build develop make code draft compose produce"),
    ),
    (
        "logic",
        _words(
            "if then all some every not no none only either neither or must cannot therefore false true unless"
        ),
    ),
    ("joining", _words("the of and a in is to that for it as with on by")),
    ("amounts", _words("one two three four five many much total times half twice per each less number left")),
    ("comparing", _words("than most best more greater larger least better highest lowest same different")),
    (
        "code",
        _words(
            "def return function python class int list string code import for print array assert input output sql"
        ),
    ),
    (
        "solving",
        _words(
            "find solve calculate compute determine prove evaluate simplify let suppose given equation integers"
        ),
    ),
)
_NUMBERS = frozenset(b"0" * digits for digits in range(1, 9))
_MARKS: Sequence[tuple[str, bytes]] = (
    ("commas", b","),
    ("full_stops", b"."),
    ("semicolons", b";"),
    ("quotes", b'"'),
    ("brackets", b"("),
    ("square_brackets", b"["),
    ("braces", b"{"),
    ("equals", b"="),
    ("plus", b"+"),
    ("stars", b"*"),
    ("slashes", b"/"),
    ("carets", b"^"),
    ("less", b"<"),
    ("dashes", b"-"),
    ("backslashes", b"\\"),
    ("dollars", b"$"),
    ("underscores", b"_"),
    ("percents", b"%"),
)

FEATURES: Sequence[str] = (
    "chars",
    "words",
    "different_words",
    "chars_per_word",
    "lines",
    "empty_lines",
    "indented_lines",
    "choices",
    "digits",
    "different_numbers",
    *(name for name, _ in _MARKS),
    *(f"{name}_words" for name, _ in _SETS),
)


_COUNTED_SETS = (_NUMBERS, *(words for _, words in _SETS))
# A listed word -> a 1 in the byte of every set that holds it: one look-up then serves them all.
_COUNTED = {
    word: sum((word in words) << 8 * place for place, words in enumerate(_COUNTED_SETS))
    for words in _COUNTED_SETS
    for word in words
}
_LISTED = frozenset(_COUNTED)
_MARK_PLACES = {ord(mark): place for place, (_, mark) in enumerate(_MARKS)}
_NO_LINES = (0, 0, 0)
_NO_MARK = [0.0] * len(_MARKS)


class Text(msgspec.Struct, frozen=True, gc=False):
    """The part of a text that is read, and how many characters all of it has."""

    data: bytes
    chars: int
    words: list[bytes]
    different: AbstractSet[bytes]


def read_text(text: str) -> Text:
    """Takes the same time for every text longer than twice EDGE_CHARS, but for looking at its ends."""
    text = text.strip()
    chars = len(text)
    if chars > 2 * EDGE_CHARS:
        text = f"{text[:EDGE_CHARS]}\n{text[-EDGE_CHARS:]}"
    data = text.lower().encode("utf-8", "replace")
    words = data.translate(_PLAIN).split()
    return Text(data, chars, words, set(words))


def pieces(word: bytes) -> list[int]:
    """The slots of a word and of its pieces of four bytes, its ends marked."""
    marked = b"<%b>" % word[:_LONGEST_WORD_BYTES]
    slots = [crc32(word) % SLOTS]
    slots += [
        crc32(marked[at : at + _PIECE_BYTES]) % SLOTS for at in range(max(len(marked) - _PIECE_BYTES + 1, 1))
    ]
    return slots


def features(text: Text) -> list[float]:
    """The numbers of FEATURES, in their order. What grows with the text is a logarithm, so that a sentence around it
    hardly moves it; the rest is per word, words of a list per different word. Nothing that politeness brings with it
    is among them (persons, question marks, what may or could be), nor the share of other scripts, which a greeting
    in another language would change."""
    data, different, words = text.data, text.different, len(text.words)
    size, per_word = len(data) or 1, words or 1
    beside_words, beside_different = words + _STEADYING_WORDS, len(different) + _STEADYING_WORDS
    marks = data.translate(None, _NO_MARKS)
    lines = marks.count(b"\n")
    of_marks = _NO_MARK.copy()
    for mark in set(marks):
        if mark in _MARK_PLACES:
            of_marks[_MARK_PLACES[mark]] = marks.count(mark) / beside_words
    listed = sum(map(_COUNTED.__getitem__, _LISTED & different))
    numbers, *of_sets = listed.to_bytes(len(_COUNTED_SETS), "little")
    count = data.count
    return [
        log1p(text.chars),
        log1p(words),
        len(different) / per_word,
        size / per_word,
        log1p(lines),
        *(
            (
                log1p(count(b"\n\n")),
                log1p(count(b"\n    ")),
                log1p(count(b"\nb.") + count(b"\nb)")),
            )
            if lines
            else _NO_LINES
        ),
        (len(marks) - len(marks.translate(None, _DIGITS))) / size,
        numbers,
        *of_marks,
        *[words_of_set / beside_different for words_of_set in of_sets],
    ]
