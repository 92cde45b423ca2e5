"""Settings of judge, sidecar, feedback and affinity as the objects that do the work. It decides nothing."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from pointsman.config.affinity import KEPT_S
from pointsman.config.opinions import table_of
from pointsman.config.schema import Settings
from pointsman.config.values import policy_of
from pointsman.core.model_card import ModelCard
from pointsman.core.ports import Send
from pointsman.gateway.adviser import Adviser
from pointsman.gateway.cascade import Cascade, CascadeRules
from pointsman.gateway.consult import Consult, Proven
from pointsman.gateway.dispatch import Dispatch
from pointsman.gateway.feedback import Feedback
from pointsman.gateway.homes import Staying
from pointsman.gateway.judging import Classifier, ModelJudge
from pointsman.gateway.model_call import ModelCall, Reach
from pointsman.gateway.target import Target
from pointsman.ledger.feedback import FeedbackStore
from pointsman.routing.affinity import Affinity
from pointsman.routing.answer_judge import INSTRUCTIONS
from pointsman.routing.decide import Router
from pointsman.routing.experience import Experience
from pointsman.routing.judge import Judging
from pointsman.routing.opinions import Seat
from pointsman.upstream.sidecar import Sidecar

_DAY_S = 86_400.0


def panel_of(settings: Settings) -> list[Seat]:
    """The sidecar first: it is the faster of the two, and may make the judge's opinion superfluous."""
    judge, sidecar = settings.judge, settings.sidecar
    panel = []
    if sidecar.url is not None:
        panel.append(Seat("sidecar", sidecar.when, sidecar.band, sidecar.weight))
    if judge.model is not None and judge.when != "never":
        panel.append(Seat("judge", judge.when, judge.band, judge.weight))
    return panel


def consult_of(
    settings: Settings,
    router: Router,
    targets: Mapping[str, Target],
    reach: Reach,
    send: Send,
    feedback: Feedback | None,
) -> Consult | None:
    """`targets` by model. None where the rules decide alone."""
    judge, sidecar, reports = settings.judge, settings.sidecar, settings.feedback
    advisers: dict[str, Adviser] = {}
    if sidecar.url is not None:
        classifier = Classifier(
            Sidecar(sidecar.url, send, sidecar.deadline_s), prompt_chars_max=sidecar.max_chars
        )
        advisers["sidecar"] = Adviser(classifier, sidecar.limits(), time.monotonic)
    if judge.model is not None and judge.when != "never":
        model_judge = ModelJudge(
            reach,
            targets[judge.model].card,
            Judging(settings.tiers, table_of(judge, settings.tiers), judge.max_chars),
            deadline_s=judge.deadline_s,
            max_output_tokens=judge.max_output_tokens,
        )
        advisers["judge"] = Adviser(model_judge, judge.limits(), time.monotonic)
    proven = None
    if feedback is not None and (reports.prefer_proven or reports.exploration_rate):
        proven = Proven(feedback.experience, reports.prefer_proven, reports.exploration_rate)
    affinity = _affinity_of(settings, targets) if settings.affinity.enabled else None
    if not advisers and proven is None and affinity is None:
        return None
    return Consult(router, advisers, proven, affinity)


def _affinity_of(settings: Settings, targets: Mapping[str, Target]) -> Affinity:
    affinity = settings.affinity
    kept_s = {name: affinity.kept_s.get(target.provider.name, KEPT_S) for name, target in targets.items()}
    policy = policy_of(settings)
    return Affinity(policy.tiers, kept_s, policy.expected_output_tokens, affinity.conversations_max)


def staying_of(settings: Settings, targets: Mapping[str, Target]) -> Staying | None:
    """`targets` by backend. None where no model has several, or nothing is to stay."""
    affinity = settings.affinity
    count = Counter(target.card.name for target in targets.values())
    models = frozenset(name for name, backends in count.items() if backends > 1)
    if not models or not affinity.backends:
        return None
    kept_s = {
        backend: affinity.kept_s.get(target.provider.name, KEPT_S)
        for backend, target in targets.items()
        if target.card.name in models
    }
    return Staying(kept_s, models, affinity.conversations_max)


def feedback_of(
    settings: Settings, cards: Sequence[ModelCard], boundaries: tuple[float, ...]
) -> Feedback | None:
    """None where nothing is booked. What was reported earlier is read at once where it acts at once, and may then
    raise LedgerError."""
    ledger, reports = settings.ledger, settings.feedback
    if not ledger.enabled or ledger.path is None:
        return None
    return Feedback(
        FeedbackStore(Path(ledger.path), reports.reports_max),
        reports.rules(),
        Experience(reports.half_life_days * _DAY_S),
        settings.tiers,
        cards,
        boundaries,
    )


def cascade_of(
    settings: Settings, targets: Mapping[str, Target], reach: Reach, dispatch: Dispatch
) -> Cascade | None:
    """`targets` by model. None where nobody drafts."""
    cascade = settings.cascade
    if not cascade.profiles and not cascade.drafts:
        return None
    rules = CascadeRules(
        settings.tiers,
        frozenset(cascade.profiles),
        cascade.drafts,
        cascade.mean_logprob_min,
        frozenset(name for name, target in targets.items() if target.dialect.name == "openai-chat"),
    )
    judge = None
    if cascade.judge is not None:
        judge = ModelCall(
            reach,
            targets[cascade.judge].card,
            INSTRUCTIONS,
            deadline_s=cascade.judge_deadline_s,
            max_output_tokens=settings.judge.max_output_tokens,
        )
    return Cascade(rules, dispatch, judge)
