import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pointsman.config.cards import cards_of
from pointsman.config.discover import discover
from pointsman.config.load import load
from pointsman.config.loaded import Origin
from pointsman.config.values import providers_of

TAGS = {
    "models": [
        {"name": "llama3.2:3b", "details": {"family": "llama", "parameter_size": "3.2B"}},
        {"name": "qwen3:32b", "details": {"family": "qwen3", "parameter_size": "32.8B"}},
        {"name": "gpt-oss:120b", "details": {"family": "gptoss", "parameter_size": "116.8B"}},
        {"name": "deepseek-r1:671b", "details": {"family": "deepseek2", "parameter_size": "671.0B"}},
        {"name": "smollm:135m", "details": {"family": "llama", "parameter_size": "134.52M"}},
        {"name": "mystery", "details": {"family": "x", "parameter_size": ""}},
        {"name": "nomic-embed-text", "details": {"family": "nomic-bert", "parameter_size": "137M"}},
        {
            "name": "kimi-k3:cloud",
            "remote_host": "https://ollama.com:443",
            "details": {"parameter_size": "1T"},
        },
    ]
}


class FakeOllama:
    """A real server on this machine that answers /api/tags."""

    def __init__(self, status: int = 200, body: bytes = json.dumps(TAGS).encode()) -> None:
        self.paths: list[str] = []
        paths = self.paths

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self):
                paths.append(self.path)
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.address = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        ).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def ollama() -> Iterator[FakeOllama]:
    fake = FakeOllama()
    yield fake
    fake.close()


@pytest.mark.parametrize(
    ("variable", "provider", "first_model"),
    [
        ("ANTHROPIC_API_KEY", "anthropic", "claude-haiku-5-5"),
        ("OPENAI_API_KEY", "openai", "gpt-6-luna"),
        ("OPENROUTER_API_KEY", "openrouter", "openai/gpt-6-luna"),
        ("GEMINI_API_KEY", "gemini", "gemini-3.5-flash-lite"),
        ("GOOGLE_API_KEY", "gemini", "gemini-3.5-flash-lite"),
    ],
)
def test_each_key_brings_its_provider_and_models(variable, provider, first_model, nothing_there, tmp_path):
    loaded = load(None, nothing_there | {variable: "key-1"}, {}, tmp_path)
    cards = cards_of(loaded.settings)

    assert {card.provider for card in cards} == {provider}
    assert providers_of(loaded.settings)[provider].api_key == "key-1"
    assert cards[0].name == first_model
    assert {"simple", "medium", "reasoning"} <= {card.tier for card in cards}
    assert all(card.price is not None and card.context_tokens for card in cards)
    assert loaded.origin(f"models.{first_model}.tier") == Origin("environment", f"${variable}")
    assert loaded.path is None
    assert f"${variable}" in loaded.notes[0]


def test_several_keys_stand_side_by_side(nothing_there, tmp_path):
    keys = {"OPENAI_API_KEY": "a", "ANTHROPIC_API_KEY": "b"}
    loaded = load(None, nothing_there | keys, {}, tmp_path)
    assert set(loaded.settings.providers) == {"openai", "anthropic"}


def test_nothing_found_gives_the_simulated_models_and_two_lines(nothing_there, tmp_path):
    loaded = load(None, nothing_there | {"OPENAI_API_KEY": ""}, {}, tmp_path)
    cards = cards_of(loaded.settings)

    assert providers_of(loaded.settings)["demo"].embedded
    assert [card.name for card in cards] == ["demo-simple", "demo-medium", "demo-complex", "demo-reasoning"]
    assert [card.tier for card in cards] == ["simple", "medium", "complex", "reasoning"]
    assert all(card.price and not card.price.is_free for card in cards)
    assert len(loaded.notes) == 2
    assert "ANTHROPIC_API_KEY" in loaded.notes[1]


