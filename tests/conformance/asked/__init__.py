"""Reads request bodies of every dialect into what they ask, as the APIs are documented and with nothing of the gateway."""

import json

from conformance.asked import chat, gemini, messages, ollama, responses
from conformance.asked.ask import Ask, Fields, Json

__all__ = ["Ask", "asked"]

_READERS = {
    "openai-chat": chat.read,
    "openai-responses": responses.read,
    "anthropic-messages": messages.read,
    "gemini": gemini.read,
    "ollama": ollama.read,
}


def asked(dialect: str, body: Json) -> Ask:
    ask = Ask()
    fields = Fields(ask, json.loads(json.dumps(body)))
    _READERS[dialect](ask, fields)
    fields.close()
    return ask
