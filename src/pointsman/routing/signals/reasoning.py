"""Whether the answer has to be worked out."""

from pointsman.routing.reading import ASKED_AS_DATA, Measures, Reading, Signal, Words, graded

_SENTENCE_TOKENS = 20

proof = Words("proof", "proof", 0.95, 1.0, meaning="A proof or a derivation is asked for.")


reasoning = Words(
    "reasoning", "reasoning", 0.5, 1.0, meaning="Strong markers: prove, derive, step by step, root cause."
)


analysis = Words("analysis", "analysis", 0.25, 0.75, 0.95, 1.0, meaning="To weigh, to compare, to judge.")


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
    """Words of mathematics, and figures among the words, unless those are all there is. A program that calculates is
    no harder than another, nor are figures that only have to be found."""
    value = graded(words, (0.4, 0.7, 0.9, 1.0))
    is_found = "beside_material" in measures or not ASKED_AS_DATA.isdisjoint(measures)
    digits = measures.get("digits")
    if digits and not is_found:
        value = min(value + min(digits * 5, 0.5) * min(measures["asked_tokens"] / _SENTENCE_TOKENS, 1.0), 1.0)
    return value / 2 if is_found or measures.get("code", 0.0) >= 1.0 else value


def _saw_calculation(reading: Reading) -> str:
    seen = [words] if (words := reading.told("math")) else []
    if digits := reading.measures.get("digits"):
        seen.append(f"{digits:.0%} digits")
    return ", ".join(seen)


calculation = Signal("calculation", ("math",), _calculation, _saw_calculation)


formulas = Words(
    "formulas", "formulas", 0.8, 1.0, meaning="Mathematics set in TeX: beyond sums and percentages."
)


negation = Words(
    "negation",
    "negation",
    0.0,
    0.4,
    0.8,
    meaning="Two or more things that shall not be; one is everyday speech.",
)
