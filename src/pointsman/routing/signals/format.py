"""In which form the answer is wanted."""

from pointsman.routing.reading import Reading, Signal, Words

_DEMANDED = {"json_object": 0.6, "json_schema": 1.0}


def _structured_output(reading: Reading) -> float:
    """The request demands JSON, with a schema or without; or its instructions speak of it."""
    prompt = reading.prompt
    if prompt.output_format != "text":
        return _DEMANDED[prompt.output_format]
    system = prompt.system
    return 0.4 if system and ("JSON" in system or "json" in system) else 0.0


def _saw_structure(reading: Reading) -> str:
    demanded = reading.prompt.output_format
    return demanded if demanded in _DEMANDED else "the system prompt speaks of JSON"


structured_output = Signal("structured_output", _structured_output, _saw_structure)


output_format = Words(
    "output_format", "format", 0.4, 0.7, 1.0, meaning="The words ask for a table, a report, a file format."
)
