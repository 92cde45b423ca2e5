"""The configuration in force as plain values for whoever may look at the gateway: secrets masked, origins beside. It
changes nothing."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pydantic import SecretStr

from pointsman.config.loaded import Loaded
from pointsman.config.references import MASK, is_secret
from pointsman.config.source import Where, dotted
from pointsman.config.values import categories_of
from pointsman.routing.categories import BUILT_IN

_PASSWORD = re.compile(r"(?<=://)[^/@]*@")


def effective(loaded: Loaded) -> dict[str, Any]:
    """`config` as the file would write it, `origins` of what is not at its default; and the categories once more, by
    what they are for: `model_mappings`, `keywords`, `custom_categories`."""
    categories = categories_of(loaded.settings)
    return {
        "file": None if loaded.path is None else str(loaded.path),
        "config": _plain(loaded.settings.model_dump(), (), loaded),
        "origins": {where: str(origin) for where, origin in loaded.origins.items()},
        "model_mappings": {one.name: list(one.models) for one in categories},
        "keywords": {one.name: list(one.keywords) for one in categories if one.keywords},
        "custom_categories": {
            one.name: {"models": list(one.models), "description": one.description}
            for one in categories
            if one.name not in BUILT_IN
        },
    }


def _plain(value: Any, where: Where, loaded: Loaded) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(inner, (*where, key), loaded) for key, inner in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(value)
    if isinstance(value, tuple | list):
        return [_plain(inner, (*where, place), loaded) for place, inner in enumerate(value)]
    if value is None or isinstance(value, bool | int | float):
        return value
    # Part of what a variable holds may be a key.
    is_hidden = where[-1:] == ("base_url",) and "$" in loaded.origin(dotted(where)).detail
    if isinstance(value, SecretStr) or is_hidden or is_secret(where):
        return MASK
    return f"{value:f}" if isinstance(value, Decimal) else _PASSWORD.sub(f"{MASK}@", str(value))