def test_flags_and_variables_hold_without_a_file(nothing_there, tmp_path):
    loaded = load(None, nothing_there | {"POINTSMAN_LOG_LEVEL": "error"}, {"port": 0}, tmp_path)
    assert (loaded.settings.server.port, loaded.settings.server.log_level) == (0, "error")


def test_ollama_models_get_tiers_by_their_size(ollama, nothing_there, tmp_path):
    loaded = load(None, nothing_there | {"OLLAMA_HOST": ollama.address}, {}, tmp_path)
    cards = {card.name: card for card in cards_of(loaded.settings)}

    assert {name: card.tier for name, card in cards.items()} == {
        "llama3.2:3b": "simple",
        "qwen3:32b": "medium",
        "gpt-oss:120b": "complex",
        "deepseek-r1:671b": "reasoning",
        "smollm:135m": "simple",
        "mystery": "medium",
        "kimi-k3:cloud": "reasoning",
        "nomic-embed-text": None,  # it embeds, and is never routed to
    }
    assert ollama.paths == ["/api/tags"]
    assert providers_of(loaded.settings)["ollama"].base_url == f"http://{ollama.address}"
    assert providers_of(loaded.settings)["ollama"].api_key is None
    assert loaded.origin("models.qwen3:32b.tier").detail == f"Ollama at {ollama.address}"


def test_ollama_at_home_is_free_and_its_cloud_is_not_known_to_be(ollama, nothing_there, tmp_path):
    loaded = load(None, nothing_there | {"OLLAMA_HOST": f"http://{ollama.address}/"}, {}, tmp_path)
    cards = {card.name: card for card in cards_of(loaded.settings)}

    assert cards["llama3.2:3b"].price is not None
    assert cards["llama3.2:3b"].price.is_free
    assert cards["kimi-k3:cloud"].price is None


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b"{}"),
        (200, b"<html>"),
        (200, b"[]"),
        (200, b'{"models": [1]}'),
        (200, b'{"models": [{"nom": "x"}]}'),
        (200, b'{"models": []}'),
        (200, b'{"models": null}'),
        (200, b'{"models": [{"name": "nomic-embed-text"}]}'),
        (200, b"\xff"),
    ],
)
def test_something_else_at_ollamas_port_is_ignored(status, body):
    fake = FakeOllama(status, body)
    try:
        assert list(discover({"OLLAMA_HOST": fake.address}).tree["providers"]) == ["demo"]
    finally:
        fake.close()


@pytest.mark.parametrize(
    "address", ["https://ollama.example.org", "http://[", "127.0.0.1:port", "127.0.0.1:1"]
)
def test_an_address_that_leads_nowhere_is_ignored(address):
    assert list(discover({"OLLAMA_HOST": address}).tree["providers"]) == ["demo"]


def test_listening_everywhere_is_reached_here(ollama):
    port = ollama.address.rpartition(":")[2]
    found = discover({"OLLAMA_HOST": f"0.0.0.0:{port}"})
    assert found.tree["providers"]["ollama"] == {"base_url": f"http://localhost:{port}", "discover": True}


def test_streams_of_what_was_found_are_booked_with_their_cost():
    found = discover(
        {"OPENAI_API_KEY": "k" * 20, "ANTHROPIC_API_KEY": "k" * 20, "OLLAMA_HOST": "127.0.0.1:9"}
    )
    assert found.tree["providers"]["openai"] == {"include_stream_usage": True}
    assert found.tree["providers"]["anthropic"] == {}  # its streams always tell


def test_what_ollama_has_can_be_written_down_and_loaded_again(ollama, nothing_there, tmp_path):
    from pointsman.cli.init import written

    environ = nothing_there | {"OLLAMA_HOST": ollama.address}
    found = load(None, environ, {}, tmp_path)
    (tmp_path / "pointsman.yaml").write_text(written(discover(environ), environ))
    again = load(None, nothing_there, {}, tmp_path)

    assert again.path is not None
    assert again.settings.models == found.settings.models
    assert again.settings.providers == found.settings.providers
