"""Settings of where a model is served when that is more than one place, and of when calls to a place stop. Who is
asked next is decided in fleet."""

from typing import Annotated

from pydantic import Field

from pointsman.config.section import Number, Region, Seconds, Section, Usd
from pointsman.fleet.breaker import BreakerPolicy

_BREAKER = BreakerPolicy()

ModelId = Annotated[str, Field(min_length=1, max_length=300)]


class BackendSettings(Section):
    """One of several places that serve a model: another key, another region, another host. The cheapest that is
    well is asked; places of one price share the calls by weight, by what each is busy with and by how fast it is."""

    provider: str = Field(description="Which of `providers` serves it there.")
    id: ModelId | None = Field(
        default=None, description="What that provider calls it. Default: `id` of the model."
    )
    weight: Annotated[Number, Field(ge=0, le=1000)] = Field(
        default=1.0,
        description="Its share of the calls, beside places of the same price. 0: only when the others are down.",
    )
    region: Region | None = Field(default=None, description="Where it is. Default: that of its provider.")
    usd_per_million_input: Usd | None = Field(
        default=None, description="Its own price. Default: that of the model, else what is known of it there."
    )
    usd_per_million_output: Usd | None = Field(default=None, description="As above.")
    usd_per_million_cache_read: Usd | None = Field(default=None, description="As above.")
    usd_per_million_cache_write: Usd | None = Field(default=None, description="As above.")


class ProbeSettings(Section):
    """A question that costs nothing, put to a provider again and again: whether it is there."""

    path: Annotated[str, Field(min_length=1, max_length=300, pattern=r"^/[!-~]*$")] = Field(
        default="/models", description="What is asked for with GET, below `base_url`. It must not be billed."
    )
    every_s: Annotated[Number, Field(ge=1, le=86_400)] = Field(
        default=30.0, description="How long after one answer it is asked again."
    )
    timeout_s: Seconds = Field(default=5.0, description="How long an answer may take.")


class BreakerSettings(Section):
    """When calls to a backend (a model at one provider) stop, and how they begin again."""

    consecutive_failures: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=_BREAKER.consecutive_failures, description="Failures in a row that stop them."
    )
    error_rate: Annotated[Number, Field(gt=0, le=1)] = Field(
        default=_BREAKER.error_rate, description="Share of failures among recent calls that stops them."
    )
    min_calls: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        default=_BREAKER.min_calls, description="Calls that must have been made before that share counts."
    )
    window_s: Seconds = Field(default=_BREAKER.window_s, description="How recent a call must be to count.")
    open_s: Seconds = Field(
        default=_BREAKER.open_s,
        description="How long no call is made. Then one call goes first, and the others if it succeeds.",
    )
    growth: Annotated[Number, Field(ge=1, le=10)] = Field(
        default=_BREAKER.growth, description="How many times as long with each repetition."
    )
    open_max_s: Seconds = Field(default=_BREAKER.open_max_s, description="The longest it grows to.")
    probe_expires_s: Seconds = Field(
        default=_BREAKER.probe_expires_s,
        description="How long the call that goes first is waited for before another one is tried.",
    )
    auth_open_s: Seconds = Field(
        default=_BREAKER.auth_open_s,
        description="Instead of `open_s`, at the first refusal of a key or of an account without money.",
    )
    rate_limited_s: Seconds = Field(
        default=_BREAKER.rate_limited_s,
        description="The pause after a rate limit, where the provider asks for none.",
    )
    overloaded_s: Seconds = Field(
        default=_BREAKER.overloaded_s,
        description="The pause after an overload, where the provider asks for none.",
    )
    retry_after_max_s: Seconds = Field(
        default=_BREAKER.retry_after_max_s,
        description="The longest pause that a provider may ask for (`Retry-After`).",
    )
    slow_start_s: Annotated[Number, Field(ge=0, le=86_400)] = Field(
        default=_BREAKER.slow_start_s,
        description="How long it takes after any of it until the backend has its whole share again.",
    )
