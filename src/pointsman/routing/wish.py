"""What of a conversation is the wish: without padding and courtesies, told apart from what was pasted beside it, and
whether it can be understood alone. It does not say how hard it is."""

import re
import unicodedata

from pointsman.routing.keywords import COURTESIES, Keywords
from pointsman.routing.tokens import weigh

_SHORT_CHARS = 80
_SHORT_WORDS = 4
_SHORT_WIDE_CHARS = 8  # "请继续" is one word to a program that splits at spaces
_GO_ON_WORDS = 9
_GO_ON_WIDE_CHARS = 16
_COURTESY_CHARS = 100
_COURTEOUS_SENTENCES = 2
_BESIDE_COURTESIES = frozenset({"go_on", "references", "negation", "constraints", "steps"})
_SENTENCE_ENDS = ".!?。！？:：\n"  # noqa: RUF001 - those of other scripts
_FIRST_SENTENCE = re.compile(rf"[^{_SENTENCE_ENDS}]{{1,{_COURTESY_CHARS}}}[{_SENTENCE_ENDS}]+\s*")
_LAST_SENTENCE = re.compile(
    rf"[{_SENTENCE_ENDS}`]\s*[^{_SENTENCE_ENDS}`\s][^{_SENTENCE_ENDS}`]*[{_SENTENCE_ENDS}]*\Z"
)
_ENDS_CHARS = 20_000
"""Twice what is searched for keywords at either end, so that they are found behind an instruction of any length."""
_TWO_WORDS = re.compile(r"\s(?=(\S+(?:\s\S+)?))")
_QUESTION_MARKS = ("?", "？", "؟")  # noqa: RUF001 - those of other scripts
_THANKS_CHARS = 60
_THANKED_FOR_CHARS = 40
"""Less before the thanks may be about them: "write a thank you note"."""
_SPACES = re.compile(r"[ \t\u00a0\u3000]{2,}")

_APART_CHARS = 400
"""Shorter texts are read as one."""
_INSTRUCTION_CHARS = 400
_MATERIAL_CHARS = 300
_MATERIAL_SHARE = 1.5
_QUOTED_CHARS = 120
_MARKS_SHARE = 0.12
"""Between the shares of symbols in prose and in programs (tokens)."""
_TAG = re.compile(r"<([A-Za-z][\w-]{0,40})(?:\s[^<>\n]{0,200})?>")
_TAGS_MAX = 50
_TAGGED_CHARS_MAX = 100_000
_UNCLOSED_MAX = 2
_ASCII_QUOTES = (('"', '"'),)
_QUOTES = (*_ASCII_QUOTES, ("“", "”"), ("«", "»"), ("「", "」"), ("„", "“"))


def leans_on_what_was_said(text: str, keywords: Keywords, turn: str) -> bool:
    """Whether a turn says too little to be understood alone. `text` is what of `turn` is no courtesy: what stands beside
    thanks ("I see! Thank you") is no wish either, unless it asks."""
    if len(text) > _SHORT_CHARS:
        return False
    words = len(text.split())
    wide = 0 if text.isascii() else sum(char >= "\u0e00" for char in text)
    if words > _GO_ON_WORDS or wide > _GO_ON_WIDE_CHARS:
        return False
    said = keywords.find(text).said
    if "go_on" in said:
        return True
    if COURTESIES in said or words >= _SHORT_WORDS or wide > _SHORT_WIDE_CHARS:
        return False
    return len(text) == len(turn) or _asks(text) or COURTESIES not in keywords.find(turn).said


def _asks(text: str) -> bool:
    return text.rstrip().endswith(_QUESTION_MARKS)


def without_courtesies(text: str, keywords: Keywords) -> str:
    """The text without a sentence or two of nothing but greetings, requests and thanks around it. They say nothing
    of how hard the wish between them is, in whatever language."""
    if not keywords.may_hold_courtesies(text):
        return text
    for _ in range(_COURTEOUS_SENTENCES):
        end = _FIRST_SENTENCE.match(text)
        if end is None or end.end() == len(text) or not keywords.is_courtesy(end[0], _BESIDE_COURTESIES):
            break
        text = text[end.end() :]
    for _ in range(_COURTEOUS_SENTENCES):
        begin = _LAST_SENTENCE.search(text, max(len(text) - _COURTESY_CHARS, 0))
        if begin is None or not keywords.is_courtesy(begin[0], _BESIDE_COURTESIES):
            break
        text = text[: begin.start() + 1]
    return _without_unmarked_thanks(text, keywords)


