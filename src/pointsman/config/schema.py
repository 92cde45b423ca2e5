"""Every setting there is: its name, type, default and meaning. Reading and cross-checking happen elsewhere.

The descriptions become docs/configuration.md and the JSON Schema that editors use. Units stand in the names.
"""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from pointsman.config.affinity import AffinitySettings
from pointsman.config.backends import BackendSettings, BreakerSettings, ModelId, ProbeSettings
from pointsman.config.cascade import CascadeSettings
from pointsman.config.deadlines import DeadlineSettings
from pointsman.config.discovery import DiscoverSettings, DiscoverySettings, switch
from pointsman.config.fallbacks import ChainSettings, ConsentSettings
from pointsman.config.feedback import FeedbackSettings
from pointsman.config.learned import LearnedSettings
from pointsman.config.limits import LimitsSettings, TargetLimitsSettings
from pointsman.config.opinions import JudgeSettings, SidecarSettings
from pointsman.config.reliability import ReliabilitySettings
from pointsman.config.reload import ReloadSettings
from pointsman.config.routing import CategorySettings, ProfileSettings, RuleSettings
from pointsman.config.section import (
    DialectName,
    Name,
    Number,
    ProviderName,
    Region,
    Seconds,
    Secret,
    Section,
    Tokens,
    Url,
    Usd,
    section,
)
from pointsman.core.model_card import Ability
from pointsman.routing.presets import DEFAULT_TIERS, PRESETS
from pointsman.upstream.provider import CredentialHeader


def _preset(value: Any) -> Any:
    """A preset's name stands for its tiers."""
    if isinstance(value, str):
        if value not in PRESETS:
            raise ValueError(f"a list of tiers, or one of {', '.join(PRESETS)}")
        return PRESETS[value]
    return value


class ServerSettings(Section):
    """Where Pointsman listens, and who may call."""

    host: str = Field(
        default="127.0.0.1",
        min_length=1,
        pattern=r"^[^\s/]+$",
        description="Address to listen on. Anything but a loopback address needs a master key.",
    )
    port: int = Field(default=4000, ge=0, le=65535, description="Port to listen on; 0 takes any free one.")
    master_key: Secret | None = Field(
        default=None,
        description="The key every call but /health must carry. Only as a reference: `$NAME`.",
    )
    admin_key: Secret | None = Field(
        default=None,
        description=(
            "The key that opens what changes the gateway while it runs, and nothing that reaches a model. Without one"
            " nothing can be changed from outside. Only as a reference: `$NAME`."
        ),
    )
    cors_origins: Annotated[tuple[str, ...], Field(strict=False)] = Field(
        default=(), description="Web pages that may call from a browser, as `https://host[:port]`."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="How much is written to standard error."
    )
    max_body_bytes: int = Field(
        default=64 * 1024 * 1024,
        ge=1024,
        le=4 * 1024**3,
        description="The largest request body that is read.",
    )
    keepalive_after_s: Seconds = Field(
        default=1.0,
        description=(
            "How long the caller of a stream hears nothing before it is told that an answer will come (and then every"
            " ten seconds of silence), so that nobody on the way gives up."
        ),
    )
    shutdown_grace_s: Seconds = Field(
        default=10.0, description="How long answers under way may go on after SIGTERM before they are cut."
    )


