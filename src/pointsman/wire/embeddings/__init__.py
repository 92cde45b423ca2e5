"""The APIs that turn texts into vectors, one module each, and which of them a dialect's providers speak."""

from collections.abc import Mapping

from pointsman.wire.embeddings.contract import ProviderEmbeddings
from pointsman.wire.embeddings.gemini import GEMINI
from pointsman.wire.embeddings.ollama import OLLAMA
from pointsman.wire.embeddings.openai import OPENAI

EMBEDDINGS_OF_DIALECT: Mapping[str, ProviderEmbeddings] = {
    "openai-chat": OPENAI,
    "openai-responses": OPENAI,
    "gemini": GEMINI,
    "ollama": OLLAMA,
}
"""By the name of the dialect. Anthropic has no embeddings."""
