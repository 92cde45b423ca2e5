"""What is judged of each cell. A judge returns what is wrong, in words; nothing where all is well.

Each looks at one clause of the contract, from what the SDK understood, the bytes on the wire, the provider's own log, or
the ledger.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from faults.cells import Cell
from faults.heard import Heard
from faults.wire import Counted, count
from pointsman.lab.faults import Fault
from pointsman.lab.upstream import Case, answer_text, fault_of
from pointsman.lab.ways import WORDS
from pointsman.ledger.entry import Attempt, Entry

_TIMEOUTS = frozenset({"APITimeoutError", "ReadTimeout", "ConnectTimeout", "WriteTimeout", "PoolTimeout"})
_CALLERS_OWN = frozenset({401, 402, 403})
_MAY_WAIT = frozenset({429, 503, 529})
_BUSY = frozenset({503, 529})
_ATTEMPTS_MAX = 4
_OUTCOMES: Mapping[str, str] = {
    "first": "complete",
    "second": "failed_over",
    "late": "partial",
    "refusal": "refused",
    "early": "failed",
}
"""What the ledger says, by the model that answers, else by when the fault strikes."""


@dataclass(frozen=True)
class Played:
    """One cell and what became of it."""

    cell: Cell
    heard: Heard
    case: Case
    booked: tuple[Entry, tuple[Attempt, ...]] | None

    @property
    def answers(self) -> str | None:
        """The model whose whole answer the caller must get; None where there is no way to one."""
        if self.cell.phase == "whole":
            return "first"
        if self.cell.is_withheld:
            return None
        return "second" if self.cell.phase == "early" and self.cell.behind == "well" else None

    @property
    def is_told_in_stream(self) -> bool:
        """The caller has a head, and nothing else, when it is told."""
        return self.cell.way == "patience" and self.answers is None and self.cell.phase != "late"

    @property
    def path(self) -> list[str]:
        """The models in the order they were asked. Of two that were asked beside each other it is chance whom the
        provider hears first, and whether it hears the one that was beaten at all."""
        path = self.case.path
        return sorted({"first", *path}) if self.cell.is_hedged_for_real and self.answers else path

    @property
    def counted(self) -> Counted:
        return count(self.cell.client, self.heard.body, stream=self.cell.stream)

    @property
    def faults(self) -> list[Fault]:
        """What the caller may be told of."""
        second = self.cell.second_fault if self.cell.phase == "early" else None
        return [self.cell.fault] if second is None else [self.cell.fault, second]


def bounded(played: Played) -> Iterator[str]:
    """There is an end, and the caller sees it."""
    heard = played.heard
    if heard.raised in _TIMEOUTS:
        yield f"no end within the caller's patience ({heard.raised})"
    elif heard.status is None:
        yield f"no answer at all ({heard.raised}: {heard.message})"


def invisible(played: Played) -> Iterator[str]:
    """Where a model can answer, the caller gets its whole answer and nothing else."""
    answers, heard = played.answers, played.heard
    if answers is None:
        return
    if heard.status != 200 or heard.raised is not None:
        yield f"status {heard.status}, {heard.raised}: {heard.message[:100]}"
    if heard.text != answer_text(answers):
        yield f"the answer is {heard.text!r}"
    if not heard.finished:
        yield "the answer has no end"
    if answers != "first" and b"first" in heard.body:
        yield "the caller sees something of the failed attempt"


def told(played: Played) -> Iterator[str]:
    """Where nobody can answer, the caller is told so, in its dialect and with a status that fits."""
    heard = played.heard
    if played.answers is not None or played.cell.phase == "late":
        return
    if heard.raised is None or not heard.is_sdks_own:
        yield f"the SDK understood {heard.raised or 'an answer'}, not a failure it was told of"
    if not heard.message:
        yield "no message"
    if heard.text:
        yield f"an answer beside the failure: {heard.text!r}"
    if played.is_told_in_stream:
        if heard.status != 200:
            yield f"status {heard.status} behind a head with 200"
        return
    allowed = frozenset().union(*(fault.told for fault in played.faults))
    if len(played.faults) > 1 and any(fault.told & _MAY_WAIT for fault in played.faults):
        allowed |= _BUSY  # of several, one that will be ready again says most
    if heard.status not in allowed:
        yield f"status {heard.status}, not one of {sorted(allowed)}"
    if heard.status in _CALLERS_OWN:
        yield "the provider's refusal of our key is told as the caller's"
    if heard.raised_status != heard.status:
        yield f"the SDK saw status {heard.raised_status}"


def withheld(played: Played) -> Iterator[str]:
    """A model that a ceiling withholds is named, and only then."""
    told = played.heard.headers.get("x-pointsman-withheld", "none")
    wanted = "second=price" if played.cell.is_withheld else "none"
    if told != wanted:
        yield f"x-pointsman-withheld is {told}, not {wanted}"
    if played.cell.is_withheld and b"consent_required" not in played.heard.body:
        yield "the code consent_required is not told"


def patient(played: Played) -> Iterator[str]:
    """How long a provider wants to be left alone reaches the caller who is told to come back."""
    heard = played.heard
    if heard.status not in _MAY_WAIT:
        return
    waits = [fault.retry_after_s for fault in played.faults if fault.told & _MAY_WAIT]
    soonest = min((wait for wait in waits if wait is not None), default=None)
    said = heard.headers.get("retry-after")
    if said != (None if soonest is None else str(soonest)):
        yield f"retry-after is {said}, not {soonest}"


def broken(played: Played) -> Iterator[str]:
    """A caller who has part of an answer is told that the rest is missing: its SDK raises."""
    if played.cell.phase != "late":
        return
    heard = played.heard
    if heard.status != 200:
        yield f"status {heard.status}"
    if heard.raised is None:
        yield "the SDK raised nothing"
    elif not heard.is_sdks_own:
        yield f"the SDK could not read it ({heard.raised}: {heard.message[:100]})"
    if heard.finished:
        yield "it ends like a success"
    if not heard.text or not answer_text("first").startswith(heard.text):
        yield f"the part is {heard.text!r}"


def once(played: Played) -> Iterator[str]:
    """One start, one end, no text twice, nothing behind the end."""
    if played.heard.status != 200:
        return
    counted = played.counted
    if counted.unreadable is not None:
        yield f"unreadable: {counted.unreadable}"
        return
    is_whole = played.answers is not None
    if counted.starts != 1 and not played.is_told_in_stream:
        yield f"{counted.starts} starts"
    if counted.ends != int(is_whole):
        yield f"{counted.ends} ends"
    if counted.errors != int(not is_whole):
        yield f"{counted.errors} errors"
    if any(counted.text.count(word) > 1 for word in WORDS):
        yield f"a text twice: {counted.text!r}"
    behind = [event for event in counted.after_end if event != "[DONE]"]
    if behind:
        yield f"something behind the end: {behind[0][:80]}"


def asked(played: Played) -> Iterator[str]:
    """Whom the gateway asked, by the provider's own log."""
    path, cell = played.path, played.cell
    is_tried_again = cell.phase == "early" and cell.behind != "none" and not cell.is_withheld
    wanted = ["first", "second"] if is_tried_again else ["first"]
    # One that failed may be asked again when all have been asked, unless there is an answer by then.
    may_repeat = cell.phase == "early" and (cell.behind != "well" or cell.is_withheld)
    if path[: len(wanted)] != wanted or not set(path) <= set(wanted):
        yield f"asked {path}, not {wanted}"
    elif len(path) > (_ATTEMPTS_MAX if may_repeat else len(wanted)):
        yield f"asked {len(path)} times: {path}"
    stream = {call.stream for call in played.case.calls}
    if stream != {cell.stream}:
        yield f"asked for streams: {stream}"
    for call in played.case.calls:
        fault = fault_of(call)
        if (
            fault is not None
            and fault.waits
            and call.received is not None
            and call.received.hung_up_at_s is None
        ):
            yield f"{call.model} is still being waited for"


