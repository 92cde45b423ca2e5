"""How each dialect's providers sound: small truthful answers and errors of their own shape, as bytes. It knows no faults and
shares nothing with the code that reads them."""

from collections.abc import Mapping

from pointsman.lab.voices.anthropic_messages import AnthropicMessages
from pointsman.lab.voices.gemini import Gemini
from pointsman.lab.voices.ollama import Ollama
from pointsman.lab.voices.openai_chat import OpenAiChat
from pointsman.lab.voices.openai_responses import OpenAiResponses
from pointsman.lab.voices.voice import Voice

VOICES: Mapping[str, Voice] = {
    voice.dialect: voice
    for voice in (OpenAiChat(), OpenAiResponses(), AnthropicMessages(), Gemini(), Ollama())
}
