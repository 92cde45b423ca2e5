"""Reads recorded answers as their makers document them, with nothing of the gateway: what is judged must not be what
judges. A module for each dialect."""

import json
from collections.abc import Iterator
from typing import Any

from conformance.corpus import Record
from conformance.meaning import Failure, Meaning
from conformance.recorded import chat, gemini, messages, ollama, responses
from conformance.recorded.failures import BROKEN, message_in

_READERS = {
    "openai-chat": chat.read,
    "openai-responses": responses.read,
    "anthropic-messages": messages.read,
    "gemini": gemini.read,
    "ollama": ollama.read,
}


def meaning_of(record: Record) -> Meaning:
    if record.status >= 400:
        return Meaning(failure=_http_failure(record))
    chunks = list(_chunks(record))
    if any(chunk is None for chunk in chunks):
        return Meaning(failure=BROKEN)
    told = [chunk for chunk in chunks if isinstance(chunk, dict)]
    return _READERS[record.dialect](told, record.stream is not None)


def _chunks(record: Record) -> Iterator[Any]:
    """The JSON values of an answer; None for what is not JSON."""
    if record.stream is None:
        yield _json(record.answer.decode())
        return
    data: list[str] = []
    for line in [*record.stream.decode().replace("\r\n", "\n").split("\n"), ""]:
        if record.dialect == "ollama":
            if line.strip():
                yield _json(line)
        elif line.startswith("data:"):
            data.append(line[5:].strip())
        elif not line and data:
            whole, data = "\n".join(data), []
            if whole.startswith("[DONE]"):
                yield {"is_done": True}
                return
            if whole:
                yield _json(whole)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return None


_ACCOUNT = (
    "API_KEY_INVALID",
    "insufficient_quota",
    "credit balance is too low",
    "User location is not supported",
)
"""What is told in words of other statuses: it is the provider's account that is at fault."""


def _http_failure(record: Record) -> Failure:
    body = _json(record.answer.decode())
    message = message_in(body)
    text = record.answer.decode()
    is_auth = record.status in {401, 402, 403} or any(words in text for words in _ACCOUNT)
    return Failure(record.status, message, is_auth)
