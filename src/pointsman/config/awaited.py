"""Models that are named in the configuration and that nobody has listed yet: what names them is left out until somebody
does. Only where a provider is asked for its models; elsewhere an unknown name is a mistake."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pointsman.config.source import Where, at
from pointsman.routing.policy import default_policy, default_rules
from pointsman.routing.presets import DEFAULT_TIERS

_SHIPPED_RULES = frozenset(rule.name for rule in default_rules(DEFAULT_TIERS))
_EFFECTS = frozenset({"floor", "ceiling", "tier"})

_LISTS: tuple[Where, ...] = (
    ("categories", "*", "models"),
    ("profiles", "*", "models", "*"),
    ("chains", "tiers", "*"),
    ("chains", "categories", "*"),
    ("chains", "models", "*"),
)
_NAMES: tuple[Where, ...] = (
    ("aliases", "*"),
    ("routing", "rules", "*", "model"),
    ("baseline_model",),
    ("judge", "model"),
    ("cascade", "judge"),
    ("cascade", "drafts", "*"),
)
_KEYS: tuple[Where, ...] = (
    ("chains", "models"),
    ("cascade", "drafts"),
    ("reliability", "hedging", "models"),
)


def left_out(tree: dict[str, Any]) -> list[tuple[Where, str]]:
    """Takes them out of `tree`, of which nothing is taken for granted, and tells where they stood."""
    is_known = _known(tree)
    found: list[tuple[Where, str]] = []
    for pattern in _LISTS:
        for where in _places(tree, pattern):
            names = at(tree, where)
            if not isinstance(names, list):
                continue
            kept = [name for name in names if not isinstance(name, str) or is_known(name)]
            found += [(where, name) for name in names if isinstance(name, str) and not is_known(name)]
            if len(kept) < len(names):
                _put(tree, where, kept)
    for pattern in _NAMES:
        for where in _places(tree, pattern):
            name = at(tree, where)
            if isinstance(name, str) and name and not is_known(name):
                found.append((where, name))
                _put(tree, where, None)
    for where in _KEYS:
        section = at(tree, where)
        for name in [*section] if isinstance(section, dict) else ():
            if isinstance(name, str) and not is_known(name):
                found.append((where, name))
                del section[name]
    return found


def _known(tree: Mapping[str, Any]) -> Callable[[str], bool]:
    """Tells the names that something configured has: a model, by any of its names, or a profile."""
    profiles = tree.get("profiles")
    virtual = {profile.name for profile in default_policy(DEFAULT_TIERS).profiles}
    virtual |= {str(name).lower() for name in profiles} if isinstance(profiles, dict) else set()
    names: set[str] = set()
    models = tree.get("models")
    for name, model in models.items() if isinstance(models, dict) else ():
        names.add(str(name))
        if isinstance(model, dict):
            model_id = str(model.get("id") or name)
            provider = model.get("provider")
            names |= {model_id, f"{provider}/{model_id}", f"{provider}:{model_id}"}
    return lambda name: name in names or name.lower().rpartition("/")[2] in virtual


def _places(tree: Any, pattern: Where) -> Iterator[Where]:
    """Every place that fits, `*` standing for any key."""
    if not pattern:
        yield ()
        return
    step, rest = pattern[0], pattern[1:]
    if isinstance(tree, dict):
        for key in [*tree] if step == "*" else [step] if step in tree else []:
            for where in _places(tree[key], rest):
                yield (key, *where)


def _put(tree: dict[str, Any], where: Where, value: object) -> None:
    """Sets a value, or takes it away if it is nothing, and with it what has no meaning without it."""
    section = at(tree, where[:-1])
    if value:
        section[where[-1]] = value
        return
    del section[where[-1]]
    if where[:1] == ("judge",):
        section["when"] = "never"
    elif where[:2] == ("routing", "rules"):
        if where[2] not in _SHIPPED_RULES and not _EFFECTS & section.keys():
            del tree["routing"]["rules"][where[2]]
    elif where[:1] == ("categories",) and not (section.get("keywords") or section.get("description")):
        del tree["categories"][where[1]]
