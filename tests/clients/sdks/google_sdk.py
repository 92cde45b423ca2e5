"""The official Google SDK."""

import base64
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from google import genai
from google.genai import errors as genai_errors
from google.genai import types as genai_types

from clients.sdks.words import KEY, Colour, look_up
from clients.talk import TOOL_DESCRIPTION, TOOL_SCHEMA, Failure, Heard, Manner, Talk
from clients.vendors.script import TOOL


class GoogleGenAi:
    """google-genai: client.chats, which keeps its own history."""

    name = "gemini"
    dialect = "gemini"
    loses_thoughts = False

    def __init__(self, url: str) -> None:
        self.sdk = genai.Client(api_key=KEY, http_options=genai_types.HttpOptions(base_url=url))

    def talk(self, manner: Manner) -> Talk:
        return _GeminiTalk(self.sdk, manner)

    def close(self) -> None:
        self.sdk.close()


class _GeminiTalk:
    def __init__(self, sdk: genai.Client, manner: Manner) -> None:
        self._sdk = sdk
        self._streams = manner.streams
        self._history: list[Any] = []
        self._calls: list[Any] = []
        config = genai_types.GenerateContentConfig()
        if manner.tools:
            declared = genai_types.FunctionDeclaration(
                name=TOOL, description=TOOL_DESCRIPTION, parameters_json_schema=TOOL_SCHEMA
            )
            config.tools = [genai_types.Tool(function_declarations=[declared])]
            config.automatic_function_calling = genai_types.AutomaticFunctionCallingConfig(disable=True)
        if manner.thinks:
            config.thinking_config = genai_types.ThinkingConfig(include_thoughts=True, thinking_budget=2048)
        self._config = config

    def ask(self, model: str, text: str, *, picture: str | None = None) -> Heard:
        parts = [genai_types.Part.from_text(text=text)]
        if picture is not None:
            data = base64.b64decode(picture)
            parts.append(genai_types.Part.from_bytes(data=data, mime_type="image/png"))
        return self._send(model, parts)

    def give(self, model: str, results: Sequence[str]) -> Heard:
        parts = [
            genai_types.Part(
                function_response=genai_types.FunctionResponse(
                    id=call.id, name=call.name, response={"result": result}
                )
            )
            for call, result in zip(self._calls, results, strict=True)
        ]
        return self._send(model, parts)

    def describe(self, model: str) -> Any:
        config = genai_types.GenerateContentConfig(
            response_mime_type="application/json", response_schema=Colour
        )
        with genai_failures():
            if self._streams:
                chunks = self._sdk.models.generate_content_stream(
                    model=model, contents="describe", config=config
                )
                return json.loads("".join(chunk.text or "" for chunk in chunks))
            answer = self._sdk.models.generate_content(model=model, contents="describe", config=config)
        assert isinstance(answer.parsed, Colour)
        return answer.parsed.model_dump()

    def run(self, model: str, text: str) -> str:
        config = self._config.model_copy(update={"tools": [look_up], "automatic_function_calling": None})
        chat = self._sdk.chats.create(model=model, config=config)
        with genai_failures():
            if self._streams:
                return "".join(chunk.text or "" for chunk in chat.send_message_stream(text))
            return chat.send_message(text).text or ""

    def _send(self, model: str, parts: list[Any]) -> Heard:
        chat = self._sdk.chats.create(model=model, config=self._config, history=self._history)
        with genai_failures():
            answers = list(chat.send_message_stream(parts)) if self._streams else [chat.send_message(parts)]
        self._history = chat.get_history()
        said = [part for answer in answers for part in _parts(answer)]
        self._calls = [part.function_call for part in said if part.function_call]
        last = answers[-1]
        ended = "calls" if self._calls else "done"
        reason = last.candidates[0].finish_reason.value
        usage = last.usage_metadata
        return Heard(
            "".join(part.text for part in said if part.text and not part.thought),
            "".join(part.text for part in said if part.text and part.thought),
            [(call.name, call.args) for call in self._calls],
            ended if reason == "STOP" else reason,
            (usage.prompt_token_count, usage.candidates_token_count + (usage.thoughts_token_count or 0)),
        )


def _parts(answer: Any) -> list[Any]:
    if not answer.candidates or answer.candidates[0].content is None:
        return []
    return answer.candidates[0].content.parts or []


@contextmanager
def genai_failures() -> Iterator[None]:
    try:
        yield
    except genai_errors.APIError as error:
        raise Failure(type(error).__name__, error.code, error.message or "") from error
