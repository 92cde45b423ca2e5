"""Whether the answer has to be worked out."""

from pointsman.routing.reading import Reading, Signal, Words, graded

_DIGITS_NOTICED = 0.01


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


def _calculation(reading: Reading) -> float:
    """Words of mathematics, and figures among the words."""
    words = graded(reading.count("math"), (0.4, 0.7, 0.9, 1.0))
    digits = reading.digit_share
    return min(words + min(digits * 5, 0.5), 1.0) if digits >= _DIGITS_NOTICED else words


def _saw_calculation(reading: Reading) -> str:
    seen = [words] if (words := reading.told("math")) else []
    if reading.digit_share >= _DIGITS_NOTICED:
        seen.append(f"{reading.digit_share:.0%} digits")
    return ", ".join(seen)


calculation = Signal("calculation", _calculation, _saw_calculation)


negation = Words(
    "negation",
    "negation",
    0.0,
    0.4,
    0.8,
    meaning="Two or more things that shall not be; one is everyday speech.",
)
