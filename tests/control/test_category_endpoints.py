"""Categories set while the gateway runs: in force at once, kept, and checked like the file."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from operators import ADMIN, Operator

from gateways import running_gateway
from pointsman.config.overlay import overlay_path, read_overlay, write_overlay
from pointsman.core.errors import ConfigError

Operated = Callable[..., Operator]

YAML = """
providers:
  demo: {}
models:
  tiny: {provider: demo, id: demo-simple, tier: simple}
  writer: {provider: demo, id: demo-medium, tier: simple}
"""
POEM = {
    "model": "auto",
    "messages": [{"role": "user", "content": "Please write a sonnet about rain in May."}],
}


def chosen(operator: Operator) -> str:
    model: str = operator.ask("POST", "/v1/route", POEM).body["model"]
    return model


def set_poems(operator: Operator, model: str = "writer") -> None:
    body = {"name": "poems", "models": [model], "keywords": ["sonnet", "haiku"]}
    told = operator.ask("POST", "/config/category", body)
    assert told.status == 200, told.body
    assert told.body == {"status": "ok", "category": "poems", "models": [model]}


def test_category_holds_on_the_next_request_and_behind_a_reload(operated: Operated) -> None:
    operator = operated(YAML)
    assert chosen(operator) == "tiny"

    set_poems(operator)

    assert chosen(operator) == "writer"
    assert operator.reload().status == 200
    assert chosen(operator) == "writer"


def test_category_survives_a_restart(tmp_path: Path) -> None:
    environ = {"POINTSMAN_ADMIN_KEY": ADMIN}
    with running_gateway(YAML, tmp_path, environ) as gateway, Operator(gateway) as operator:
        set_poems(operator)
    with running_gateway(YAML, tmp_path, environ) as gateway, Operator(gateway) as operator:
        assert chosen(operator) == "writer"
        assert operator.ask("GET", "/config").body["origins"]["categories.poems.models"] == "api"


def test_models_of_a_category_can_be_exchanged(operated: Operated) -> None:
    operator = operated(YAML)
    set_poems(operator, "tiny")

    told = operator.ask("POST", "/config/model-mapping", {"category": "poems", "models": ["writer"]})

    assert told.status == 200
    assert chosen(operator) == "writer", "its keywords are still there"
    assert operator.ask("POST", "/config/model-mapping", {"category": "no", "models": ["tiny"]}).status == 404
    assert (
        operator.ask("POST", "/config/model-mapping", {"category": "code", "models": ["tiny"]}).status == 200
    )
    assert operator.ask("GET", "/config").body["model_mappings"] == {"poems": ["writer"], "code": ["tiny"]}


def test_category_of_the_file_can_be_changed_and_deleted(operated: Operated) -> None:
    operator = operated(YAML + "categories:\n  poems: {models: [writer], keywords: [sonnet]}\n")
    assert chosen(operator) == "writer"

    set_poems(operator, "tiny")
    assert chosen(operator) == "tiny"
    assert operator.ask("DELETE", "/config/category/poems").status == 200
    assert "poems" not in operator.ask("GET", "/config").body["custom_categories"]
    assert operator.reload().status == 200
    assert "poems" not in operator.ask("GET", "/config").body["custom_categories"]
    assert operator.ask("DELETE", "/config/category/poems").status == 404


def test_built_in_category_cannot_be_deleted(operated: Operated) -> None:
    assert operated(YAML).ask("DELETE", "/config/category/code").status == 400


def test_all_problems_are_told_and_nothing_is_changed(operated: Operated) -> None:
    operator = operated(YAML)
    set_poems(operator)

    body = {"name": "poems", "models": ["tyni", "gone"], "keywords": ["sonnet"]}
    told = operator.ask("POST", "/config/category", body)

    assert told.status == 422
    problems = told.body["error"]["problems"]
    assert {problem["path"] for problem in problems} == {
        "categories.poems.models.0",
        "categories.poems.models.1",
    }
    assert chosen(operator) == "writer"
    assert operator.reload().status == 200


@pytest.mark.parametrize(
    "body", [{}, {"name": "x"}, {"name": 5, "models": []}, {"name": "x", "models": [], "modles": 1}, []]
)
def test_body_that_is_no_category_is_refused(operated: Operated, body: object) -> None:
    assert operated(YAML).ask("POST", "/config/category", body).status == 400


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/config/category"), ("POST", "/config/model-mapping"), ("DELETE", "/config/category/poems")],
)
def test_changing_takes_the_admin_key(operated: Operated, method: str, path: str) -> None:
    operator = operated(YAML, POINTSMAN_MASTER_KEY="the-master-key-here")

    assert operator.ask(method, path, {}, key="wrong").status == 401
    assert operator.ask(method, path, {}, key="the-master-key-here").status == 403
    assert operator.ask("GET", "/config", key="wrong").status == 401
    assert operator.ask("GET", "/config", key="the-master-key-here").status == 200


def test_configuration_is_shown_without_secrets(operated: Operated) -> None:
    yaml = YAML + ("  remote: {provider: far}\naliases: {fast: tiny}\nserver: {master_key: $GATE}\n")
    yaml = yaml.replace(
        "  demo: {}\n",
        "  demo: {}\n  far: {dialect: openai-chat, base_url: 'https://$HOST/v1', api_key: $FAR,"
        " headers: {x-team: 'Bearer $TEAM'}}\n",
    )
    secrets = {
        "GATE": "gate-secret-1234567",
        "FAR": "far-secret",
        "HOST": "host-secret",
        "TEAM": "team-secret",
    }
    operator = operated(yaml, **secrets)

    body = operator.ask("GET", "/config").body

    text = json.dumps(body)
    assert not [secret for secret in (*secrets.values(), ADMIN) if secret in text]
    assert body["config"]["models"]["tiny"]["tier"] == "simple"
    assert body["config"]["aliases"] == {"fast": "tiny"}
    assert body["origins"]["aliases.fast"].startswith("file (line ")
    assert body["reload"]["last_error"] is None
    operator.reload("models: [")
    assert operator.ask("GET", "/config").body["reload"]["last_error"]["problems"]


def test_writers_at_once_lose_nothing(operated: Operated) -> None:
    operator = operated(YAML)
    begin = threading.Barrier(6)

    def write(number: int) -> int:
        with Operator(operator.gateway) as own:
            begin.wait(20)
            body = {"name": f"kind-{number}", "models": ["tiny"], "keywords": [f"word{number}"]}
            return own.ask("POST", "/config/category", body).status

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(write, range(6))) == {200}

    assert set(operator.ask("GET", "/config").body["custom_categories"]) == {f"kind-{n}" for n in range(6)}


def test_broken_file_of_the_api_is_told_and_changes_nothing(operated: Operated, tmp_path: Path) -> None:
    operator = operated(YAML)
    set_poems(operator)
    kept = overlay_path(tmp_path / "ledger.db")
    assert read_overlay(kept)["poems"] == {"models": ["writer"], "keywords": ["sonnet", "haiku"]}

    kept.write_text('{"version": 1, "categories": [')

    told = operator.reload()
    assert told.status == 422
    assert str(kept) in told.body["error"]["message"]
    assert chosen(operator) == "writer"


def test_model_that_went_is_told_with_the_file_that_still_names_it(
    operated: Operated, tmp_path: Path
) -> None:
    operator = operated(YAML)
    set_poems(operator)

    told = operator.reload(YAML.replace("writer:", "author:"))

    assert told.status == 422
    [problem] = told.body["error"]["problems"]
    assert problem["path"] == f"{overlay_path(tmp_path / 'ledger.db')}: categories.poems.models.0"
    assert problem["line"] is None


names = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20)
categories = st.none() | st.fixed_dictionaries(
    {"models": st.lists(names, max_size=3)},
    optional={"keywords": st.lists(st.text(max_size=9)), "description": st.text(max_size=9)},
)


@given(st.dictionaries(names, categories, max_size=4), st.dictionaries(names, categories, max_size=4))
def test_what_is_written_is_read_again(first: dict[str, object], second: dict[str, object]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = overlay_path(Path(folder) / "deep" / "ledger.db")
        for overlay in (first, second):
            write_overlay(path, overlay)  # type: ignore[arg-type]
            assert read_overlay(path) == overlay
        assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"version": 2, "categories": {}}', '{"version": 1, "categories": {"a": 5}}']
)
def test_file_of_something_else_is_a_problem(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)

    with pytest.raises(ConfigError, match="POST /config/category"):
        read_overlay(path)
