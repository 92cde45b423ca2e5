"""Whether the request wants something done rather than said."""

from pointsman.routing.reading import Hit, Reading, Words, graded


def tools(reading: Reading) -> Hit | None:
    """Choosing among many tools is harder than having one."""
    count = reading.prompt.tool_count
    if not count:
        return None
    return Hit(graded(count / 4, (0.6, 0.8, 0.9, 1.0)), f"{count} tool" if count == 1 else f"{count} tools")


agentic = Words(
    "agentic",
    "agentic",
    0.3,
    0.6,
    0.8,
    1.0,
    meaning="Words of work in many steps with a computer: run, edit, deploy, until the tests pass.",
)
