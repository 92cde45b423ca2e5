"""Whether the answer has to be worked out."""

from pointsman.routing.reading import Hit, Reading, Words

_DIGITS = b"0123456789"


reasoning = Words("reasoning", "reasoning", 0.7, 1.0, meaning="Strong markers: prove, derive, step by step.")


analysis = Words(
    "analysis", "analysis", 0.4, 0.7, 1.0, meaning="Weaker ones: compare, explain why, trade-offs."
)


def multi_step(reading: Reading) -> Hit | None:
    """Words that put things in order. One alone ("then", "next") says nothing."""
    return reading.hit("steps", 0.0, 0.5, 0.8, 1.0)


def calculation(reading: Reading) -> Hit | None:
    """Words of mathematics, and figures among the words."""
    words = reading.hit("math", 0.4, 0.7, 0.9, 1.0)
    data = reading.edges.encode()
    digits = 1 - len(data.translate(None, _DIGITS)) / len(data) if data else 0.0
    figures = min(digits * 5, 0.5) if digits > 0.01 else 0.0
    if words is None and not figures:
        return None
    value = (words.value if words else 0.0) + figures
    seen = [words.detail] if words else []
    if figures:
        seen.append(f"{digits:.0%} digits")
    return Hit(min(value, 1.0), ", ".join(seen))


negation = Words(
    "negation",
    "negation",
    0.0,
    0.4,
    0.8,
    meaning="Two or more things that shall not be; one is everyday speech.",
)
