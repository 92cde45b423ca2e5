"""What is written down about the settings is what the settings are."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pointsman.config.cards import cards_of
from pointsman.config.load import load
from pointsman.config.reference import json_schema, markdown
from pointsman.config.schema import ModelSettings, ProviderSettings, ServerSettings, Settings
from pointsman.config.source import read_yaml
from pointsman.config.values import policy_of, providers_of
from pointsman.routing.policy import DEFAULT_WEIGHTS
from pointsman.upstream.known_providers import KNOWN_PROVIDERS

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))
KEYS = {
    name: f"{name.lower()}-0123456789"
    for name in (
        "ANTHROPIC_API_KEY",
        "SECOND_ANTHROPIC_KEY",
        "OPENAI_API_KEY",
        "OPENROUTER_API_KEY",
        "GEMINI_API_KEY",
        "POINTSMAN_MASTER_KEY",
        "POINTSMAN_ADMIN_KEY",
    )
}


def test_generated_files_are_current():
    ran = subprocess.run(
        [sys.executable, "scripts/generate_docs.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_schema_describes_every_key_and_allows_no_other():
    schema = json.loads(json_schema())
    definitions = schema["$defs"]
    for model, node in (
        (Settings, schema),
        (ServerSettings, definitions["ServerSettings"]),
        (ProviderSettings, definitions["ProviderSettings"]),
        (ModelSettings, definitions["ModelSettings"]),
    ):
        assert node["properties"].keys() == model.model_fields.keys()
        assert node["additionalProperties"] is False
        assert all(field.description for field in model.model_fields.values())


def test_schema_takes_secrets_as_references_only():
    definitions = json.loads(json_schema())["$defs"]
    pattern = definitions["ProviderSettings"]["properties"]["api_key"]["anyOf"][0]["pattern"]
    assert pattern.startswith(r"^\$")
    assert definitions["ServerSettings"]["properties"]["master_key"]["anyOf"][0]["pattern"] == pattern


def test_reference_names_every_provider_and_signal():
    text = markdown()
    for name in (*KNOWN_PROVIDERS, *DEFAULT_WEIGHTS):
        assert f"`{name}`" in text


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_example_loads_with_its_variables(path, nothing_there):
    loaded = load(path, nothing_there | KEYS, {})

    assert loaded.warnings == ()
    assert len(cards_of(loaded.settings)) == len(loaded.settings.models)
    assert policy_of(loaded.settings).tiers == loaded.settings.tiers
    for name, provider in providers_of(loaded.settings).items():
        known = KNOWN_PROVIDERS.get(name)
        if known is not None and known.key_variables and not provider.pass_through_caller_key:
            assert provider.api_key in KEYS.values()


def test_examples_show_every_section():
    assert len(EXAMPLES) >= 5
    used = {key for path in EXAMPLES for key in read_yaml(path.read_text("utf-8"), path.name).tree}
    assert used >= {"server", "providers", "models", "tiers", "aliases", "unknown_model", "routing", "ledger"}
