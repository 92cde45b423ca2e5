"""What a prompt says, read once per decision for all signals. It does not judge: that is theirs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from pointsman.core.prompt import Prompt
from pointsman.routing.keywords import EDGE_CHARS, Found, Keywords
from pointsman.routing.tokens import Weighed, input_tokens, text_tokens, weigh

_SHORT_CHARS = 100
_SHORT_WORDS = 4
_SHORT_WIDE_CHARS = 8  # "请继续" is one word to a program that splits at spaces
_MAX_INHERITED_TURNS = 8
_WORDS_TOLD = 3
_PASTED_WORDS = 20
_MOST_FOR_PASTED = 0.5

_DIGITS = b"0123456789"
_WIDE_QUESTION_MARKS = "？؟"  # noqa: RUF001 - the question marks of other scripts


@dataclass(slots=True)  # not frozen: one is made for every decision, and that would cost 1.5 us more
class Reading:
    """`asked` is the last user turn; one that is short ("yes, go on") is read together with the user turns
    before it, back to the first that says more. Keywords come from it alone: what a tool returned or an
    assistant said is no wish of the user's, and a system text speaks of all requests, not of this one.
    Questions and digits are counted at both ends of it where it is long.
    """

    prompt: Prompt
    asked: str
    asked_tokens: int
    input_tokens: int
    user_turns: int
    inherited_turns: int
    questions: int
    digit_share: float
    found: Found

    def count(self, keywords: str) -> float:
        """How many different words of the list were found. What was pasted counts as half a word at most: a
        long text has some of everything, and what to do with it is said before or behind it."""
        found = self.found
        count: float = len(found.said.get(keywords, ()))
        if found.pasted and (pasted := len(found.pasted.get(keywords, ()))):
            count += min(pasted / _PASTED_WORDS, _MOST_FOR_PASTED)
        return count

    def told(self, keywords: str) -> str:
        """The first words of the list that were found."""
        found = self.found
        words = found.said.get(keywords, ())
        if len(words) < _WORDS_TOLD:
            words = [*words, *found.pasted.get(keywords, ())]
        return ", ".join(words[:_WORDS_TOLD])


class Signal(NamedTuple):
    """`value` is what it reads, -1..1: below 0 an easier model will do, 0 it sees nothing. `detail` is what it
    saw, asked for only when a decision is to be explained; it never holds words of the prompt that are not also
    in our own keyword lists."""

    name: str
    value: Callable[[Reading], float]
    detail: Callable[[Reading], str]


class Words:
    """A signal that is nothing but words: steps[0] for one word of the list, steps[1] for two different ones,
    and so on, the last for any more. It is data, so that the scorer can leave out every list of which there is
    no word at all."""

    __slots__ = ("keywords", "meaning", "name", "steps")

    def __init__(self, name: str, keywords: str, *steps: float, meaning: str) -> None:
        self.name = name
        self.keywords = keywords
        self.steps = steps
        self.meaning = meaning

    def value(self, reading: Reading) -> float:
        return graded(reading.count(self.keywords), self.steps)

    def detail(self, reading: Reading) -> str:
        return reading.told(self.keywords)


def read(prompt: Prompt, keywords: Keywords) -> Reading:
    """Takes time in proportion to the length of the prompt."""
    texts: list[str] = []
    others = [prompt.system]
    user_turns = 0
    reads_on = True
    for speaker, text in reversed(prompt.turns):
        if speaker == "user":
            user_turns += 1
            if reads_on:
                texts.append(text)
                reads_on = len(text) <= _SHORT_CHARS and _is_short(text) and user_turns <= _MAX_INHERITED_TURNS
                continue
        others.append(text)
    asked = _encodable(texts[0] if len(texts) == 1 else "\n".join(reversed(texts)))
    weighed = weigh(asked)
    asked_tokens = text_tokens(weighed)
    whole, whole_tokens = weighed, asked_tokens
    if len(others) > 1 or others[0]:
        other = weigh(_encodable("\n".join(others)))
        whole = weighed.beside(other) if texts else other
        whole_tokens = text_tokens(whole)
    questions, digit_share = _questions_and_digits(asked, weighed)
    return Reading(
        prompt,
        asked,
        round(asked_tokens),
        input_tokens(prompt, whole, whole_tokens),
        user_turns,
        max(len(texts) - 1, 0),
        questions,
        digit_share,
        keywords.find(asked),
    )


def graded(count: float, steps: tuple[float, ...]) -> float:
    """steps[n - 1] for a count of n, straight lines between, from 0 at 0; the last step for all beyond."""
    if count >= len(steps):
        return steps[-1]
    below = int(count)
    low = steps[below - 1] if below else 0.0
    return low + (count - below) * (steps[below] - low)


def _questions_and_digits(asked: str, weighed: Weighed) -> tuple[int, float]:
    """How many question marks, and which share of the bytes are digits."""
    if len(asked) > 2 * EDGE_CHARS:
        asked = f"{asked[:EDGE_CHARS]}\n{asked[-EDGE_CHARS:]}"
        weighed = weigh(asked)
    marks = weighed.marks
    questions = marks.count(b"?")
    if weighed.high_chars:
        questions += sum(map(asked.count, _WIDE_QUESTION_MARKS))
    digits = len(marks) - len(marks.translate(None, _DIGITS))
    return questions, digits / weighed.utf8_bytes if digits else 0.0


def _is_short(text: str) -> bool:
    if len(text.split(None, _SHORT_WORDS - 1)) >= _SHORT_WORDS:
        return False
    wide = 0 if text.isascii() else sum(char >= "\u0e00" for char in text)
    return wide <= _SHORT_WIDE_CHARS


def _encodable(text: str) -> str:
    """Lone surrogates can come out of JSON escapes; nothing past this point can hold them."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
