"""What providers tell of the probability of tokens, as far as it has the shape that OpenAI gave it. It computes
nothing."""

from collections.abc import Mapping, Sequence
from typing import Any


def sound(told: Sequence[Any] | None) -> tuple[Mapping[str, Any], ...]:
    """Those of `told` that name a token and its probability; of the likeliest others the same."""
    return tuple(_with_sound_others(each) for each in told or () if _is_sound(each))


def _is_sound(told: Any) -> bool:
    match told:
        case {"token": str(), "logprob": int() | float()}:
            return True
        case _:
            return False


def _with_sound_others(told: Mapping[str, Any]) -> Mapping[str, Any]:
    others = told.get("top_logprobs")
    if others is None or (isinstance(others, list) and all(map(_is_sound, others))):
        return told
    return {
        **told,
        "top_logprobs": [each for each in others if _is_sound(each)] if isinstance(others, list) else [],
    }
