"""Settings of models that nobody wrote down: a provider is asked for its list. How it is asked is elsewhere."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field

from pointsman.config.section import Number, Seconds, Section
from pointsman.fleet import catalog
from pointsman.fleet.listed import Listed, is_wanted
from pointsman.fleet.sizing import size_in_name, tier_for_size

DEFAULT_BOUNDARIES = (10.0, 40.0, 150.0)
"""A first guess: what fits into a laptop, one graphics card, one server, and more."""

DISCOVERABLE = frozenset({"openai-chat", "openai-responses", "ollama"})
"""Dialects whose servers list their models in a way that is read here."""

Pattern = Annotated[str, Field(min_length=1, max_length=200)]


class DiscoverSettings(Section):
    """Which of a provider's models are taken up. `discover: true` takes all that write text. Patterns: `*`, `?`, `[abc]`."""

    allow: Annotated[tuple[Pattern, ...], Field(strict=False)] = Field(
        default=(), description="Only models whose id matches one of these. Default: all."
    )
    block: Annotated[tuple[Pattern, ...], Field(strict=False)] = Field(
        default=(), description="No model whose id matches one of these."
    )


class DiscoverySettings(Section):
    """How providers are asked for their models (`providers.NAME.discover`), and what becomes of those."""

    refresh_s: Seconds = Field(default=300.0, description="How often each is asked again.")
    timeout_s: Seconds = Field(
        default=10.0, description="How long it may take. Who does not answer keeps the models it had."
    )
    tier_from_billions: Annotated[tuple[Number, ...], Field(strict=False)] = Field(
        default=DEFAULT_BOUNDARIES,
        description=(
            "How many billions of parameters (all of them, not those at work) a model needs for the next tier. A model"
            " whose size nobody tells is in the second."
        ),
    )


def switch(value: Any) -> Any:
    """`true` is a section where everything has its default, `false` is none."""
    return {} if value is True else None if value is False else value


def written_models(
    provider: str, listed: Sequence[Listed], settings: Mapping[str, Any], tiers: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """What the file would say of each model of a provider that is wanted, by its id. `settings` is the tree, of which
    nothing is taken for granted."""
    discover = _section(_section(settings, "providers"), provider).get("discover")
    rules = discover if isinstance(discover, Mapping) else {}
    allow, block = _patterns(rules.get("allow")), _patterns(rules.get("block"))
    boundaries = _numbers(_section(settings, "discovery").get("tier_from_billions"))
    return {
        one.id: _written(provider, one, tiers, boundaries)
        for one in listed
        if one.writes_text and is_wanted(one.id, allow, block)
    }


def _written(
    provider: str, listed: Listed, tiers: Sequence[str], boundaries: Sequence[float]
) -> dict[str, Any]:
    known = catalog.find(provider, listed.id)
    size = size_in_name(listed.id)
    billions = listed.billions or (size.total if size is not None else None)
    tier = known.tier if known is not None and known.tier in tiers else None
    written: dict[str, Any] = {
        "provider": provider,
        "tier": tier or tier_for_size(billions, tiers, boundaries),
    }
    if listed.context_tokens is not None:
        written["context_tokens"] = listed.context_tokens
    if listed.max_output_tokens is not None:
        written["max_output_tokens"] = listed.max_output_tokens
    if listed.abilities is not None:
        written["abilities"] = sorted(listed.abilities)
    if listed.rates is not None:
        written |= {
            f"usd_per_million_{name}": rate
            for name, rate in listed.rates._asdict().items()
            if rate is not None
        }
    return written


def _section(tree: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = tree.get(name)
    return found if isinstance(found, Mapping) else {}


def _patterns(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _numbers(value: Any) -> Sequence[float]:
    try:
        return DEFAULT_BOUNDARIES if value is None else tuple(float(one) for one in value)
    except (TypeError, ValueError):
        return DEFAULT_BOUNDARIES
