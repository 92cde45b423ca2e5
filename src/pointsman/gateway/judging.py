"""Two who have opinions on how strong a model a request needs: a language model that judges, and an external
classifier. Each is asked once per question; whom to ask and when is decided elsewhere."""

from time import perf_counter
from typing import Literal

from pointsman.core.errors import PointsmanError, UpstreamError, UpstreamFault
from pointsman.core.model_card import ModelCard
from pointsman.core.usage import Usage
from pointsman.gateway.adviser import Answered
from pointsman.gateway.model_call import ModelCall, NotAsked, Reach
from pointsman.ledger.entry import SideCall
from pointsman.routing.judge import Judging, conversation, instructions, question_text, verdict
from pointsman.routing.opinions import Opinion, Question
from pointsman.upstream.sidecar import Sidecar


class ModelJudge:
    """A model that names a tier."""

    def __init__(
        self,
        reach: Reach,
        card: ModelCard,
        judging: Judging,
        *,
        deadline_s: float,
        max_output_tokens: int,
    ) -> None:
        self._judging = judging
        self._model = ModelCall(
            reach, card, instructions(judging), deadline_s=deadline_s, max_output_tokens=max_output_tokens
        )

    def text(self, question: Question) -> str:
        return conversation(question, self._judging.conversation_chars_max)

    async def ask(self, text: str) -> Answered:
        card = self._model.card
        started_s = perf_counter()
        usage: Usage | None = None
        fault: str | None = None
        try:
            said, usage = await self._model.ask(question_text(text))
        except NotAsked as error:
            return Answered(Opinion(f"not asked: {error.message}"), None)
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
        card = self._model.card
        return SideCall("judge", card.name, card.provider, outcome, None, None, None, 0.0)

    def _failure(self, error: UpstreamError) -> str:
        name = self._model.card.name
        if error.fault is UpstreamFault.TIMED_OUT:
            return f"{name} took more than {self._model.deadline_s:g} s"
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
