"""What a prompt says, read once per decision for all signals. It does not judge: that is theirs."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import msgspec

from pointsman.core.prompt import Prompt
from pointsman.routing.kept import kept
from pointsman.routing.keywords import Found, Keywords
from pointsman.routing.tokens import beside, input_tokens, text_tokens, weigh_roughly
from pointsman.routing.wish import leans_on_what_was_said, plain, without_courtesies
from pointsman.routing.wording import Wording, wording_of

_MAX_INHERITED_TURNS = 8
_TRIES = 100
_WORDS_TOLD = 3

Measures = Mapping[str, float]
"""What was read, by name: how many different words of a list were found, under the list's name, and

    asked_tokens, input_tokens     of the wish, of everything
    questions                      question marks in it
    digits                         their share of it
    given                          1 where much of it is pasted, quoted, or stands behind a colon
    lists                          1 where it has lines, or is little more than words with commas between
    untold                         asked_tokens, where none of its words tells what kind of thing is wanted
    beside_material                tokens of the wish alone, where a longer text was pasted beside it
    long_words, clauses            words of ten letters or more, marks between parts; as in 60 tokens of it
    user_turns, system_chars
    tools
    media                          of which images, audio, documents
    json_schema, json_object       1 where it is demanded
    json_mentioned                 1 where only the instructions speak of it

What there is none of has no entry, so that a decision costs what there is to see; only the first two always have
one, the three kinds of media have beside "media", and "math" beside "digits": figures are mathematics even without its
words."""


ASKED_AS_DATA = frozenset({"json_schema", "json_object"})
"""The measures of a request that demands its answer in a form which programs read."""


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


class Reader:
    """Reads prompts for one set of word lists. `wishes_kept` is how many wishes it knows again."""

    def __init__(self, keywords: Keywords, wishes_kept: int) -> None:
        self._keywords = keywords
        self._wish_of = kept(partial(_wish_of, keywords), wishes_kept)
        self._wording_of = kept(partial(wording_of, keywords), wishes_kept)

    def read(self, prompt: Prompt) -> Reading:
        """Takes time in proportion to the length of the prompt, but much less for what is long of it."""
        return _read(prompt, self._keywords, self._wish_of, self._wording_of)


def read(prompt: Prompt, keywords: Keywords) -> Reading:
    """As a Reader does."""
    return Reader(keywords, 0).read(prompt)


def _wish_of(keywords: Keywords, text: str) -> str:
    return without_courtesies(plain(text), keywords)


def _read(
    prompt: Prompt,
    keywords: Keywords,
    wish_of: Callable[[str], str],
    wording_of: Callable[[str], Wording],
) -> Reading:
    texts: list[str] = []
    others = [prompt.system]
    user_turns = 0
    reads_on = True
    for speaker, text in reversed(prompt.turns):
        if speaker == "user":
            user_turns += 1
            if reads_on:
                wish = wish_of(text)
                texts.append(wish)
                reads_on = (
                    user_turns <= _MAX_INHERITED_TURNS
                    and len(prompt.turns) > 1
                    and leans_on_what_was_said(wish, keywords, text)
                )
                continue
        others.append(text)
    asked = texts[0] if len(texts) == 1 else "\n".join(reversed(texts))

    wording = wording_of(asked)
    whole, whole_tokens = wording.weighed, wording.tokens
    if len(others) > 1 or others[0]:
        other = weigh_roughly("\n".join(others))
        whole = beside(whole, other) if texts else other
        whole_tokens = text_tokens(whole)

    measures: dict[str, float] = {
        "asked_tokens": 0,
        "input_tokens": input_tokens(prompt, whole, whole_tokens),
    }
    if user_turns > 1:
        measures["user_turns"] = user_turns
    if prompt.system:
        measures["system_chars"] = len(prompt.system)
        if prompt.output_format == "text" and (
            _holds(prompt.system, "JSON") or _holds(prompt.system, "json")
        ):
            measures["json_mentioned"] = 1
    if prompt.tool_count:
        measures["tools"] = prompt.tool_count
    if prompt.output_format != "text":
        measures[prompt.output_format] = 1
    if media := prompt.image_count + prompt.document_count + prompt.audio_count:
        measures["media"] = media
        measures["documents"] = prompt.document_count
        measures["images"] = prompt.image_count
        measures["audio"] = prompt.audio_count
    measures.update(wording.measures)
    return Reading(prompt, asked, max(len(texts) - 1, 0), measures, wording.found)


def graded(count: float, steps: tuple[float, ...]) -> float:
    """steps[n - 1] for a count of n, straight lines between, from 0 at 0; the last step for all beyond."""
    if count >= len(steps):
        return steps[-1]
    below = int(count)
    low = steps[below - 1] if below else 0.0
    return low + (count - below) * (steps[below] - low)


def _holds(text: str, word: str) -> bool:
    """Whether `word` is in it. An agent's instructions are 20 KB, and a letter as rare as j is found in a hundredth of
    the time that a word is."""
    at = text.find(word[0])
    for _ in range(_TRIES):
        if at < 0 or text.startswith(word, at):
            return at >= 0
        at = text.find(word[0], at + 1)
    return at >= 0 and text.find(word, at) >= 0
