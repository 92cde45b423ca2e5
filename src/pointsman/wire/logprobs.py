"""What providers tell of the probability of tokens, as far as it has the shape that OpenAI gave it. It computes
nothing."""

from collections.abc import Mapping, Sequence
from typing import Any


def sound(told: Sequence[Any] | None) -> tuple[Mapping[str, Any], ...]:
    """Those of `told` that name a token and its probability, and of the likeliest others the same; with every field that
    OpenAI's have, for callers count on them."""
    return tuple(_whole(each) for each in told or () if _is_sound(each))


def _is_sound(told: Any) -> bool:
    match told:
        case {"token": str(), "logprob": int() | float()}:
            return True
        case _:
            return False


def _whole(told: Mapping[str, Any]) -> Mapping[str, Any]:
    others = told.get("top_logprobs")
    kept = [_with_bytes(each) for each in others if _is_sound(each)] if isinstance(others, list) else []
    return {**_with_bytes(told), "top_logprobs": kept}


def _with_bytes(told: Mapping[str, Any]) -> Mapping[str, Any]:
    if told.get("bytes") is not None:
        return told
    return {**told, "bytes": list(told["token"].encode("utf-8", "surrogatepass"))}
