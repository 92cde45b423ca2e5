"""The right to make one call to one backend of a model, and what is said when it is over. Who gets it, and what the
verdict means, is decided in pool.py and breaker.py.
"""

from enum import StrEnum
from typing import NamedTuple

from pointsman.fleet.place import Place


class Verdict(StrEnum):
    """How a call ended where its provider did not fail."""

    OK = "ok"
    NEUTRAL = "neutral"  # it says nothing: the caller left, its own deadline passed, its own key was refused


class Lease:
    """One call to `backend`, to be settled once when it is over, however it ends."""

    __slots__ = ("backend", "epoch", "is_settled", "place", "probe")

    def __init__(self, place: Place, epoch: int, probe: int) -> None:
        self.backend = place.backend.name
        self.place = place
        self.epoch = epoch
        self.probe = probe
        self.is_settled = False

    @property
    def is_probe(self) -> bool:
        """On this call depends whether the backend comes back."""
        return self.probe != 0


class Closed(NamedTuple):
    """No backend takes a call now. One may at `retry_at_s`, None when waiting does not help. `why` is for people and
    names no key."""

    retry_at_s: float | None
    why: str
