"""Replies of a provider that speaks the Responses API itself: it keeps them, and who comes back to one is sent there."""

from collections.abc import Iterator
from typing import Any

import openai
import pytest
from calls import Caller, GatewayFactory

from gateways import Gateway
from pointsman.testing import FakeUpstream, Received, Scripted, scripted
from replies import completion, responses_event

YAML = """
server:
  master_key: $MASTER
providers:
  keeps: {{dialect: openai-responses, base_url: {url}/keeps, api_key: $KEEPS}}
  other: {{dialect: openai-responses, base_url: {url}/other, api_key: $OTHER}}
  chats: {{dialect: openai-chat, base_url: {url}/chats, api_key: $CHATS}}
models:
  kept: {{provider: keeps, tier: complex}}
  beside: {{provider: keeps, tier: simple}}
  stranger: {{provider: other, tier: simple}}
  talker: {{provider: chats, tier: medium}}
"""
KEYS = {"MASTER": "gateway-key", "KEEPS": "key-of-keeps", "OTHER": "key-of-other", "CHATS": "key-of-chats"}
PATH = "/v1/responses"
AS_MASTER = {"authorization": "Bearer gateway-key"}


def reply(reply_id: str, text: str = "Hello") -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    item = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": content}
    return {
        "id": reply_id, "object": "response", "created_at": 1, "status": "completed", "model": "m",
        "output": [item], "parallel_tool_calls": True, "tool_choice": "auto", "tools": [],
        "usage": {
            "input_tokens": 3, "output_tokens": 1, "total_tokens": 4,
            "input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0},
        },
    }  # fmt: skip


class Vendor:
    """Two providers of the Responses API and one of chat; each of the two knows its own replies."""

    def __init__(self, upstream: FakeUpstream) -> None:
        self.upstream = upstream
        self.kept: dict[str, str] = {}
        upstream.answer_with(self._answer)

    def _answer(self, request: Received) -> Scripted:
        _, _, provider, *rest = request.path.split("/")
        if provider == "chats":
            return scripted(json=completion())
        if rest[0] != "responses":
            return scripted(json={"error": {"message": f"no {request.path}"}}, status=404)
        if len(rest) > 1:
            return self._about(request, provider, rest[1], rest[2:])
        asked = request.json()
        previous = asked.get("previous_response_id")
        if previous is not None and self.kept.get(previous) != provider:
            return self._unknown(previous)
        reply_id = f"resp_{provider}_{len(self.kept)}"
        self.kept[reply_id] = provider
        if asked.get("background"):
            return scripted(json={**reply(reply_id), "status": "queued", "output": [], "usage": None})
        if not asked.get("stream"):
            return scripted(json=reply(reply_id))
        opened = {**reply(reply_id), "status": "in_progress", "output": []}
        return scripted(
            sse=[
                responses_event("response.created", 0, response=opened),
                responses_event("response.completed", 1, response=reply(reply_id)),
            ]
        )

    def _about(self, request: Received, provider: str, reply_id: str, ending: list[str]) -> Scripted:
        if self.kept.get(reply_id) != provider:
            return self._unknown(reply_id)
        if request.method == "DELETE":
            del self.kept[reply_id]
            return scripted(json={"id": reply_id, "object": "response", "deleted": True})
        if ending == ["input_items"]:
            item = {"type": "message", "id": "msg_0", "role": "user", "content": []}
            page = {
                "object": "list",
                "data": [item],
                "first_id": "msg_0",
                "last_id": "msg_0",
                "has_more": False,
            }
            return scripted(json=page)
        return scripted(
            json={**reply(reply_id), "status": "cancelled" if ending == ["cancel"] else "completed"}
        )

    @staticmethod
    def _unknown(reply_id: str) -> Scripted:
        message = f"Response with id '{reply_id}' not found."
        return scripted(json={"error": {"message": message, "type": "invalid_request_error"}}, status=404)

    @property
    def last(self) -> Received:
        return self.upstream.requests[-1]


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    with FakeUpstream.in_thread() as upstream:
        yield Vendor(upstream)


