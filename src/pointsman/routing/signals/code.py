"""Whether programs are what the request is about."""

from pointsman.routing.reading import Hit, Reading


def code(reading: Reading) -> Hit | None:
    """Words of programming and bits of source text."""
    return reading.hit("code", 0.4, 0.7, 0.9, 1.0)


def technical(reading: Reading) -> Hit | None:
    """Words of those who build systems."""
    return reading.hit("technical", 0.4, 0.7, 0.85, 1.0)
