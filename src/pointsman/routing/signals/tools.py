"""Whether the request wants something done rather than said."""

from pointsman.routing.reading import Measures, Reading, Signal, Words, graded


def _tools(count: float, _: Measures) -> float:
    """Choosing among many tools is harder than having one."""
    return graded(count / 4, (0.6, 0.8, 0.9, 1.0))


def _saw_tools(reading: Reading) -> str:
    count = reading.prompt.tool_count
    return f"{count} tool" if count == 1 else f"{count} tools"


tools = Signal("tools", ("tools",), _tools, _saw_tools)


agentic = Words(
    "agentic",
    "agentic",
    0.2,
    0.5,
    0.8,
    1.0,
    meaning="Words of work in many steps with a computer: run, edit, deploy, until the tests pass.",
)
