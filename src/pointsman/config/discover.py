"""A model table for someone who has configured nothing: from the keys in the environment, from an Ollama on
this machine, or else the simulated models. Produces what a file would say; reads no file."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from pointsman.config.discovery import DEFAULT_BOUNDARIES
from pointsman.fleet import catalog
from pointsman.fleet.listed import Listed
from pointsman.fleet.sizing import tier_for_size
from pointsman.routing.presets import DEFAULT_TIERS
from pointsman.upstream.known_providers import DEMO, KNOWN_PROVIDERS
from pointsman.upstream.listings import read_ollama

LOOKED_FOR = ("anthropic", "openai", "openrouter", "gemini")
"""Providers whose keys are looked for. Others take part once a configuration names them."""

_HOW_TO_ADD_A_KEY = (
    "For real ones: export ANTHROPIC_API_KEY=... (or OPENAI_API_KEY, OPENROUTER_API_KEY, GEMINI_API_KEY)"
    " or start Ollama, then start again."
)
_OLLAMA = "localhost:11434"
_PROBE_TIMEOUT_S = 0.3
"""On one's own machine an answer takes a few milliseconds; nobody waits for one that does not come."""
_LONGEST_ANSWER_BYTES = 4 * 1024 * 1024


@dataclass(slots=True)
class Found:
    """`tree` is what a configuration file would hold. `because` says for each provider what it was found by."""

    tree: dict[str, Any] = field(default_factory=lambda: {"providers": {}, "models": {}})
    because: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def discover(environ: Mapping[str, str]) -> Found:
    """What can be served without a configuration file."""
    found = Found()
    for name in LOOKED_FOR:
        variable = key_variable(name, environ)
        if variable is not None:
            found.because[name] = f"${variable}"
            found.tree["providers"][name] = _books(KNOWN_PROVIDERS[name].dialect)
            _add_catalog(found, name)
    _add_ollama(found, environ)
    if found.because:
        found.notes = (f"No configuration file: these models come from {', '.join(found.because.values())}.",)
    else:
        found.because[DEMO] = "nothing else was found"
        found.tree["providers"][DEMO] = {}
        _add_catalog(found, DEMO)
        found.notes = (
            "No provider key was found: these models are simulated, and every answer says so.",
            _HOW_TO_ADD_A_KEY,
        )
    return found


def _books(dialect: str) -> dict[str, Any]:
    """Who writes no configuration wants to know what streams cost more than to have every byte as it was."""
    return {"include_stream_usage": True} if dialect == "openai-chat" else {}


def key_variable(provider: str, environ: Mapping[str, str]) -> str | None:
    """The environment variable that holds this provider's key, None when none does."""
    known = KNOWN_PROVIDERS[provider]
    return next((name for name in known.key_variables if environ.get(name, "").strip()), None)


def _add_catalog(found: Found, provider: str) -> None:
    for model in catalog.models_of(provider):
        found.tree["models"][model.id] = {"provider": provider, "tier": model.tier}


# Ollama


def _add_ollama(found: Found, environ: Mapping[str, str]) -> None:
    address = _ollama_address(environ.get("OLLAMA_HOST", "").strip())
    if address is None:
        return
    models = _ollama_models(*address)
    if not models:
        return
    host, port = address
    shown = f"[{host}]" if ":" in host else host
    found.because["ollama"] = f"Ollama at {shown}:{port}"
    found.tree["providers"]["ollama"] = {"base_url": f"http://{shown}:{port}", "discover": True}
    found.tree["models"].update(models)


def _ollama_address(variable: str) -> tuple[str, int] | None:
    """Where Ollama's own programs would look, given its variable OLLAMA_HOST; None for what is not plain HTTP."""
    text = variable or _OLLAMA
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        host, port = parts.hostname or "localhost", parts.port or 11434
    except ValueError:
        return None
    if parts.scheme != "http":
        return None
    # The server's own setting means "listen everywhere"; it is reached on this machine all the same.
    return ("localhost" if host in {"0.0.0.0", "::"} else host), port  # noqa: S104


def _ollama_models(host: str, port: int) -> dict[str, Any]:
    body = _get(host, port, "/api/tags")
    if body is None:
        return {}
    import json  # noqa: PLC0415 - only once something answered

    try:
        listed = read_ollama(json.loads(body))
    except ValueError:
        return {}  # something else listens there
    return {one.id: _ollama_model(one) for one in listed} if any(one.writes_text for one in listed) else {}


def _get(host: str, port: int, path: str) -> bytes | None:
    """The body of a 200, else None. The HTTP client of the standard library is only loaded once something
    answers: loading it takes longer than being refused."""
    try:
        connection = socket.create_connection((host, port), timeout=_PROBE_TIMEOUT_S)
    except OSError:
        return None
    from http.client import HTTPConnection, HTTPException  # noqa: PLC0415 - see above

    client = HTTPConnection(host, port, timeout=_PROBE_TIMEOUT_S)
    client.sock = connection
    try:
        client.request("GET", path)
        response = client.getresponse()
        return response.read(_LONGEST_ANSWER_BYTES) if response.status == 200 else None
    except (OSError, HTTPException):
        return None
    finally:
        client.close()


def _ollama_model(listed: Listed) -> dict[str, Any]:
    settings: dict[str, Any] = {"provider": "ollama"}
    if listed.writes_text:  # what only embeds has no tier, and so is used by its own name alone
        settings["tier"] = tier_for_size(listed.billions, DEFAULT_TIERS, DEFAULT_BOUNDARIES)
    if listed.rates is not None:
        settings |= {
            "usd_per_million_input": listed.rates.input,
            "usd_per_million_output": listed.rates.output,
        }
    return settings
