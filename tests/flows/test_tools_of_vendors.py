"""Tools that a vendor defines and its callers run, asked of another vendor's model through a whole server: the official
SDK gets the call that it knows, and the next turn says what became of it."""

from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest
from calls import GatewayFactory

from gateways import Gateway
from pointsman.testing import FakeUpstream, Received, Scripted, scripted
from replies import chat_stream, completion, message, messages_stream

YAML = """
providers:
  chats: {{dialect: openai-chat, base_url: {url}}}
  messages: {{dialect: anthropic-messages, base_url: {url}}}
models:
  gpt: {{provider: chats}}
  claude: {{provider: messages}}
"""
BASH = {"type": "bash_20250124", "name": "bash"}
PATCH = {"type": "custom", "custom": {"name": "patch", "description": "Changes files."}}
RUN = {"command": "ls"}


class Model:
    """Calls the first tool that it is offered, and ends once that was answered."""

    def __init__(self, upstream: FakeUpstream, arguments: dict[str, Any]) -> None:
        self.arguments = arguments
        self.asked: list[dict[str, Any]] = []
        upstream.answer_with(self._answer)

    def _answer(self, request: Received) -> Scripted:
        body = request.json()
        self.asked.append(body)
        is_chat = request.path.endswith("/chat/completions")
        tool = body["tools"][0]
        name = tool["function"]["name"] if is_chat else tool["name"]
        is_answered = b'"done: ' in request.body
        calls = [] if is_answered else [("call_1", name, self.arguments)]
        words = ["Well."] if is_answered else []
        if body.get("stream"):
            return scripted(sse=(chat_stream if is_chat else messages_stream)(*words, calls=calls))
        text = words[0] if words else None
        return scripted(json=(completion if is_chat else message)(text, calls))


@pytest.fixture
def upstream() -> Iterator[FakeUpstream]:
    with FakeUpstream.in_thread() as upstream:
        yield upstream


@pytest.fixture
def served(gateway: GatewayFactory, upstream: FakeUpstream) -> Gateway:
    return gateway(YAML.format(url=upstream.base_url))


@pytest.mark.parametrize("stream", [False, True])
def test_anthropics_shell_is_called_by_a_model_of_openai(
    served: Gateway, upstream: FakeUpstream, stream: bool
) -> None:
    model = Model(upstream, RUN)
    said: list[Any] = [{"role": "user", "content": "What is here?"}]
    asked: dict[str, Any] = {"model": "gpt", "max_tokens": 99, "tools": [BASH]}
    with anthropic.Anthropic(base_url=served.url, api_key="none", max_retries=0) as client:

        def turn() -> anthropic.types.Message:
            if not stream:
                return client.messages.create(messages=said, **asked)
            with client.messages.stream(messages=said, **asked) as events:
                return events.get_final_message()

        called = turn()
        (call,) = [block for block in called.content if block.type == "tool_use"]
        assert (call.name, call.input, called.stop_reason) == ("bash", RUN, "tool_use")
        result = {"type": "tool_result", "tool_use_id": call.id, "content": "done: a.txt"}
        said += [{"role": "assistant", "content": called.content}, {"role": "user", "content": [result]}]
        assert [block.text for block in turn().content if block.type == "text"] == ["Well."]
    assert "command" in model.asked[0]["tools"][0]["function"]["parameters"]["properties"]


@pytest.mark.parametrize("stream", [False, True])
def test_openais_free_text_is_written_by_a_model_of_anthropic(
    served: Gateway, upstream: FakeUpstream, stream: bool
) -> None:
    Model(upstream, {"input": "*** a\n+b"})
    said: list[Any] = [{"role": "user", "content": "Change it."}]
    asked: dict[str, Any] = {"model": "claude", "tools": [PATCH]}
    with openai.OpenAI(base_url=f"{served.url}/v1", api_key="none", max_retries=0) as client:
        if stream:
            deltas = [
                call.to_dict()
                for chunk in client.chat.completions.create(messages=said, stream=True, **asked)
                for call in (chunk.choices[0].delta.tool_calls or ())
            ]
            assert deltas[0]["type"] == "custom"
            assert "".join(each["custom"].get("input", "") for each in deltas) == "*** a\n+b"  # type: ignore[attr-defined]
            return
        called = client.chat.completions.create(messages=said, **asked).choices[0]
        (call,) = called.message.tool_calls or ()
        assert call.type == "custom"
        assert (call.custom.name, call.custom.input, called.finish_reason) == (
            "patch",
            "*** a\n+b",
            "tool_calls",
        )
        said += [
            {"role": "assistant", "content": None, "tool_calls": [call.to_dict()]},
            {"role": "tool", "tool_call_id": call.id, "content": "done: 1 file"},
        ]
        assert client.chat.completions.create(messages=said, **asked).choices[0].message.content == "Well."


@pytest.mark.parametrize("model", ["gpt", "claude"])
def test_openais_shell_is_called_by_any_model(served: Gateway, upstream: FakeUpstream, model: str) -> None:
    Model(upstream, {"commands": ["ls"]})
    said: list[Any] = [{"role": "user", "content": "What is here?"}]
    tools: Any = [{"type": "shell"}]
    with openai.OpenAI(base_url=f"{served.url}/v1", api_key="none", max_retries=0) as client:
        with client.responses.stream(model=model, input=said, tools=tools) as events:
            called = events.get_final_response()
        (call,) = [item for item in called.output if item.type == "shell_call"]
        assert call.action.commands == ["ls"]
        wrote = {"stdout": "done: a.txt", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}
        answer = {"type": "shell_call_output", "call_id": call.call_id, "output": [wrote]}
        asked: Any = [*said, *[item.to_dict() for item in called.output], answer]
        assert client.responses.create(model=model, input=asked, tools=tools).output_text == "Well."
        kept: Any = [answer]
        later = client.responses.create(model=model, input=kept, tools=tools, previous_response_id=called.id)
        assert later.output_text == "Well."
