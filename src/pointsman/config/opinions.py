"""Settings of those whose opinion may be asked before a model is chosen: a judge and a sidecar. Both are off by
default, and cost nothing then."""

import importlib.resources
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from pointsman.config.section import Name, Number, Seconds, Section, Url
from pointsman.core.errors import ConfigError, Problem
from pointsman.gateway.adviser import Limits
from pointsman.routing.judge import Task, read_table, stretched
from pointsman.routing.presets import DEFAULT_TIERS

_LIMITS = Limits()

Share = Annotated[Number, Field(ge=0, le=1)]


class AdviserSettings(Section):
    """What holds for whoever is asked."""

    band: Share = Field(
        default=0.06,
        description=(
            "How near a boundary the score has to be to be unsure: the opinion is asked for where the score, moved by"
            " this much up or down, would mean another tier."
        ),
    )
    cache_entries: int = Field(
        default=_LIMITS.remembered_max,
        ge=1,
        le=1_000_000,
        description="How many opinions are remembered (as a digest of the question, not its text).",
    )
    cache_ttl_s: Seconds = Field(
        default=_LIMITS.remembered_s, description="How long each of them is remembered."
    )
    concurrent_max: int = Field(
        default=_LIMITS.asked_at_once_max,
        ge=1,
        le=10_000,
        description="How many questions may be under way at once; beyond it the rules decide alone.",
    )
    pause_after_failures: int = Field(
        default=_LIMITS.failures_max,
        ge=1,
        le=1000,
        description="After so many failures in a row nobody is asked for a while.",
    )
    pause_s: Seconds = Field(default=_LIMITS.pause_s, description="How long that while is.")

    def limits(self) -> Limits:
        return Limits(
            remembered_max=self.cache_entries,
            remembered_s=self.cache_ttl_s,
            asked_at_once_max=self.concurrent_max,
            failures_max=self.pause_after_failures,
            pause_s=self.pause_s,
        )


class JudgeSettings(AdviserSettings):
    """A language model that is asked which tier a request needs. Its answer is an opinion: late, failed or
    unreadable it counts as none, and the rules decide."""

    when: Literal["never", "unsure", "always"] = Field(
        default="never",
        description="`unsure`: only near a boundary (see `band`). `always`: wherever it could change the tier.",
    )
    model: Name | None = Field(
        default=None,
        description=(
            "Which of `models` judges. A small and fast one, at any provider or on your own machine; without a tier it"
            " is used for nothing else."
        ),
    )
    weight: Share = Field(default=1.0, description="How much of the score its opinion replaces.")
    deadline_s: Seconds = Field(default=3.0, description="How long a request waits for it.")
    max_chars: int = Field(
        default=4000,
        ge=200,
        le=1_000_000,
        description="How much of a conversation it is shown, in characters. The last user turn is always among it.",
    )
    max_output_tokens: int = Field(
        default=256, ge=16, le=100_000, description="How much it may write, thinking included."
    )
    routes_file: str | None = Field(
        default=None,
        min_length=1,
        description=(
            "A Markdown table of tasks and the tiers they need. A relative path counts from the configuration file."
            " Default: the table that `pointsman config routes` prints."
        ),
    )


class SidecarSettings(AdviserSettings):
    """A classifier of your own. It is sent `{"prompt": TEXT}` with what the user wants, and answers
    `{"strong_win_rate": 0..1}`. Late, failed or unreadable it counts as having no opinion, and the rules decide."""

    when: Literal["unsure", "always"] = Field(
        default="always",
        description="`always`: wherever it could change the tier. `unsure`: only near a boundary (see `band`).",
    )
    url: Url | None = Field(default=None, description="Where it is posted to. Without one nobody is asked.")
    weight: Share = Field(default=0.7, description="How much of the score its opinion replaces.")
    deadline_s: Seconds = Field(default=1.0, description="How long a request waits for it.")
    max_chars: int = Field(
        default=8000, ge=200, le=1_000_000, description="How much of what the user wants it is sent."
    )


def default_routes() -> str:
    """The table that ships, written for the default tiers."""
    return importlib.resources.files("pointsman.routing").joinpath("ROUTES.md").read_text("utf-8")


def table_of(judge: JudgeSettings, tiers: Sequence[str]) -> tuple[Task, ...]:
    """What the judge is told of tasks and tiers. Raises ConfigError for a file that cannot be used."""
    if judge.routes_file is None:
        shipped = read_table(default_routes(), DEFAULT_TIERS, "ROUTES.md")
        return stretched(shipped, DEFAULT_TIERS, tiers)
    try:
        text = Path(judge.routes_file).read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        problem = Problem(judge.routes_file, f"not readable ({why})", "a file with a Markdown table")
        raise ConfigError([problem]) from None
    return read_table(text, tiers, judge.routes_file)
