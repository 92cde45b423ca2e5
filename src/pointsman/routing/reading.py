"""What a prompt says, read once per decision for all signals. It does not judge: that is theirs."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec

from pointsman.core.prompt import Prompt
from pointsman.routing.keywords import COURTESIES, EDGE_CHARS, Found, Keywords
from pointsman.routing.tokens import beside, input_tokens, look, text_tokens, weigh, weigh_roughly
from pointsman.routing.wish import apart, leans_on_what_was_said, plain, without_courtesies

_MAX_INHERITED_TURNS = 8
_WORDS_TOLD = 3
_PASTED_WORDS = 10
_MOST_FOR_PASTED = 1.0
_TOKENS_PER_ASKED = 10
_MOST_FOR_MATERIAL = 50

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

_DIGITS = b"0123456789"
_DIGITS_NOTICED = 0.01
_WIDE_QUESTION_MARKS = "？؟"  # noqa: RUF001 - the question marks of other scripts

Measures = Mapping[str, float]
"""What was read, by name: how many different words of a list were found, under the list's name, and

    asked_tokens, input_tokens     of the wish, of everything
    questions                      question marks in it
    digits                         their share of it
    long_words, clauses            words of ten letters or more, marks between parts; as in 60 tokens of it
    user_turns, system_chars
    tools
    media                          of which images, audio, documents
    json_schema, json_object       1 where it is demanded
    json_mentioned                 1 where the instructions speak of it

What there is none of has no entry, so that a decision costs what there is to see; only the first two always have
one, the three kinds of media have beside "media", and "math" beside "digits": figures are mathematics even without its
words."""


class Reading(msgspec.Struct, frozen=True, gc=False):
    """`asked` is the last user turn; one that is short and no more than a wish to go on, or too short to say anything
    by itself, is read together with the user turns before it, back to the first that says more; thanks and a greeting
    are not. Keywords come from it alone: what a tool returned or an
    assistant said is no wish of the user's, and a system text speaks of all requests, not of this one.
    Questions and digits are counted at both ends of it where it is long.
    """

    prompt: Prompt
    asked: str
    inherited_turns: int
    measures: Measures
    found: Found

    def told(self, keywords: str) -> str:
        """The first words of the list that were found."""
        return ", ".join(self.found.words(keywords)[:_WORDS_TOLD])


class Signal(NamedTuple):
    """It is asked where there is one of the measures it is `of`. `value` takes that and all of them and says what
    it reads, -1..1: below 0 an easier model will do, 0 it sees nothing. `detail` is what it saw, asked for only
    when a decision is to be explained; it never holds words of the prompt that are not also in our own lists."""

    name: str
    of: tuple[str, ...]
    value: Callable[[float, Measures], float]
    detail: Callable[[Reading], str]


class Words:
    """A signal that is nothing but words: steps[0] for one word of the list, steps[1] for two different ones,
    and so on, the last for any more. It is data, so that the scorer can work it out beforehand."""

    __slots__ = ("meaning", "name", "of", "steps")

    def __init__(self, name: str, keywords: str, *steps: float, meaning: str) -> None:
        self.name = name
        self.of = (keywords,)
        self.steps = steps
        self.meaning = meaning

    def value(self, count: float, _: Measures) -> float:
        return graded(count, self.steps)

    def detail(self, reading: Reading) -> str:
        return reading.told(*self.of)


def read(prompt: Prompt, keywords: Keywords) -> Reading:
    """Takes time in proportion to the length of the prompt, but much less for what is long of it."""
    texts: list[str] = []
    others = [prompt.system]
    user_turns = 0
    reads_on = True
    for speaker, text in reversed(prompt.turns):
        if speaker == "user":
            user_turns += 1
            if reads_on:
                wish = without_courtesies(plain(text), keywords)
                texts.append(wish)
                reads_on = (
                    user_turns <= _MAX_INHERITED_TURNS
                    and len(prompt.turns) > 1
                    and leans_on_what_was_said(wish, keywords)
                )
                continue
        others.append(text)
    asked = texts[0] if len(texts) == 1 else "\n".join(reversed(texts))

    wish, material = apart(asked)
    edges = wish
    if len(wish) > 2 * EDGE_CHARS:
        edges = f"{wish[:EDGE_CHARS]}\n{wish[-EDGE_CHARS:]}"
    weighed, marks = look(edges)
    size, high_bytes = weighed[0], weighed[3]
    whole = weighed if edges is asked else weigh_roughly(asked)
    whole_tokens = asked_tokens = text_tokens(whole)
    if len(others) > 1 or others[0]:
        other = weigh_roughly("\n".join(others))
        whole = beside(whole, other) if texts else other
        whole_tokens = text_tokens(whole)
    if material:
        wish_tokens = text_tokens(weighed if edges is wish else weigh(wish))
        asked_tokens = wish_tokens + min((asked_tokens - wish_tokens) / _TOKENS_PER_ASKED, _MOST_FOR_MATERIAL)

    measures: dict[str, float] = {
        "asked_tokens": round(asked_tokens),
        "input_tokens": input_tokens(prompt, whole, whole_tokens),
    }
    if user_turns > 1:
        measures["user_turns"] = user_turns
    if prompt.system:
        _add_instructions(prompt.system, measures)
    if prompt.tool_count:
        measures["tools"] = prompt.tool_count
    if prompt.output_format != "text":
        measures[prompt.output_format] = 1
    if media := prompt.image_count + prompt.document_count + prompt.audio_count:
        measures["media"] = media
        measures["documents"] = prompt.document_count
        measures["images"] = prompt.image_count
        measures["audio"] = prompt.audio_count

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
    if COURTESIES in measures:
        # Courtesies are many words that say nothing of the task.
        spoken = keywords.courtesy_chars(found.places) / _BYTES_PER_TOKEN
        measures["asked_tokens"] = max(round(asked_tokens - spoken), 1)
    # What was pasted counts as a word at most: a long text has some of everything, and what to do with it is said
    # before or behind it.
    for name, count in found.pasted.items():
        measures[name] = measures.get(name, 0) + min(count / _PASTED_WORDS, _MOST_FOR_PASTED)
    return Reading(prompt, asked, max(len(texts) - 1, 0), measures, found)


def graded(count: float, steps: tuple[float, ...]) -> float:
    """steps[n - 1] for a count of n, straight lines between, from 0 at 0; the last step for all beyond."""
    if count >= len(steps):
        return steps[-1]
    below = int(count)
    low = steps[below - 1] if below else 0.0
    return low + (count - below) * (steps[below] - low)


def _add_instructions(system: str, measures: dict[str, float]) -> None:
    measures["system_chars"] = len(system)
    if "JSON" in system or "json" in system:
        measures["json_mentioned"] = 1


def _long_words(text: str) -> int:
    """How many words of ten letters or more there are. One byte is left of each character, "a" for a letter of a
    script whose words are told by their length. Sought by its end: what is sought is told from what it is not by the last
    letter, and most of a text is letters."""
    return (text.encode().translate(_AS_LETTERS, _BEHIND_FIRST_BYTE) + b" ").count(_LONG_WORD)
