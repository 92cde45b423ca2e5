"""What a wish says by its wording alone, whoever asks and in whatever conversation. It does not judge: that is for
signals."""

from collections.abc import Mapping

import msgspec

from pointsman.routing.keywords import COURTESIES, EDGE_CHARS, Found, Keywords
from pointsman.routing.tokens import Weighed, look, text_tokens, weigh, weigh_roughly
from pointsman.routing.wish import apart

_CHORE = "chore"
_TRANSCRIPT = "transcript"
_MARKS_OF_TRANSCRIPT = 2
_OF_PROGRAMS = frozenset({"code", "technical", "agentic"})
_PASTED_WORDS = 10
_MOST_FOR_PASTED = 1.0
_TOKENS_PER_ASKED = 10
_MOST_FOR_MATERIAL = 50
_A_PASTE = 150
"""Tokens. A riddle or the choices of a quiz are shorter, and the answer is not to be found in them."""

_BYTES_PER_TOKEN = 4.6
_LONG_WORD = 10 * b"a" + b" "
_AS_LETTERS = bytes(
    ord("a")
    if (chr(byte).isalpha() and byte < 0x80) or 0xC3 <= byte <= 0xCA or 0xD0 <= byte <= 0xD3
    else ord(" ")
    for byte in range(0x100)
)
"""By a character's first byte in UTF-8: letters are those of Latin and Cyrillic."""
_BEHIND_FIRST_BYTE = bytes(range(0x80, 0xC0))
_PART_MARKS = b",;:"
_WIDE_PART_MARKS = "，；：、،؛"  # noqa: RUF001 - those of other scripts
_USUAL_TOKENS = 60

REWORK = "rework"
"""The list of words for work on a text that is given: to translate it, to correct it, to take facts out of it."""
_MUCH_TO_REWORK = 80
"""Tokens. The answer is about as long as the text, and a word in a shorter one is mentioned rather than meant: to say "prove
it" in French proves nothing."""
_ORDERS = ("imperative", "explanation", "analysis", "proof", "reasoning", "technical", "creative")
_OF_WHAT_IS_REWORKED = (*_ORDERS, "math", "constraints")

_TELLING = frozenset((*_ORDERS, "simple", COURTESIES, REWORK))
"""The lists of which a word tells what kind of thing is wanted."""
_ALSO_TELLING = frozenset(("given", "questions", "lists", "math", "formulas"))
"""What tells it unless it is about a program: a question is for a fact."""
_TOKENS_OF_A_LISTED_WORD = 4

_GIVEN_MARKS = (":", "：", '"', "“", "«", "「", "„", "'")  # noqa: RUF001 - those of other scripts
_MOSTLY_GIVEN = 0.4

_DIGITS = b"0123456789"
_DIGITS_NOTICED = 0.01
_WIDE_QUESTION_MARKS = "？؟"  # noqa: RUF001 - the question marks of other scripts


class Wording(msgspec.Struct, frozen=True, gc=False):
    """`weighed` and `tokens` are of all of it; `measures` those of reading.Measures that a text has by itself. Questions
    and digits are counted at both ends of it where it is long."""

    weighed: Weighed
    tokens: float
    measures: Mapping[str, float]
    found: Found