@pytest.fixture
def served(gateway: GatewayFactory, vendor: Vendor) -> Gateway:
    return gateway(YAML.format(url=vendor.upstream.base_url.rstrip("/")), **KEYS)


@pytest.fixture
def client(served: Gateway) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{served.url}/v1", api_key="gateway-key", max_retries=0) as client:
        yield client


@pytest.mark.parametrize("stream", [False, True])
def test_a_reply_is_shown_listed_and_deleted_where_it_is(
    client: openai.OpenAI, vendor: Vendor, stream: bool
) -> None:
    if stream:
        with client.responses.stream(model="kept", input="Hello!") as events:
            made = events.get_final_response()
    else:
        made = client.responses.create(model="kept", input="Hello!")
    assert client.responses.retrieve(made.id, include=["reasoning.encrypted_content"]).output_text == "Hello"
    assert vendor.last.header("authorization") == "Bearer key-of-keeps"
    assert "include" in vendor.last.query
    assert [item.id for item in client.responses.input_items.list(made.id, order="asc")] == ["msg_0"]
    assert client.responses.cancel(made.id).status == "cancelled"
    client.responses.delete(made.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(made.id)
    assert vendor.last.method == "DELETE"  # nobody is asked for what is known to be gone


def test_what_nobody_made_is_not_found_and_not_looked_for(client: openai.OpenAI, vendor: Vendor) -> None:
    for ask in (client.responses.retrieve, client.responses.cancel, client.responses.input_items.list):
        with pytest.raises(openai.NotFoundError, match="Response with id 'resp_x' not found"):
            ask("resp_x")
    assert vendor.upstream.requests == []


def test_the_callers_key_for_the_gateway_goes_nowhere(served: Gateway, vendor: Vendor) -> None:
    with Caller(served) as caller:
        made = caller.post(PATH, {"model": "kept", "input": "Hi"}, AS_MASTER).json()["id"]
        assert caller.get(f"{PATH}/{made}?key=gateway-key&include[]=a", AS_MASTER).status == 200
    assert "gateway-key" not in vendor.last.query
    assert all("gateway-key" not in value for value in map(str, vendor.last.headers))


@pytest.mark.parametrize("model", ["auto", "kept", "beside"])
def test_a_conversation_goes_on_where_it_is_kept(client: openai.OpenAI, vendor: Vendor, model: str) -> None:
    made = client.responses.create(model="kept", input="Hello!")
    said = client.responses.create(model=model, input="And now?", previous_response_id=made.id)
    assert vendor.last.path.startswith("/v1/keeps/")
    assert vendor.last.json()["previous_response_id"] == made.id
    assert vendor.kept[said.id] == "keeps"


@pytest.mark.parametrize("model", ["stranger", "talker"])
def test_a_model_of_another_provider_cannot_go_on(client: openai.OpenAI, vendor: Vendor, model: str) -> None:
    made = client.responses.create(model="kept", input="Hello!")
    with pytest.raises(openai.BadRequestError, match="is kept by keeps") as refused:
        client.responses.create(model=model, input="And now?", previous_response_id=made.id)
    assert (refused.value.code, refused.value.param) == (
        "previous_response_not_found",
        "previous_response_id",
    )
    assert len(vendor.upstream.requests) == 1


def test_what_should_not_be_kept_is_not_looked_for(client: openai.OpenAI, vendor: Vendor) -> None:
    made = client.responses.create(model="kept", input="Hello!", store=False)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(made.id)
    assert len(vendor.upstream.requests) == 1


def test_what_is_made_in_the_background_is_asked_for_until_it_is_there(client: openai.OpenAI) -> None:
    made = client.responses.create(model="kept", input="Hello!", background=True)
    assert (made.status, made.output) == ("queued", [])
    assert client.responses.retrieve(made.id).output_text == "Hello"
