"""In which form the answer is wanted."""

from pointsman.routing.reading import Measures, Reading, Signal, Words


def _structured_output(_: float, measures: Measures) -> float:
    """The request demands JSON, with a schema or without; or its instructions speak of it."""
    if "json_schema" in measures:
        return 1.0
    return 0.6 if "json_object" in measures else 0.4


def _saw_structure(reading: Reading) -> str:
    demanded = reading.prompt.output_format
    return "the system prompt speaks of JSON" if demanded == "text" else demanded


structured_output = Signal(
    "structured_output", ("json_schema", "json_object", "json_mentioned"), _structured_output, _saw_structure
)


output_format = Words(
    "output_format", "format", 0.4, 0.7, 1.0, meaning="The words ask for a table, a report, a file format."
)
