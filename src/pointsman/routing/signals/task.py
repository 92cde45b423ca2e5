"""What kind of task it is, and how many wishes it holds."""

from pointsman.routing.reading import Measures, Signal, Words, graded

_SIMPLE_TOKENS = 40


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


imperative = Words("imperative", "imperative", 0.4, 0.7, 1.0, meaning="Verbs that order something made.")


creative = Words(
    "creative", "creative", 0.5, 0.8, 1.0, meaning="Something is to be written for its own sake."
)


domain = Words(
    "domain", "domain", 0.5, 0.8, 1.0, meaning="Terms of a trade: law, medicine, physics, finance."
)


def _simple(count: float, measures: Measures) -> float:
    """Greetings, definitions, single facts: argues for an easier model, the less the longer the request."""
    return graded(count, (-0.7, -1.0)) * min(1.0, _SIMPLE_TOKENS / max(measures["asked_tokens"], 1))


simple = Signal("simple", ("simple",), _simple, lambda reading: reading.told("simple"))
