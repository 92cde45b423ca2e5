"""Takes reports on answers and lets what is learned from them act: on the order of models, on the boundaries between
tiers. The files and the sums are worked on in threads; no request waits for them."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from pointsman.core.errors import NotFound, Unavailable
from pointsman.core.model_card import ModelCard
from pointsman.gateway.call import started_at_s_of
from pointsman.ledger.database import LedgerError
from pointsman.ledger.feedback import Asked, FeedbackStore, Report, StoredCalibration
from pointsman.routing.calibration import CalibrationRules, Label, Moved, calibrate
from pointsman.routing.experience import Experience

Mode = Literal["off", "suggest", "apply"]

_BOOKED_WITHIN_S = 10.0
"""A request is booked behind its answer: one that is younger may still be on its way."""
_LOOK_AGAIN_S = 0.05
_LOOKS_MAX = 40


@dataclass(frozen=True, slots=True)
class FeedbackRules:
    """`mode` says what becomes of a calibration, which is worked out anew after every `calibrate_every` reports;
    `acts_on_order`: models that did well come before others of their tier."""

    calibration: CalibrationRules
    mode: Mode = "suggest"
    calibrate_every: int = 50
    keeps_comments: bool = False
    acts_on_order: bool = False


class Taken(NamedTuple):
    """What became of a report."""

    report: Report
    replaced: bool


class Feedback:
    """`configured` are the boundaries of the configuration. `use` is told which ones are in force, whenever that
    changes; it is called in the event loop. `clock` tells Unix time."""

    def __init__(
        self,
        store: FeedbackStore,
        rules: FeedbackRules,
        experience: Experience,
        tiers: Sequence[str],
        cards: Sequence[ModelCard],
        configured: tuple[float, ...],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.use: Callable[[tuple[float, ...]], None] = lambda boundaries: None
        self.experience = experience
        self._store = store
        self._rules = rules
        self.tiers = tuple(tiers)
        self._places = {tier: place for place, tier in enumerate(tiers)}
        self._tier_of = {card.name: card.tier for card in cards}
        self._configured = configured
        self._clock = clock
        self._since_calibration = 0
        self._has_learned = False

    def restore(self) -> None:
        """Before the first request: takes up what was found earlier, where it is to act. Waits for the disk. Raises
        LedgerError."""
        if self._rules.acts_on_order:
            self._relearn()
        if self._rules.mode == "apply":
            stored = self._store.calibration()
            if stored is not None and self._is_in_force(stored):
                self.use(stored.boundaries)

    async def about_request(self, request_id: str, caller: str, quality: float, comment: str | None) -> Taken:
        """Raises NotFound for a request that there was not, or that another caller made."""
        asked = await self._in_thread(self._find, request_id)
        if asked is None or asked.caller != caller:
            raise NotFound(f"there is no request {request_id[:100]!r} of yours", param="request_id")
        tier = self._tier_of.get(asked.model or "") or asked.tier
        return await self._take(
            Report(
                request_id,
                self._clock(),
                caller,
                quality,
                asked.score,
                tier,
                asked.category,
                asked.profile,
                asked.model,
                comment if self._rules.keeps_comments else None,
            )
        )

    async def plain(self, report: Report) -> Taken:
        """A report about a request of which only score and tier are known."""
        return await self._take(report._replace(at_s=self._clock()))

    async def stats(self) -> dict[str, Any]:
        """What was reported, what was learned, and which boundaries are in force."""
        reports, stored = await self._in_thread(self._everything)
        if not self._has_learned:
            await self._in_thread(self._relearn)
        since_s = _since(stored)
        labels = self._labels(reports, since_s)
        found = calibrate(labels, self._configured, self._rules.calibration)
        is_applied = stored is not None and self._is_in_force(stored)
        by_tier: dict[str, list[float]] = {}
        for report in reports:
            by_tier.setdefault(report.tier or "", []).append(report.quality)
        return {
            "total_feedback": len(reports),
            "avg_quality": _mean([report.quality for report in reports]),
            "by_tier": {
                tier or "none": {"reports": len(all_), "quality": _mean(all_)}
                for tier, all_ in sorted(by_tier.items())
            },
            "models": [
                {**record._asdict(), "quality": round(record.quality, 6), "reports": round(record.reports, 6)}
                for record in self.experience.records(self._clock())
            ],
            "calibration": {
                "mode": self._rules.mode,
                "labels": len(labels),
                "labels_needed": self._rules.calibration.labels_min,
                "configured": list(self._configured),
                "in_force": list(stored.boundaries if stored and is_applied else self._configured),
                "applied_at_s": stored.at_s if stored and is_applied else None,
                "revoked_at_s": since_s or None,
                "suggested": None if found is None else [_told(one) for one in found],
            },
        }

    async def revoke(self) -> bool:
        """The configured boundaries hold again, and only what is reported from now on moves them. False where they
        held already."""
        was_in_force: bool = await self._in_thread(self._store.revoke, self._clock())
        self.use(self._configured)
        return was_in_force

    async def _take(self, report: Report) -> Taken:
        replaced = await self._in_thread(self._store.put, report)
        if replaced or not self._has_learned:
            await self._in_thread(self._relearn)
        elif report.model is not None:
            self.experience.add(report.category, report.model, report.quality, report.at_s)
        self._since_calibration += 1
        if self._rules.mode == "apply" and self._since_calibration >= self._rules.calibrate_every:
            self._since_calibration = 0
            boundaries = await self._in_thread(self._recalibrate)
            if boundaries is not None:
                self.use(boundaries)
        return Taken(report, replaced)

    async def _in_thread(self, work: Callable[..., Any], *arguments: object) -> Any:
        try:
            return await asyncio.to_thread(work, *arguments)
        except LedgerError as error:
            raise Unavailable(f"reports cannot be kept or read now: {error}") from error

    # From here on: in a thread.

    def _find(self, request_id: str) -> Asked | None:
        started_at_s = started_at_s_of(request_id)
        if started_at_s is None:
            return None
        for _ in range(_LOOKS_MAX):
            asked = self._store.asked(request_id)
            if asked is not None or self._clock() - started_at_s > _BOOKED_WITHIN_S:
                return asked
            time.sleep(_LOOK_AGAIN_S)
        return None

    def _everything(self) -> tuple[list[Report], StoredCalibration | None]:
        return self._store.reports(), self._store.calibration()

    def _relearn(self) -> None:
        self.experience.learn(
            (report.category, report.model, report.quality, report.at_s)
            for report in self._store.reports()
            if report.model is not None
        )
        self._has_learned = True

    def _recalibrate(self) -> tuple[float, ...] | None:
        """The new boundaries, kept; None where there is nothing new."""
        reports, stored = self._everything()
        labels = self._labels(reports, _since(stored))
        found = calibrate(labels, self._configured, self._rules.calibration)
        if found is None:
            return None
        boundaries = tuple(one.boundary for one in found)
        if stored is not None and self._is_in_force(stored) and stored.boundaries == boundaries:
            return None
        self._store.calibrate(self._clock(), len(labels), self._configured, boundaries)
        return boundaries

    def _labels(self, reports: Sequence[Report], since_s: float) -> list[Label]:
        return [
            Label(report.score, place, report.quality)
            for report in reports
            if report.score is not None
            and report.at_s > since_s
            and (place := self._places.get(report.tier or "")) is not None
        ]

    def _is_in_force(self, stored: StoredCalibration) -> bool:
        """One that was drawn for other boundaries says nothing about these."""
        return (
            self._rules.mode == "apply"
            and stored.revoked_at_s is None
            and stored.configured == self._configured
        )


def _since(stored: StoredCalibration | None) -> float:
    """Reports from before a calibration was taken back are not used again."""
    return (stored.revoked_at_s or 0.0) if stored is not None else 0.0


def _mean(numbers: Sequence[float]) -> float | None:
    return round(sum(numbers) / len(numbers), 6) if numbers else None


def _told(moved: Moved) -> dict[str, Any]:
    return {
        name: round(value, 6) if isinstance(value, float) else value
        for name, value in moved._asdict().items()
    }
