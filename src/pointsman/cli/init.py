"""`pointsman init`: a commented configuration for what is found on this machine, ready to be edited."""

import importlib.resources
from collections.abc import Iterator, Mapping
from pathlib import Path

import typer

from pointsman.config.discover import Found, discover, key_variable
from pointsman.config.files import find_file
from pointsman.fleet.catalog import models_of
from pointsman.upstream.known_providers import DEMO, KNOWN_PROVIDERS

_HEAD = """\
# yaml-language-server: $schema={schema}
#
# Pointsman's configuration. `pointsman check` lists everything that is wrong with it,
# `pointsman config show` every value in force. All settings: docs/configuration.md

# server:
#   host: 127.0.0.1                       # others can only reach it with a master key
#   port: 4000
#   master_key: $POINTSMAN_MASTER_KEY     # secrets are never written here, only $NAME
"""

_TAIL = """
# From the easiest requests to the hardest. A tier without a model uses the next higher one.
tiers: [simple, medium, complex, reasoning]

# What a model name that nobody serves gets: `reject` (404) or `route` (as if it were auto).
unknown_model: reject

# Further names that callers may use for a model or a profile (auto, eco, premium, agentic, free).
# aliases:
#   gpt-4o: auto
"""

_OTHERS = """\
  # Any OpenAI-compatible server:
  # local:
  #   dialect: openai-chat
  #   base_url: http://127.0.0.1:9001/v1
"""

_OWN_MODEL = """\
  # my-model:                             # the name that callers use
  #   provider: local
  #   id: the-providers-own-name
  #   tier: simple
  #   usd_per_million_input: 0.10
  #   usd_per_million_output: 0.40
  #   context_tokens: 32000
  #   abilities: [tools]                  # also vision, documents, audio, json_schema, thinking
"""


def run(path: Path, environ: Mapping[str, str], *, force: bool) -> int:
    text = written(discover(environ), environ)
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        typer.echo(f"pointsman: {path} is there already; --force overwrites it", err=True)
        return 2
    except OSError as error:
        typer.echo(f"pointsman: cannot write {path}: {error.strerror}", err=True)
        return 2
    typer.echo(f"Wrote {path}.")
    option = "" if find_file(None, {}) == path else f" --config {path}"
    typer.echo(f"Now: pointsman check{option}, then pointsman serve{option}")
    return 0


def written(found: Found, environ: Mapping[str, str]) -> str:
    """The text of a configuration that holds what was found."""
    schema = importlib.resources.files("pointsman.config").joinpath("pointsman.schema.json")
    return "\n".join(
        [
            _HEAD.format(schema=schema),
            "# Who serves models. A known name brings its address with it:",
            *_known_names(),
            "providers:",
            *_providers(found, environ),
            _OTHERS,
            "# The models that may be used. Prices and context sizes that are not given come from the bundled",
            "# price data; what that does not know stays unknown.",
            "models:",
            *_models(found),
            _OWN_MODEL + _TAIL,
        ]
    )


def _known_names() -> Iterator[str]:
    line = "#"
    for name in KNOWN_PROVIDERS:
        if len(line) + len(name) > 95:
            yield line
            line = "#"
        line += f" {name}"
    yield line


def _providers(found: Found, environ: Mapping[str, str]) -> Iterator[str]:
    for name, settings in found.tree["providers"].items():
        yield f"  {name}:{'' if settings or KNOWN_PROVIDERS[name].key_variables else ' {}'}"
        for key, value in settings.items():
            yield f"    {key}: {value}"
        variable = key_variable(name, environ)
        if variable is not None:
            yield f"    api_key: ${variable}"
        if name == DEMO:
            yield "  # Simulated models. For real ones:"
            yield "  # anthropic:"
            yield "  #   api_key: $ANTHROPIC_API_KEY"


def _models(found: Found) -> Iterator[str]:
    for name, settings in found.tree["models"].items():
        yield f"  {_quoted(name)}:"
        for key, value in settings.items():
            yield f"    {key}: {value}"
    if DEMO in found.tree["providers"]:
        for model in models_of("anthropic"):
            yield f"  # {model.id}:"
            yield "  #   provider: anthropic"
            yield f"  #   tier: {model.tier}"


def _quoted(name: str) -> str:
    """Names such as `llama3:8b` are plain in YAML as keys, but not all are."""
    plain = name.replace(":", "").replace("/", "").replace(".", "").replace("-", "").replace("_", "")
    return name if plain.isascii() and plain.isalnum() and not plain.isdigit() else f'"{name}"'
