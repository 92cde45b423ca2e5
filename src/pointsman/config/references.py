"""`$NAME` in the file becomes the value of that environment variable. Secrets may stand there in no other way.

A secret must be one reference and nothing else; addresses and header values may hold references among other
text (`$$` is a dollar sign); nowhere else is `$NAME` anything but a mistake.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pointsman.config.source import Source, Where, dotted
from pointsman.core.errors import Problem
from pointsman.upstream.known_providers import KNOWN_PROVIDERS

MASK = "********"
_REFERENCE = re.compile(r"\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\}|(\$))")
_SECRET_HEADERS = frozenset(
    {
        "authorization",
        "proxy-authorization",
        "cookie",
        "x-api-key",
        "api-key",
        "x-goog-api-key",
        "x-auth-token",
    }
)
STAND_IN = "unset"
"""Takes the place of what is missing, so that the rest of the file is still checked."""


def is_secret(where: Where) -> bool:
    """Whether the value at `where` must never be shown. A base URL is one only where a variable is in it."""
    match where:
        case (
            ("server", "master_key" | "admin_key")
            | ("providers", _, "api_key")
            | ("providers", _, "headers", _)
        ):
            return True
        case _:
            return False


def _may_hold_references(where: Where) -> bool:
    match where:
        case ("providers", _, "base_url") | ("providers", _, "headers", _):
            return True
        case _:
            return False


@dataclass(slots=True)
class Resolved:
    """`names` says for each place which variables its value came from."""

    tree: dict[str, Any]
    names: dict[Where, str] = field(default_factory=dict)


def resolve(source: Source, environ: Mapping[str, str]) -> Resolved:
    """The tree with every reference replaced. What cannot be replaced is added to `source.problems`."""
    resolving = _Resolving(source, environ)
    tree = {key: resolving.value(value, (key,)) for key, value in source.tree.items()}
    return Resolved(tree, resolving.names)


class _Resolving:
    def __init__(self, source: Source, environ: Mapping[str, str]) -> None:
        self.source = source
        self.environ = environ
        self.names: dict[Where, str] = {}

    def value(self, value: Any, where: Where) -> Any:
        if isinstance(value, dict):
            return {key: self.value(inner, (*where, key)) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.value(inner, (*where, place)) for place, inner in enumerate(value)]
        match where:
            case ("server", "master_key" | "admin_key") | ("providers", _, "api_key") if value is not None:
                return self.secret(value, where)
            case _ if not isinstance(value, str):
                return value
            case _ if _may_hold_references(where):
                return self.text(value, where)
            case _ if _REFERENCE.fullmatch(value) and value != "$$":
                self.complain(where, value, "a plain value: $NAME works for keys, headers and base_url only")
        return value

    def secret(self, value: Any, where: Where) -> str:
        found = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
        if found is None or found[3]:
            self.complain(
                where,
                MASK,
                f"a reference such as ${_suggested_variable(where)}: secrets stay out of the file, put this one into"
                " the environment",
            )
            return STAND_IN
        return self.looked_up(found[1] or found[2], where)

    def text(self, value: str, where: Where) -> str:
        if where[2] == "headers" and str(where[3]).lower() in _SECRET_HEADERS and "$" not in value:
            self.complain(where, MASK, "a reference to an environment variable, such as `Bearer $NAME`")
        return _REFERENCE.sub(
            lambda found: "$" if found[3] else self.looked_up(found[1] or found[2], where), value
        )

    def looked_up(self, name: str, where: Where) -> str:
        self.names[where] = f"{self.names[where]} ${name}" if where in self.names else f"${name}"
        value = self.environ.get(name, "").strip()
        if not value:
            state = "set to nothing" if name in self.environ else "not set"
            self.complain(
                where, f"${name}, which is {state}", f"the environment variable {name} to hold a value"
            )
        return value or STAND_IN

    def complain(self, where: Where, value: str, expected: str) -> None:
        self.source.problems.append(Problem(dotted(where), value, expected, line=self.source.line(where)))


def _suggested_variable(where: Where) -> str:
    if where[0] == "server":
        return f"POINTSMAN_{str(where[1]).upper()}"
    name = str(where[1])
    known = KNOWN_PROVIDERS.get(name)
    if known is not None and known.key_variables:
        return known.key_variables[0]
    return re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_") + "_API_KEY"
