"""What a caller asks of one request in headers of the gateway's own: who may answer it, how long it may take, which
ceilings may be passed. They reach no provider. Nothing is carried out here."""

import difflib
import math
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from pointsman.core.decision import Decision
from pointsman.core.errors import BadRequest
from pointsman.core.model_card import ModelCard
from pointsman.core.ports import HeaderList
from pointsman.fleet.consent import CEILINGS

FALLBACK = "x-pointsman-fallback"
TARGETS = "x-pointsman-targets"
DEADLINE = "x-pointsman-deadline-s"
CONSENT = "x-pointsman-consent"
SESSION = "x-pointsman-session"
ROUTING = "x-pointsman-routing"

_OURS = b"x-pointsman-"
_DEADLINE_MAX_S = 86_400.0
_TARGETS_MAX = 20
_SHOWN_CHARS_MAX = 80


class Wishes(NamedTuple):
    """`targets` are the only ones, in this order. `deadline_s` counts from the request's start. `consents` are the
    ceilings that may be passed."""

    falls_back: bool = True
    targets: tuple[str, ...] = ()
    deadline_s: float = math.inf
    consents: frozenset[str] = frozenset()


NO_WISHES = Wishes()


def read_wishes(headers: HeaderList) -> Wishes:
    """Lists that are sent in several headers are one list; of anything else the strictest counts. Raises BadRequest for
    one that cannot be read, or that is none of ours though its name says so: what was meant by it would not be done."""
    return _known_wishes(headers) if isinstance(headers, tuple) else _wishes(headers)


def _wishes(headers: HeaderList) -> Wishes:
    found = [header for header in headers if header[0].startswith(_OURS)]
    if not found:
        return NO_WISHES
    wishes = NO_WISHES
    for name, value in found:
        read = _READERS.get(name.decode("latin-1"))
        if read is None:
            raise _unknown(name.decode("latin-1")[:_SHOWN_CHARS_MAX])
        wishes = read(wishes, value.decode("latin-1").strip())
    return wishes


@lru_cache(maxsize=256)
def _known_wishes(headers: tuple[tuple[bytes, bytes], ...]) -> Wishes:
    return _wishes(headers)


def patience_s(headers: HeaderList) -> float:
    """How long the caller would wait in all. Endless where that cannot be read: the one who answers says so."""
    try:
        return read_wishes(headers).deadline_s
    except BadRequest:
        return math.inf


def as_wished(decision: Decision, wishes: Wishes, card_called: Callable[[str], ModelCard | None]) -> Decision:
    """The decision with only the targets that the caller allows. Raises BadRequest for an unknown one."""
    if wishes.targets:
        cards = dict.fromkeys(_target(name, card_called) for name in wishes.targets)
        decision = decision._replace(chain=tuple(cards))
    if not wishes.falls_back:
        decision = decision._replace(chain=decision.chain[:1])
    return decision


def _target(name: str, card_called: Callable[[str], ModelCard | None]) -> ModelCard:
    card = card_called(name)
    if card is None:
        raise _unreadable(TARGETS, name, "names of configured models, divided by commas")
    return card


def _fallback(wishes: Wishes, value: str) -> Wishes:
    if value not in {"none", "chain"}:
        raise _unreadable(FALLBACK, value, "none or chain")
    return wishes._replace(falls_back=wishes.falls_back and value == "chain")


def _targets(wishes: Wishes, value: str) -> Wishes:
    names = (*wishes.targets, *(name.strip() for name in value.split(",")))
    if not all(names) or len(names) > _TARGETS_MAX:
        raise _unreadable(TARGETS, value, f"1 to {_TARGETS_MAX} names of models, divided by commas")
    return wishes._replace(targets=names, consents=frozenset(CEILINGS))  # who names one consents to it


def _deadline(wishes: Wishes, value: str) -> Wishes:
    try:
        seconds = float(value)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= _DEADLINE_MAX_S:
        raise _unreadable(DEADLINE, value, f"seconds above 0, at most {_DEADLINE_MAX_S:g}")
    return wishes._replace(deadline_s=min(wishes.deadline_s, seconds))


def _consent(wishes: Wishes, value: str) -> Wishes:
    words = {word.strip() for word in value.split(",")}
    if not words <= {*CEILINGS, "all"}:
        raise _unreadable(CONSENT, value, f"all, or some of {', '.join(CEILINGS)}, divided by commas")
    given = CEILINGS if "all" in words else words
    return wishes._replace(consents=wishes.consents.union(given))


def _session(wishes: Wishes, _value: str) -> Wishes:
    return wishes  # it is read where conversations are told apart


def _routing(wishes: Wishes, value: str) -> Wishes:
    if value not in {"true", "false"}:
        raise _unreadable(ROUTING, value, "true or false")
    return wishes  # it is read before there is anything to tell


_READERS: dict[str, Callable[[Wishes, str], Wishes]] = {
    FALLBACK: _fallback,
    TARGETS: _targets,
    DEADLINE: _deadline,
    CONSENT: _consent,
    SESSION: _session,
    ROUTING: _routing,
}


def _unknown(header: str) -> BadRequest:
    nearest = difflib.get_close_matches(header, _READERS, 1, 0.0)
    return BadRequest(
        f"There is no header {header!r}; the nearest is {nearest[0]}. Known are {', '.join(sorted(_READERS))}.",
        param=header,
        code="invalid_header",
    )


def _unreadable(header: str, value: str, expected: str) -> BadRequest:
    return BadRequest(
        f"The header {header} is {value[:_SHOWN_CHARS_MAX]!r}; expected {expected}.",
        param=header,
        code="invalid_header",
    )
