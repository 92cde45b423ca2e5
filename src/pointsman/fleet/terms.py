"""What one request brings to the choice among the backends of a model. It chooses nothing."""

from collections.abc import Callable
from enum import IntEnum
from typing import NamedTuple


class Crowding(IntEnum):
    """How a backend stands with its limits; the least is asked first."""

    ROOM = 0
    QUEUE = 1  # a call would have to wait for its turn
    NO_ROOM = 2  # a call would be sent away


class Terms(NamedTuple):
    """`own` are the backends that would be asked with the caller's own key: what is wrong with our account closes none
    of them. `crowding` tells of a backend how full it is, None where nothing has a limit. `home` tells of a model the
    backend that answered this conversation before, None where nothing is known of one."""

    own: frozenset[str] = frozenset()
    crowding: Callable[[str], Crowding] | None = None
    home: Callable[[str], str | None] | None = None


NO_TERMS = Terms()
