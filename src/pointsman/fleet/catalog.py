"""Models worth starting with, by provider, and what is known of them. Data only; prices of real models are not
here but in the bundled price data, which a test holds these names against.

The tiers are a first guess for someone who has configured nothing. A provider without a model of some tier
leaves it empty: the next higher one takes over.
"""

from dataclasses import dataclass
from decimal import Decimal

from pointsman.core.model_card import Ability
from pointsman.core.usage import Price, Rates


@dataclass(frozen=True, slots=True)
class KnownModel:
    """`price` and `context_tokens` are set for simulated models only."""

    provider: str
    id: str
    tier: str
    abilities: frozenset[Ability]
    price: Price | None = None
    context_tokens: int | None = None


_CLAUDE: frozenset[Ability] = frozenset({"tools", "vision", "documents", "json_schema", "thinking"})
_GPT: frozenset[Ability] = frozenset({"tools", "vision", "documents", "json_schema", "thinking"})
_GEMINI: frozenset[Ability] = frozenset({"tools", "vision", "documents", "audio", "json_schema", "thinking"})
_DEMO: frozenset[Ability] = frozenset({"tools", "json_schema"})
_DEMO_ALL: frozenset[Ability] = _DEMO | {"vision", "documents", "audio", "thinking"}


def _simulated(usd_per_million_input: str, usd_per_million_output: str) -> Price:
    return Price(Rates(Decimal(usd_per_million_input), Decimal(usd_per_million_output)), "simulated")


CATALOG: tuple[KnownModel, ...] = (
    KnownModel("anthropic", "claude-haiku-5-5", "simple", _CLAUDE),
    KnownModel("anthropic", "claude-sonnet-5-5", "medium", _CLAUDE),
    KnownModel("anthropic", "claude-opus-5-5", "complex", _CLAUDE),
    KnownModel("anthropic", "claude-fable-5-2", "reasoning", _CLAUDE),
    KnownModel("openai", "gpt-6-luna", "simple", _GPT),
    KnownModel("openai", "gpt-6.1-terra", "medium", _GPT),
    KnownModel("openai", "gpt-6.1-sol", "complex", _GPT),
    KnownModel("openai", "gpt-6-astra", "reasoning", _GPT),
    KnownModel("openrouter", "openai/gpt-6-luna", "simple", _GPT),
    KnownModel("openrouter", "google/gemini-3.8-flash", "medium", _GEMINI),
    KnownModel("openrouter", "anthropic/claude-sonnet-5.5", "complex", _CLAUDE),
    KnownModel("openrouter", "anthropic/claude-opus-5.5", "reasoning", _CLAUDE),
    KnownModel("gemini", "gemini-3.5-flash-lite", "simple", _GEMINI),
    KnownModel("gemini", "gemini-3.8-flash", "medium", _GEMINI),
    KnownModel("gemini", "gemini-4-argon", "reasoning", _GEMINI),
    KnownModel("demo", "demo-simple", "simple", _DEMO, _simulated("0.10", "0.40"), 32_000),
    KnownModel("demo", "demo-medium", "medium", _DEMO | {"vision"}, _simulated("0.50", "2.00"), 128_000),
    KnownModel("demo", "demo-complex", "complex", _DEMO_ALL, _simulated("3.00", "15.00"), 200_000),
    KnownModel("demo", "demo-reasoning", "reasoning", _DEMO_ALL, _simulated("10.00", "50.00"), 1_000_000),
)

_BY_NAME = {(model.provider, model.id): model for model in CATALOG}


def find(provider: str, model_id: str) -> KnownModel | None:
    return _BY_NAME.get((provider, model_id))


def models_of(provider: str) -> tuple[KnownModel, ...]:
    return tuple(model for model in CATALOG if model.provider == provider)
