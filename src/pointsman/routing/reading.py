"""What a prompt says, read once per decision for all signals. It does not judge: that is theirs."""

from dataclasses import dataclass
from typing import NamedTuple

from pointsman.core.prompt import Prompt
from pointsman.routing.keywords import EDGE_CHARS, Found, Keywords
from pointsman.routing.tokens import input_tokens, text_tokens

_SHORT_CHARS = 100
_SHORT_WORDS = 4
_SHORT_WIDE_CHARS = 8  # "请继续" is one word to a program that splits at spaces
_MAX_INHERITED_TURNS = 8
_WORDS_TOLD = 3
_PASTED_WORDS = 20
_MOST_FOR_PASTED = 0.5


class Hit(NamedTuple):
    """What one signal read, -1..1 (below 0: an easier model will do), and what it saw. `detail` never holds
    words of the prompt that are not also in our own keyword lists."""

    value: float
    detail: str = ""


@dataclass(slots=True)  # not frozen: one is made for every decision, and that would cost 1.5 us more
class Reading:
    """`asked` is the last user turn; one that is short ("yes, go on") is read together with the user turns
    before it, back to the first that says more. Keywords come from it alone: what a tool returned or an
    assistant said is no wish of the user's, and a system text speaks of all requests, not of this one.
    """

    prompt: Prompt
    asked: str
    edges: str  # of `asked`: both ends of a long text, all of a short one
    asked_tokens: int
    input_tokens: int
    inherited_turns: int
    found: Found

    def count(self, keywords: str) -> float:
        """How many different words of the list were found."""
        return counted(self.found, keywords)

    def hit(self, keywords: str, *steps: float) -> Hit | None:
        """A hit by how many words of the list were found: steps[0] for one, steps[1] for two, and so on, the
        last for any more."""
        value = graded(counted(self.found, keywords), steps)
        return Hit(value, told(self.found, keywords)) if value else None


class Words:
    """A signal that is nothing but words: how many different ones of one list were found. It is data, so that
    the scorer can leave out every list of which there is no word at all."""

    __slots__ = ("__name__", "keywords", "meaning", "steps")

    def __init__(self, name: str, keywords: str, *steps: float, meaning: str) -> None:
        self.__name__ = name
        self.keywords = keywords
        self.steps = steps
        self.meaning = meaning

    def __call__(self, reading: Reading) -> Hit | None:
        return reading.hit(self.keywords, *self.steps)

    def value(self, found: Found) -> float:
        if found.pasted:
            return graded(counted(found, self.keywords), self.steps)
        # The usual case, spelled out: the count is whole, so its step is at hand.
        return self.steps[min(len(found.said[self.keywords]), len(self.steps)) - 1]

    def detail(self, found: Found) -> str:
        return told(found, self.keywords)


def counted(found: Found, keywords: str) -> float:
    """Different words of the list. What was pasted counts as half a word at most: a long text has some of
    everything, and what to do with it is said before or behind it."""
    count: float = len(found.said.get(keywords, ()))
    pasted = len(found.pasted.get(keywords, ())) if found.pasted else 0
    return count + min(pasted / _PASTED_WORDS, _MOST_FOR_PASTED) if pasted else count


def told(found: Found, keywords: str) -> str:
    """The first words of the list that were found."""
    words = found.said.get(keywords, ())
    if found.pasted and len(words) < _WORDS_TOLD:
        words = [*words, *found.pasted.get(keywords, ())]
    return ", ".join(words[:_WORDS_TOLD])


def read(prompt: Prompt, keywords: Keywords) -> Reading:
    """Takes time in proportion to the length of the prompt."""
    asked, inherited_turns = _asked(prompt)
    asked_tokens = text_tokens(asked)
    whole, whole_tokens = asked, asked_tokens
    if prompt.system or len(prompt.turns) != 1 + inherited_turns:
        whole = _encodable("\n".join([prompt.system, *[turn.text for turn in prompt.turns]]))
        whole_tokens = text_tokens(whole)
    return Reading(
        prompt=prompt,
        asked=asked,
        edges=asked if len(asked) <= 2 * EDGE_CHARS else f"{asked[:EDGE_CHARS]}\n{asked[-EDGE_CHARS:]}",
        asked_tokens=round(asked_tokens),
        input_tokens=input_tokens(prompt, whole, whole_tokens),
        inherited_turns=inherited_turns,
        found=keywords.find(asked),
    )


def graded(count: float, steps: tuple[float, ...]) -> float:
    """steps[n - 1] for a count of n, straight lines between, from 0 at 0; the last step for all beyond."""
    if count >= len(steps):
        return steps[-1]
    below = int(count)
    low = steps[below - 1] if below else 0.0
    return low + (count - below) * (steps[below] - low)


def _asked(prompt: Prompt) -> tuple[str, int]:
    texts: list[str] = []
    for turn in reversed(prompt.turns):
        if turn.speaker == "user":
            texts.append(turn.text)
            if len(texts) > _MAX_INHERITED_TURNS or not _is_short(turn.text):
                break
    if len(texts) == 1:
        return _encodable(texts[0]), 0
    texts.reverse()
    return _encodable("\n".join(texts)), max(len(texts) - 1, 0)


def _is_short(text: str) -> bool:
    if len(text) > _SHORT_CHARS or len(text.split(None, _SHORT_WORDS - 1)) >= _SHORT_WORDS:
        return False
    wide = 0 if text.isascii() else sum(char >= "\u0e00" for char in text)
    return wide <= _SHORT_WIDE_CHARS


def _encodable(text: str) -> str:
    """Lone surrogates can come out of JSON escapes; nothing past this point can hold them."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
