"""What all SDKs are given: a key, a tool, and the form of an answer."""

from pydantic import BaseModel

from clients.vendors.script import FACTS

KEY = "key-of-the-gateway"


class Colour(BaseModel):
    colour: str
    count: int


def look_up(key: str) -> str:
    """Looks a word up."""
    return FACTS[key]
