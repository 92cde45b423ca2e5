"""Whether the answer has to be worked out."""

from pointsman.routing.reading import Measures, Reading, Signal, Words, graded

reasoning = Words("reasoning", "reasoning", 0.7, 1.0, meaning="Strong markers: prove, derive, step by step.")


analysis = Words(
    "analysis", "analysis", 0.4, 0.7, 1.0, meaning="Weaker ones: compare, explain why, trade-offs."
)


multi_step = Words(
    "multi_step",
    "steps",
    0.0,
    0.5,
    0.8,
    1.0,
    meaning='Words that put things in order; one alone ("then", "next") says nothing.',
)


def _calculation(words: float, measures: Measures) -> float:
    """Words of mathematics, and figures among the words."""
    value = graded(words, (0.4, 0.7, 0.9, 1.0))
    digits = measures.get("digits")
    return min(value + min(digits * 5, 0.5), 1.0) if digits else value


def _saw_calculation(reading: Reading) -> str:
    seen = [words] if (words := reading.told("math")) else []
    if digits := reading.measures.get("digits"):
        seen.append(f"{digits:.0%} digits")
    return ", ".join(seen)


calculation = Signal("calculation", ("math",), _calculation, _saw_calculation)


negation = Words(
    "negation",
    "negation",
    0.0,
    0.4,
    0.8,
    meaning="Two or more things that shall not be; one is everyday speech.",
)