def booked(played: Played) -> Iterator[str]:
    """The ledger tells the same."""
    if played.booked is None:
        yield "not booked"
        return
    entry, attempts = played.booked
    answers, cell = played.answers, played.cell
    outcome = "refused" if cell.is_withheld else _OUTCOMES[answers or cell.phase]
    if entry.outcome != outcome:
        yield f"booked as {entry.outcome}, not {outcome}"
    model = answers or ("first" if cell.phase == "late" else None)
    if entry.model != model:
        yield f"booked for {entry.model}, not {model}"
    if entry.status != played.heard.status:
        yield f"booked with status {entry.status}, told {played.heard.status}"
    if (entry.fault is None) != (answers is not None):
        yield f"booked with fault {entry.fault}"
    tries = [attempt.model for attempt in attempts]
    if tries != played.path:
        yield f"attempts at {tries}, but {played.path} were asked"
    last = "complete" if answers is not None else "partial" if cell.phase == "late" else "failed"
    ended = [attempt.outcome for attempt in attempts]
    # One that another is asked beside is cancelled, unless it has failed by itself before that had an answer.
    allowed = {"failed", "cancelled"} if cell.is_hedged_for_real else {"failed"}
    if ended[-1:] != [last] or not set(ended[:-1]) <= allowed:
        yield f"attempts {ended}"
    used = None if entry.usage is None else entry.usage.output_tokens
    if answers is not None and used != len(WORDS) + 1:
        yield f"{used} tokens booked"


JUDGES: Mapping[str, Callable[[Played], Iterator[str]]] = {
    judge.__name__: judge
    for judge in (bounded, invisible, told, withheld, patient, broken, once, asked, booked)
}


def judge(played: Played) -> list[str]:
    """Everything that is wrong with a cell."""
    return [f"{name}: {wrong}" for name, judge in JUDGES.items() for wrong in judge(played)]