def _without_unmarked_thanks(text: str, keywords: Keywords) -> str:
    """Thanks may also follow a wish that ends in no mark."""
    for begin in _TWO_WORDS.finditer(text, max(len(text) - _THANKS_CHARS, _THANKED_FOR_CHARS)):
        if keywords.is_courtesy(begin[1], ()) and keywords.is_courtesy(
            text[begin.end() :], _BESIDE_COURTESIES
        ):
            return text[: begin.start()]
    return text


def plain(text: str) -> str:
    """The text as keywords are sought in it: in one form of each character, without padding. In the middle of a long
    text none is sought."""
    text = encodable(text)
    if len(text) <= 2 * _ENDS_CHARS:
        return _in_one_form(text).strip()
    ends = text[:_ENDS_CHARS], text[-_ENDS_CHARS:]
    head, tail = map(_in_one_form, ends)
    if (head, tail) != ends:
        text = f"{head}{text[_ENDS_CHARS:-_ENDS_CHARS]}{tail}"
    return text.strip()


def _in_one_form(text: str) -> str:
    if not (text.isascii() or unicodedata.is_normalized("NFKC", text)):
        text = unicodedata.normalize("NFKC", text)
    return _SPACES.sub(" ", text) if "  " in text else text


def encodable(text: str) -> str:
    """Lone surrogates can come out of JSON escapes; nothing past this point can hold them."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def apart(text: str) -> tuple[str, str]:
    """The wish, and what was pasted to be worked on. A short first or last paragraph (or line, in a text without
    paragraphs) beside much more says what to do with the rest, and so does what stands around tags that hold much, or
    around a long quotation."""
    if len(text) < _QUOTED_CHARS:
        return text, ""
    if len(text) <= _TAGGED_CHARS_MAX and "</" in text:
        wish, material = _around_and_within_tags(text)
        if wish.strip() and len(material) >= _QUOTED_CHARS:
            return wish, material
    if len(text) >= _APART_CHARS and "\n" in text:
        wish, material = _short_and_long_paragraphs(text)
        if wish.strip() and len(material) >= max(_MATERIAL_CHARS, _MATERIAL_SHARE * len(wish)):
            return wish, material
    for opening, closing in _ASCII_QUOTES if text.isascii() else _QUOTES:
        begin, end = text.find(opening), text.rfind(closing)
        if begin >= 0 and end - begin >= _QUOTED_CHARS:
            wish = f"{text[:begin]} {text[end + 1 :]}"
            if wish.strip() and len(wish) <= _INSTRUCTION_CHARS:
                return wish, text[begin + 1 : end]
    return text, ""


def _is_of_marks(paragraph: str) -> bool:
    size, symbols, _, high_bytes, _ = weigh(paragraph)
    return symbols > _MARKS_SHARE * (size - high_bytes)


def _around_and_within_tags(text: str) -> tuple[str, str]:
    """Programs that write prompts put what is given between tags, each at the beginning of a line: <context>, <document>.
    A question behind them is all of the wish where a page of instructions stands before."""
    around: list[str] = []
    within: list[str] = []
    end, unclosed = 0, 0
    at = 0 if text.startswith("<") else _next_tag(text, 0)
    while at >= 0 and len(within) < _TAGS_MAX and unclosed < _UNCLOSED_MAX:
        opening = _TAG.match(text, at)
        closing = -1 if opening is None else text.find(f"</{opening[1]}>", at)
        if opening is None or closing < 0:
            unclosed += 1
        else:
            around.append(text[end:at])
            within.append(text[at:closing])
            end = at = closing + len(opening[1]) + len("</>")
        at = _next_tag(text, at)
    behind = text[end:]
    is_question = len(behind) <= _INSTRUCTION_CHARS and _asks(behind)
    if is_question and sum(map(len, around)) > _INSTRUCTION_CHARS:
        # How to answer from what was found is told at length before it, with whatever question.
        return behind, "\n".join(around + within)
    return "".join([*around, behind]), "\n".join(within)


def _next_tag(text: str, start: int) -> int:
    """Where the next line begins that may begin with a tag, -1 where none does."""
    at = text.find("\n<", start)
    return -1 if at < 0 else at + 1


def _short_and_long_paragraphs(text: str) -> tuple[str, str]:
    mark = "\n\n" if "\n\n" in text else "\n"
    first, _, rest = text.partition(mark)
    middle, _, last = rest.rpartition(mark)
    short = [paragraph for paragraph in (first, last) if len(paragraph) <= _INSTRUCTION_CHARS]
    if len(short) > 1:
        # The last line of a log or of a program is no wish.
        short = [paragraph for paragraph in short if not _is_of_marks(paragraph)] or short
    long = [paragraph for paragraph in (first, middle, last) if paragraph is middle or paragraph not in short]
    return "\n".join(short), "\n".join(long)
