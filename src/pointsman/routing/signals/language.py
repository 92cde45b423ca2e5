"""How the request is worded, whatever it is about and in whatever language. Nothing here knows a word."""

from pointsman.routing.reading import ASKED_AS_DATA, Measures, Signal, graded

_FACT_TOKENS, _WISH_TOKENS, _LONG_WISH_TOKENS, _MATERIAL_TOKENS = 8, 18, 60, 100


def _vocabulary(count: float, _: Measures) -> float:
    """Long words are those of trades and sciences. Of 55 everyday wishes for a fact or a translation 44 had none, of
    44 for a proof, a design or an analysis 5."""
    return graded(count, (0.1, 0.35, 0.65, 0.85, 1.0))


vocabulary = Signal(
    "vocabulary",
    ("long_words",),
    _vocabulary,
    lambda reading: f"{reading.measures['long_words']:.1f} words of ten letters or more",
)


def _clauses(count: float, _: Measures) -> float:
    """One thing and another, and under a condition: a wish with many parts."""
    return graded(count, (0.15, 0.4, 0.6, 0.8, 1.0))


def _untold(tokens: float, measures: Measures) -> float:
    """None of its words tells what is wanted, and it is longer than most questions for a fact: 0 up to 8 tokens, 1 from 18
    to 60, 0 from 100, where most is material."""
    if not ASKED_AS_DATA.isdisjoint(measures):
        return 0.0
    rising = (tokens - _FACT_TOKENS) / (_WISH_TOKENS - _FACT_TOKENS)
    falling = (_MATERIAL_TOKENS - tokens) / (_MATERIAL_TOKENS - _LONG_WISH_TOKENS)
    return min(max(min(rising, falling), 0.0), 1.0)


untold = Signal(
    "untold", ("untold",), _untold, lambda reading: f"{reading.measures['untold']} tokens, none of them known"
)


clauses = Signal(
    "clauses",
    ("clauses",),
    _clauses,
    lambda reading: f"{reading.measures['clauses']:.1f} marks between parts",
)
