"""What a caller heard: as its official SDK understood it, and as the bytes came. It judges nothing."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Self

import anthropic
import httpx2
import openai
from google import genai
from google.genai import errors, types

PATIENCE_S = 30.0
"""Nobody waits longer: what has not ended by then does not end."""

_ADDRESS = "http://gateway.test"
_LAST_READ = b"data: [DONE]"
"""OpenAI's SDK reads no further."""


@dataclass
class Heard:
    """`raised` is the class of what the SDK raised, None where it did not; `text` what it had handed out until then,
    `finished` whether it saw a successful end. `status`, `headers` and `body` are of the wire; `status` is None where
    no answer came."""

    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    text: str = ""
    finished: bool = False
    raised: str | None = None
    raised_status: int | None = None
    message: str = ""
    is_sdks_own: bool = False
    """What was raised is the SDK's own word for a failure that it was told of."""


class _Recorded(httpx2.SyncByteStream):
    """The bytes of an answer, as they pass by."""

    def __init__(self, stream: Any, heard: Heard) -> None:
        self._stream = stream
        self._pieces = iter(stream)
        self._heard = heard

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self._heard.body += piece
            yield piece

    def close(self) -> None:
        if _LAST_READ in self._heard.body:
            for _ in self:  # what comes behind the end is of interest to a judge
                pass
        self._stream.close()


class _Wire(httpx2.BaseTransport):
    """Sends what an SDK sends to the gateway under test, and keeps what comes back."""

    def __init__(self) -> None:
        self._inner = httpx2.HTTPTransport()
        self.url = httpx2.URL(_ADDRESS)
        self.heard = Heard()
        self.more: Mapping[str, str] = {}

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        request.url = request.url.copy_with(host=self.url.host, port=self.url.port)
        request.headers["host"] = f"{self.url.host}:{self.url.port}"
        request.headers.update(self.more)
        response = self._inner.handle_request(request)
        self.heard.status = response.status_code
        self.heard.headers = dict(response.headers)
        response.stream = _Recorded(response.stream, self.heard)
        return response

    def close(self) -> None:
        self._inner.close()


class _Sdks:
    """One set of clients; not for two threads at once."""

    def __init__(self) -> None:
        self.wire = _Wire()
        self.http = http = httpx2.Client(transport=self.wire, timeout=PATIENCE_S)
        self.openai = openai.OpenAI(
            api_key="k", base_url=f"{_ADDRESS}/v1", max_retries=0, http_client=http, timeout=PATIENCE_S
        )
        self.anthropic = anthropic.Anthropic(
            api_key="k", base_url=_ADDRESS, max_retries=0, http_client=http, timeout=PATIENCE_S
        )
        self.genai = genai.Client(
            api_key="k",
            vertexai=False,
            http_options=types.HttpOptions(base_url=_ADDRESS, httpx_client=http),
        )


class Callers:
    """The SDKs, one set for each thread that asks. To be left in the end."""

    def __init__(self) -> None:
        self._of_thread = threading.local()
        self._made: list[_Sdks] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for sdks in self._made:
            sdks.http.close()

    def ask(
        self,
        url: str,
        client: str,
        model: str,
        prompt: str,
        *,
        stream: bool,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> Heard:
        """One request by the client's SDK, with these headers besides its own."""
        sdks: _Sdks | None = getattr(self._of_thread, "sdks", None)
        if sdks is None:
            sdks = self._of_thread.sdks = _Sdks()
            self._made.append(sdks)
        sdks.wire.more = headers
        return _ask(sdks, url, client, model, prompt, stream=stream)


def _ask(sdks: _Sdks, url: str, client: str, model: str, prompt: str, *, stream: bool) -> Heard:
    heard = sdks.wire.heard = Heard()
    sdks.wire.url = httpx2.URL(url)
    try:
        _ASK[client](sdks, heard, model, prompt, stream)
    except (openai.APIError, anthropic.APIError) as error:
        _note(heard, error, error.message)
        heard.raised_status = getattr(error, "status_code", None)
        heard.is_sdks_own = not isinstance(
            error,
            openai.APIConnectionError
            | anthropic.APIConnectionError
            | openai.APIResponseValidationError
            | anthropic.APIResponseValidationError,
        )
    except errors.APIError as error:
        _note(heard, error, error.message or "")
        heard.raised_status = error.code
        heard.is_sdks_own = True
    except Exception as error:  # noqa: BLE001 - whatever it is, the SDK could not read what it was sent
        _note(heard, error, str(error))
    return heard


def _note(heard: Heard, error: Exception, message: str) -> None:
    heard.raised = type(error).__name__
    heard.message = message


def _chat(sdks: _Sdks, heard: Heard, model: str, prompt: str, stream: bool) -> None:
    asked: Any = {"model": model, "messages": [{"role": "user", "content": prompt}]}
    if not stream:
        choice = sdks.openai.chat.completions.create(**asked).choices[0]
        heard.text = choice.message.content or ""
        heard.finished = choice.finish_reason == "stop"
        return
    for chunk in sdks.openai.chat.completions.create(**asked, stream=True):
        for choice in chunk.choices:
            heard.text += choice.delta.content or ""
            heard.finished = heard.finished or choice.finish_reason is not None


def _responses(sdks: _Sdks, heard: Heard, model: str, prompt: str, stream: bool) -> None:
    asked: Any = {"model": model, "input": prompt, "store": False}
    if not stream:
        response = sdks.openai.responses.create(**asked)
        heard.text = response.output_text
        heard.finished = response.status == "completed"
        return
    for event in sdks.openai.responses.create(**asked, stream=True):
        if event.type == "response.output_text.delta":
            heard.text += event.delta
        heard.finished = heard.finished or event.type in {"response.completed", "response.incomplete"}


def _messages(sdks: _Sdks, heard: Heard, model: str, prompt: str, stream: bool) -> None:
    asked: Any = {"model": model, "max_tokens": 100, "messages": [{"role": "user", "content": prompt}]}
    if not stream:
        message = sdks.anthropic.messages.create(**asked)
        heard.text = "".join(block.text for block in message.content if block.type == "text")
        heard.finished = message.stop_reason == "end_turn"
        return
    reason = None
    for event in sdks.anthropic.messages.create(**asked, stream=True):
        if event.type == "content_block_delta" and event.delta.type == "text_delta":
            heard.text += event.delta.text
        elif event.type == "message_delta":
            reason = event.delta.stop_reason
        heard.finished = heard.finished or event.type == "message_stop" or reason is not None


def _gemini(sdks: _Sdks, heard: Heard, model: str, prompt: str, stream: bool) -> None:
    if stream:
        chunks: Any = sdks.genai.models.generate_content_stream(model=model, contents=prompt)
    else:
        chunks = [sdks.genai.models.generate_content(model=model, contents=prompt)]
    for chunk in chunks:
        heard.text += chunk.text or ""
        for candidate in chunk.candidates or []:
            heard.finished = heard.finished or candidate.finish_reason is not None


_ASK = {
    "openai-chat": _chat,
    "openai-responses": _responses,
    "anthropic-messages": _messages,
    "gemini": _gemini,
}
CLIENTS = tuple(_ASK)
