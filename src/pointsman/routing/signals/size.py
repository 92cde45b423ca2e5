"""How long the request is. Both signals are logarithmic: the step from 20 to 200 tokens says as much as the
one from 200 to 2,000. They do not look at what the text says."""

import math

from pointsman.routing.reading import Measures, Signal

_OF_LONG = 0.3


def _size(tokens: float, _: Measures) -> float:
    """What is asked: -1 at 10 tokens or fewer, 0 at 100. Beyond that most is pasted, and what to do with it can be
    as easy as ever: 0.3 at 1,000 or more."""
    if tokens <= 10:
        return -1.0
    if tokens <= 100:
        return math.log10(tokens / 100)
    return _OF_LONG * math.log10(tokens / 100) if tokens < 1_000 else _OF_LONG


size = Signal(
    "size", ("asked_tokens",), _size, lambda reading: f"about {reading.measures['asked_tokens']} tokens asked"
)


def _context(tokens: float, _: Measures) -> float:
    """All that goes in, history and tools included: 0 up to 4,000 tokens, 1 at 100,000 or more."""
    return min(math.log(tokens / 4_000) / math.log(25), 1.0) if tokens > 4_000 else 0.0


context = Signal(
    "context",
    ("input_tokens",),
    _context,
    lambda reading: f"about {reading.measures['input_tokens']} tokens in all",
)
