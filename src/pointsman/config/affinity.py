"""Settings of affinity: how long a conversation stays with its model."""

from pydantic import Field

from pointsman.config.section import ProviderName, Seconds, Section

KEPT_S = 300.0
"""How long a prompt is cached after its last use, where nobody says otherwise: Anthropic and Ollama promise five
minutes, OpenAI says five to ten, Google does not say."""


class AffinitySettings(Section):
    """A conversation stays with its model, whose provider has the beginning of it in its prompt cache, unless a turn is
    harder than those before or another model saves more than the cache is worth."""

    enabled: bool = Field(
        default=False, description="Whether conversations of routed requests are kept with their models."
    )
    backends: bool = Field(
        default=True,
        description=(
            "Whether a conversation goes on at the backend that answered it last, of a model that has several: routed or"
            " asked for by name, with or without `enabled`."
        ),
    )
    kept_s: dict[ProviderName, Seconds] = Field(
        default_factory=dict,
        description=(
            "For how long after its last turn, by provider: as long as that keeps its prompt cache. Default: 300 for all."
        ),
    )
    conversations_max: int = Field(
        default=20_000, ge=1, le=10_000_000, description="How many conversations are known at once."
    )
