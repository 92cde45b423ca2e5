"""Settings of rules, profiles and categories: what requests are, beside how hard they are. It applies none of them."""

from typing import Annotated

from pydantic import Field

from pointsman.config.section import Name, Number, Section
from pointsman.routing.profiles import Order
from pointsman.routing.rules import Measure

Words = Annotated[tuple[Annotated[str, Field(min_length=1, max_length=200)], ...], Field(strict=False)]
ModelNames = Annotated[tuple[Name, ...], Field(strict=False)]


class RuleSettings(Section):
    """What outranks the score. The names of the shipped rules (below) change those, key by key; others come after
    them, in their order."""

    enabled: bool = Field(default=True, description="Whether it applies; `false` takes a shipped one away.")
    when: Measure | None = Field(
        default=None,
        description=(
            "What it looks at. `json` is any demand for JSON, in the request or in its system prompt; `media` are"
            " images, documents and audio together; `reasoning_markers` words such as prove or derive."
        ),
    )
    at_least: Number | None = Field(default=None, description="How much there has to be of it. Default: 1.")
    keywords: Words | None = Field(
        default=None,
        description=(
            "Instead of `when`: words, one of which has to be in what is asked. Whole words in any case; a star at the"
            " end lets the word go on."
        ),
    )
    floor: str | None = Field(default=None, description="No lower tier than this.")
    ceiling: str | None = Field(default=None, description="No higher tier than this.")
    tier: str | None = Field(default=None, description="Exactly this tier.")
    model: Name | None = Field(default=None, description="The model that is tried before all others.")


class ProfileSettings(Section):
    """A virtual model: a name that callers ask for, and what it changes. `auto`, `eco`, `premium`, `agentic` and
    `free` are there; their names here change them, key by key."""

    boundary_scale: Number | None = Field(
        default=None, description="What every boundary between tiers is multiplied by."
    )
    boundary_shift: Number | None = Field(
        default=None,
        ge=-1,
        le=1,
        description="What is added to every boundary; above 0 a request has to be harder to get a stronger tier.",
    )
    lift: int | None = Field(
        default=None, ge=-20, le=20, description="By how many tiers every request rises."
    )
    floor: str | None = Field(default=None, description="No lower tier than this.")
    ceiling: str | None = Field(default=None, description="No higher tier than this.")
    order: Order | None = Field(
        default=None,
        description="Which model of a tier is tried first; for `strongest` the dearest stands.",
    )
    only_free: bool | None = Field(default=None, description="Only models that cost nothing.")
    needs_tools: bool | None = Field(
        default=None, description="Only models that can call tools, also where a request brings none."
    )
    follows_categories: bool | None = Field(
        default=None, description="Whether the models of a request's category are tried first."
    )
    models: Annotated[dict[str, ModelNames], Field()] | None = Field(
        default=None,
        description="Its own table: for a tier, the models that are tried before all others, in order.",
    )


class CategorySettings(Section):
    """A kind of task, decided beside the tier. `tools`, `code`, `reasoning` and `conversation` are there; their names
    here give them models of their own."""

    models: ModelNames = Field(
        default=(), description="Tried before any other that can take the request, in order."
    )
    keywords: Words = Field(
        default=(),
        description=(
            "Words, one of which makes a request belong here. Whole words in any case; a star at the end lets the word"
            " go on."
        ),
    )
    description: str = Field(
        default="",
        max_length=2000,
        description="What belongs here, in plain words; two of its significant words make a request belong.",
    )
