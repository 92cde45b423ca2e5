"""The policy: every number and rule that turns readings into a tier, as data. It applies none of them."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pointsman.core.errors import Problem
from pointsman.routing import categories as categories_of_tasks
from pointsman.routing import rules as rules_over_scores
from pointsman.routing.categories import Category
from pointsman.routing.learned import LEARNED
from pointsman.routing.presets import DEFAULT_TIERS, default_boundaries
from pointsman.routing.profiles import Profile, default_profiles, hard_tier, middle_tier
from pointsman.routing.rules import Rule
from pointsman.routing.signals import SIGNALS

# Base and weights are set by hand so that everyday requests land where a careful person would place them
# (tests/routing/everyday.jsonl). On public benchmarks with known outcomes the score ranks who needs the stronger of two
# models as well as length does: mean APGR 0.54 over ten pairs within one benchmark each, chance 0.50.
DEFAULT_BASE = 0.25

DEFAULT_WEIGHTS: Mapping[str, float] = {
    "size": 0.10,
    "context": 0.10,
    "vocabulary": 0.13,
    "clauses": 0.06,
    "untold": 0.09,
    "turns": 0.02,
    "system_prompt": 0.03,
    "references": 0.02,
    "tools": 0.06,
    "agentic": 0.16,
    "structured_output": 0.06,
    "output_format": 0.04,
    "media": 0.06,
    "code": 0.08,
    "technical": 0.25,
    "proof": 0.32,
    "reasoning": 0.20,
    "analysis": 0.32,
    "explanation": 0.20,
    "multi_step": 0.06,
    "calculation": 0.20,
    "formulas": 0.24,
    "negation": 0.02,
    "questions": 0.04,
    "constraints": 0.08,
    "imperative": 0.19,
    "creative": 0.08,
    "domain": 0.12,
    "simple": 0.10,
    "lookup": 0.16,
    "chore": 0.24,
    "greeting": 0.08,
    LEARNED: 0.14,
}


@dataclass(frozen=True, slots=True)
class Policy:
    """`tiers` from weakest to strongest; `boundaries` are the scores where the next one begins. `rules` apply in
    their order. The score is `base` plus, for every signal, its weight times its value, kept within 0..1. A signal
    without a weight is not asked. `expected_output_tokens` is the length an answer is priced at where the request sets no lower
    limit."""

    tiers: tuple[str, ...]
    boundaries: tuple[float, ...]
    rules: tuple[Rule, ...]
    profiles: tuple[Profile, ...]
    categories: tuple[Category, ...] = ()
    weights: Mapping[str, float] = field(default_factory=lambda: DEFAULT_WEIGHTS)
    base: float = DEFAULT_BASE
    expected_output_tokens: int = 500

    @property
    def keyword_lists(self) -> dict[str, tuple[str, ...]]:
        """The words that its rules and categories want sought beside the shipped ones, by the list's name."""
        return dict(
            [
                *rules_over_scores.keyword_lists(self.rules),
                *categories_of_tasks.keyword_lists(self.categories),
            ]
        )


def default_policy(tiers: Sequence[str] = DEFAULT_TIERS) -> Policy:
    """A sensible policy for any list of one tier or more."""
    names = tuple(tiers)
    return Policy(
        tiers=names,
        boundaries=default_boundaries(len(names)),
        rules=default_rules(names),
        profiles=default_profiles(names),
    )


def default_rules(tiers: Sequence[str]) -> tuple[Rule, ...]:
    """The rules every installation has, for any list of tiers."""
    return (
        Rule("tools", "tools", floor=middle_tier(tiers)),
        Rule("json_schema", "json_schema", floor=middle_tier(tiers)),
        Rule("long_context", "input_tokens", 100_000, floor=hard_tier(tiers)),
        Rule("strong_reasoning", "reasoning_markers", 2, floor=tiers[-1]),
    )


def problems(policy: Policy) -> list[Problem]:
    """Everything that makes `policy` unusable. Paths are those of its fields."""
    return [*_tier_problems(policy), *_number_problems(policy), *_rule_problems(policy)]


def _tier_problems(policy: Policy) -> Iterator[Problem]:
    tiers, boundaries = policy.tiers, policy.boundaries
    if not tiers or len(set(tiers)) < len(tiers) or not all(tiers):
        yield Problem("tiers", ", ".join(tiers), "at least one tier, each with a name of its own")
    if len(boundaries) != max(len(tiers) - 1, 0):
        yield Problem("boundaries", str(len(boundaries)), f"one less than there are tiers ({len(tiers)})")
    for place, boundary in enumerate(boundaries):
        if not 0 <= boundary <= 1:
            yield Problem(f"boundaries[{place}]", f"{boundary:g}", "a number from 0 to 1")
        if place and boundary < boundaries[place - 1]:
            yield Problem(f"boundaries[{place}]", f"{boundary:g}", "no less than the one before it")


def _number_problems(policy: Policy) -> Iterator[Problem]:
    known = {*(signal.name for signal in SIGNALS), LEARNED}
    for name, weight in policy.weights.items():
        if name not in known:
            yield Problem(f"weights.{name}", f"{weight:g}", f"a signal: {', '.join(sorted(known))}")
        elif not math.isfinite(weight) or abs(weight) > 1:
            yield Problem(f"weights.{name}", f"{weight:g}", "a number from -1 to 1")
    if not 0 <= policy.base <= 1:
        yield Problem("base", f"{policy.base:g}", "a number from 0 to 1")
    if policy.expected_output_tokens < 1:
        yield Problem("expected_output_tokens", str(policy.expected_output_tokens), "1 or more")


def _rule_problems(policy: Policy) -> Iterator[Problem]:
    tiers = policy.tiers
    one_of = f"one of {', '.join(tiers)}"
    for kind, named in (("rules", policy.rules), ("categories", policy.categories)):
        each_once = [one.name for one in named]
        if len(set(each_once)) < len(each_once):
            yield Problem(kind, ", ".join(each_once), "each name once")
    for rule in policy.rules:
        for problem in rules_over_scores.problems(rule, tiers):
            yield Problem(f"rules.{rule.name}.{problem.path}", problem.value, problem.expected)
    names = [profile.name for profile in policy.profiles]
    if len(set(names)) < len(names):
        yield Problem("profiles", ", ".join(names), "each name once")
    for profile in policy.profiles:
        path = f"profiles.{profile.name}"
        bounds = {"floor": profile.floor, "ceiling": profile.ceiling}
        unknown = {field: tier for field, tier in bounds.items() if tier is not None and tier not in tiers}
        for field_name, tier in unknown.items():
            yield Problem(f"{path}.{field_name}", tier, one_of)
        low, high = profile.floor, profile.ceiling
        if low and high and not unknown and tiers.index(low) > tiers.index(high):
            yield Problem(f"{path}.floor", low, f"no higher than its ceiling {high}")
        for tier, _ in profile.models:
            if tier not in tiers:
                yield Problem(f"{path}.models.{tier}", tier, one_of)
        if profile.boundary_scale <= 0:
            yield Problem(f"{path}.boundary_scale", f"{profile.boundary_scale:g}", "a number above 0")
