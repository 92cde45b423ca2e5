"""Asks a provider for something that costs nothing, again and again, and tells what its answers say of its health. What
follows from that is decided by whoever is told.
"""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from pointsman.core.errors import PointsmanError, UpstreamError, UpstreamFault
from pointsman.core.ports import Outgoing, Send

_ANSWER_BYTES_MAX = 16 * 1024 * 1024
_SAYS_NOTHING = frozenset({401, 402, 403, 407, 408, 429})
"""It is there, but whether it would answer a request is another question: some keys may ask models and not list them."""


class Probe(NamedTuple):
    """`outgoing` is the question, put `every_s` seconds after the answer before."""

    provider: str
    outgoing: Outgoing
    every_s: float


async def keep_probing(probe: Probe, send: Send, tell: Callable[[str, UpstreamFault | None], None]) -> None:
    """Until it is cancelled. `tell` gets the provider's name, and None when it is well."""
    while True:
        await asyncio.sleep(probe.every_s)
        try:
            said = await _ask(probe.outgoing, send)
        except UpstreamError as error:
            tell(probe.provider, error.fault)
        except PointsmanError:
            return  # the gateway is shutting down
        else:
            if said not in _SAYS_NOTHING:
                tell(probe.provider, UpstreamFault.SERVER_ERROR if said >= 500 else None)


async def _ask(outgoing: Outgoing, send: Send) -> int:
    """The status of its answer."""
    incoming = await send(outgoing)
    try:
        await incoming.read(_ANSWER_BYTES_MAX)
    finally:
        incoming.abort()
    return incoming.status
