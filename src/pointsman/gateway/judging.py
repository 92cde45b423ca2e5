"""Two who have opinions on how strong a model a request needs: a language model that judges, and an external
classifier. Each is asked once per question; whom to ask and when is decided elsewhere."""

from time import perf_counter
from typing import Literal

from pointsman.core.errors import PointsmanError, UpstreamError, UpstreamFault
from pointsman.core.events import fold
from pointsman.core.ports import Deadlines
from pointsman.core.request import Message, Request, Sampling, Text
from pointsman.core.usage import Usage
from pointsman.gateway.adviser import Answered
from pointsman.gateway.call import Call, new_request_id
from pointsman.gateway.target import Target
from pointsman.ledger.entry import SideCall
from pointsman.routing.judge import Judging, conversation, instructions, question_text, verdict
from pointsman.routing.opinions import Opinion, Question
from pointsman.upstream.sidecar import Sidecar
from pointsman.wire.openai_chat import OPENAI_CHAT

_REPLY_BYTES_MAX = 1024 * 1024
_ERROR_BYTES_MAX = 64 * 1024


class ModelJudge:
    """A model that names a tier."""

    def __init__(
        self,
        target: Target,
        judging: Judging,
        *,
        deadline_s: float,
        max_output_tokens: int,
    ) -> None:
        self._target = target
        self._judging = judging
        self._deadline_s = deadline_s
        self._deadlines = Deadlines(deadline_s, deadline_s, deadline_s, deadline_s)
        self._system = Message("system", (Text(instructions(judging)),))
        self._sampling = Sampling(max_output_tokens=max_output_tokens, temperature=0.0)

    def text(self, question: Question) -> str:
        return conversation(question, self._judging.conversation_chars_max)

    async def ask(self, text: str) -> Answered:
        card = self._target.card
        started_s = perf_counter()
        usage: Usage | None = None
        fault: str | None = None
        try:
            said, usage = await self._verdict_on(text)
        except UpstreamError as error:
            opinion, fault = Opinion(self._failure(error)), error.fault.value
        except PointsmanError as error:
            opinion, fault = Opinion(f"{card.name} could not be asked"), type(error).__name__
        else:
            tier = verdict(said, self._judging.tiers)
            if tier is None:
                opinion, fault = Opinion(f"{card.name} named no level"), "no_verdict"
            else:
                opinion = Opinion(f"{card.name} says {tier}", tier=tier)
        return Answered(
            opinion,
            SideCall(
                "judge",
                card.name,
                card.provider,
                "failed" if fault is not None else "complete",
                fault,
                usage,
                card.price,
                (perf_counter() - started_s) * 1000.0,
            ),
        )

    def unpaid(self, outcome: Literal["cached", "cancelled"]) -> SideCall:
        card = self._target.card
        return SideCall("judge", card.name, card.provider, outcome, None, None, None, 0.0)

    async def _verdict_on(self, text: str) -> tuple[str, Usage]:
        """What the model said, and what it used."""
        target, card, dialect = self._target, self._target.card, self._target.dialect
        asked = Message("user", (Text(question_text(text)),))
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

    def _failure(self, error: UpstreamError) -> str:
        name = self._target.card.name
        if error.fault is UpstreamFault.TIMED_OUT:
            return f"{name} took more than {self._deadline_s:g} s"
        return f"{name} failed: {error.fault.value}"


class Classifier:
    """A sidecar as somebody who has opinions. It reads what the user wants and nothing else."""

    def __init__(self, sidecar: Sidecar, *, prompt_chars_max: int) -> None:
        self._sidecar = sidecar
        self._prompt_chars_max = prompt_chars_max

    def text(self, question: Question) -> str:
        asked, most = question.asked, self._prompt_chars_max
        return asked if len(asked) <= most else f"{asked[: most // 2]}\n{asked[-(most // 2) :]}"

    async def ask(self, text: str) -> Answered:
        started_s = perf_counter()
        fault: str | None = None
        try:
            rate = await self._sidecar.strong_win_rate(text)
        except UpstreamError as error:
            opinion, fault = Opinion(f"it failed: {error.fault.value}"), error.fault.value
        except PointsmanError as error:
            opinion, fault = Opinion("it could not be asked"), type(error).__name__
        else:
            opinion = Opinion(f"a strong model wins with {rate:.2f}", rate)
        return Answered(
            opinion,
            SideCall(
                "sidecar",
                "sidecar",
                self._sidecar.host,
                "failed" if fault is not None else "complete",
                fault,
                None,
                None,
                (perf_counter() - started_s) * 1000.0,
            ),
        )

    def unpaid(self, outcome: Literal["cached", "cancelled"]) -> SideCall:
        return SideCall("sidecar", "sidecar", self._sidecar.host, outcome, None, None, None, 0.0)


_OWN_CALL = Call(new_request_id(0.0), OPENAI_CHAT, (), "", b"", "pointsman", (), 0.0, perf_counter, 0.0)
"""Of no caller: none of a caller's headers or keys reaches a judge."""
