"""How much goes on at once: some have a slot, some wait for one in order, and the rest are told to come again. It knows
neither what the slots are for nor who holds them."""

import asyncio
import logging
import math
from collections import OrderedDict
from collections.abc import Callable, Iterable

from pointsman.core.errors import Unavailable
from pointsman.core.ports import Limits
from pointsman.fleet.terms import Crowding
from pointsman.upstream.waiter import Waiter

log = logging.getLogger("pointsman.gateway")

_RETRY_AFTER_MAX_S = 60.0
_SAID_EVERY_S = 10.0
SHUTTING_DOWN = "the gateway is shutting down"


class _Place:
    """One place in a queue. `has_slot` once its turn has come."""

    __slots__ = ("has_slot", "since_s", "waiter")

    def __init__(self, waiter: Waiter, since_s: float) -> None:
        self.waiter = waiter
        self.since_s = since_s
        self.has_slot = False


class Slots:
    """`of` is whose slots they are, for messages. Whoever entered has to leave, once.

        if not slots.try_enter():
            await slots.wait()
        try: ...
        finally: slots.leave()

    A slot that becomes free goes to whoever waits longest; a newcomer never overtakes. While there are slots enough
    this is a counter: no task, no timer, no look at the clock.
    """

    def __init__(self, of: str, limits: Limits) -> None:
        self.of = of
        self.in_flight = 0
        self.shed = 0
        """How many were sent away."""
        self._limits = limits
        self._in_flight_max = limits.in_flight
        self._queue: OrderedDict[_Place, None] = OrderedDict()
        self._is_closed = False
        self._latest_wait_s = 0.0
        self._said_at_s = -math.inf

    def adjust(self, limits: Limits) -> None:
        """Takes other limits, for those who are here already too: nobody is sent away who is in or waits, and whoever
        waits enters as far as there is room now."""
        self._limits = limits
        self._in_flight_max = limits.in_flight
        while self._queue and self.in_flight < self._in_flight_max:
            self.in_flight += 1
            self._hand_on()

    @property
    def waiting(self) -> int:
        return len(self._queue)

    @property
    def is_full(self) -> bool:
        """Whoever comes now has to wait, if there is room to."""
        return self.in_flight >= self._in_flight_max

    @property
    def has_no_room(self) -> bool:
        """Whoever comes now is sent away."""
        return self._is_closed or (
            self.in_flight >= self._in_flight_max and len(self._queue) >= self._limits.queue
        )

    @property
    def is_closed(self) -> bool:
        return self._is_closed

    def require_open(self) -> None:
        """Raises Unavailable once they are closed."""
        if self._is_closed:
            raise Unavailable(SHUTTING_DOWN)

    def try_enter(self) -> bool:
        # As long as somebody waits every slot is taken: one that becomes free is handed on.
        if self.in_flight < self._in_flight_max:
            self.in_flight += 1
            return True
        return False

    async def wait(self, patience_s: float = math.inf) -> None:
        """Enters when it is this caller's turn. Raises Unavailable when there is no room to wait, or none to enter
        within the time that anybody may wait, or that this caller would."""
        if self.has_no_room:
            raise self.refusal()
        loop = asyncio.get_running_loop()
        place = _Place(Waiter(loop), loop.time())
        self._queue[place] = None
        wait_s = min(self._limits.queue_timeout_s, patience_s)
        timer = loop.call_later(wait_s, self._end, place)
        try:
            await place.waiter
        except BaseException:
            # The caller left, perhaps when its turn had just come.
            if place.has_slot:
                self.leave()
            else:
                self._queue.pop(place, None)
            raise
        finally:
            timer.cancel()
        if not place.has_slot:
            raise self.refusal(f" and none became free within {wait_s:.3g} s")

    def leave(self) -> None:
        if not self._queue or self.in_flight > self._in_flight_max:  # there are fewer than there were
            self.in_flight -= 1
        else:
            self._hand_on()

    def _hand_on(self) -> None:
        place, _ = self._queue.popitem(last=False)
        place.has_slot = True
        loop = place.waiter.get_loop()
        self._latest_wait_s = loop.time() - place.since_s
        loop.call_soon(place.waiter.wake)  # not here, within the work of whoever leaves

    def close(self) -> None:
        """Nobody waits any more, and nobody new may; who has a slot keeps it."""
        self._is_closed = True
        for place in tuple(self._queue):
            self._end(place)

    def refusal(self, more: str = "") -> Unavailable:
        """What somebody is told who is sent away; counted and, now and then, logged."""
        if self._is_closed:
            return Unavailable(SHUTTING_DOWN)
        self.shed += 1
        now_s = asyncio.get_running_loop().time()
        if now_s - self._said_at_s >= _SAID_EVERY_S:
            self._said_at_s = now_s
            log.warning(
                "%s: %d requests under way (limits.in_flight) and %d waiting; %d sent away so far",
                self.of,
                self.in_flight,
                len(self._queue),
                self.shed,
            )
        # As long as the last one had to wait: who comes again then has a chance.
        retry_after_s = min(max(self._latest_wait_s, 1.0), _RETRY_AFTER_MAX_S)
        what = "request is" if self._in_flight_max == 1 else "requests are"
        return Unavailable(
            f"{self.of} is at its limit: {self._in_flight_max} {what} under way{more}; try again later",
            retry_after_s=float(math.ceil(retry_after_s)),
        )

    def _end(self, place: _Place) -> None:
        self._queue.pop(place, None)
        place.waiter.wake()


def crowding(every: Iterable[Slots]) -> Crowding:
    """How full it is for somebody who needs one of each."""
    found = Crowding.ROOM
    for slots in every:
        if slots.has_no_room:
            return Crowding.NO_ROOM
        if slots.is_full:
            found = Crowding.QUEUE
    return found


async def enter_all(every: Iterable[Slots], left_s: Callable[[], float]) -> bool:
    """Enters one after the other, or none at all; tells whether it had to wait. `left_s` is how long the caller would,
    from now on. Raises Unavailable."""
    entered: list[Slots] = []
    has_waited = False
    try:
        for slots in every:
            if not slots.try_enter():
                has_waited = True
                await slots.wait(max(left_s(), 0.0))
            entered.append(slots)
    except BaseException:
        for slots in entered:
            slots.leave()
        raise
    return has_waited
