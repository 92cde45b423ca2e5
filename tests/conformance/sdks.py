"""The official SDKs as callers: each is handed the bytes of an answer by its own HTTP client, and what it understood is
read from its objects. What an SDK only constructs must also be what its types say."""

from typing import Any

import anthropic
import httpx2
import openai
from anthropic.types import Message
from google import genai
from google.genai import errors, types
from openai.types.chat import ChatCompletion
from openai.types.responses import Response

from conformance.gateway import Sent
from conformance.meaning import Failure, Meaning, Stop, Tokens, arguments_in

_HI: Any = [{"role": "user", "content": "Hi"}]


class Unreadable(Exception):
    """The SDK could not read what it was sent."""


class _Wire(httpx2.BaseTransport):
    """Answers whatever is asked with what it was last told to."""

    def __init__(self) -> None:
        self.sent = Sent(500, is_stream=False, body=b"")

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        kind = b"text/event-stream" if self.sent.is_stream else b"application/json"
        headers = [(b"content-type", kind), *self.sent.headers]
        return httpx2.Response(self.sent.status, headers=headers, content=self.sent.body)


_WIRE = _Wire()
_HTTP = httpx2.Client(transport=_WIRE)
_OPENAI = openai.OpenAI(api_key="k", base_url="http://gateway.test/v1", max_retries=0, http_client=_HTTP)
_ANTHROPIC = anthropic.Anthropic(
    api_key="k", base_url="http://gateway.test", max_retries=0, http_client=_HTTP
)
_GEMINI = genai.Client(
    api_key="k",
    vertexai=False,
    http_options=types.HttpOptions(base_url="http://gateway.test", httpx_client=_HTTP),
)


def understood(caller: str, sent: Sent, *, stream: bool) -> Meaning:
    """What the caller's SDK makes of it. Raises Unreadable."""
    _WIRE.sent = sent
    try:
        return _READERS[caller](stream)
    except openai.APIStatusError as error:
        body = error.body
        message = str(body.get("message")) if isinstance(body, dict) else error.message
        return _failed(error.status_code, message, _OPENAI_CLASSES, error)
    except anthropic.APIStatusError as error:
        # the SDK's own message is the body as Python writes it
        message = error.body["error"]["message"] if isinstance(error.body, dict) else error.message
        if sent.status == 200:
            return Meaning(failure=Failure(None, message))
        return _failed(error.status_code, message, _ANTHROPIC_CLASSES, error)
    except (openai.APIError, anthropic.APIError) as error:
        if isinstance(error, openai.APIResponseValidationError | anthropic.APIResponseValidationError):
            raise Unreadable(f"{type(error).__name__}: {error}") from error
        return Meaning(failure=Failure(None, error.message))
    except errors.APIError as error:
        expected = errors.ClientError if error.code < 500 else errors.ServerError
        if sent.status != 200 and (error.code != sent.status or type(error) is not expected):
            raise Unreadable(f"{type(error).__name__} {error.code} for status {sent.status}") from error
        return Meaning(failure=Failure(None if sent.status == 200 else error.code, error.message or ""))
    except Unreadable:
        raise
    except Exception as error:
        raise Unreadable(f"{type(error).__name__}: {error}") from error


def _failed(status: int, message: str, classes: dict[int, type[Exception]], error: Exception) -> Meaning:
    expected = classes.get(status, classes[500] if status >= 500 else type(error))
    if type(error) is not expected:
        raise Unreadable(f"{type(error).__name__} for status {status}")
    return Meaning(failure=Failure(status, message))


_OPENAI_CLASSES: dict[int, type[Exception]] = {
    400: openai.BadRequestError,
    401: openai.AuthenticationError,
    403: openai.PermissionDeniedError,
    404: openai.NotFoundError,
    409: openai.ConflictError,
    422: openai.UnprocessableEntityError,
    429: openai.RateLimitError,
    500: openai.InternalServerError,
}
_ANTHROPIC_CLASSES: dict[int, type[Exception]] = {
    400: anthropic.BadRequestError,
    401: anthropic.AuthenticationError,
    403: anthropic.PermissionDeniedError,
    404: anthropic.NotFoundError,
    409: anthropic.ConflictError,
    413: anthropic._exceptions.RequestTooLargeError,
    422: anthropic.UnprocessableEntityError,
    429: anthropic.RateLimitError,
    500: anthropic.InternalServerError,
    503: anthropic._exceptions.ServiceUnavailableError,
    504: anthropic._exceptions.DeadlineExceededError,
    529: anthropic._exceptions.OverloadedError,
}


