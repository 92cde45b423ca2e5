"""The settings written down from their own definitions: a JSON Schema for editors, tables for people. Nothing at
run time depends on it."""

import json
from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr

from pointsman.config.affinity import AffinitySettings
from pointsman.config.backends import BackendSettings, BreakerSettings, ProbeSettings
from pointsman.config.cascade import CascadeSettings
from pointsman.config.deadlines import DeadlineSettings
from pointsman.config.discovery import DiscoverSettings, DiscoverySettings
from pointsman.config.fallbacks import ChainSettings, ConsentSettings
from pointsman.config.feedback import FeedbackSettings
from pointsman.config.limits import LimitsSettings, TargetLimitsSettings
from pointsman.config.load import OTHER_VARIABLES, OVERRIDES
from pointsman.config.opinions import JudgeSettings, SidecarSettings
from pointsman.config.reliability import HedgeSettings, ReliabilitySettings, RetrySettings
from pointsman.config.reload import ReloadSettings
from pointsman.config.routing import CategorySettings, ProfileSettings, RuleSettings
from pointsman.config.schema import (
    LedgerSettings,
    ModelSettings,
    ProviderSettings,
    RoutingSettings,
    ServerSettings,
    Settings,
)
from pointsman.config.source import dotted
from pointsman.routing.policy import DEFAULT_WEIGHTS, default_policy
from pointsman.routing.presets import PRESETS
from pointsman.upstream.known_providers import DEMO_URL, KNOWN_PROVIDERS

_SECTIONS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("server", ServerSettings),
    ("limits", LimitsSettings),
    ("providers.NAME", ProviderSettings),
    ("deadlines", DeadlineSettings),
    ("providers.NAME.limits", TargetLimitsSettings),
    ("providers.NAME.probe", ProbeSettings),
    ("models.NAME", ModelSettings),
    ("models.NAME.limits", TargetLimitsSettings),
    ("models.NAME.backends[]", BackendSettings),
    ("breaker", BreakerSettings),
    ("routing", RoutingSettings),
    ("routing.rules.NAME", RuleSettings),
    ("profiles.NAME", ProfileSettings),
    ("categories.NAME", CategorySettings),
    ("judge", JudgeSettings),
    ("sidecar", SidecarSettings),
    ("affinity", AffinitySettings),
    ("cascade", CascadeSettings),
    ("feedback", FeedbackSettings),
    ("chains", ChainSettings),
    ("consent", ConsentSettings),
    ("reliability", ReliabilitySettings),
    ("reliability.retries", RetrySettings),
    ("reliability.hedging", HedgeSettings),
    ("ledger", LedgerSettings),
    ("providers.NAME.discover", DiscoverSettings),
    ("discovery", DiscoverySettings),
    ("reload", ReloadSettings),
)


def json_schema() -> str:
    """The JSON Schema of the configuration file."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Pointsman configuration",
        **{key: value for key, value in Settings.model_json_schema().items() if key != "title"},
    }
    return json.dumps(_without_titles(schema), indent=2) + "\n"


def _without_titles(node: Any, *, names: bool = False) -> Any:
    """Pydantic titles every field with its own name; only the one at the top says something."""
    if isinstance(node, dict):
        return {
            key: _without_titles(value, names=key in {"properties", "$defs"})
            for key, value in node.items()
            if names or key != "title" or "$schema" in node
        }
    if isinstance(node, list):
        return [_without_titles(item) for item in node]
    return node


def markdown() -> str:
    """Every setting as tables."""
    return "\n".join([*_settings(), *_variables(), *_providers(), *_weights()])


def _settings() -> Iterator[str]:
    yield "### At the top"
    yield ""
    yield from _table(Settings)
    for name, section in _SECTIONS:
        yield f"### `{name}`"
        yield ""
        yield " ".join((section.__doc__ or "").split())
        yield ""
        yield from _table(section)


def _table(section: type[BaseModel]) -> Iterator[str]:
    yield "| key | type | default | meaning |"
    yield "| --- | --- | --- | --- |"
    for name, field in section.model_fields.items():
        yield f"| `{name}` | {_type(field.annotation)} | {_default(field)} | {field.description} |"
    yield ""


def _default(field: Any) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is None or isinstance(value, BaseModel):
        return "-"
    return f"`{json.dumps(value)}`"


def _type(annotation: Any) -> str:
    """A type in a word or two."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(arguments[0])
    if origin in {Union, UnionType}:
        return _type(next(part for part in arguments if part is not type(None)))
    if origin is Literal:
        return ", ".join(f"`{word}`" for word in arguments)
    if origin in {tuple, frozenset}:
        return f"list of {_type(arguments[0])}"
    if origin is dict:
        return f"NAME: {_type(arguments[1])}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "section"
    words = {str: "text", int: "whole number", bool: "true, false", SecretStr: "`$NAME`"}
    return words.get(annotation, "number")


def _variables() -> Iterator[str]:
    yield "### Environment variables"
    yield ""
    yield "They win over the file; options on the command line win over them."
    yield ""
    yield "| variable | sets | option |"
    yield "| --- | --- | --- |"
    for override in OVERRIDES:
        option = f"`--{override.flag.replace('_', '-')}`" if override.flag else "-"
        yield f"| `{override.variable}` | `{dotted(override.where)}` | {option} |"
    for name, meaning in OTHER_VARIABLES.items():
        yield f"| `{name}` | {meaning} | {'`--config`' if name == 'POINTSMAN_CONFIG' else '-'} |"
    yield ""


def _providers() -> Iterator[str]:
    yield "### Providers known by name"
    yield ""
    yield "| name | dialect | base URL | key |"
    yield "| --- | --- | --- | --- |"
    for name, known in KNOWN_PROVIDERS.items():
        keys = " or ".join(f"`${variable}`" for variable in known.key_variables) or "none"
        if known.is_at_own_address:
            url = f"your own: `{known.base_url}`"
        else:
            url = (
                "inside Pointsman: simulated models" if known.base_url == DEMO_URL else f"<{known.base_url}>"
            )
        yield f"| `{name}` | {known.dialect} | {url} | {keys} |"
    yield ""


def _weights() -> Iterator[str]:
    yield "### Routing defaults"
    yield ""
    yield "`routing.boundaries`, where each tier begins:"
    yield ""
    yield "| preset | tiers |"
    yield "| --- | --- |"
    for name, tiers in PRESETS.items():
        starts = (0.0, *default_policy(tiers).boundaries)
        told = ", ".join(f"{tier} {start:g}" for tier, start in zip(tiers, starts, strict=True))
        yield f"| `{name}` | {told} |"
    yield ""
    yield "`routing.weights`:"
    yield ""
    yield "| signal | weight |"
    yield "| --- | ---: |"
    for name, weight in DEFAULT_WEIGHTS.items():
        yield f"| `{name}` | {weight:g} |"
    yield ""
