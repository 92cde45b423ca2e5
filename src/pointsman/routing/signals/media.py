"""What is attached beside the text. Which models can take it is decided in chain."""

from pointsman.routing.reading import Reading, Signal


def _media(reading: Reading) -> float:
    prompt = reading.prompt
    count = prompt.image_count + prompt.audio_count + prompt.document_count
    if not count:
        return 0.0
    first = 0.6 if prompt.document_count else 0.4
    return min(first + 0.1 * (count - 1), 1.0)


def _saw_media(reading: Reading) -> str:
    prompt = reading.prompt
    kinds = (
        (prompt.image_count, "image"),
        (prompt.audio_count, "audio part"),
        (prompt.document_count, "document"),
    )
    return ", ".join(f"{count} {noun}" if count == 1 else f"{count} {noun}s" for count, noun in kinds if count)


media = Signal("media", _media, _saw_media)
