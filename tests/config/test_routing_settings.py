"""Tiers, rules, profiles and categories as they are written in the file, and what becomes of them."""

import pytest

from pointsman.config.cards import cards_of
from pointsman.config.values import policy_of
from pointsman.core.errors import ConfigError
from pointsman.routing.categories import Category
from pointsman.routing.presets import PRESETS
from pointsman.routing.profiles import Profile
from pointsman.routing.rules import Rule

MODELS = """\
providers:
  local: {dialect: openai-chat, base_url: "http://127.0.0.1:9001/v1"}
models:
  tiny: {provider: local, id: qwen2.5-coder-7b}
  big: {provider: local, id: gemma-3-27b}
"""


@pytest.fixture
def policy(load_text):
    return lambda text: policy_of(load_text(MODELS + text).settings)


@pytest.mark.parametrize("name", PRESETS)
def test_preset_stands_for_its_tiers(policy, name: str) -> None:
    assert policy(f"tiers: {name}").tiers == PRESETS[name]


def test_rules_change_the_shipped_ones_and_add_others(policy) -> None:
    rules = policy("""\
routing:
  rules:
    tools: {model: big}
    json_schema: {enabled: false}
    strong_reasoning: {tier: complex}
    long_context: {at_least: 8000}
    urgent: {keywords: [urgent], floor: medium}
    pictures: {when: images, at_least: 2, ceiling: complex}
""").rules

    assert rules == (
        Rule("tools", "tools", floor="medium", model="big"),
        Rule("long_context", "input_tokens", 8000, floor="complex"),
        Rule("strong_reasoning", "reasoning_markers", 2, tier="complex"),
        Rule("urgent", keywords=("urgent",), floor="medium"),
        Rule("pictures", "images", 2, ceiling="complex"),
    )


def test_profiles_change_the_shipped_ones_and_add_others(policy) -> None:
    profiles = {
        profile.name: profile
        for profile in policy("""\
profiles:
  eco: {boundary_shift: 0.2, models: {simple: [tiny], medium: [local/gemma-3-27b, tiny]}}
  night: {ceiling: medium, order: strongest, follows_categories: false}
  plain:
""").profiles
    }

    assert list(profiles) == ["auto", "eco", "premium", "agentic", "free", "night", "plain"]
    assert profiles["eco"] == Profile(
        "eco",
        boundary_shift=0.2,
        ceiling="complex",
        follows_categories=False,
        models=(("simple", ("tiny",)), ("medium", ("local/gemma-3-27b", "tiny"))),
    )
    assert profiles["night"] == Profile(
        "night", ceiling="medium", order="strongest", follows_categories=False
    )
    assert profiles["plain"] == Profile("plain")


def test_categories_are_those_written(policy) -> None:
    assert policy("""\
categories:
  code: {models: [tiny]}
  legal: {models: [local/gemma-3-27b], keywords: [contract*], description: Contracts and disputes}
""").categories == (
        Category("code", ("tiny",)),
        Category("legal", ("local/gemma-3-27b",), ("contract*",), "Contracts and disputes"),
    )


def test_name_tells_a_coder_unless_the_file_does(load_text) -> None:
    tiny, big = cards_of(load_text(MODELS).settings)
    assert (tiny.coder, big.coder) == (True, False)

    text = MODELS.replace("r-7b}", "r-7b, coder: false}").replace("27b}", "27b, coder: true}")
    tiny, big = cards_of(load_text(text).settings)
    assert (tiny.coder, big.coder) == (False, True)


@pytest.mark.parametrize(
    ("text", "path", "near"),
    [
        ("tiers: sizes", "tiers", None),
        ("routing: {rules: {tools: {floor: hgue}}}", "routing.rules.tools.floor", None),
        ("routing: {rules: {mine: {when: tools}}}", "routing.rules.mine.floor", None),
        ("routing: {rules: {mine: {floor: medium}}}", "routing.rules.mine.when", None),
        ("routing: {rules: {mine: {when: tools, model: bgi}}}", "routing.rules.mine.model", "big"),
        ("routing: {rules: {mine: {when: shoes, floor: medium}}}", "routing.rules.mine.when", None),
        ("profiles: {night: {ceiling: huge}}", "profiles.night.ceiling", None),
        ("profiles: {night: {models: {huge: [big]}}}", "profiles.night.models.huge", None),
        ("profiles: {night: {models: {simple: [tinny]}}}", "profiles.night.models.simple.0", "tiny"),
        ("categories: {code: {models: [tinny]}}", "categories.code.models.0", "tiny"),
        ("categories: {legal: {models: [big]}}", "categories.legal.keywords", None),
        ("categories: {legal: {}}", "categories.legal.models", None),
        ("aliases: {night: big}\nprofiles: {night: {lift: 1}}", "aliases.night", None),
    ],
)
def test_mistake_is_named_where_it_stands(load_text, text: str, path: str, near: str | None) -> None:
    with pytest.raises(ConfigError) as caught:
        load_text(MODELS + text + "\n")

    assert (path, near) in [(problem.path, problem.nearest) for problem in caught.value.problems]


def test_virtual_model_of_the_file_answers_to_its_name(load_text) -> None:
    settings = load_text(MODELS + "profiles: {night: {ceiling: medium}}\naliases: {late: night}\n").settings

    assert settings.aliases == {"late": "night"}
