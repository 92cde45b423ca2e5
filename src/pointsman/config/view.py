"""What the checks between settings look at, and how they say where something is wrong. It checks nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pointsman.config.schema import Settings
from pointsman.config.source import Source, Where, dotted
from pointsman.core.errors import Problem


@dataclass(frozen=True, slots=True)
class View:
    """What the checks look at. `settings` lacks what was wrong by itself; `tree` is all that was written, so
    that one mistake is not reported as two."""

    settings: Settings
    tree: Mapping[str, Any]
    source: Source
    named: Mapping[Where, str]

    def problem(self, where: Where, value: str | None, expected: str, near: str | None = None) -> Problem:
        if where in self.named:
            return Problem(self.named[where], value, expected, near)
        return Problem(dotted(where), value, expected, near, self.source.line(where))

    def section(self, name: str) -> Mapping[str, Any]:
        found = self.tree.get(name)
        return found if isinstance(found, Mapping) else {}

    def written(self, section: str, name: str) -> Mapping[str, Any]:
        found = self.section(section).get(name)
        return found if isinstance(found, Mapping) else {}
