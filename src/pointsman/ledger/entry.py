"""What is written down about one request and its attempts. Only references: nothing is computed or copied
until the writer's thread does it, behind the answer."""

from typing import Literal, NamedTuple

from pointsman.core.decision import Decision
from pointsman.core.usage import Price, Usage

Outcome = Literal["complete", "failed_over", "partial", "refused", "failed", "cancelled"]
"""How a request ended.

`complete`: the first target asked gave the whole answer. `failed_over`: the caller has a whole answer, though not at the
first try or not from the model that was chosen. `partial`: it broke after its first content had reached the caller.
`refused`: nothing was given, for a reason that lies in the request. `failed`: nothing was given, for any other reason.
`cancelled`: the caller left. An attempt is never `failed_over` or `refused`.
"""

# NamedTuples, not frozen dataclasses: 0.4 us to build instead of 1.8 us (18 fields, by position), and one is
# built for every request.


class Attempt(NamedTuple):
    """One try at one model. `number` counts from 1; `started_ms` from the request's start, the other times
    from `started_ms`. `status` is the provider's HTTP status, None where there was none."""

    number: int
    model: str
    provider: str
    started_ms: float
    status: int | None
    outcome: Outcome
    fault: str | None
    first_byte_ms: float | None
    total_ms: float


SideKind = Literal["judge", "sidecar", "draft", "hedge"]
"""`judge` and `sidecar` gave an opinion on which model should answer; `draft` is an answer that was not good enough,
`hedge` one that was stopped because another target was quicker."""


class SideCall(NamedTuple):
    """Something a request was paid for besides its answer. `cached` is an opinion that was at hand: nobody was
    asked, and nothing was paid."""

    kind: SideKind
    model: str
    provider: str
    outcome: Literal["complete", "failed", "cancelled", "cached"]
    fault: str | None
    usage: Usage | None
    price: Price | None
    total_ms: float


class Entry(NamedTuple):
    """One request. `request_id` is unique and grows with time. `caller` is a name, never a key.

    `model` and `provider` are those that answered, None where none did; what was chosen stands in `decision`,
    None where the request was refused before anything was decided. `price` is the answering model's,
    `baseline` that of the model savings are counted against. `status` is the one sent to the caller; `fault`
    an UpstreamFault's value or the word for what was wrong with the request. `dropped` names what the
    answering dialect could not carry. What `side_calls` cost is not in `usage`.
    """

    request_id: str
    started_at_s: float
    caller: str
    dialect: str
    requested_model: str
    decision: Decision | None
    model: str | None
    provider: str | None
    stream: bool
    usage: Usage | None
    price: Price | None
    baseline: Price | None
    first_token_ms: float | None
    total_ms: float
    status: int
    outcome: Outcome
    fault: str | None = None
    dropped: tuple[str, ...] = ()
    side_calls: tuple[SideCall, ...] = ()
