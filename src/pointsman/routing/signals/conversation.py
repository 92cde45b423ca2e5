"""How the request stands in its conversation. Nothing here looks at what the earlier turns were about."""

from pointsman.routing.reading import Measures, Signal, Words, graded


def _turns(count: float, _: Measures) -> float:
    """The second user turn counts a little, the tenth fully."""
    return graded((count - 1) / 3, (0.4, 0.7, 1.0))


turns = Signal(
    "turns", ("user_turns",), _turns, lambda reading: f"user turn {reading.measures['user_turns']}"
)


def _system_prompt(chars: float, _: Measures) -> float:
    """Long instructions are many things to get right at once; a line of them is not."""
    return graded(chars / 1_000, (0.5, 0.7, 0.85, 1.0))


system_prompt = Signal(
    "system_prompt",
    ("system_chars",),
    _system_prompt,
    lambda reading: f"{reading.measures['system_chars']:,} characters of instructions",
)


references = Words(
    "references",
    "references",
    0.3,
    0.6,
    1.0,
    meaning="The answer depends on something said or attached elsewhere.",
)
