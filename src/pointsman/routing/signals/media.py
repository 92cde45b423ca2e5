"""What is attached beside the text. Which models can take it is decided in chain."""

from pointsman.routing.reading import Hit, Reading


def media(reading: Reading) -> Hit | None:
    prompt = reading.prompt
    kinds = (
        (prompt.image_count, "image", 0.4),
        (prompt.audio_count, "audio part", 0.4),
        (prompt.document_count, "document", 0.6),
    )
    present = [(count, noun, value) for count, noun, value in kinds if count]
    if not present:
        return None
    value = max(value for _, _, value in present) + 0.1 * (sum(count for count, _, _ in present) - 1)
    detail = ", ".join(f"{count} {noun}" if count == 1 else f"{count} {noun}s" for count, noun, _ in present)
    return Hit(min(value, 1.0), detail)
