"""What the configuration's tests share: a file from text, and an environment in which nothing is found."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pointsman.config.load import load
from pointsman.config.loaded import Loaded
from pointsman.core.errors import ConfigError, Problem

NOTHING_THERE = {"HOME": "/home/somebody", "OLLAMA_HOST": "127.0.0.1:1"}
"""No key, and no Ollama: nobody listens on port 1."""

DOCUMENTED_YAML = """\
server:
  port: 4000
providers:
  anthropic:
    api_key: $ANTHROPIC_API_KEY          # a known name brings dialect and URL with it
  local:
    dialect: openai-chat                 # any OpenAI-compatible server
    base_url: http://127.0.0.1:9001/v1
models:
  tiny:
    provider: local
    id: tiny-1
    tier: simple
    usd_per_million_input: 0.10
    usd_per_million_output: 0.40
    context_tokens: 32000
    abilities: [tools]
  opus:
    provider: anthropic
    id: claude-opus-4-6
    tier: complex
tiers: [simple, medium, complex, reasoning]
unknown_model: reject                    # or: route
"""


@pytest.fixture
def nothing_there() -> dict[str, str]:
    return dict(NOTHING_THERE)


@pytest.fixture
def documented_yaml() -> str:
    return DOCUMENTED_YAML


LoadText = Callable[..., Loaded]
ProblemsOf = Callable[..., tuple[Problem, ...]]


@pytest.fixture
def load_text(tmp_path: Path) -> LoadText:
    """Loads a configuration file of this text; keyword arguments are environment variables."""

    def load_it(text: str, flags: dict[str, object] | None = None, **variables: str) -> Loaded:
        path = tmp_path / "pointsman.yaml"
        path.write_text(text, "utf-8")
        return load(path, NOTHING_THERE | variables, flags or {})

    return load_it


@pytest.fixture
def problems_of(load_text: LoadText) -> ProblemsOf:
    """The problems of a configuration file of this text, which must have some."""

    def find(text: str, flags: dict[str, object] | None = None, **variables: str) -> tuple[Problem, ...]:
        with pytest.raises(ConfigError) as caught:
            load_text(text, flags, **variables)
        return caught.value.problems

    return find
