"""One question of our own to a model: a system text and a user text in, its words out. No caller's header or key
reaches it. What to make of the words is decided elsewhere."""

from time import perf_counter

from pointsman.core.events import fold
from pointsman.core.ports import Deadlines
from pointsman.core.request import Message, Request, Sampling, Text
from pointsman.core.usage import Usage
from pointsman.gateway.call import Call, new_request_id
from pointsman.gateway.target import Target
from pointsman.wire.openai_chat import OPENAI_CHAT

_REPLY_BYTES_MAX = 1024 * 1024
_ERROR_BYTES_MAX = 64 * 1024

_OWN_CALL = Call(new_request_id(0.0), OPENAI_CHAT, (), "", b"", "pointsman", (), 0.0, perf_counter, 0.0)


class ModelCall:
    """Always the same question but for the user text, always within `deadline_s`."""

    def __init__(self, target: Target, system: str, *, deadline_s: float, max_output_tokens: int) -> None:
        self.card = target.card
        self.deadline_s = deadline_s
        self._target = target
        self._deadlines = Deadlines(deadline_s, deadline_s, deadline_s, deadline_s)
        self._system = Message("system", (Text(system),))
        self._sampling = Sampling(max_output_tokens=max_output_tokens, temperature=0.0)

    async def ask(self, text: str) -> tuple[str, Usage]:
        """What the model says, and what it used. Raises PointsmanError."""
        target, card, dialect = self._target, self.card, self._target.dialect
        asked = Message("user", (Text(text),))
        request = Request(card.id, (self._system, asked), sampling=self._sampling, source=OPENAI_CHAT.name)
        body = dialect.encode_request(request, card).body
        outgoing = target.outgoing(_OWN_CALL, dialect.endpoint(card.id, stream=False), body, None)
        incoming = await target.send(outgoing._replace(deadlines=self._deadlines))
        try:
            if not 200 <= incoming.status < 300:
                refusal = await incoming.read(_ERROR_BYTES_MAX)
                raise dialect.decode_error(incoming.status, incoming.headers, refusal)
            reply = fold(dialect.decode_reply(await incoming.read(_REPLY_BYTES_MAX), card.provider))
        finally:
            incoming.abort()
        return "".join(part.text for part in reply.parts if isinstance(part, Text)), reply.usage
