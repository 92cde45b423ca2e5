"""The official Python SDKs."""

from clients.sdks.anthropic_sdk import Anthropic
from clients.sdks.google_sdk import GoogleGenAi
from clients.sdks.openai_sdk import OpenAiChat, OpenAiResponses
from clients.talk import Client

WITH_OWN_LOOP = ("anthropic-messages", "gemini")
CLIENTS: tuple[type[Client], ...] = (
    OpenAiChat,
    OpenAiResponses,
    Anthropic,
    GoogleGenAi,
)
