"""The places that serve each model, and which of them takes the next call. It knows no request, sends nothing and
reads no clock: times are seconds of whatever clock the caller reads, always the same one.

The scope of all this is the backend: one model at one provider entry, that is at one key and one address. What a
provider limits by account is found out once by each backend of that account, at the cost of one call each.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from decimal import Decimal
from itertools import groupby
from math import inf

from pointsman.core.errors import OF_THE_ACCOUNT, UpstreamFault
from pointsman.fleet.breaker import NOT_OF_HEALTH, BreakerPolicy
from pointsman.fleet.lease import Closed, Lease, Verdict
from pointsman.fleet.place import NO_PENALTY, Backend, Figures, Mark, Place, rank
from pointsman.fleet.terms import NO_TERMS, Crowding, Terms

_LATENCY_UNKNOWN_S = 1.0

_NOT_OURS = -1
"""The epoch of a call with a key that is not ours, past a circuit that our own key opened: it proves nothing of ours."""

_STAYING_IN_FLIGHT = 8
_STAYING_LOAD_MAX = 1.5
"""A conversation does not stay where more is under way than this and more than so often the fair part of all of it: the
bounded loads of Mirrokni, Thorup and Zadimoghaddam (2018), where the bound is what keeps one place from drowning."""


class Fleet:
    """All backends of all models. For one thread. `on_change` is called after a change that should outlive the
    program: a circuit, or an operator's word; never for a call that just succeeds."""

    def __init__(
        self,
        backends: Iterable[Backend],
        policy: BreakerPolicy,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self.on_change = on_change
        self._policy = policy
        self._arrange({backend.name: Place(backend, policy) for backend in backends})

    def _arrange(self, places: dict[str, Place]) -> None:
        self.places = places
        models = dict.fromkeys(place.backend.model for place in places.values())
        self._ranks = {model: tuple(_ranks(model, places.values())) for model in models}
        self._alone = {
            model: ranks[0][0] for model, ranks in self._ranks.items() if len(ranks) == len(ranks[0]) == 1
        }

    def take_over(self, predecessor: "Fleet") -> None:
        """What it knows of backends of the same name goes on here, calls under way included."""
        places = dict(self.places)
        for name, fresh in self.places.items():
            known = predecessor.places.get(name)
            if known is not None:
                known.describe(fresh.backend)
                known.breaker.policy = self._policy
                places[name] = known
        self._arrange(places)

    def pick(
        self, model: str, now_s: float, avoid: Collection[str] = (), terms: Terms = NO_TERMS
    ) -> Lease | Closed:
        """The backend for one call: the cheapest that are open, among them the one that `terms` say the conversation is
        at home with, else by smooth weighted turns (as nginx takes them) with the shares of this moment. One whose limit
        is reached comes behind all others. `avoid` names backends that this request has tried. Raises KeyError for a
        model nobody serves."""
        place = self._alone.get(model)
        if place is None:
            place = self._choose(model, now_s, avoid, terms)
        elif (
            (now_s < place.breaker.blocked_until_s and not _passes(place, terms))
            or place.is_draining
            or place.backend.name in avoid
        ):
            place = None
        if place is None:
            return _closed(model, self._ranks[model], now_s, avoid)
        breaker = place.breaker
        place.in_flight += 1
        place.requests += 1
        if breaker.blocked_until_s == -inf:
            return Lease(place, breaker.epoch, 0)
        if _passes(place, terms):
            return Lease(place, _NOT_OURS, 0)
        probe = self._reopen(place, now_s)
        return Lease(place, breaker.epoch, probe)

    def _choose(self, model: str, now_s: float, avoid: Collection[str], terms: Terms) -> Place | None:
        crowding = terms.crowding
        chosen: list[Place] = []
        least: int = len(Crowding)
        for group in self._ranks[model]:
            free = [
                place
                for place in group
                if (now_s >= place.breaker.blocked_until_s or _passes(place, terms))
                and not place.is_draining
                and place.backend.name not in avoid
            ]
            if crowding is not None:
                told = [crowding(place.backend.name) for place in free]
                free = [
                    place for place, how in zip(free, told, strict=True) if how < least and how == min(told)
                ]
                least = min([least, *told])
            chosen = free or chosen
            if chosen and (crowding is None or least == Crowding.ROOM):
                break
        if not chosen:
            return None
        home = None if terms.home is None or len(chosen) == 1 else terms.home(model)
        if home is not None:
            for place in chosen:
                if place.backend.name == home and _may_stay(place, chosen, now_s):
                    return place
        return chosen[0] if len(chosen) == 1 else _next(chosen, now_s)

    def answered(self, lease: Lease, now_s: float) -> None:
        """An answer has begun. That is all a probe has to prove, long before the call is settled."""
        if lease.probe and not lease.is_settled:
            self._succeeded(lease, now_s)

    def settle(
        self,
        lease: Lease,
        verdict: Verdict | UpstreamFault,
        now_s: float,
        first_byte_s: float | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        """The call is over. `first_byte_s` is how long the first byte took, `retry_after_s` what the provider asked
        for. Settling again changes nothing."""
        if lease.is_settled:
            return
        lease.is_settled = True
        place = lease.place
        place.in_flight -= 1
        if verdict is Verdict.OK:
            place.successes += 1
            if first_byte_s is not None:
                place.note_first_byte(first_byte_s)
            if lease.probe:
                self._succeeded(lease, now_s)
            else:
                place.breaker.succeeded(now_s, lease.epoch)
        elif isinstance(verdict, UpstreamFault):
            self._failed(lease, verdict, now_s, retry_after_s)
        else:
            place.breaker.gave_up(lease.probe)

    def figures(self, now_s: float) -> tuple[Figures, ...]:
        return tuple(place.figures(now_s) for place in self.places.values())

    def backends_of(self, model: str) -> tuple[str, ...]:
        """The names of the backends that serve `model`, the first to be asked first; none for an unknown one."""
        return tuple(place.backend.name for rank in self._ranks.get(model, ()) for place in rank)

    def open_backends(self, model: str, now_s: float) -> list[str]:
        """Those that take a call now, whoever makes it."""
        return [
            place.backend.name
            for rank in self._ranks.get(model, ())
            for place in rank
            if now_s >= place.breaker.blocked_until_s and not place.is_draining
        ]

    def drain(self, backend: str) -> None:
        """No new calls. Raises KeyError."""
        self.places[backend].is_draining = True
        self.on_change()

    def resume(self, backend: str) -> None:
        """Raises KeyError."""
        self.places[backend].is_draining = False
        self.on_change()

    def reset(self, backends: Iterable[str], now_s: float) -> None:
        """Closes their circuits, as if nothing had been. Raises KeyError."""
        for name in backends:
            self.places[name].breaker.reset(now_s)
            self.places[name].penalty = NO_PENALTY
        self.on_change()

    def reset_all(self, now_s: float) -> None:
        self.reset(self.places, now_s)

    def probed(self, provider: str, fault: UpstreamFault | None, now_s: float) -> None:
        """A question that costs nothing was put to `provider`: whatever answers it (`fault` None) is asked for real
        soon; what fails counts like any call."""
        for place in self.places.values():
            if place.backend.provider != provider:
                continue
            breaker = place.breaker
            if fault is None:
                if breaker.is_reached_again(now_s):
                    self.on_change()
            elif breaker.blocked_until_s == -inf and fault not in NOT_OF_HEALTH:
                place.note_failure(fault, now_s)
                breaker.failed(fault, now_s, breaker.epoch, None)
                if breaker.blocked_until_s != -inf:
                    self.on_change()

    def marks(self) -> dict[str, Mark]:
        """What to keep, by backend."""
        return {name: mark for name, place in self.places.items() if (mark := place.mark()) is not None}

    def restore(self, marks: Mapping[str, Mark]) -> None:
        """Of backends that there still are."""
        for name, mark in marks.items():
            if name in self.places:
                self.places[name].restore(mark)

    def _reopen(self, place: Place, now_s: float) -> int:
        probe = place.breaker.take(now_s)
        if not probe:
            self.on_change()
        return probe

    def _succeeded(self, lease: Lease, now_s: float) -> None:
        breaker = lease.place.breaker
        epoch = breaker.epoch
        breaker.succeeded(now_s, lease.epoch)
        if breaker.epoch != epoch:
            self.on_change()

    def _failed(self, lease: Lease, fault: UpstreamFault, now_s: float, retry_after_s: float | None) -> None:
        place = lease.place
        breaker = place.breaker
        place.note_failure(fault, now_s)
        if fault in NOT_OF_HEALTH:
            breaker.gave_up(lease.probe)
            return
        until_s = breaker.until_s
        breaker.failed(fault, now_s, lease.epoch, retry_after_s)
        if breaker.until_s != until_s:
            self.on_change()


def _ranks(model: str, places: Iterable[Place]) -> Iterator[tuple[Place, ...]]:
    """Groups in which the load is shared. Load never moves traffic from one group to the next, only failure does."""

    def rank_of(place: Place) -> tuple[Decimal, bool]:
        return rank(place.backend)

    mine = sorted((place for place in places if place.backend.model == model), key=rank_of)
    for _, group in groupby(mine, key=rank_of):
        yield tuple(group)


def _passes(place: Place, terms: Terms) -> bool:
    """What closed it was said of our own account, and the call is on another's."""
    return place.breaker.why in OF_THE_ACCOUNT and place.backend.name in terms.own


def _may_stay(place: Place, free: list[Place], now_s: float) -> bool:
    """It is well and not overfull, so that a conversation may go on where its beginning is cached."""
    if now_s < place.breaker.ramped_from_s or place.is_missing_the_model(now_s):
        return False
    under_way = place.in_flight + 1
    if under_way <= _STAYING_IN_FLIGHT:
        return True
    in_all = 1 + sum(other.in_flight for other in free)
    return under_way <= _STAYING_LOAD_MAX * in_all * place.weight / sum(other.weight for other in free)


def _next(free: list[Place], now_s: float) -> Place:
    """Smooth weighted turns: everyone's turn comes nearer by its share, and who is nearest pays for all of them."""
    unknown_s = 0.0
    for place in free:
        if place.latency_s is None:  # as fast as the fastest, until it has shown what it is
            known = [other.latency_s for other in free if other.latency_s is not None]
            unknown_s = min(known, default=_LATENCY_UNKNOWN_S)
            break
    best = free[0]
    total = 0.0
    for place in free:
        share = place.share(now_s, unknown_s)
        place.turn = turn = place.turn + share
        total += share
        if turn > best.turn:
            best = place
    best.turn -= total
    return best


def _closed(model: str, ranks: tuple[tuple[Place, ...], ...], now_s: float, avoid: Collection[str]) -> Closed:
    retry_at_s = inf
    told: list[str] = []
    for place in (place for group in ranks for place in group):
        name, breaker = place.backend.name, place.breaker
        if name in avoid:
            told.append(f"{name} was tried")
        elif place.is_draining:
            told.append(f"{name} is draining")
        else:
            retry_at_s = min(retry_at_s, breaker.blocked_until_s)
            told.append(f"{name} is {breaker.circuit(now_s)} ({breaker.why})")
    return Closed(None if retry_at_s == inf else retry_at_s, f"{model}: {', '.join(told)}")
