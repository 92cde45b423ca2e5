"""Models that nobody wrote down: they come, route, go, and a provider that is down takes nothing with it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from operators import Operator

from pointsman.config.load import load
from pointsman.core.errors import ConfigError
from pointsman.fleet.listed import Listed
from pointsman.lab.scripted import FakeUpstream, Received, Scripted, scripted
from replies import completion
from waiting import wait_until

Operated = Callable[..., Operator]

YAML = """
discovery: {{refresh_s: {refresh_s}, timeout_s: 5}}
providers:
  local: {{dialect: openai-chat, base_url: "{url}", discover: {discover}}}
{more}
"""


class Server:
    """A provider with a list; `status` 500 when it is down."""

    def __init__(self, upstream: FakeUpstream, *names: str) -> None:
        self.names = list(names)
        self.status = 200
        self.asked = 0
        upstream.answer_with(self.answer)

    def answer(self, request: Received) -> Scripted:
        if request.path != "/v1/models":
            return scripted(json=completion())
        self.asked += 1
        listed = [{"id": name, "object": "model", "max_model_len": 8192} for name in self.names]
        return scripted(json={"data": listed}, status=self.status)


def yaml(upstream: FakeUpstream, more: str = "", discover: str = "true", refresh_s: float = 3600) -> str:
    return YAML.format(url=upstream.base_url, more=more, discover=discover, refresh_s=refresh_s)


def discovery(operator: Operator) -> Any:
    return operator.ask("GET", "/admin/discovery").body["providers"][0]


def test_discovered_models_are_listed_and_routed_by_their_size(
    operated: Operated, upstream: FakeUpstream
) -> None:
    Server(upstream, "qwen3:4b", "qwen3:32b", "qwen3:235b-a22b", "text-embedding-3-small")
    operator = operated(yaml(upstream))

    wait_until(lambda: operator.models() == {"qwen3:4b", "qwen3:32b", "qwen3:235b-a22b"})

    assert operator.chat("qwen3:4b").status == 200
    assert operator.chat("auto").status == 200
    assert upstream.requests[-1].json()["model"] == "qwen3:4b"
    tiers = operator.ask("GET", "/admin/reload").body["last_reload"]["models_by_tier"]
    assert tiers == {"simple": ["qwen3:4b"], "medium": ["qwen3:32b"], "reasoning": ["qwen3:235b-a22b"]}


def test_start_waits_for_nobody(operated: Operated) -> None:
    """The provider does not even accept a connection."""
    operator = operated(
        'providers:\n  gone: {dialect: openai-chat, base_url: "http://127.0.0.1:1/v1", discover: true}\n'
    )

    assert operator.ask("GET", "/health").status == 200
    assert operator.models() == set()
    assert operator.chat("auto").status == 400
    wait_until(lambda: discovery(operator)["error"] is not None)
    assert discovery(operator)["listed_models"] is None


def test_provider_that_is_down_keeps_its_models(operated: Operated, upstream: FakeUpstream) -> None:
    server = Server(upstream, "one-7b")
    operator = operated(yaml(upstream, refresh_s=0.05))
    wait_until(lambda: operator.models() == {"one-7b"})

    server.status = 500
    wait_until(lambda: discovery(operator)["error"] is not None)
    assert operator.models() == {"one-7b"}
    assert operator.chat("one-7b").status == 200
    server.names, server.status = ["two-7b"], 200

    wait_until(lambda: operator.models() == {"two-7b"})
    assert discovery(operator)["error"] is None


def test_lists_are_asked_for_off_the_request_path(operated: Operated, upstream: FakeUpstream) -> None:
    server = Server(upstream, "one-7b")
    operator = operated(yaml(upstream))
    wait_until(lambda: operator.models() == {"one-7b"})

    for _ in range(5):
        assert operator.chat("one-7b").status == 200

    assert server.asked == 1


def test_refresh_can_be_asked_for(operated: Operated, upstream: FakeUpstream) -> None:
    server = Server(upstream, "one-7b")
    operator = operated(yaml(upstream))
    wait_until(lambda: operator.models() == {"one-7b"})
    server.names = ["one-7b", "two-7b"]

    assert operator.ask("POST", "/admin/discovery/refresh", key="wrong").status == 401
    assert operator.ask("POST", "/admin/discovery/refresh").status == 202

    wait_until(lambda: operator.models() == {"one-7b", "two-7b"})


def test_lists_of_wanted_and_unwanted_models_hold(operated: Operated, upstream: FakeUpstream) -> None:
    Server(upstream, "qwen3:4b", "qwen3:32b", "llama3.1:8b")
    operator = operated(yaml(upstream, discover="{allow: ['qwen*'], block: ['*:32b']}"))

    wait_until(lambda: operator.models() == {"qwen3:4b"})


def test_what_is_written_of_a_model_wins(operated: Operated, upstream: FakeUpstream) -> None:
    Server(upstream, "qwen3:4b", "qwen3:32b")
    operator = operated(
        yaml(upstream, "models:\n  big: {provider: local, id: 'qwen3:4b', tier: reasoning}\n")
    )

    wait_until(lambda: operator.models() == {"big", "qwen3:32b"})
    tiers = operator.ask("GET", "/admin/reload").body["last_reload"]["models_by_tier"]
    assert tiers == {"medium": ["qwen3:32b"], "reasoning": ["big"]}


def test_name_that_is_taken_gets_its_provider_in_front(operated: Operated, upstream: FakeUpstream) -> None:
    Server(upstream, "auto", "tiny")
    more = "  demo: {}\nmodels:\n  tiny: {provider: demo, id: demo-simple, tier: simple}\n"
    operator = operated(yaml(upstream, more))

    wait_until(lambda: operator.models() == {"tiny", "local/auto", "local/tiny"})
    assert operator.chat("local/tiny").status == 200
    assert upstream.requests[-1].json()["model"] == "tiny"


def test_discovered_models_survive_a_reload_and_go_with_their_provider(
    operated: Operated, upstream: FakeUpstream
) -> None:
    Server(upstream, "one-7b")
    demo = "  demo: {}\nmodels:\n  tiny: {provider: demo, id: demo-simple, tier: simple}\n"
    operator = operated(yaml(upstream, demo))
    wait_until(lambda: operator.models() == {"one-7b", "tiny"})

    assert operator.reload().body["removed_models"] == []
    assert operator.models() == {"one-7b", "tiny"}
    told = operator.reload("providers:\n" + demo)

    assert told.body["removed_models"] == ["one-7b"]
    assert operator.models() == {"tiny"}


NAMING = """
aliases: {helper: "qwen3:32b"}
categories: {cooking: {keywords: [recipe], models: ["qwen3:32b"]}}
chains: {models: {"qwen3:4b": ["qwen3:32b", "no-such-model"]}}
baseline_model: "qwen3:32b"
"""


def test_what_names_a_listed_model_holds_once_it_is_listed(
    operated: Operated, upstream: FakeUpstream
) -> None:
    server = Server(upstream, "qwen3:4b")
    operator = operated(yaml(upstream, NAMING, refresh_s=0.05))
    wait_until(lambda: operator.models() == {"qwen3:4b"})
    assert operator.chat("helper").status == 404

    server.names.append("qwen3:32b")

    wait_until(lambda: "qwen3:32b" in operator.models())
    assert operator.chat("helper").status == 200
    assert upstream.requests[-1].json()["model"] == "qwen3:32b"
    asked = {"model": "auto", "messages": [{"role": "user", "content": "A recipe for bread, please"}]}
    assert operator.ask("POST", "/v1/chat/completions", asked).status == 200
    last = [request for request in upstream.requests if request.path == "/v1/chat/completions"][-1]
    assert last.json()["model"] == "qwen3:32b"


def test_a_category_of_listed_models_survives_a_restart(
    operated: Operated, upstream: FakeUpstream, tmp_path: Path
) -> None:
    Server(upstream, "qwen3:4b", "qwen3:32b")
    first = operated(yaml(upstream))
    wait_until(lambda: len(first.models()) == 2)
    cooking = {"name": "cooking", "keywords": ["recipe"], "models": ["qwen3:32b"]}
    assert first.ask("POST", "/config/category", cooking).status == 200

    loaded = load(first.gateway.file, {"POINTSMAN_STATE_DIR": str(first.gateway.file.parent)}, {})

    assert "cooking" in loaded.settings.categories
    assert any("qwen3:32b is left out until" in note for note in loaded.notes)


def test_a_name_that_nobody_lists_is_told_and_stops_nothing(upstream: FakeUpstream, tmp_path: Path) -> None:
    file = tmp_path / "pointsman.yaml"
    file.write_text(yaml(upstream, NAMING))

    loaded = load(file, {"POINTSMAN_STATE_DIR": str(tmp_path)}, {}, lists={"local": [Listed("qwen3:4b")]})

    told = "\n".join(loaded.warnings)
    assert (
        "chains.models.qwen3:4b: no-such-model is left out: it is neither in `models` nor listed by local"
        in told
    )
    assert loaded.settings.chains.models == {}
    assert loaded.settings.baseline_model is None


def test_without_a_provider_that_lists_an_unknown_name_is_a_mistake(
    upstream: FakeUpstream, tmp_path: Path
) -> None:
    file = tmp_path / "pointsman.yaml"
    known = 'models: {"qwen3:4b": {provider: local, tier: simple}}'
    file.write_text(yaml(upstream, f"{known}\naliases: {{helper: no-such-model}}", discover="false"))

    with pytest.raises(ConfigError, match="no-such-model"):
        load(file, {"POINTSMAN_STATE_DIR": str(tmp_path)}, {})