def _chat(stream: bool) -> Meaning:
    if stream:
        with _OPENAI.chat.completions.stream(model="m", messages=_HI) as events:
            events.until_done()
            whole = events.current_completion_snapshot
        told = whole.model_dump(mode="json", warnings="none")
    else:
        told = _OPENAI.chat.completions.create(model="m", messages=_HI).model_dump(
            mode="json", warnings=False
        )
        ChatCompletion.model_validate(told, strict=True)
    choice = told["choices"][0]
    message = choice["message"]
    meaning = Meaning()
    meaning.say("reasoning", message.get("reasoning_content") or "")
    meaning.say("text", message.get("content") or "")
    meaning.say("refusal", message.get("refusal") or "")
    for image in message.get("images") or []:
        meaning.image(image["image_url"]["url"].partition("base64,")[2])
    for call in message.get("tool_calls") or []:
        if not call["id"] or call["type"] != "function":
            raise Unreadable("a call without an id or a type")
        meaning.call(call["function"]["name"], _strict_arguments(call["function"]["arguments"]), call["id"])
    meaning.cited = [a["url_citation"]["url"] for a in message.get("annotations") or []]
    logprobs = choice.get("logprobs") or {}
    meaning.logprobs = len(logprobs.get("content") or []) + len(logprobs.get("refusal") or [])
    stops: dict[str, Stop] = {
        "stop": "done",
        "length": "length",
        "tool_calls": "tools",
        "content_filter": "blocked",
    }
    meaning.stop = stops[choice["finish_reason"]]
    if meaning.refusal and meaning.stop == "done":
        meaning.stop = "blocked"
    usage = told.get("usage")
    if usage is not None:
        if usage["total_tokens"] != usage["prompt_tokens"] + usage["completion_tokens"]:
            raise Unreadable("the total is not the sum")
        meaning.usage = Tokens(
            usage["prompt_tokens"],
            usage["completion_tokens"],
            (usage.get("prompt_tokens_details") or {}).get("cached_tokens"),
            (usage.get("completion_tokens_details") or {}).get("reasoning_tokens"),
            (usage.get("prompt_tokens_details") or {}).get("cache_write_tokens"),
        )
    return meaning


def _strict_arguments(text: str) -> Any:
    """An empty string is no JSON: a caller's program would fail on it."""
    if not text.strip():
        raise Unreadable("empty arguments")
    return arguments_in(text)


def _responses(stream: bool) -> Meaning:
    if stream:
        with _OPENAI.responses.stream(model="m", input="Hi") as events:
            last = None
            for event in events:
                last = event
            assert last is not None
            if last.type not in {"response.completed", "response.incomplete", "response.failed"}:
                raise Unreadable(f"the last event is {last.type}")
            whole: Any = last.response
    else:
        whole = _OPENAI.responses.create(model="m", input="Hi")
    told = whole.model_dump(mode="json", warnings=False)
    if not stream:
        Response.model_validate(told)
    meaning = Meaning()
    if told["status"] == "failed":
        return Meaning(failure=Failure(None, told["error"]["message"]))
    for item in told["output"]:
        match item["type"]:
            case "message":
                for part in item["content"]:
                    if part["type"] == "refusal":
                        meaning.say("refusal", part["refusal"])
                        continue
                    meaning.say("text", part["text"])
                    meaning.logprobs += len(part.get("logprobs") or [])
                    meaning.cited += [a["url"] for a in part["annotations"] if a["type"] == "url_citation"]
            case "reasoning":
                for part in [*item["summary"], *(item.get("content") or [])]:
                    meaning.say("reasoning", part["text"])
            case "function_call":
                meaning.call(item["name"], _strict_arguments(item["arguments"]), item["call_id"])
            case "image_generation_call":
                meaning.image(item["result"])
            case kind:
                raise Unreadable(f"an item of type {kind}")
    reason = (told.get("incomplete_details") or {}).get("reason")
    if told["status"] == "completed":
        meaning.ended("done")
    else:
        meaning.stop = {"max_output_tokens": "length", "content_filter": "blocked"}[reason]  # type: ignore[assignment]
    usage = told.get("usage")
    if usage is not None:
        if usage["total_tokens"] != usage["input_tokens"] + usage["output_tokens"]:
            raise Unreadable("the total is not the sum")
        meaning.usage = Tokens(
            usage["input_tokens"],
            usage["output_tokens"],
            usage["input_tokens_details"]["cached_tokens"],
            usage["output_tokens_details"]["reasoning_tokens"],
            usage["input_tokens_details"].get("cache_write_tokens"),
        )
    return meaning


