"""One call as the server hands it to the pipeline: who asks, in which dialect, with which bytes."""

import os
from collections.abc import Callable
from itertools import count
from typing import NamedTuple

from pointsman.core.ports import HeaderList
from pointsman.gateway.operation import Operation
from pointsman.wire.dialect import Dialect
from pointsman.wire.envelope import Address


class Credential(NamedTuple):
    """A key the caller sent that is not the gateway's own: `header` and `value` exactly as they came,
    `key` the bare key in it."""

    header: bytes
    value: bytes
    key: str


class Call(NamedTuple):
    """`operation` is None where a reply is wanted. `address` is what the path says of the model, in dialects that say it there. `query` is what followed the
    path, less the gateway's key. `started_at_s` is Unix time; `clock` counts
    seconds for durations, `started_clock_s` its start."""

    request_id: str
    dialect: Dialect
    headers: HeaderList
    query: str
    body: bytes
    caller: str
    credentials: tuple[Credential, ...]
    started_at_s: float
    clock: Callable[[], float]
    started_clock_s: float
    address: Address | None = None
    operation: Operation | None = None

    @property
    def is_generation(self) -> bool:
        """A model is asked to write something."""
        return self.operation is None or self.operation.is_generation

    def elapsed_ms(self) -> float:
        return (self.clock() - self.started_clock_s) * 1000.0


_PROCESS = os.urandom(5).hex()
_numbers = count()


def new_request_id(now_s: float) -> str:
    """Unique, and ordered by time so that the ledger's index only ever grows at its end: milliseconds, this
    process, a running number."""
    return f"pm_{int(now_s * 1000):011x}{_PROCESS}{next(_numbers):06x}"


def started_at_s_of(request_id: str) -> float | None:
    """The Unix time in an id that `new_request_id` made; None for any other text."""
    stamp = request_id[3:14]
    if not request_id.startswith("pm_") or len(request_id) != len("pm_") + 11 + len(_PROCESS) + 6:
        return None
    try:
        return int(stamp, 16) / 1000.0
    except ValueError:
        return None