class ProviderSettings(Section):
    """One provider. The names in the table below bring everything but the key with them."""

    dialect: DialectName | None = Field(
        default=None, description="How it speaks. Default: what its name brings with it."
    )
    also_speaks: Annotated[tuple[DialectName, ...], Field(strict=False)] | None = Field(
        default=None,
        description=(
            "Further dialects it speaks at the same `base_url`. A caller of one of them is answered in it, byte"
            " for byte; everybody else's request is translated to `dialect`. Default: what its name brings with it."
        ),
    )
    base_url: Url | None = Field(
        default=None,
        description=(
            "What `/chat/completions`, `/responses`, `/messages`, `/models/MODEL:generateContent` or `/api/chat`"
            " is added to; http or https. May hold `$NAME`."
            " Default: what the provider's name brings with it."
        ),
    )
    api_key: Secret | None = Field(
        default=None,
        description=(
            "Only as a reference: `$NAME`. Default: the variable that belongs to the provider's name, unless"
            " `base_url` or `pass_through_caller_key` is set."
        ),
    )
    credential_header: CredentialHeader | None = Field(
        default=None,
        description=(
            "How the key is sent: `bearer` (Authorization: Bearer), `x-api-key`, `x-goog-api-key`, `api-key` or"
            " `none`. Default: as the provider's name says, else `x-api-key` for anthropic-messages,"
            " `x-goog-api-key` for gemini and `bearer` for the others."
        ),
    )
    profile: str | None = Field(
        default=None,
        description=(
            "How its API departs from openai-chat, where a request is translated for it: the name of the known"
            " provider that it is like. Default: its own name, if that is known, else a careful middle way."
        ),
    )
    headers: dict[str, str] = Field(
        default_factory=dict,
        description="Sent with every request. Values may hold `$NAME`; those that carry keys must.",
    )
    pass_through_caller_key: bool = Field(
        default=False,
        description=(
            "A caller's own key of this provider's kind is sent instead of ours. Never to another provider."
        ),
    )
    caller_key_prefixes: Annotated[tuple[Name, ...], Field(strict=False)] | None = Field(
        default=None,
        description="What this provider's keys begin with. Default: what its name brings with it.",
    )
    discover: Annotated[
        DiscoverSettings | None,
        BeforeValidator(switch, json_schema_input_type=DiscoverSettings | bool | None),
    ] = Field(
        default=None,
        description=(
            "`true`: ask the provider for its models and serve them under its names for them, besides those in `models`."
            " A section says which. For OpenAI-compatible servers, LiteLLM and Ollama."
            " Other settings may name them: what names one that is not listed yet is left out until it is."
        ),
    )
    region: Region | None = Field(
        default=None,
        description="Where it is: for `consent.regions`, and shown by `/v1/backends` and `/metrics`.",
    )
    include_stream_usage: bool = Field(
        default=False,
        description="Ask for token counts in every stream, also where the caller did not (openai-chat only).",
    )
    deadlines: Annotated[
        DeadlineSettings, BeforeValidator(section, json_schema_input_type=DeadlineSettings | None)
    ] = Field(default=DeadlineSettings(), description="How long it may take, where that is its own.")
    limits: Annotated[
        TargetLimitsSettings, BeforeValidator(section, json_schema_input_type=TargetLimitsSettings | None)
    ] = Field(default=TargetLimitsSettings(), description="How many requests it gets at once.")
    probe: ProbeSettings | None = Field(
        default=None,
        description="Whether it is asked by itself if it is there. Default: only by the callers' requests.",
    )


