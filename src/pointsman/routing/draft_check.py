"""Whether a cheap model's answer can be given to the caller, or a stronger one should be asked. It looks at the answer
alone and asks nobody; whether what it says is true it cannot know."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from pointsman.core.events import Reply
from pointsman.core.request import Text, ToolCall
from pointsman.routing.json_shape import mismatch

_REFUSAL_CHARS_MAX = 600
"""A refusal is short; a long answer that opens with an apology has something to say."""
_OPENINGS = (
    "i'm sorry, but i can",
    "i'm sorry, i can",
    "i am sorry, but i can",
    "sorry, but i can",
    "sorry, i can",
    "i'm unable to",
    "i am unable to",
    "i cannot ",
    "i can't ",
    "i don't know",
    "as an ai language model",
    "es tut mir leid, aber ich kann",
    "ich kann dir dabei nicht",
    "ich kann ihnen dabei nicht",
    "lo siento, pero no puedo",
    "je suis désolé, mais je ne peux",
    "desculpe, mas não posso",
    "mi dispiace, ma non posso",
    "извините, но я не могу",
    "抱歉",
    "很抱歉",
    "申し訳ありませんが",
)
_STRAIGHT = str.maketrans({"\u2019": "'", "\u2018": "'"})

_decode = msgspec.json.Decoder().decode


class Wanted(NamedTuple):
    """What the request demands of its answer. `mean_logprob_min` None: how sure the model was does not matter."""

    is_json: bool = False
    schema: Mapping[str, Any] | None = None
    mean_logprob_min: float | None = None


def complaint(reply: Reply, wanted: Wanted) -> str | None:
    """Why the answer is not good enough; None where nothing speaks against it."""
    text = "".join(part.text for part in reply.parts if isinstance(part, Text))
    if any(isinstance(part, Text) and part.is_refusal for part in reply.parts):
        return "it refused"
    if reply.finished.reason in {"refusal", "content_filter"}:
        return "it refused"
    if not text.strip() and not any(isinstance(part, ToolCall) for part in reply.parts):
        return "it is empty"
    if reply.finished.reason == "length":
        return "it was cut off"
    if wanted.is_json:
        wrong = _json_complaint(text, wanted.schema)
        if wrong is not None:
            return wrong
    opening = text.strip()[:80].lower().translate(_STRAIGHT)
    if len(text) <= _REFUSAL_CHARS_MAX and opening.startswith(_OPENINGS):
        return "it reads like a refusal"
    least = wanted.mean_logprob_min
    mean = mean_logprob(reply)
    if least is not None and mean is not None and mean < least:
        return f"it is unsure: a mean log-probability of {mean:.2f}"
    return None


def mean_logprob(reply: Reply) -> float | None:
    """Of the tokens of the text, as far as they are told."""
    told = [token.get("logprob") for token in reply.logprobs]
    numbers = [float(number) for number in told if isinstance(number, int | float)]
    return sum(numbers) / len(numbers) if numbers else None


def _json_complaint(text: str, schema: Mapping[str, Any] | None) -> str | None:
    try:
        value = _decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return "it is not JSON"
    if schema is None or mismatch(value, schema) is None:
        return None
    return "it has not the shape that was asked for"  # in what way would be told in the caller's own words
