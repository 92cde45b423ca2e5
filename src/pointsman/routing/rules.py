"""Rules that outrank the score, as data: a floor, a tier or a model for requests that have something. The tiers module
applies them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from pointsman.core.errors import Problem

Measure = Literal[
    "tools",
    "json_schema",
    "json",
    "media",
    "images",
    "documents",
    "audio",
    "input_tokens",
    "user_turns",
    "system_chars",
    "reasoning_markers",
]
"""What a rule may look at: how many there are of it. `json` is any demand for JSON, with a schema or without, and
a system prompt that speaks of it; `media` is images, audio and documents together."""

MEASURES: tuple[Measure, ...] = get_args(Measure)

READ_AS: Mapping[Measure, tuple[str, ...]] = {
    "tools": ("tools",),
    "json_schema": ("json_schema",),
    "json": ("json_schema", "json_object", "json_mentioned"),
    "media": ("media",),
    "images": ("images",),
    "documents": ("documents",),
    "audio": ("audio",),
    "input_tokens": ("input_tokens",),
    "user_turns": ("user_turns",),
    "system_chars": ("system_chars",),
    "reasoning_markers": ("reasoning",),
}
"""Which of a reading's measures each is; of several, whichever is there."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Where there is `at_least` so much of `when`, or where one of `keywords` is in the wish, the tier is no lower
    than `floor`, no higher than `ceiling`, or exactly `tier`; and `model` is tried before all others."""

    name: str
    when: Measure | None = None
    at_least: float = 1
    keywords: tuple[str, ...] = ()
    floor: str | None = None
    ceiling: str | None = None
    tier: str | None = None
    model: str | None = None

    @property
    def reads(self) -> tuple[str, ...]:
        """The measures of a reading it looks at."""
        own = (_list_name(self.name),) if self.keywords else ()
        return (*(READ_AS[self.when] if self.when is not None else ()), *own)


def keyword_lists(rules: Sequence[Rule]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What has to be sought in a prompt, by the names that rules look under."""
    return ((_list_name(rule.name), rule.keywords) for rule in rules if rule.keywords)


def problems(rule: Rule, tiers: Sequence[str]) -> Iterator[Problem]:
    """Everything that makes `rule` unusable. Paths are those of its fields."""
    one_of = f"one of {', '.join(tiers)}"
    for field in ("floor", "ceiling", "tier"):
        tier = getattr(rule, field)
        if tier is not None and tier not in tiers:
            yield Problem(field, tier, one_of)
    if rule.when is not None and rule.when not in MEASURES:
        yield Problem("when", rule.when, f"one of {', '.join(MEASURES)}")
    if (rule.when is None) == (not rule.keywords):
        yield Problem("when", rule.when, "`when` or `keywords`, one of the two")
    if any(not word.strip().removesuffix("*") for word in rule.keywords):
        yield Problem("keywords", "an empty keyword", "words")
    does = [rule.floor, rule.ceiling, rule.tier, rule.model]
    if not any(does):
        yield Problem("floor", None, "what the rule does: a floor, ceiling, tier or model")
    if rule.tier is not None and (rule.floor is not None or rule.ceiling is not None):
        yield Problem("tier", rule.tier, "a tier, or a floor and a ceiling, not both")


def _list_name(name: str) -> str:
    return f"rule {name}"
