"""In which form the answer is wanted."""

from pointsman.routing.reading import Hit, Reading, Words

_DEMANDED = {"json_object": 0.6, "json_schema": 1.0}


def structured_output(reading: Reading) -> Hit | None:
    """The request demands JSON, with a schema or without; or its instructions speak of it."""
    prompt = reading.prompt
    value = _DEMANDED.get(prompt.output_format)
    if value is not None:
        return Hit(value, prompt.output_format)
    if "JSON" in prompt.system or "json" in prompt.system:
        return Hit(0.4, "the system prompt speaks of JSON")
    return None


output_format = Words(
    "output_format", "format", 0.4, 0.7, 1.0, meaning="The words ask for a table, a report, a file format."
)
