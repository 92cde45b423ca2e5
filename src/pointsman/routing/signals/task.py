"""What kind of task it is, and how many wishes it holds."""

from pointsman.routing.reading import Hit, Reading, graded


def questions(reading: Reading) -> Hit | None:
    """More than one question at once."""
    text = reading.edges
    count = text.count("?")
    if not text.isascii():
        count += text.count("？") + text.count("؟")  # noqa: RUF001 - the question marks of other scripts
    if count < 2:
        return None
    return Hit(graded(count - 1, (0.3, 0.6, 0.8, 1.0)), f"{count} questions")


def constraints(reading: Reading) -> Hit | None:
    return reading.hit("constraints", 0.3, 0.6, 0.8, 1.0)


def imperative(reading: Reading) -> Hit | None:
    """Verbs that order something made."""
    return reading.hit("imperative", 0.4, 0.7, 1.0)


def creative(reading: Reading) -> Hit | None:
    return reading.hit("creative", 0.5, 0.8, 1.0)


def domain(reading: Reading) -> Hit | None:
    """Terms of a trade: law, medicine, physics, finance."""
    return reading.hit("domain", 0.5, 0.8, 1.0)


def simple(reading: Reading) -> Hit | None:
    """Greetings, definitions, single facts: argues for an easier model, the less the longer the request."""
    hit = reading.hit("simple", -0.7, -1.0)
    if hit is None:
        return None
    return Hit(hit.value * min(1.0, 40 / max(reading.asked_tokens, 1)), hit.detail)
