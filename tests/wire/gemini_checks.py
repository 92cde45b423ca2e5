"""What the tests of the Gemini dialect hold replies and requests against: Google's SDK, the grammar of its streams, and
a reading of recorded traffic that shares nothing with the dialect."""

import json
import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import httpx2
import pydantic
from google import genai
from google.genai import errors, types

from pointsman.core.events import Reply
from pointsman.core.request import Image, Text, Thinking, ToolCall
from pointsman.wire.dialect import ReplyContext

CONTEXT = ReplyContext("pm_0190test", "flash", 1_700_000_000, stream_usage=True)

Json = dict[str, Any]


@dataclass
class Meaning:
    """An answer without its packaging. `usage` is input, output, cached and reasoning tokens."""

    text: str = ""
    thinking: str = ""
    calls: list[tuple[str, Any]] = field(default_factory=list)
    images: int = 0
    reason: str = ""
    usage: tuple[int, int, int, int] | None = None


_NUMBERED = {1: "STOP", 2: "MAX_TOKENS"}
_REASONS = {"stop": "STOP", "tool_calls": "STOP", "length": "MAX_TOKENS", "content_filter": "blocked"}


def _reason(word: Any) -> str:
    word = _NUMBERED.get(word, word)
    return word if word in {"STOP", "MAX_TOKENS"} else "blocked"


def chunks_of(stream: bytes) -> list[Json]:
    lines = stream.decode().replace("\r\n", "\n").split("\n")
    return [json.loads(line[5:]) for line in lines if line.startswith("data:")]


def meaning_of_chunks(chunks: list[Json]) -> Meaning:
    meaning = Meaning()
    counts: Json = {}
    for chunk in chunks:
        told = chunk.get("usageMetadata") or {}
        counts = told if "promptTokenCount" in told else counts
        if (chunk.get("promptFeedback") or {}).get("blockReason") and "candidates" not in chunk:
            meaning.reason = "blocked"
            meaning.text += chunk["promptFeedback"].get("blockReasonMessage", "")
        for candidate in (chunk.get("candidates") or [])[:1]:
            for part in (candidate.get("content") or {}).get("parts") or []:
                _read_part(meaning, part)
            if candidate.get("finishReason"):
                meaning.reason = _reason(candidate["finishReason"])
    if "promptTokenCount" in counts:
        thought = counts.get("thoughtsTokenCount", 0)
        meaning.usage = (
            counts["promptTokenCount"] + counts.get("toolUsePromptTokenCount", 0),
            counts.get("candidatesTokenCount", 0) + thought,
            counts.get("cachedContentTokenCount", 0),
            thought,
        )
    return meaning


def _read_part(meaning: Meaning, part: Json) -> None:
    call = part.get("functionCall")
    if call is not None:
        if "name" in call:
            meaning.calls.append((call["name"], call.get("args") or {}))
        for piece in call.get("partialArgs") or []:
            _put(meaning.calls[-1][1], piece)
    elif "inlineData" in part:
        meaning.images += 1
    elif part.get("thought"):
        meaning.thinking += part.get("text", "")
    else:
        meaning.text += part.get("text", "")


def _put(args: Any, piece: Json) -> None:
    steps: list[Any] = [
        int(index) if index else name for name, index in re.findall(r"\.(\w+)|\[(\d+)\]", piece["jsonPath"])
    ]
    where = args
    for step, following in pairwise(steps):
        where = _slot(where, step, [] if isinstance(following, int) else {})
    value = piece.get("stringValue", piece.get("numberValue"))
    held = _slot(where, steps[-1], "")
    where[steps[-1]] = held + value if isinstance(value, str) else value


def _slot(where: Any, step: Any, empty: Any) -> Any:
    if isinstance(step, int):
        if step == len(where):
            where.append(empty)
    else:
        where.setdefault(step, empty)
    return where[step]


def meaning_of_reply(reply: Reply) -> Meaning:
    meaning = Meaning(reason=_REASONS[reply.finished.reason])
    for part in reply.parts:
        match part:
            case Text(text):
                meaning.text += text
            case Thinking(text):
                meaning.thinking += text
            case ToolCall(_, name, arguments):
                meaning.calls.append((name, json.loads(arguments)))
            case Image():
                meaning.images += 1
            case _:
                raise AssertionError(part)
    usage = reply.usage
    if usage.input_tokens is not None:
        meaning.usage = (
            usage.input_tokens,
            usage.output_tokens or 0,
            usage.cache_read_tokens or 0,
            usage.reasoning_tokens or 0,
        )
    return meaning


# the official SDK


class _Wire(httpx2.BaseTransport):
    """Answers every request of the one SDK client with what it was last told to."""

    answer = httpx2.Response(500)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        return self.answer


