"""What kind of task it is, and how many wishes it holds."""

from pointsman.routing.reading import ASKED_AS_DATA, Measures, Signal, Words, graded

_WORK = ("imperative", "explanation", "analysis", "proof", "reasoning", "code", "technical", "math")
"""Lists whose words make more of a wish than a fact to look up."""

_BESIDE_AN_ORDER = 0.3
_BESIDE_FIGURES = 0.4
_LONG_EXTRACTION_TOKENS = 120
_COURTESY_TOKENS = 3
_MORE_THAN_FOUND = ("imperative", "explanation", "analysis", "proof", "reasoning")
_SHORT_LOOKUP_TOKENS, _LONG_LOOKUP_TOKENS = 15, 60


def _questions(count: float, _: Measures) -> float:
    """More than one question at once."""
    return graded(count - 1, (0.3, 0.6, 0.8, 1.0)) if count > 1 else 0.0


questions = Signal(
    "questions",
    ("questions",),
    _questions,
    lambda reading: f"{reading.measures['questions']} questions",
)


constraints = Words(
    "constraints", "constraints", 0.3, 0.6, 0.8, 1.0, meaning="Conditions that the answer must meet."
)


def _imperative(count: float, measures: Measures) -> float:
    """Verbs that order something made: write, plan, summarize. Beside figures and words of mathematics, that the way to
    the result be shown; and where a form that programs read is demanded of what is given, that things be found in it."""
    value = graded(count, (0.75, 0.9, 1.0))
    if "given" in measures and not ASKED_AS_DATA.isdisjoint(measures):
        return value * min(measures["asked_tokens"] / _LONG_EXTRACTION_TOKENS, 1.0)
    is_shown = count <= 1.0 and "digits" in measures and measures.get("math", 0.0) >= 1.0
    return value * _BESIDE_FIGURES if is_shown else value


imperative = Signal("imperative", ("imperative",), _imperative, lambda reading: reading.told("imperative"))


def _explanation(count: float, measures: Measures) -> float:
    """How and why: an answer of some paragraphs. Beside an order to make something it adds little."""
    value = graded(count, (0.8, 0.9, 1.0))
    return value * _BESIDE_AN_ORDER if measures.get("imperative", 0.0) >= 1.0 else value


explanation = Signal(
    "explanation", ("explanation",), _explanation, lambda reading: reading.told("explanation")
)


creative = Words(
    "creative", "creative", 0.5, 0.8, 1.0, meaning="Something is to be written for its own sake."
)


domain = Words(
    "domain", "domain", 0.5, 0.8, 1.0, meaning="Terms of a trade: law, medicine, physics, finance."
)


def _simple(count: float, measures: Measures) -> float:
    """Single facts, conversions, little things: argues for an easier model, the less the more else is wanted."""
    work = 0.0
    for name in _WORK:
        work += measures.get(name, 0.0)
    return graded(count, (-0.8, -1.0)) / (1.0 + work)


simple = Signal("simple", ("simple",), _simple, lambda reading: reading.told("simple"))


def _lookup(tokens: float, measures: Measures) -> float:
    """A short question about a text beside it, to which the answer stands there: -1 in 15 tokens, nothing in 60; and
    nothing where more is wanted than to find it."""
    if tokens >= _LONG_LOOKUP_TOKENS or not ("questions" in measures or "simple" in measures):
        return 0.0
    for name in _MORE_THAN_FOUND:
        if measures.get(name, 0.0) >= 1.0:
            return 0.0
    return -min((_LONG_LOOKUP_TOKENS - tokens) / (_LONG_LOOKUP_TOKENS - _SHORT_LOOKUP_TOKENS), 1.0)


lookup = Signal(
    "lookup",
    ("beside_material",),
    _lookup,
    lambda reading: f"{reading.measures['beside_material']:.0f} tokens asked about a longer text",
)


chore = Words(
    "chore",
    "chore",
    -1.0,
    meaning="A title, tags or the next questions for a conversation that is written out, as chat programs want them unseen by"
    " their users: nothing else of the instructions counts.",
)


def _greeting(_: float, measures: Measures) -> float:
    """Nothing but courtesies: -1; where a wish of a few words is left, nothing."""
    left = measures["asked_tokens"] - _COURTESY_TOKENS
    return -1.0 if left <= 0 else min(left / _COURTESY_TOKENS - 1.0, 0.0)


greeting = Signal("greeting", ("greeting",), _greeting, lambda reading: reading.told("greeting"))
