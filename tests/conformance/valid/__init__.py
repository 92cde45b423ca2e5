"""Judges whether an API would take a request body: by the types its SDK publishes and by the rules it is known to hold
callers to. It does not know what was asked for."""

from typing import Any

from conformance.valid import chat, gemini, messages, ollama, responses

_FAULTS = {
    "openai-chat": chat.faults,
    "openai-responses": responses.faults,
    "anthropic-messages": messages.faults,
    "gemini": gemini.faults,
    "ollama": ollama.faults,
}


def faults(dialect: str, body: dict[str, Any]) -> list[str]:
    return list(_FAULTS[dialect](body))
