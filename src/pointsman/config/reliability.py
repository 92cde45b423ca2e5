"""Settings of what is done when a provider fails: retries, their budget, and what follows each kind of failure. Nothing
of it is carried out here."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from pointsman.config.section import Name, Number, Seconds, Section, section
from pointsman.fleet.attempts import RetryPolicy
from pointsman.fleet.remedies import FIXED, TABLE

_RETRIES = RetryPolicy()
_CHANGEABLE = tuple(row.outcome for row in TABLE if row.outcome not in FIXED)

Share = Annotated[Number, Field(ge=0, le=1)]
Outcome = Literal[_CHANGEABLE]  # type: ignore[valid-type]  # the words of one table, which stands elsewhere


class RetrySettings(Section):
    """How often, and how soon, a target that failed is asked again for the same request."""

    per_target: int = Field(
        default=_RETRIES.per_target,
        ge=0,
        le=10,
        description="How often one target is asked again, after every other target has been asked once.",
    )
    attempts_max: int = Field(
        default=_RETRIES.attempts_max,
        ge=1,
        le=20,
        description="How often anybody is asked for one request, the first time included.",
    )
    backoff_s: Seconds = Field(
        default=_RETRIES.backoff_s,
        description="The pause before the first retry; it doubles with each. Up to half of it is left to chance.",
    )
    backoff_max_s: Seconds = Field(default=_RETRIES.backoff_max_s, description="The longest such pause.")
    retry_after_max_s: Seconds = Field(
        default=_RETRIES.retry_after_max_s,
        description=(
            "The longest pause that a provider may ask for (`Retry-After`, `retry-after-ms`, `RetryInfo`) and still"
            " be asked again for the same request."
        ),
    )
    budget_share: Share = Field(
        default=0.2,
        description="Retries are at most this share of all requests, so that an outage is not made worse.",
    )
    budget_burst: int = Field(
        default=10, ge=1, le=100_000, description="Retries that may be saved up in quiet times."
    )


class HedgeSettings(Section):
    """Asking a second target when the first has been silent for a while; the first content wins, the other is stopped
    and still paid for. Off unless a model or a profile is named."""

    models: dict[Name, Seconds] = Field(
        default_factory=dict, description="After how many seconds without content, by chosen model."
    )
    profiles: dict[Name, Seconds] = Field(
        default_factory=dict, description="The same by profile, for models that are not named."
    )
    budget_share: Share = Field(
        default=0.05, description="The share of those requests for which that happens at most."
    )
    budget_burst: int = Field(default=5, ge=1, le=100_000, description="How many may be saved up.")


class ReliabilitySettings(Section):
    """What is done when a provider fails, until the first content has reached the caller."""

    retries: Annotated[
        RetrySettings, BeforeValidator(section, json_schema_input_type=RetrySettings | None)
    ] = Field(default=RetrySettings(), description="Asking a target again.")
    hedging: Annotated[
        HedgeSettings, BeforeValidator(section, json_schema_input_type=HedgeSettings | None)
    ] = Field(default=HedgeSettings(), description="Asking two targets at once.")
    outcomes: dict[Outcome, Literal["retry", "next", "larger", "stop"]] = Field(
        default_factory=dict,
        description=(
            "What follows a kind of failure, where it is to be something else than docs/reliability.md says: `retry`"
            " (the next target, and this one again later), `next`, `larger` (the next with more context) or `stop`."
        ),
    )