_WIRE = _Wire()
_CLIENT = genai.Client(
    api_key="test",
    vertexai=False,
    http_options=types.HttpOptions(
        base_url="http://gateway.test", httpx_client=httpx2.Client(transport=_WIRE)
    ),
)


def _answering(status: int, content_type: str, body: bytes) -> genai.Client:
    _WIRE.answer = httpx2.Response(status, headers={"content-type": content_type}, content=body)
    return _CLIENT


def sdk_reply(body: bytes) -> list[types.GenerateContentResponse]:
    return [_answering(200, "application/json", body).models.generate_content(model="m", contents="Hi")]


def sdk_stream(stream: bytes) -> list[types.GenerateContentResponse]:
    client = _answering(200, "text/event-stream", stream)
    return list(client.models.generate_content_stream(model="m", contents="Hi"))


def sdk_error(status: int, body: bytes) -> errors.APIError:
    try:
        _answering(status, "application/json", body).models.generate_content(model="m", contents="Hi")
    except errors.APIError as error:
        return error
    raise AssertionError("the SDK saw no error")


def meaning_of_sdk(responses: list[types.GenerateContentResponse]) -> Meaning:
    written = [response.model_dump(by_alias=True, exclude_none=True, mode="json") for response in responses]
    return meaning_of_chunks(written)


# the grammar of a stream


def check_grammar(stream: bytes) -> None:
    """Raises AssertionError unless the stream is one whole reply in the lines that Google's own readers take."""
    assert stream.endswith(b"\r\n\r\n")
    frames = stream.removesuffix(b"\r\n\r\n").split(b"\r\n\r\n")
    chunks = []
    for frame in frames:
        assert b"\n" not in frame
        assert frame.startswith(b"data: {")
        chunks.append(json.loads(frame[6:]))
    for chunk in chunks:
        assert {"candidates", "modelVersion", "responseId"} <= chunk.keys()
        (candidate,) = chunk["candidates"]
        assert candidate["index"] == 0
        assert candidate["content"]["role"] == "model"
        assert candidate["content"]["parts"], "clients take a content without parts for a broken one"
    ends = ["finishReason" in chunk["candidates"][0] for chunk in chunks]
    assert ends == [False] * (len(ends) - 1) + [True]
    assert all("usageMetadata" not in chunk for chunk in chunks[:-1])


# the rules of a request


_CONTENT = pydantic.TypeAdapter(types.Content)
_CONTENTS = pydantic.TypeAdapter(list[types.Content])
_TOOLS = pydantic.TypeAdapter(list[types.Tool])
_TOOL_CONFIG = pydantic.TypeAdapter(types.ToolConfig)
_GENERATION_CONFIG = pydantic.TypeAdapter(types.GenerationConfig)


def check_request_rules(body: Json, model: str) -> None:
    """Raises AssertionError where the API is known to refuse the request."""
    adapter: pydantic.TypeAdapter[Any]
    for name, adapter in (
        ("contents", _CONTENTS),
        ("tools", _TOOLS),
        ("systemInstruction", _CONTENT),
        ("toolConfig", _TOOL_CONFIG),
        ("generationConfig", _GENERATION_CONFIG),
    ):
        if name in body:
            adapter.validate_json(json.dumps(body[name]))
    open_calls: list[tuple[str, str]] = []
    role = ""
    assert body["contents"][0]["role"] == "user"
    for content in body["contents"]:
        assert content["role"] in {"user", "model"}
        assert content["role"] != role, "turns alternate"
        role = content["role"]
        answered = [part["functionResponse"] for part in content["parts"] if "functionResponse" in part]
        assert [(each["id"], each["name"]) for each in answered] == open_calls
        assert all("functionResponse" in part for part in content["parts"][: len(answered)])
        calls = [part["functionCall"] for part in content["parts"] if "functionCall" in part]
        assert all(isinstance(call["args"], dict) for call in calls)
        open_calls = [(call["id"], call["name"]) for call in calls]
        assert content["parts"]
    assert not open_calls
    names = [f["name"] for tool in body.get("tools", []) for f in tool["functionDeclarations"]]
    assert all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.:-]{0,63}", name) for name in names)
    assert len(set(names)) == len(names)
    calling = body.get("toolConfig", {}).get("functionCallingConfig", {})
    assert set(calling.get("allowedFunctionNames", [])) <= set(names)
    config = body.get("generationConfig", {})
    if names and "gemini-2" in model:
        assert "responseMimeType" not in config
    assert "responseJsonSchema" not in config or config["responseMimeType"] == "application/json"
    assert not {"thinkingBudget", "thinkingLevel"} <= config.get("thinkingConfig", {}).keys()
