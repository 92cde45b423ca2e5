"""What kind of task it is, and how many wishes it holds."""

from pointsman.routing.reading import Hit, Reading, Words, graded


def questions(reading: Reading) -> Hit | None:
    """More than one question at once."""
    text = reading.edges
    count = text.count("?")
    if not text.isascii():
        count += text.count("？") + text.count("؟")  # noqa: RUF001 - the question marks of other scripts
    if count < 2:
        return None
    return Hit(graded(count - 1, (0.3, 0.6, 0.8, 1.0)), f"{count} questions")


constraints = Words(
    "constraints", "constraints", 0.3, 0.6, 0.8, 1.0, meaning="Conditions that the answer must meet."
)


imperative = Words("imperative", "imperative", 0.4, 0.7, 1.0, meaning="Verbs that order something made.")


creative = Words(
    "creative", "creative", 0.5, 0.8, 1.0, meaning="Something is to be written for its own sake."
)


domain = Words(
    "domain", "domain", 0.5, 0.8, 1.0, meaning="Terms of a trade: law, medicine, physics, finance."
)


def simple(reading: Reading) -> Hit | None:
    """Greetings, definitions, single facts: argues for an easier model, the less the longer the request."""
    hit = reading.hit("simple", -0.7, -1.0)
    if hit is None:
        return None
    return Hit(hit.value * min(1.0, 40 / max(reading.asked_tokens, 1)), hit.detail)
