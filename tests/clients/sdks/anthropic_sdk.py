"""The official Anthropic SDK. Histories are kept as its documentation tells."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import anthropic

from clients.sdks.words import KEY, look_up
from clients.talk import COLOUR_SCHEMA, TOOL_DESCRIPTION, TOOL_SCHEMA, Failure, Heard, Manner, Talk
from clients.vendors.script import TOOL


class Anthropic:
    """anthropic: client.messages."""

    name = "anthropic-messages"
    dialect = "anthropic-messages"
    loses_thoughts = False

    def __init__(self, url: str) -> None:
        self.sdk = anthropic.Anthropic(api_key=KEY, base_url=url, max_retries=0)

    def talk(self, manner: Manner) -> Talk:
        return _MessagesTalk(self.sdk, manner)

    def close(self) -> None:
        self.sdk.close()


class _MessagesTalk:
    def __init__(self, sdk: anthropic.Anthropic, manner: Manner) -> None:
        self._sdk = sdk
        self._streams = manner.streams
        self._messages: list[Any] = []
        self._calls: list[str] = []
        self._fields: dict[str, Any] = {"max_tokens": 4000}
        if manner.tools:
            tool = {"name": TOOL, "description": TOOL_DESCRIPTION, "input_schema": TOOL_SCHEMA}
            self._fields["tools"] = [tool]
        if manner.thinks:
            self._fields["thinking"] = {"type": "enabled", "budget_tokens": 2048}

    def ask(self, model: str, text: str, *, picture: str | None = None) -> Heard:
        content: Any = text
        if picture is not None:
            source = {"type": "base64", "media_type": "image/png", "data": picture}
            content = [{"type": "image", "source": source}, {"type": "text", "text": text}]
        self._messages.append({"role": "user", "content": content})
        return self._message(model)

    def give(self, model: str, results: Sequence[str]) -> Heard:
        blocks = [
            {"type": "tool_result", "tool_use_id": call, "content": result}
            for call, result in zip(self._calls, results, strict=True)
        ]
        self._messages.append({"role": "user", "content": blocks})
        return self._message(model)

    def describe(self, model: str) -> Any:
        ask: list[Any] = [{"role": "user", "content": "describe"}]
        config: Any = {"format": {"type": "json_schema", "schema": COLOUR_SCHEMA}}
        with anthropic_failures():
            if self._streams:
                with self._sdk.messages.stream(
                    model=model, max_tokens=500, messages=ask, output_config=config
                ) as stream:
                    answer: Any = stream.get_final_message()
            else:
                answer = self._sdk.messages.create(
                    model=model, max_tokens=500, messages=ask, output_config=config
                )
        assert answer.stop_reason == "end_turn"
        return json.loads(answer.content[0].text)

    def run(self, model: str, text: str) -> str:
        runner: Any = self._sdk.beta.messages.tool_runner(
            model=model,
            messages=[{"role": "user", "content": text}],
            stream=self._streams,
            **{**self._fields, "tools": [anthropic.beta_tool(look_up)]},
        )
        with anthropic_failures():
            last = runner.until_done()
        return "".join(block.text for block in last.content if block.type == "text")

    def _message(self, model: str) -> Heard:
        asked: dict[str, Any] = {"model": model, "messages": self._messages, **self._fields}
        with anthropic_failures():
            if self._streams:
                with self._sdk.messages.stream(**asked) as stream:
                    answer: Any = stream.get_final_message()
            else:
                answer = self._sdk.messages.create(**asked)
        self._messages.append({"role": "assistant", "content": answer.content})
        calls = [block for block in answer.content if block.type == "tool_use"]
        self._calls = [call.id for call in calls]
        usage = answer.usage
        return Heard(
            "".join(block.text for block in answer.content if block.type == "text"),
            "".join(block.thinking for block in answer.content if block.type == "thinking"),
            [(call.name, call.input) for call in calls],
            {"end_turn": "done", "tool_use": "calls"}.get(answer.stop_reason, answer.stop_reason),
            (
                usage.input_tokens
                + (usage.cache_read_input_tokens or 0)
                + (usage.cache_creation_input_tokens or 0),
                usage.output_tokens,
            ),
        )


@contextmanager
def anthropic_failures() -> Iterator[None]:
    try:
        yield
    except anthropic.APIStatusError as error:
        raise Failure(type(error).__name__, error.status_code, error.message) from error