class ModelSettings(Section):
    """One model under the name that callers use. What is not given is looked up in the bundled price data,
    and stays unknown where that has nothing either."""

    provider: str | None = Field(
        default=None, description="Which of `providers` serves it. Required where there are no `backends`."
    )
    id: ModelId | None = Field(
        default=None, description="What the provider calls it. Default: the name here."
    )
    backends: Annotated[tuple[BackendSettings, ...], Field(strict=False, max_length=50)] = Field(
        default=(),
        description="The places that serve it, instead of `provider`, where there is more than one.",
    )
    tier: str | None = Field(
        default=None,
        description="One of `tiers`: how hard the requests are that it gets. Without one it is only used by name.",
    )
    usd_per_million_input: Usd | None = Field(
        default=None, description="US dollars per million input tokens."
    )
    usd_per_million_output: Usd | None = Field(
        default=None, description="US dollars per million output tokens."
    )
    usd_per_million_cache_read: Usd | None = Field(
        default=None,
        description=(
            "US dollars per million tokens read from the provider's cache. Default: what is known, if the two prices"
            " above are not given or are the known ones, else as any input."
        ),
    )
    usd_per_million_cache_write: Usd | None = Field(
        default=None,
        description="US dollars per million tokens written to the provider's cache. Default: as for reading.",
    )
    context_tokens: Tokens | None = Field(
        default=None, description="The most tokens it takes, prompt and answer together."
    )
    max_output_tokens: Tokens | None = Field(default=None, description="The most tokens it writes.")
    deadlines: Annotated[
        DeadlineSettings, BeforeValidator(section, json_schema_input_type=DeadlineSettings | None)
    ] = Field(default=DeadlineSettings(), description="How long it may take, where that is its own.")
    abilities: Annotated[frozenset[Ability], Field(strict=False)] | None = Field(
        default=None,
        description=(
            "What it can do besides reading and writing text. Requests that need anything else go elsewhere."
            " Default: what is known of it, else it is tried with everything."
        ),
    )
    limits: Annotated[
        TargetLimitsSettings, BeforeValidator(section, json_schema_input_type=TargetLimitsSettings | None)
    ] = Field(default=TargetLimitsSettings(), description="How many requests it gets at once.")
    coder: bool | None = Field(
        default=None,
        description=(
            "Made for programming: within its tier it is tried first with requests about code and last with others."
            " Default: as its name says."
        ),
    )

    @property
    def places(self) -> tuple[BackendSettings, ...]:
        """Where it is served; none while the configuration is wrong."""
        if self.backends or self.provider is None:
            return self.backends
        return (BackendSettings(provider=self.provider),)


class RoutingSettings(Section):
    """How a request's score becomes a tier."""

    boundaries: Annotated[tuple[Number, ...], Field(strict=False)] | None = Field(
        default=None,
        description="Scores (0 to 1) at which the next tier begins, rising: one fewer than there are tiers.",
    )
    weights: dict[str, Number] = Field(
        default_factory=dict, description="How much each signal counts; those not named keep their default."
    )
    rules: dict[Name, RuleSettings] = Field(
        default_factory=dict, description="What outranks the score: floors, ceilings, tiers, models."
    )
    told_in_answers: bool = Field(
        default=False,
        description=(
            "Whether every answer says in a `_routing` object how it was routed. Else only those do whose callers send"
            " `x-pointsman-routing: true`."
        ),
    )
    learned: Annotated[
        LearnedSettings, BeforeValidator(section, json_schema_input_type=LearnedSettings | None)
    ] = Field(default=LearnedSettings(), description="What was learned from outcomes.")


class LedgerSettings(Section):
    """The book of what happened and what it cost."""

    enabled: bool = Field(default=True, description="Whether requests are booked at all.")
    path: str | None = Field(
        default=None,
        min_length=1,
        description=(
            "The SQLite file. A relative path counts from the configuration file. Default: `ledger.db` in"
            " `$POINTSMAN_STATE_DIR`, else in `$XDG_STATE_HOME/pointsman`, else in `~/.local/state/pointsman`."
        ),
    )


