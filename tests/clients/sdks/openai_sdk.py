"""The official OpenAI SDK: chat completions, and responses without a store. Histories are kept as its documentation
tells."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import openai

from clients.sdks.words import KEY, Colour
from clients.talk import TOOL_DESCRIPTION, TOOL_SCHEMA, Failure, Heard, Manner, Talk
from clients.vendors.script import TOOL


class OpenAiChat:
    """openai: client.chat.completions."""

    name = "openai-chat"
    dialect = "openai-chat"
    loses_thoughts = False

    def __init__(self, url: str) -> None:
        self.sdk = openai.OpenAI(api_key=KEY, base_url=f"{url}/v1", max_retries=0)

    def talk(self, manner: Manner) -> Talk:
        return _ChatTalk(self.sdk, manner)

    def close(self) -> None:
        self.sdk.close()


class _ChatTalk:
    def __init__(self, sdk: openai.OpenAI, manner: Manner) -> None:
        self._sdk = sdk
        self._streams = manner.streams
        self._messages: list[Any] = []
        self._calls: list[str] = []
        self._fields: dict[str, Any] = {}
        if manner.tools:
            function = {"name": TOOL, "description": TOOL_DESCRIPTION, "parameters": TOOL_SCHEMA}
            self._fields["tools"] = [{"type": "function", "function": function}]
        if manner.thinks:
            self._fields["reasoning_effort"] = "high"

    def ask(self, model: str, text: str, *, picture: str | None = None) -> Heard:
        content: Any = text
        if picture is not None:
            image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{picture}"}}
            content = [{"type": "text", "text": text}, image]
        self._messages.append({"role": "user", "content": content})
        return self._complete(model)

    def give(self, model: str, results: Sequence[str]) -> Heard:
        for call, result in zip(self._calls, results, strict=True):
            self._messages.append({"role": "tool", "tool_call_id": call, "content": result})
        return self._complete(model)

    def describe(self, model: str) -> Any:
        ask: list[Any] = [{"role": "user", "content": "describe"}]
        completions = self._sdk.chat.completions
        with openai_failures():
            if self._streams:
                with completions.stream(model=model, messages=ask, response_format=Colour) as stream:
                    answer = stream.get_final_completion()
            else:
                answer = completions.parse(model=model, messages=ask, response_format=Colour)
        parsed = answer.choices[0].message.parsed
        return parsed and parsed.model_dump()

    def _complete(self, model: str) -> Heard:
        asked: dict[str, Any] = {"model": model, "messages": self._messages, **self._fields}
        with openai_failures():
            if self._streams:
                options: Any = {"include_usage": True}
                with self._sdk.chat.completions.stream(**asked, stream_options=options) as stream:
                    answer: Any = stream.get_final_completion()
            else:
                answer = self._sdk.chat.completions.create(**asked)
        (choice,) = answer.choices
        message = choice.message
        self._messages.append(message.model_dump(exclude_none=True, exclude={"parsed"}))
        # A streamed answer has fields that the API does not take back.
        for call in self._messages[-1].get("tool_calls", ()):
            call.pop("index", None)
            call["function"].pop("parsed_arguments", None)
        calls = message.tool_calls or []
        self._calls = [call.id for call in calls]
        return Heard(
            message.content or "",
            getattr(message, "reasoning_content", None) or "",
            [(call.function.name, json.loads(call.function.arguments)) for call in calls],
            {"stop": "done", "tool_calls": "calls"}.get(choice.finish_reason, choice.finish_reason),
            (answer.usage.prompt_tokens, answer.usage.completion_tokens),
        )


class OpenAiResponses:
    """openai: client.responses, stateless."""

    name = "openai-responses"
    dialect = "openai-responses"
    loses_thoughts = False

    def __init__(self, url: str) -> None:
        self.sdk = openai.OpenAI(api_key=KEY, base_url=f"{url}/v1", max_retries=0)

    def talk(self, manner: Manner) -> Talk:
        return _ResponsesTalk(self.sdk, manner)

    def close(self) -> None:
        self.sdk.close()


class _ResponsesTalk:
    def __init__(self, sdk: openai.OpenAI, manner: Manner) -> None:
        self._sdk = sdk
        self._streams = manner.streams
        self._input: list[Any] = []
        self._calls: list[str] = []
        self._fields: dict[str, Any] = {"store": False}
        if manner.tools:
            tool = {"name": TOOL, "description": TOOL_DESCRIPTION, "parameters": TOOL_SCHEMA, "strict": False}
            self._fields["tools"] = [{"type": "function", **tool}]
        if manner.thinks:
            self._fields["reasoning"] = {"effort": "high", "summary": "auto"}
            self._fields["include"] = ["reasoning.encrypted_content"]

    def ask(self, model: str, text: str, *, picture: str | None = None) -> Heard:
        content: Any = text
        if picture is not None:
            image = {"type": "input_image", "image_url": f"data:image/png;base64,{picture}", "detail": "auto"}
            content = [{"type": "input_text", "text": text}, image]
        self._input.append({"role": "user", "content": content})
        return self._respond(model)

    def give(self, model: str, results: Sequence[str]) -> Heard:
        for call, result in zip(self._calls, results, strict=True):
            self._input.append({"type": "function_call_output", "call_id": call, "output": result})
        return self._respond(model)

    def describe(self, model: str) -> Any:
        with openai_failures():
            if self._streams:
                with self._sdk.responses.stream(model=model, input="describe", text_format=Colour) as stream:
                    answer: Any = stream.get_final_response()
            else:
                answer = self._sdk.responses.parse(model=model, input="describe", text_format=Colour)
        return answer.output_parsed and answer.output_parsed.model_dump()

    def _respond(self, model: str) -> Heard:
        asked: dict[str, Any] = {"model": model, "input": self._input, **self._fields}
        with openai_failures():
            if self._streams:
                with self._sdk.responses.stream(**asked) as stream:
                    answer: Any = stream.get_final_response()
            else:
                answer = self._sdk.responses.create(**asked)
        # A parsed item has fields that the API does not take back.
        without = {"parsed_arguments": True, "content": {"__all__": {"parsed"}}}
        self._input += [item.model_dump(exclude_none=True, exclude=without) for item in answer.output]
        calls = [item for item in answer.output if item.type == "function_call"]
        self._calls = [call.call_id for call in calls]
        ended = "calls" if calls else "done"
        return Heard(
            answer.output_text,
            "".join(part.text for item in answer.output if item.type == "reasoning" for part in item.summary),
            [(call.name, json.loads(call.arguments)) for call in calls],
            ended if answer.status == "completed" else answer.status,
            (answer.usage.input_tokens, answer.usage.output_tokens),
        )


@contextmanager
def openai_failures() -> Iterator[None]:
    try:
        yield
    except openai.APIStatusError as error:
        raise Failure(type(error).__name__, error.status_code, error.message) from error
