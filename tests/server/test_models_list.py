"""`GET /v1/models` as the official SDKs read it, and `/health`."""

import anthropic
import openai
import pytest
from callers import anthropic_client, google_client, openai_client
from raw_http import ask, head

from gateways import Gateway
from pointsman.core.errors import BadRequest
from pointsman.server.models import ListedModel, ModelList

VIRTUAL = ["auto", "eco", "premium", "agentic", "free"]
REAL = ["tiny", "org/big"]

ANTHROPIC = "anthropic-version: 2023-06-01"


def test_openai_sdk_lists_virtual_models_first(demo: Gateway) -> None:
    with openai_client(demo) as client:
        models = list(client.models.list())

    assert [model.id for model in models] == VIRTUAL + REAL
    assert {model.object for model in models} == {"model"}
    assert [model.owned_by for model in models] == ["pointsman"] * 5 + ["demo"] * 2
    assert all(model.created > 1_700_000_000 for model in models)


def test_anthropic_sdk_lists_virtual_models_first(demo: Gateway) -> None:
    with anthropic_client(demo) as client:
        models = list(client.models.list())

    assert [model.id for model in models] == VIRTUAL + REAL
    assert {model.type for model in models} == {"model"}
    assert all(model.display_name and model.created_at.tzinfo for model in models)


@pytest.mark.parametrize("version", ["v1", "v1alpha", "v1beta"])
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_google_sdk_lists_virtual_models_first(demo: Gateway, version: str, size: int) -> None:
    client = google_client(demo, version)
    models = list(client.models.list(config={"page_size": size}))

    assert [model.name for model in models] == [f"models/{name}" for name in VIRTUAL + REAL]
    assert all("generateContent" in (model.supported_actions or []) for model in models)
    assert client.models.get(model="org/big").name == "models/org/big"


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 1000])
def test_anthropic_sdk_turns_pages_forward(demo: Gateway, limit: int) -> None:
    with anthropic_client(demo) as client:
        models = list(client.models.list(limit=limit))

    assert [model.id for model in models] == VIRTUAL + REAL


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_anthropic_sdk_turns_pages_backward(demo: Gateway, limit: int) -> None:
    with anthropic_client(demo) as client:
        page = client.models.list(limit=limit, before_id="org/big")
        pages = [list(page.data)]
        while page.has_next_page():
            page = page.get_next_page()
            pages.append(list(page.data))

    names = [model.id for page in reversed(pages) for model in page]
    assert names == [*VIRTUAL, "tiny"]


def test_page_between_two_models_holds_what_is_between(demo: Gateway) -> None:
    reply = ask(demo, head("GET", "/v1/models?after_id=eco&before_id=tiny&limit=2", ANTHROPIC), to="GET")

    assert [model["id"] for model in reply.json()["data"]] == ["agentic", "free"]
    assert (reply.json()["first_id"], reply.json()["last_id"]) == ("agentic", "free")


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "limit=many", "limit=-1", "after_id=gone", "before_id=gone"]
)
def test_page_that_cannot_be_is_refused(demo: Gateway, query: str) -> None:
    reply = ask(demo, head("GET", f"/v1/models?{query}", ANTHROPIC), to="GET")

    assert (reply.status, reply.error["type"]) == (400, "invalid_request_error")
    assert query.partition("=")[0] in reply.error["message"]


def test_openai_shape_knows_no_pages(demo: Gateway) -> None:
    assert len(ask(demo, head("GET", "/v1/models?limit=1"), to="GET").json()["data"]) == 7


def test_both_sdks_retrieve_a_model_with_a_slash(demo: Gateway) -> None:
    with openai_client(demo) as client:
        assert client.models.retrieve("org/big").owned_by == "demo"
    with anthropic_client(demo) as client:
        assert client.models.retrieve("org/big").display_name == "org/big"


@pytest.mark.parametrize(
    "path", ["/v1/models/org/big", "/v1/models/org%2Fbig", "/v1/v1/models/org/big/", "/models/org/big"]
)
def test_model_with_a_slash_is_shown_however_spelled(demo: Gateway, path: str) -> None:
    assert ask(demo, head("GET", path), to="GET").json()["id"] == "org/big"


def test_every_name_a_chat_takes_is_shown(demo: Gateway) -> None:
    with openai_client(demo) as client:
        asked = client.chat.completions.create(
            model="demo/demo-simple", messages=[{"role": "user", "content": "hi"}]
        )
        shown = client.models.retrieve("demo/demo-simple")

    assert asked.model == "demo-simple"
    assert (shown.id, shown.owned_by) == ("demo/demo-simple", "demo")


def test_both_sdks_raise_not_found_for_an_unknown_model(demo: Gateway) -> None:
    with openai_client(demo) as client, pytest.raises(openai.NotFoundError) as caught:
        client.models.retrieve("gone")
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")
    with anthropic_client(demo) as client, pytest.raises(anthropic.NotFoundError):
        client.models.retrieve("gone")


@pytest.mark.parametrize("path", ["/v1/models/%ff%00", "/v1/models/a%0d%0ab", "/v1/models/" + "x" * 5000])
def test_strange_model_name_is_not_found(demo: Gateway, path: str) -> None:
    reply = ask(demo, head("GET", path), to="GET")

    assert reply.status == 404
    assert reply.error["type"] == "invalid_request_error"


def test_list_of_no_models_is_a_page() -> None:
    empty = ModelList([], 0)

    assert empty.anthropic() == {"data": [], "has_more": False, "first_id": None, "last_id": None}
    assert empty.openai() == {"object": "list", "data": []}
    with pytest.raises(BadRequest):
        empty.anthropic(after_id="x")


def test_time_of_a_model_is_that_of_the_configuration() -> None:
    models = ModelList([ListedModel("a", "b", "c")], 86_400)

    assert models.anthropic()["data"][0]["created_at"] == "1970-01-02T00:00:00Z"
    assert models.openai()["data"][0]["created"] == 86_400


def test_health_needs_no_key(locked: Gateway) -> None:
    reply = ask(locked, head("GET", "/health"), to="GET")

    assert (reply.status, reply.json()["status"]) == (200, "ok")
