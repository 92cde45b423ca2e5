"""How the request stands in its conversation. Nothing here looks at what the earlier turns were about."""

from pointsman.routing.reading import Reading, Signal, Words, graded


def _turns(reading: Reading) -> float:
    """The second user turn counts a little, the tenth fully."""
    count = reading.user_turns
    return graded((count - 1) / 3, (0.4, 0.7, 1.0)) if count > 1 else 0.0


turns = Signal("turns", _turns, lambda reading: f"user turn {reading.user_turns}")


def _system_prompt(reading: Reading) -> float:
    """Long instructions are many things to get right at once; a line of them is not."""
    chars = len(reading.prompt.system)
    return graded(chars / 1_000, (0.5, 0.7, 0.85, 1.0)) if chars else 0.0


system_prompt = Signal(
    "system_prompt",
    _system_prompt,
    lambda reading: f"{len(reading.prompt.system):,} characters of instructions",
)


references = Words(
    "references",
    "references",
    0.3,
    0.6,
    1.0,
    meaning="The answer depends on something said or attached elsewhere.",
)
