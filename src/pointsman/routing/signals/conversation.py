"""How the request stands in its conversation. Nothing here looks at what the earlier turns were about."""

from pointsman.routing.reading import Hit, Reading, Words, graded


def turns(reading: Reading) -> Hit | None:
    """The second user turn counts a little, the tenth fully."""
    count = reading.prompt.user_turn_count
    if count < 2:
        return None
    return Hit(graded((count - 1) / 3, (0.4, 0.7, 1.0)), f"user turn {count}")


def system_prompt(reading: Reading) -> Hit | None:
    """Long instructions are many things to get right at once; a line of them is not."""
    chars = len(reading.prompt.system)
    if not chars:
        return None
    return Hit(graded(chars / 1_000, (0.5, 0.7, 0.85, 1.0)), f"{chars:,} characters of instructions")


references = Words(
    "references",
    "references",
    0.3,
    0.6,
    1.0,
    meaning="The answer depends on something said or attached elsewhere.",
)
