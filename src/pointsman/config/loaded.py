"""Settings that may be used, with where each value came from. Nothing is read here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, Protocol

from pointsman.config.overlay import Overlay
from pointsman.config.schema import Settings
from pointsman.core.errors import ConfigError, Problem
from pointsman.fleet.listed import Listed


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from; `detail` names the line, variable or flag."""

    kind: Literal["default", "file", "environment", "flag", "discovered", "api"]
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.kind} ({self.detail})" if self.detail else self.kind


DEFAULT = Origin("default")


Lists = Mapping[str, Sequence[Listed]]
"""The models that providers list, by the provider's name."""


class Again(Protocol):
    """`overlay` None is what is kept of it."""

    def __call__(self, *, lists: Lists, overlay: Overlay | None = None) -> "Loaded": ...


def _once_only(*, lists: Lists, overlay: Overlay | None = None) -> "Loaded":
    raise ConfigError([Problem("the configuration", "made by hand", "one that can be read again")])


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings that may be used. `origins` knows every dotted path that is not at its default; `path` is None
    without a file. `warnings` is for the log, `notes` tells someone at a terminal what was found."""

    settings: Settings
    origins: Mapping[str, Origin]
    path: Path | None = None
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    files: Mapping[Path, bytes | None] = field(default_factory=dict)
    """Every file that was read, with its `digest`."""
    again: "Again" = field(default=_once_only, repr=False)  # it holds the environment
    """Reads everything once more, with the models that providers list now and what was set by the API. From the same file, and if it is gone that is
    a problem. Raises ConfigError."""

    def warned(self, more: Iterable[str]) -> "Loaded":
        return replace(self, warnings=(*self.warnings, *more))

    def origin(self, where: str) -> Origin:
        return self.origins.get(where, DEFAULT)
