"""Chains and ceilings as they are written in the file, and what may be wrong with them."""

from pathlib import Path

import pytest

from pointsman.config.cards import cards_of, served_of
from pointsman.config.load import load
from pointsman.config.schema import Settings
from pointsman.config.values import ceilings_of, chains_of, retry_policy_of
from pointsman.core.errors import ConfigError
from pointsman.fleet.remedies import DEFAULT_REMEDIES, Remedy

HEAD = """
providers:
  one: {dialect: openai-chat, base_url: "http://127.0.0.1:1/v1", region: eu}
  two: {dialect: openai-chat, base_url: "http://127.0.0.1:2/v1"}
models:
  a: {provider: one, tier: simple}
  b: {provider: two, tier: medium}
"""


def settings_of(folder: Path, yaml: str) -> Settings:
    file = folder / "pointsman.yaml"
    file.write_text(HEAD + yaml)
    return load(file, {"POINTSMAN_STATE_DIR": str(folder)}, {}).settings


def test_chains_hold_the_cards_of_their_models(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, "chains: {tiers: {simple: [b, a]}, models: {a: [b]}}")
    chains = chains_of(settings, cards_of(settings))
    assert chains is not None
    assert [card.name for card in chains.tiers["simple"]] == ["b", "a"]
    assert [card.name for card in chains.models["a"]] == ["b"]
    bare = settings_of(tmp_path, "")
    assert chains_of(bare, cards_of(bare)) is None


def test_ceilings_know_where_each_model_is_served(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, "consent: {regions: [eu], price_multiple_max: 2.5}")
    ceilings = ceilings_of(settings, served_of(settings))
    assert ceilings is not None
    assert ceilings.regions_of == {"a": {"eu"}, "b": {""}}
    bare = settings_of(tmp_path, "")
    assert ceilings_of(bare, []) is None


def test_what_follows_a_failure_may_be_changed(tmp_path: Path) -> None:
    settings = settings_of(
        tmp_path,
        "reliability: {outcomes: {content_filter: next, timed_out.connect: stop}, retries: {per_target: 2}}",
    )
    policy = retry_policy_of(settings)
    assert policy.per_target == 2
    changed = {"content_filter": Remedy.NEXT, "timed_out.connect": Remedy.STOP}
    assert policy.remedies == {**DEFAULT_REMEDIES, **changed}


@pytest.mark.parametrize(
    ("yaml", "path"),
    [
        ("chains: {tiers: {simpel: [a]}}", "chains.tiers.simpel"),
        ("chains: {tiers: {simple: [c]}}", "chains.tiers.simple.0"),
        ("chains: {tiers: {simple: []}}", "chains.tiers.simple"),
        ("chains: {categories: {cod: [a]}}", "chains.categories.cod"),
        ("chains: {models: {a: [a]}}", "chains.models.a.0"),
        ("chains: {models: {a: [b, b]}}", "chains.models.a.1"),
        ("consent: {tier_min: hard}", "consent.tier_min"),
        ("consent: {vendors: [three]}", "consent.vendors.0"),
        ("consent: {regions: [mars]}", "consent.regions.0"),
        ("consent: {price_multiple_max: 0}", "consent.price_multiple_max"),
        ("reliability: {outcomes: {rejected: next}}", "reliability.outcomes.rejected"),
        ("reliability: {outcomes: {auth: again}}", "reliability.outcomes.auth"),
        ("reliability: {retries: {budget_share: 2}}", "reliability.retries.budget_share"),
    ],
)
def test_what_leads_nowhere_is_told_by_its_path(tmp_path: Path, yaml: str, path: str) -> None:
    with pytest.raises(ConfigError) as caught:
        settings_of(tmp_path, yaml)
    assert [problem.path.replace("[", ".").replace("]", "") for problem in caught.value.problems] == [path]
