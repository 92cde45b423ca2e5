"""What was made of a text is made once for requests that bring it again: an agent asks with the same wish, more around it
every time, until its tools have answered all it wanted to know. It makes nothing itself."""

from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

T = TypeVar("T")

_CHARS_MAX = 8_192
"""Longer texts are worked on anew each time: to keep them would take more memory than they are worth."""


def kept(make: Callable[[str], T], texts: int) -> Callable[[str], T]:
    """`make`, which must depend on its text alone, knowing again what it made of the latest `texts` ones. What it makes
    must not be changed by anybody."""
    if not texts:
        return make
    known = lru_cache(maxsize=texts)(make)

    def made(text: str) -> T:
        return known(text) if len(text) <= _CHARS_MAX else make(text)

    return made
