"""The tables of docs/routing.md, from the code and data that decide. It writes nothing."""

import importlib.resources
import tomllib
from collections.abc import Iterator

from pointsman.routing.learned import LEARNED
from pointsman.routing.policy import DEFAULT_BASE, DEFAULT_WEIGHTS, default_policy
from pointsman.routing.presets import PRESETS
from pointsman.routing.profiles import Profile
from pointsman.routing.reading import Words
from pointsman.routing.rules import Rule
from pointsman.routing.signals import SIGNALS

IN_ANY = "any"  # what is the same in every language

NO_LIST = "never_misspelt"


def tables() -> str:
    return "\n".join([*_signals(), *_lists(), *_tiers(), *_rules(), *_profiles()])


def _signals() -> Iterator[str]:
    yield "### Signals"
    yield ""
    yield f"Every score begins at {DEFAULT_BASE:g}."
    yield ""
    yield "| signal | weight | what it reads |"
    yield "| --- | ---: | --- |"
    for signal in SIGNALS:
        meaning = signal.meaning if isinstance(signal, Words) else signal.value.__doc__ or ""
        yield f"| `{signal.name}` | {DEFAULT_WEIGHTS[signal.name]:g} | {' '.join(meaning.split())} |"
    yield (
        f"| `{LEARNED}` | {DEFAULT_WEIGHTS[LEARNED]:g} | How much it reads like prompts that cheap models fail on"
        " (docs/routing-quality.md). |"
    )
    yield ""


def _lists() -> Iterator[str]:
    text = importlib.resources.files("pointsman.routing").joinpath("keywords.toml").read_text("utf-8")
    lists = {name: words for name, words in tomllib.loads(text).items() if name != NO_LIST}
    languages = next(iter(lists.values())).keys()
    yield "### Words"
    yield ""
    yield f"| list | {' | '.join(languages)} |"
    yield f"| --- |{' ---: |' * len(languages)}"
    for name, words in lists.items():
        yield f"| `{name}` | {' | '.join(str(len(words.get(language) or words[IN_ANY])) for language in languages)} |"
    yield ""


def _tiers() -> Iterator[str]:
    yield "### Tiers"
    yield ""
    yield "| `tiers:` | each with the score where it begins |"
    yield "| --- | --- |"
    for name, tiers in PRESETS.items():
        starts = (0.0, *default_policy(tiers).boundaries)
        told = ", ".join(f"{tier} {start:g}" for tier, start in zip(tiers, starts, strict=True))
        yield f"| `{name}` | {told} |"
    yield ""


def _rules() -> Iterator[str]:
    yield "### Rules"
    yield ""
    yield "| rule | looks at | from | tier |"
    yield "| --- | --- | ---: | --- |"
    for rule in default_policy().rules:
        yield f"| `{rule.name}` | `{rule.when}` | {rule.at_least:,g} | {_bound(rule)} |"
    yield ""


def _bound(rule: Rule) -> str:
    return f"at least {rule.floor}" if rule.floor else f"{rule.tier or rule.ceiling}"


def _profiles() -> Iterator[str]:
    yield "### Profiles"
    yield ""
    yield "| profile | what it changes |"
    yield "| --- | --- |"
    for profile in default_policy().profiles:
        yield f"| `{profile.name}` | {'; '.join(_changes(profile)) or 'nothing: the cheapest model that will do'} |"
    yield ""


def _changes(profile: Profile) -> Iterator[str]:
    if profile.boundary_shift:
        yield f"boundaries {profile.boundary_shift:+g}"
    if profile.lift:
        yield f"tiers {profile.lift:+d}"
    if profile.floor:
        yield f"at least {profile.floor}"
    if profile.ceiling:
        yield f"at most {profile.ceiling}"
    if profile.order == "strongest":
        yield "the dearest of a tier first"
    if profile.only_free:
        yield "only models that cost nothing"
    if profile.needs_tools:
        yield "only models that can call tools"
    if not profile.follows_categories:
        yield "categories do not change the order"
