"""Settings of reports on answers: what is kept of them and what they may change."""

from typing import Annotated, Literal

from pydantic import Field

from pointsman.config.section import Number, Section
from pointsman.gateway.feedback import FeedbackRules
from pointsman.routing.calibration import CalibrationRules

_RULES = CalibrationRules()
_FEEDBACK = FeedbackRules(_RULES)

Share = Annotated[Number, Field(ge=0, le=1)]


class FeedbackSettings(Section):
    """Reports on answers (`POST /v1/feedback`). They are kept in the ledger, and change nothing unless it says so
    here."""

    keep_comments: bool = Field(
        default=False, description="Whether the words of a report are kept, and not its number alone."
    )
    reports_max: int = Field(
        default=10_000, ge=100, le=1_000_000, description="How many reports are kept; the oldest go first."
    )
    calibrate: Literal["off", "suggest", "apply"] = Field(
        default=_FEEDBACK.mode,
        description=(
            "What becomes of the boundaries that reports speak for: `suggest` shows them in `GET /v1/feedback/stats`,"
            " `apply` uses them, until `DELETE /v1/feedback/calibration` takes that back."
        ),
    )
    calibrate_every: int = Field(
        default=_FEEDBACK.calibrate_every,
        ge=1,
        le=100_000,
        description="After how many further reports boundaries are worked out anew.",
    )
    labels_min: int = Field(
        default=_RULES.labels_min,
        ge=50,
        le=1_000_000,
        description="How many reports with a score there must be before any boundary moves.",
    )
    good_enough: Share = Field(
        default=_RULES.good_enough,
        description="The share of the stronger tiers' quality that a tier must reach to keep its requests.",
    )
    shift_max: Share = Field(
        default=_RULES.shift_max, description="How far a boundary may move from where it is configured."
    )
    prefer_proven: bool = Field(
        default=False,
        description="Whether, of the models of a tier, those come first that did best with the request's category.",
    )
    half_life_days: Annotated[Number, Field(gt=0, le=3650)] = Field(
        default=30.0, description="The age at which a report counts half for that."
    )
    exploration_rate: Annotated[Number, Field(ge=0, le=0.5)] = Field(
        default=0.0,
        description="The share of requests that go to another model of their tier, so that something is learned of it.",
    )

    def rules(self) -> FeedbackRules:
        return FeedbackRules(
            CalibrationRules(
                labels_min=self.labels_min, good_enough=self.good_enough, shift_max=self.shift_max
            ),
            self.calibrate,
            self.calibrate_every,
            self.keep_comments,
            self.prefer_proven,
        )
