"""OpenAI chat: what an assistant had thought, as a client gives it back. What a provider sealed comes as it was shown to
the client: in `reasoning_details`, and as a signature in `extra_content`. State that is not tagged as ours is another
vendor's, and is left out.
"""

from collections.abc import Sequence
from typing import Any

from pointsman.core.request import Part, RedactedThinking, Seal, Thinking
from pointsman.wire.seals import untag


def read_thoughts(details: Any, texts: Sequence[Any]) -> list[Part]:
    """What came sealed, else what is only text and nobody's."""
    listed = details if isinstance(details, list) else []
    sealed = [thought for detail in listed if (thought := _sealed(detail)) is not None]
    if sealed:
        return sealed
    first = next((text for text in texts if text and isinstance(text, str)), None)
    return [] if first is None else [Thinking(first)]


def _sealed(detail: Any) -> Part | None:
    match detail:
        case {"signature": str(signature)} if tagged := untag(signature):
            text = detail.get("text")
            return Thinking(text if isinstance(text, str) else "", tagged.seal)
        case {"data": str(data)} if tagged := untag(data):
            return RedactedThinking(tagged.seal)
        case _:
            return None


def read_signature(extra: Any) -> Seal | None:
    match extra:
        case {"google": {"thought_signature": str(signature)}} if tagged := untag(signature):
            return tagged.seal
        case _:
            return None


def thinking_texts(thinking: Any) -> list[str]:
    if isinstance(thinking, str):
        return [thinking]
    pieces = thinking if isinstance(thinking, list) else []
    return [
        piece["text"] for piece in pieces if isinstance(piece, dict) and isinstance(piece.get("text"), str)
    ]
