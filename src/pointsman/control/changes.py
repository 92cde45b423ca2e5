"""What differs between two configurations: which models, and what waits for a restart. It changes nothing."""

from collections.abc import Iterator
from typing import NamedTuple

from pointsman.config.problems import shown
from pointsman.config.schema import Settings
from pointsman.config.source import Where, dotted
from pointsman.server.control import Waiting

WAITS_FOR_RESTART: tuple[tuple[str, str], ...] = (
    ("server", "host"),
    ("server", "port"),
    ("ledger", "enabled"),
    ("ledger", "path"),
    ("limits", "connections"),
)
"""The socket that listens, the open ledger, and how many files may be open stay what they are as long as the process lives."""


class ModelChanges(NamedTuple):
    """Names of models."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]


def waiting_for_restart(running: Settings, configured: Settings) -> tuple[Waiting, ...]:
    """`running` are the settings that the process was started with."""
    return tuple(_waiting(running, configured))


def held(running: Settings, configured: Settings) -> Settings:
    """`configured`, with what waits for a restart as it is."""
    for section, name in WAITS_FOR_RESTART:
        own = getattr(configured, section).model_copy(update={name: _value(running, (section, name))})
        configured = configured.model_copy(update={section: own})
    return configured


def _waiting(running: Settings, configured: Settings) -> Iterator[Waiting]:
    for where in WAITS_FOR_RESTART:
        old, new = _value(running, where), _value(configured, where)
        if old != new:
            yield Waiting(dotted(where), shown(old, where), shown(new, where))


def _value(settings: Settings, where: Where) -> object:
    value: object = settings
    for step in where:
        value = getattr(value, str(step))
    return value


def model_changes(old: Settings, new: Settings) -> ModelChanges:
    """A model is changed when it is set otherwise, or its provider is."""
    moved = {name for name, provider in new.providers.items() if provider != old.providers.get(name)}
    changed = (
        name
        for name, model in new.models.items()
        if name in old.models
        and (model != old.models[name] or any(place.provider in moved for place in model.places))
    )
    return ModelChanges(
        added=tuple(name for name in new.models if name not in old.models),
        removed=tuple(name for name in old.models if name not in new.models),
        changed=tuple(changed),
    )


def models_by_tier(settings: Settings) -> dict[str, tuple[str, ...]]:
    """In the order of the tiers; models without one are under an empty name."""
    found: dict[str, list[str]] = {tier: [] for tier in settings.tiers}
    for name, model in settings.models.items():
        found.setdefault(model.tier or "", []).append(name)
    return {tier: tuple(names) for tier, names in found.items() if names}
