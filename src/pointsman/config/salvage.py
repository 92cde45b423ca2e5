"""What is left of a configuration without what is wrong in it, so that one run finds all its problems."""

from typing import Any

from pydantic import ValidationError

from pointsman.config.problems import where_of
from pointsman.config.schema import Settings
from pointsman.config.source import Where


def what_is_right(tree: dict[str, Any], error: ValidationError) -> Settings | None:
    """The settings without what is wrong with them, so that the rest is checked in the same run. None when
    too little is left."""
    for _ in range(4):
        for where in sorted({_to_drop(details) for details in error.errors()}, key=str, reverse=True):
            if not where:
                return None
            tree = _without(tree, where)
        try:
            return Settings.model_validate(tree)
        except ValidationError as another:
            error = another
    return None


def _to_drop(details: Any) -> Where:
    where = where_of(details)
    return where[:-1] if details["type"] == "missing" else where


def _without(tree: Any, where: Where) -> Any:
    """`tree` less what stands at `where`; a copy as far as it differs."""
    step, rest = where[0], where[1:]
    if isinstance(tree, dict) and step in tree:
        changed = dict(tree)
        if rest:
            changed[step] = _without(tree[step], rest)
        else:
            del changed[step]
        return changed
    if isinstance(tree, list) and isinstance(step, int) and step < len(tree) and not rest:
        return tree[:step] + tree[step + 1 :]
    return tree
