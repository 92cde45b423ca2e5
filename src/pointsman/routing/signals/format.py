"""In which form the answer is wanted."""

from pointsman.routing.reading import ASKED_AS_DATA, Measures, Reading, Signal, graded


def _structured_output(_: float, measures: Measures) -> float:
    """The request demands JSON, with a schema or without; or its instructions speak of it. Without a schema it is a form like
    another, and says little of how hard it is to find what is put in it."""
    if "json_schema" in measures:
        return 1.0
    return 0.3 if "json_object" in measures else 0.2


def _saw_structure(reading: Reading) -> str:
    demanded = reading.prompt.output_format
    return "the system prompt speaks of JSON" if demanded == "text" else demanded


structured_output = Signal(
    "structured_output", ("json_schema", "json_object", "json_mentioned"), _structured_output, _saw_structure
)


def _output_format(count: float, measures: Measures) -> float:
    """The words ask for a table, a report, a file format. Beside a format that the request demands they repeat it."""
    return 0.0 if not ASKED_AS_DATA.isdisjoint(measures) else graded(count, (0.4, 0.7, 1.0))


output_format = Signal("output_format", ("format",), _output_format, lambda reading: reading.told("format"))
