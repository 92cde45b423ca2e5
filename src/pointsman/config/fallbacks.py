"""Settings of who answers in another's place: chains that are written down, and how far a substitute may depart from the
chosen model without consent. Nothing of it is carried out here."""

from typing import Annotated

from pydantic import Field

from pointsman.config.section import Multiple, Name, ProviderName, Region, Section

Models = Annotated[tuple[Name, ...], Field(strict=False, min_length=1, max_length=20)]


class ChainSettings(Section):
    """Which models are asked, in order. Models that cannot take a request are left out. Without a chain, routed requests
    keep the order that routing gives them, and a model that is asked for by name has nobody to answer in its place."""

    tiers: dict[Name, Models] = Field(
        default_factory=dict, description="For requests of a tier: the first is the choice."
    )
    categories: dict[Name, Models] = Field(
        default_factory=dict, description="For requests of a category; goes before its tier's."
    )
    models: dict[Name, Models] = Field(
        default_factory=dict, description="The fallbacks of a model that is asked for by name."
    )


class ConsentSettings(Section):
    """How far a model that answers in another's place may depart from the chosen one, unless the caller consents
    (`x-pointsman-consent`). What is not known of it counts against it."""

    price_multiple_max: Multiple | None = Field(
        default=None,
        description="How many times as dear as the chosen model, three input tokens to one output token.",
    )
    regions: Annotated[tuple[Region, ...], Field(strict=False)] = Field(
        default=(), description="The regions it may be served in (`region` of providers and backends)."
    )
    vendors: Annotated[tuple[ProviderName, ...], Field(strict=False)] = Field(
        default=(), description="The providers it may come from."
    )
    tier_min: Name | None = Field(default=None, description="The lowest tier it may have.")
    keep_tier: bool = Field(default=False, description="No lower tier than that of the chosen model.")
    by_header: bool = Field(default=True, description="Whether a caller may consent to more by header.")
