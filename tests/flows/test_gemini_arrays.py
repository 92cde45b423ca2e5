"""Streams that Gemini's callers ask for without `alt=sse`: one JSON array, errors included, as Google's SDK reads them."""

from collections.abc import Iterator

import pytest
from calls import Caller, GatewayFactory
from google.genai import errors

from gateways import Gateway
from pointsman.testing import FakeUpstream, Received, Scripted, scripted
from replies import chat_error, chat_stream

YAML = """
server: {{master_key: $MASTER}}
providers:
  chats: {{dialect: openai-chat, base_url: {url}}}
  gemini: {{dialect: gemini, base_url: {url}}}
models:
  tiny: {{provider: chats}}
  gem: {{provider: gemini}}
"""
PATH = "/v1beta/models/{}:streamGenerateContent"
BODY = {"contents": [{"parts": [{"text": "Hello!"}]}]}
KEY = {"x-goog-api-key": "k"}
GOOGLE_ERROR = {"error": {"code": 400, "message": "no", "status": "INVALID_ARGUMENT"}}


def answer(request: Received) -> Scripted:
    if "generatecontent" in request.path.lower():
        return scripted(json=GOOGLE_ERROR, status=400)
    if request.json()["messages"][0]["content"] == "Bye!":
        return scripted(json=chat_error("no"), status=400)
    return scripted(sse=chat_stream("Hello"))


@pytest.fixture
def told(gateway: GatewayFactory) -> Iterator[Gateway]:
    with FakeUpstream.in_thread() as upstream:
        upstream.answer_with(answer)
        yield gateway(YAML.format(url=upstream.base_url), MASTER="k")


@pytest.mark.parametrize(
    ("model", "body", "headers", "status"),
    [
        ("gem", BODY, KEY, 400),
        ("tiny", {"contents": [{"parts": [{"text": "Bye!"}]}]}, KEY, 400),
        ("tiny", {"contents": []}, KEY, 400),
        ("tiny", {"contents": 3}, KEY, 400),
        ("tiny", BODY, {}, 401),
        ("nobody", BODY, KEY, 404),
    ],
    ids=["google's own", "another provider's", "empty", "no contents", "no key", "no model"],
)
def test_an_error_before_an_array_is_in_an_array(
    told: Gateway, model: str, body: dict[str, object], headers: dict[str, str], status: int
) -> None:
    with Caller(told) as caller:
        as_array = caller.post(PATH.format(model), body, headers)
        as_events = caller.post(PATH.format(model) + "?alt=sse", body, headers)
    (said,) = as_array.json()
    assert as_array.status == as_events.status == said["error"]["code"] == status
    assert said["error"].keys() == as_events.json()["error"].keys()
    with pytest.raises(errors.ClientError) as raised:
        errors.APIError.raise_error(as_array.status, as_array.json(), None)
    assert (raised.value.status, raised.value.message) == (said["error"]["status"], said["error"]["message"])


def test_an_array_is_what_is_asked_for(told: Gateway) -> None:
    with Caller(told) as caller:
        pieces = caller.post(PATH.format("tiny"), BODY, KEY).json()
    assert (
        "".join(piece["candidates"][0]["content"]["parts"][0].get("text", "") for piece in pieces[:1])
        == "Hello"
    )
