"""Model cards and a fleet that is told which backends are closed, and notes what it is told."""

from collections.abc import Sequence
from dataclasses import dataclass

from pointsman.core.errors import UpstreamError, UpstreamFault
from pointsman.core.model_card import ModelCard
from pointsman.fleet.attempts import Attempts, GiveUp, Try, Wait
from pointsman.fleet.lease import Closed, Verdict
from pointsman.fleet.terms import NO_TERMS, Terms


def card(name: str, context_tokens: int | None = None) -> ModelCard:
    return ModelCard(name, "p", f"{name}-1", context_tokens=context_tokens)


def fault(kind: UpstreamFault, retry_after_s: float | None = None) -> UpstreamError:
    return UpstreamError(kind, "no", retry_after_s=retry_after_s)


@dataclass
class Leased:
    backend: str


class NotedFleet:
    """`backends` by model; without a word a model has one of its own name."""

    def __init__(self, **backends: Sequence[str]) -> None:
        self.backends = backends
        self.closed: set[str] = set()
        self.out: list[str] = []
        self.answers: list[str] = []
        self.verdicts: list[tuple[str, str]] = []

    def pick(
        self, model: str, now_s: float, avoid: Sequence[str] = (), terms: Terms = NO_TERMS
    ) -> Leased | Closed:
        for backend in self.backends.get(model, (model,)):
            if backend not in self.closed and backend not in avoid:
                self.out.append(backend)
                return Leased(backend)
        return Closed(now_s + 30.0, "it failed too often")

    def answered(self, lease: Leased, now_s: float) -> None:
        self.answers.append(lease.backend)

    def settle(
        self,
        lease: Leased,
        verdict: Verdict | UpstreamFault,
        now_s: float,
        first_byte_s: float | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        self.out.remove(lease.backend)
        self.verdicts.append((lease.backend, verdict.value))


def tried(attempts: Attempts, now_s: float = 0.0) -> Try:
    step = attempts.next(now_s)
    assert isinstance(step, Try), step
    return step


def waited(attempts: Attempts, now_s: float = 0.0) -> float:
    step = attempts.next(now_s)
    assert isinstance(step, Wait), step
    return step.seconds


def gave_up(attempts: Attempts, now_s: float = 0.0) -> GiveUp:
    step = attempts.next(now_s)
    assert isinstance(step, GiveUp), step
    return step
