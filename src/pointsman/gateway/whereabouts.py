"""Where a conversation is: at the backend that answered it last, and at the provider that keeps its last reply. What of it
concerns one request is put together here, and noted once there is an answer; the knowing is in homes.py and
elsewhere.py."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from pointsman.core.model_card import ModelCard
from pointsman.core.ports import Answer
from pointsman.gateway.call import Call
from pointsman.gateway.elsewhere import those_that_have_it
from pointsman.gateway.homes import Stay, Staying
from pointsman.gateway.memory import Memory
from pointsman.gateway.overheard import Overheard
from pointsman.gateway.target import Target
from pointsman.wire.envelope import Envelope
from pointsman.wire.openai_responses import OPENAI_RESPONSES


class Whereabouts:
    """One request's. `answer` is where its answer goes, `chain` who may give it, `home` tells of a model the backend that
    has the conversation, None where nothing can be known of that."""

    home: Callable[[str], str | None] | None = None
    _stay: Stay | None = None
    _overheard: Overheard | None = None

    def __init__(self, call: Call, envelope: Envelope, answer: Answer, chain: Sequence[ModelCard]) -> None:
        self._call = call
        self._envelope = envelope
        self.answer = answer
        self.chain = chain

    def answered(
        self, memory: Memory, targets: Mapping[str, Target], backend: str, *, is_theirs: bool
    ) -> None:
        """`is_theirs`: with the caller's own key."""
        target = targets[backend]
        if self._stay is not None:
            self._stay.answered(target.card.name, backend)
        reply_id = None if self._overheard is None else self._overheard.reply_id
        # Replies of a provider that speaks the caller's API are kept there; those that were translated are kept here.
        if reply_id is not None and target.for_caller(self._call.dialect).dialect is self._call.dialect:
            memory.elsewhere.note(self._call, self._envelope, reply_id, backend, is_theirs=is_theirs)

    @classmethod
    def of(
        cls,
        call: Call,
        envelope: Envelope,
        answer: Answer,
        chain: Sequence[ModelCard],
        *,
        memory: Memory,
        targets: Mapping[str, Target],
        backends_of: Callable[[str], Iterable[str]],
        staying: Staying | None,
        is_pinned: bool,
    ) -> "Whereabouts | None":
        """None for a request that is at home nowhere. `staying` is about models with several backends, None where there is
        no such model. Raises BadRequest where the caller named a model that does not have the conversation."""
        keeps_replies = call.dialect is OPENAI_RESPONSES
        if not keeps_replies and (staying is None or not any(card.name in staying.models for card in chain)):
            return None
        found = cls(call, envelope, answer, chain)
        if keeps_replies:
            found.answer = found._overheard = Overheard(answer)
            made = memory.elsewhere.before(call, envelope)
            if made is not None:
                found.chain = those_that_have_it(made, chain, backends_of, targets, is_pinned=is_pinned)
        if staying is not None and any(card.name in staying.models for card in found.chain):
            found._stay = Stay(staying, memory.homes, call, envelope, found._overheard)
            found.home = found._stay.home
        return found
