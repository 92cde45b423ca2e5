"""How long the request is. Both signals are logarithmic: the step from 20 to 200 tokens says as much as the
one from 200 to 2,000. They do not look at what the text says."""

import math

from pointsman.routing.reading import Hit, Reading


def size(reading: Reading) -> Hit | None:
    """What is asked: -1 at 10 tokens or fewer, 0 at 100, 1 at 1,000 or more."""
    tokens = reading.asked_tokens
    value = math.log10(max(tokens, 1) / 100)
    return Hit(min(max(value, -1.0), 1.0), f"about {tokens} tokens asked")


def context(reading: Reading) -> Hit | None:
    """All that goes in, history and tools included: 0 up to 4,000 tokens, 1 at 100,000 or more."""
    tokens = reading.input_tokens
    if tokens <= 4_000:
        return None
    value = math.log(tokens / 4_000) / math.log(25)
    return Hit(min(value, 1.0), f"about {tokens} tokens in all")
