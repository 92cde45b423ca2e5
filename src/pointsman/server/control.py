"""What the admin endpoints may do, as a Protocol that app implements, and what they are told. It does nothing itself."""

from dataclasses import dataclass
from typing import Any, Protocol

from pointsman.core.errors import Problem


@dataclass(frozen=True, slots=True)
class Waiting:
    """A setting whose new value waits for a restart. Both values as they may be shown."""

    setting: str
    running: str
    configured: str


@dataclass(frozen=True, slots=True)
class Reloaded:
    """A reload that took effect. `trigger` says what asked for it; the models are names: what came, what went, and
    what is another model, or elsewhere, under the same name."""

    trigger: str
    at_s: float
    models_by_tier: dict[str, tuple[str, ...]]
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    needs_restart: tuple[Waiting, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FailedReload:
    """A reload that changed nothing."""

    trigger: str
    at_s: float
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class ReloadStatus:
    """`last_error` is None when the latest reload, if there was one, took effect. `watched` are the files whose change
    is looked for every `poll_s` seconds; none where nobody looks."""

    running_since_s: float
    reloads: int = 0
    last: Reloaded | None = None
    last_error: FailedReload | None = None
    needs_restart: tuple[Waiting, ...] = ()
    watched: tuple[str, ...] = ()
    poll_s: float | None = None


@dataclass(frozen=True, slots=True)
class DiscoveryStatus:
    """A provider that is asked for its models. `listed` is how many its latest list had, None where there was none yet;
    `error` what came of asking since."""

    provider: str
    listed: int | None
    answered_at_s: float | None
    error: str | None


class Control(Protocol):
    """The running gateway, for those who may change it."""

    async def reload(self) -> Reloaded:
        """Reads the configuration again; it holds from the next request on. Raises ConfigError, and then everything is
        as it was."""
        ...

    def reload_status(self) -> ReloadStatus: ...

    def discovery_status(self) -> tuple[DiscoveryStatus, ...]: ...

    def refresh_discovery(self) -> None:
        """Asks every provider for its models, soon and in the background."""
        ...

    def config(self) -> dict[str, Any]:
        """The configuration in force, secrets masked."""
        ...

    def category(self, name: str) -> dict[str, Any] | None:
        """What is set of a category; nothing of a built-in one that is as it comes, None for one that there is not."""
        ...

    async def set_category(self, name: str, category: dict[str, Any]) -> None:
        """In force on the next request, and kept. Raises ConfigError, and then nothing has changed."""
        ...

    async def delete_category(self, name: str) -> None:
        """Raises NotFound, BadRequest for a built-in one, and ConfigError."""
        ...
