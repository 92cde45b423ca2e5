"""Which replies their own providers keep, and for which caller each was made: who comes back to one by its id is sent to
where it is. Bounded in number and time; one process's own. It holds nothing of what was said."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

import msgspec

from pointsman.core.errors import BadRequest, NotFound
from pointsman.core.model_card import ModelCard
from pointsman.core.ports import Deadlines
from pointsman.gateway.call import Call
from pointsman.gateway.target import Target
from pointsman.wire.envelope import Envelope
from pointsman.wire.openai_responses import OPENAI_RESPONSES

KEPT_S = 30 * 24 * 3600.0
"""As long as OpenAI keeps them."""

REPLIES_MAX = 100_000
"""Some 300 bytes each."""

_ANSWER_BYTES_MAX = 64 * 1024 * 1024
_DEADLINES = Deadlines(10.0, 30.0, 30.0, 60.0)

_decode_str = msgspec.json.Decoder(str | None).decode


class Made(NamedTuple):
    """`is_theirs`: with the caller's own key, which alone can read it."""

    caller: str
    backend: str
    is_theirs: bool
    until_s: float


class Told(NamedTuple):
    """A provider's answer about one of its replies."""

    status: int
    body: bytes


class Elsewhere:
    """Those that were made first are forgotten first."""

    def __init__(self) -> None:
        self._made: OrderedDict[str, Made] = OrderedDict()

    def __len__(self) -> int:
        return len(self._made)

    def note(self, call: Call, envelope: Envelope, reply_id: str, backend: str, *, is_theirs: bool) -> None:
        """A reply that its provider keeps unless it was told not to."""
        if bytes(envelope.fields.get("store", b"")) == b"false":
            return
        self._made[reply_id] = Made(call.caller, backend, is_theirs, call.clock() + KEPT_S)
        while len(self._made) > REPLIES_MAX:
            self._made.popitem(last=False)

    def find(self, reply_id: str, caller: str, now_s: float) -> Made | None:
        made = self._made.get(reply_id)
        return None if made is None or made.caller != caller or made.until_s <= now_s else made

    def forget(self, reply_id: str) -> None:
        self._made.pop(reply_id, None)

    def before(self, call: Call, envelope: Envelope) -> Made | None:
        """Where the reply is that a request goes on from."""
        raw = envelope.fields.get("previous_response_id")
        if raw is None or not self._made:
            return None
        try:
            reply_id = _decode_str(raw)
        except msgspec.DecodeError:
            return None  # for its reader to refuse
        return None if reply_id is None else self.find(reply_id, call.caller, call.clock())


def those_that_have_it(
    made: Made,
    chain: Sequence[ModelCard],
    backends_of: Callable[[str], Iterable[str]],
    targets: Mapping[str, Target],
    *,
    is_pinned: bool,
) -> Sequence[ModelCard]:
    """Of the models that may answer those that are reached where the reply is, or the one that made it. Raises
    BadRequest where the caller named a model of another provider."""
    target = targets.get(made.backend)
    if target is None:
        return chain  # the configuration has changed since
    provider = target.provider.name
    there = [
        card
        for card in chain
        if any(targets[backend].provider.name == provider for backend in backends_of(card.name))
    ]
    if there or not is_pinned:
        return there or [target.card]
    raise BadRequest(
        f"The previous response is kept by {provider}, and the model {chain[0].name} is not reached there."
        f" Ask {target.card.name}, or send the conversation whole.",
        param="previous_response_id",
        code="previous_response_not_found",
    )


class Keepers:
    """Asks providers for what they keep."""

    def __init__(
        self, elsewhere: Elsewhere, targets: Mapping[str, Target], clock: Callable[[], float]
    ) -> None:
        self._elsewhere = elsewhere
        self._targets = targets
        self._clock = clock

    async def ask(
        self, method: Literal["GET", "DELETE", "POST"], reply_id: str, caller: str, ending: str = ""
    ) -> Told:
        """What the provider says of `/responses/{reply_id}` and `ending`. Raises NotFound for a reply that nobody keeps
        for this caller, UpstreamError."""
        made = self._elsewhere.find(reply_id, caller, self._clock())
        target = None if made is None else self._targets.get(made.backend)
        if made is None or target is None or made.is_theirs:
            raise NotFound(f"Response with id '{reply_id[:100]}' not found.")
        target = target.for_caller(OPENAI_RESPONSES)
        outgoing = target.question(f"/responses/{reply_id}{ending}", _DEADLINES)
        incoming = await target.send(outgoing._replace(method=method))
        try:
            body = await incoming.read(_ANSWER_BYTES_MAX)
        finally:
            incoming.abort()
        if method == "DELETE" and incoming.status < 300:
            self._elsewhere.forget(reply_id)
        return Told(incoming.status, target.without_our_key(body))