class Settings(Section):
    """Everything that can be set."""

    server: Annotated[
        ServerSettings, BeforeValidator(section, json_schema_input_type=ServerSettings | None)
    ] = Field(default=ServerSettings(), description="Where Pointsman listens, and who may call.")
    limits: Annotated[
        LimitsSettings, BeforeValidator(section, json_schema_input_type=LimitsSettings | None)
    ] = Field(default=LimitsSettings(), description="How much this process does at once.")
    providers: dict[
        ProviderName,
        Annotated[ProviderSettings, BeforeValidator(section, json_schema_input_type=ProviderSettings | None)],
    ] = Field(min_length=1, description="Who serves models.")
    models: dict[
        Name, Annotated[ModelSettings, BeforeValidator(section, json_schema_input_type=ModelSettings | None)]
    ] = Field(
        default_factory=dict,
        description=(
            "The models that may be used, by the names that callers use. At least one, unless a provider is asked for its"
            " models (`discover`)."
        ),
    )
    tiers: Annotated[
        tuple[Name, ...],
        Field(strict=False),
        BeforeValidator(_preset, json_schema_input_type=tuple[Name, ...] | Literal[tuple(PRESETS)]),
    ] = Field(
        default=DEFAULT_TIERS,
        min_length=1,
        max_length=20,
        description=(
            "Tiers from the easiest to the hardest, or a preset: "
            + ", ".join(f"`{name}` ({', '.join(tiers)})" for name, tiers in PRESETS.items())
            + ". A tier without a model uses the next higher one."
        ),
    )
    profiles: dict[
        Name,
        Annotated[ProfileSettings, BeforeValidator(section, json_schema_input_type=ProfileSettings | None)],
    ] = Field(default_factory=dict, description="Virtual models: what a caller asks for instead of a model.")
    categories: dict[Name, CategorySettings] = Field(
        default_factory=dict, description="Kinds of task with models of their own, decided beside the tier."
    )
    aliases: dict[Name, str] = Field(
        default_factory=dict, description="Further names for models or profiles."
    )
    unknown_model: Literal["reject", "route"] = Field(
        default="reject",
        description="What a model name nobody serves gets: a 404, or an answer as if `auto` had been asked.",
    )
    baseline_model: str | None = Field(
        default=None, description="The model that savings are counted against. Default: the dearest."
    )
    routing: Annotated[
        RoutingSettings, BeforeValidator(section, json_schema_input_type=RoutingSettings | None)
    ] = Field(default=RoutingSettings(), description="How a request's score becomes a tier.")
    judge: Annotated[JudgeSettings, BeforeValidator(section, json_schema_input_type=JudgeSettings | None)] = (
        Field(
            default=JudgeSettings(), description="A language model that is asked which tier a request needs."
        )
    )
    sidecar: Annotated[
        SidecarSettings, BeforeValidator(section, json_schema_input_type=SidecarSettings | None)
    ] = Field(default=SidecarSettings(), description="A classifier of your own, over HTTP.")
    breaker: Annotated[
        BreakerSettings, BeforeValidator(section, json_schema_input_type=BreakerSettings | None)
    ] = Field(default=BreakerSettings(), description="When calls to a backend stop.")
    affinity: Annotated[
        AffinitySettings, BeforeValidator(section, json_schema_input_type=AffinitySettings | None)
    ] = Field(default=AffinitySettings(), description="How long a conversation stays with its model.")
    cascade: Annotated[
        CascadeSettings, BeforeValidator(section, json_schema_input_type=CascadeSettings | None)
    ] = Field(default=CascadeSettings(), description="Drafts by cheaper models, which are looked at.")
    feedback: Annotated[
        FeedbackSettings, BeforeValidator(section, json_schema_input_type=FeedbackSettings | None)
    ] = Field(default=FeedbackSettings(), description="Reports on answers, and what they may change.")
    chains: Annotated[
        ChainSettings, BeforeValidator(section, json_schema_input_type=ChainSettings | None)
    ] = Field(default=ChainSettings(), description="Which models are asked, in order.")
    consent: Annotated[
        ConsentSettings, BeforeValidator(section, json_schema_input_type=ConsentSettings | None)
    ] = Field(default=ConsentSettings(), description="How far a substitute may depart from the choice.")
    deadlines: Annotated[
        DeadlineSettings, BeforeValidator(section, json_schema_input_type=DeadlineSettings | None)
    ] = Field(default=DeadlineSettings(), description="How long any provider may take.")
    reliability: Annotated[
        ReliabilitySettings, BeforeValidator(section, json_schema_input_type=ReliabilitySettings | None)
    ] = Field(default=ReliabilitySettings(), description="What is done when a provider fails.")
    ledger: Annotated[
        LedgerSettings, BeforeValidator(section, json_schema_input_type=LedgerSettings | None)
    ] = Field(default=LedgerSettings(), description="The book of what happened and what it cost.")
    discovery: Annotated[
        DiscoverySettings, BeforeValidator(section, json_schema_input_type=DiscoverySettings | None)
    ] = Field(default=DiscoverySettings(), description="How providers are asked for their models.")
    reload: Annotated[
        ReloadSettings, BeforeValidator(section, json_schema_input_type=ReloadSettings | None)
    ] = Field(
        default=ReloadSettings(), description="Whether a changed configuration file is read again by itself."
    )
