"""What is attached beside the text. Which models can take it is decided in chain."""

from pointsman.routing.reading import Measures, Reading, Signal


def _media(count: float, measures: Measures) -> float:
    first = 0.6 if measures["documents"] else 0.4
    return min(first + 0.1 * (count - 1), 1.0)


def _saw_media(reading: Reading) -> str:
    prompt = reading.prompt
    kinds = (
        (prompt.image_count, "image"),
        (prompt.audio_count, "audio part"),
        (prompt.document_count, "document"),
    )
    return ", ".join(
        f"{count} {noun}" if count == 1 else f"{count} {noun}s" for count, noun in kinds if count
    )


media = Signal("media", ("media",), _media, _saw_media)