def wording_of(keywords: Keywords, asked: str) -> Wording:
    """`asked` is plain (see wish)."""
    wish, material = apart(asked)
    edges = wish
    if len(wish) > 2 * EDGE_CHARS:
        edges = f"{wish[:EDGE_CHARS]}\n{wish[-EDGE_CHARS:]}"
    weighed, marks = look(edges)
    size, high_bytes = weighed[0], weighed[3]
    whole = weighed if edges is asked else weigh_roughly(asked)
    whole_tokens = asked_tokens = text_tokens(whole)
    if material:
        wish_tokens = text_tokens(weighed if edges is wish else weigh(wish))
        beside = asked_tokens - wish_tokens
        asked_tokens = wish_tokens + min(beside / _TOKENS_PER_ASKED, _MOST_FOR_MATERIAL)

    measures: dict[str, float] = {"asked_tokens": round(asked_tokens)}
    if material and beside >= _A_PASTE:
        measures["beside_material"] = wish_tokens
    questions = marks.count(b"?")
    if high_bytes:
        questions += sum(map(edges.count, _WIDE_QUESTION_MARKS))
    if questions:
        measures["questions"] = questions
    digits = len(marks) - len(marks.translate(None, _DIGITS))
    if digits and digits / size >= _DIGITS_NOTICED:
        measures["digits"] = digits / size
        measures["math"] = 0
    parts = sum([marks.count(mark) for mark in _PART_MARKS])
    if high_bytes:
        parts += sum([edges.count(mark) for mark in _WIDE_PART_MARKS])
    long_words = _long_words(edges)
    if b"\n" in marks or parts * _TOKENS_OF_A_LISTED_WORD > asked_tokens:
        measures["lists"] = 1
    if material or _is_mostly_given(edges):
        measures["given"] = 1
    if parts or long_words:
        # Counted as in a wish of usual length: a long text has many of both.
        share = min(_USUAL_TOKENS / asked_tokens, 1.0)
        if parts:
            measures["clauses"] = parts * share
        if long_words:
            measures["long_words"] = long_words * share
    found = keywords.find(wish)
    if material:
        found = found.beside(keywords.find(material, proofread=False))
    if _is_chore(found, is_beside=bool(material)):
        # Chat programs send a page of demands with it, which say nothing of how hard it is.
        measures = {"asked_tokens": measures["asked_tokens"], _CHORE: 1}
    else:
        _add_found(found, keywords, asked_tokens, measures)
        measures.pop(_CHORE, None)
    return Wording(whole, whole_tokens, measures, found)


def _is_mostly_given(text: str) -> bool:
    """Whether much of it stands behind a colon or between quotation marks."""
    begin = min([at for mark in _GIVEN_MARKS if (at := text.find(mark)) >= 0], default=-1)
    return begin >= 0 and len(text) - begin >= _MOSTLY_GIVEN * len(text)


def _is_chore(found: Found, *, is_beside: bool) -> bool:
    """Whether something little is wanted for a conversation, which is written out beside it or marked as such."""
    said = found.said
    if _CHORE not in said:
        return False
    marks = said.get(_TRANSCRIPT, 0)
    if marks >= _MARKS_OF_TRANSCRIPT:
        return True
    if is_beside:
        return marks > 0 or _TRANSCRIPT in found.pasted
    return marks > 0 and _OF_PROGRAMS.isdisjoint(
        said
    )  # else it may be wanted of a program that is to be written


def _add_found(found: Found, keywords: Keywords, asked_tokens: float, measures: dict[str, float]) -> None:
    measures.update(found.said)
    if papers := measures.get("certificate"):
        for name in ("proof", "reasoning"):
            if measures.pop(name, 0) > papers:
                measures[name] = found.said[name] - papers
    if wordings := measures.pop("wording", 0):
        # Each begins with a word of explanation ("how do you"), and asks for none.
        left = measures.pop("explanation", 0) - wordings
        if left > 0:
            measures["explanation"] = left
    if REWORK in measures and "code" not in measures and "agentic" not in measures:
        share = min(asked_tokens / _MUCH_TO_REWORK, 1.0)
        for name in _OF_WHAT_IS_REWORKED:
            if name in measures:
                measures[name] *= share
    if COURTESIES in measures:
        # Courtesies are many words that say nothing of the task.
        spoken = keywords.courtesy_chars(found.places) / _BYTES_PER_TOKEN
        measures["asked_tokens"] = max(round(asked_tokens - spoken), 1)
    if ("code" in measures or _ALSO_TELLING.isdisjoint(measures)) and _TELLING.isdisjoint(measures):
        measures["untold"] = measures["asked_tokens"]
    # What was pasted counts as a word at most: a long text has some of everything, and what to do with it is said
    # before or behind it.
    for name, count in found.pasted.items():
        measures[name] = measures.get(name, 0) + min(count / _PASTED_WORDS, _MOST_FOR_PASTED)


def _long_words(text: str) -> int:
    """How many words of ten letters or more there are. One byte is left of each character, "a" for a letter of a
    script whose words are told by their length. Sought by its end: what is sought is told from what it is not by the last
    letter, and most of a text is letters."""
    return (text.encode().translate(_AS_LETTERS, _BEHIND_FIRST_BYTE) + b" ").count(_LONG_WORD)