def _messages(stream: bool) -> Meaning:
    ask: Any = {"model": "m", "max_tokens": 10, "messages": _HI}
    if stream:
        with _ANTHROPIC.messages.stream(**ask) as events:
            whole = events.get_final_message()
    else:
        whole = _ANTHROPIC.messages.create(**ask)
    told = Message.model_validate(whole.model_dump(warnings="none"), strict=True).model_dump(mode="json")
    meaning = Meaning()
    for block in told["content"]:
        match block["type"]:
            case "text":
                meaning.say("text", block["text"])
                meaning.cited += [c["url"] for c in block.get("citations") or [] if c.get("url")]
            case "thinking":
                meaning.say("reasoning", block["thinking"])
            case "redacted_thinking":
                pass
            case "tool_use":
                if not isinstance(block["input"], dict):
                    raise Unreadable("an input that is not an object")
                meaning.call(block["name"], block["input"], block["id"])
            case kind:
                raise Unreadable(f"a block of type {kind}")
    stops: dict[str, Stop] = {
        "end_turn": "done",
        "stop_sequence": "done",
        "max_tokens": "length",
        "tool_use": "tools",
        "refusal": "blocked",
        "pause_turn": "pause",
        "model_context_window_exceeded": "length",
    }
    meaning.stop = stops[told["stop_reason"]]
    meaning.stop_sequence = told["stop_sequence"]
    usage = told["usage"]
    counts = [usage.get(f"{name}input_tokens") or 0 for name in ("", "cache_read_", "cache_creation_")]
    thought = (usage.get("output_tokens_details") or {}).get("thinking_tokens")
    meaning.usage = Tokens(sum(counts), usage["output_tokens"], counts[1], thought, counts[2])
    return meaning


def _gemini(stream: bool) -> Meaning:
    if stream:
        chunks = list(_GEMINI.models.generate_content_stream(model="m", contents="Hi"))
    else:
        chunks = [_GEMINI.models.generate_content(model="m", contents="Hi")]
    meaning = Meaning()
    finish = None
    usage = None
    is_blocked = False
    for chunk in chunks:
        usage = chunk.usage_metadata or usage
        if chunk.prompt_feedback is not None and chunk.prompt_feedback.block_reason is not None:
            is_blocked = True
        for candidate in (chunk.candidates or [])[:1]:
            if finish is not None:
                raise Unreadable("a chunk behind the end")
            parts = (candidate.content.parts if candidate.content is not None else None) or []
            for part in parts:
                _gemini_part(meaning, part)
            finish = candidate.finish_reason or finish
            logprobs = candidate.logprobs_result
            meaning.logprobs += len((logprobs and logprobs.chosen_candidates) or [])
            grounding = candidate.grounding_metadata
            for source in (grounding and grounding.grounding_chunks) or []:
                if source.web is not None and source.web.uri and source.web.uri not in meaning.cited:
                    meaning.cited.append(source.web.uri)
    if finish is None and not is_blocked:
        raise Unreadable("no finish reason")
    stops: dict[str, Stop] = {"STOP": "done", "MAX_TOKENS": "length", "SAFETY": "blocked", "OTHER": "length"}
    meaning.ended("blocked" if finish is None else stops[finish.value])
    if usage is not None and usage.prompt_token_count is not None:
        thought = usage.thoughts_token_count
        output = (usage.candidates_token_count or 0) + (thought or 0)
        prompt = usage.prompt_token_count + (usage.tool_use_prompt_token_count or 0)
        if usage.total_token_count != prompt + output:
            raise Unreadable("the total is not the sum")
        meaning.usage = Tokens(prompt, output, usage.cached_content_token_count, thought)
    return meaning


def _gemini_part(meaning: Meaning, part: types.Part) -> None:
    if part.function_call is not None:
        call = part.function_call
        if not call.name:
            raise Unreadable("a call without a name")
        meaning.call(call.name, call.args or {}, call.id)
    elif part.inline_data is not None:
        import base64

        meaning.image(base64.b64encode(part.inline_data.data or b"").decode())
    elif part.text is not None:
        meaning.say("reasoning" if part.thought else "text", part.text)
    elif part.thought_signature is None:
        raise Unreadable("a part that says nothing")


_READERS = {
    "openai-chat": _chat,
    "openai-responses": _responses,
    "anthropic-messages": _messages,
    "gemini": _gemini,
}
CALLERS = tuple(_READERS)
