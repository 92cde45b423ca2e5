"""How providers say that a prompt is over a model's context size, and how it is said to those who wait for certain
words. It reads codes and messages only; whether a larger model is tried is decided elsewhere.

Agents act on it: one shortens its history on Anthropic's sentence, others on OpenAI's code.
"""

import re

CODE = "context_length_exceeded"
"""What clients of OpenAI's dialects look for."""

_CODES = frozenset(
    {
        CODE,
        "context_window_exceeded",
        "exceed_context_size_error",  # llama.cpp, as a type
        "model_max_prompt_tokens_exceeded",
        "1261",  # Z.ai
    }
)
_SAYINGS = re.compile(
    r"prompt is too long"
    r"|(?:maximum|available|model'?s?|exceeds?\b.{0,20}|exceeded this model) (?:context|prompt)"
    r" ?(?:length|size|window|limit)"
    r"|maximum context|context (?:length|size|window|limit) (?:is|of|was|exceeded)|exceeds? (?:the )?context"
    r"|too large for model with"
    r"|too many (?:input )?tokens"
    r"|input (?:is too long|token count|tokens? exceed|length and `?max_tokens)"
    r"|(?:prompt|input) (?:exceeds|is too long|too long|is longer)|longer than the model"
    r"|exceeded model token limit|exceeds the limit of \d+"
    r"|reduce the length of the (?:messages|prompt|input)"
    r"|range of input length",
    re.IGNORECASE,
)
_OF_A_RATE = re.compile(r"per (?:minute|min|day|hour|second)|\bTPM\b|\bRPM\b", re.IGNORECASE)
_TOKENS = re.compile(r"\d[\d,]{2,}")


def is_exceeded(message: str, code: str | None, kind: str | None = None) -> bool:
    """True if a provider's refusal means that the prompt does not fit. `kind` is the error's type."""
    if code in _CODES or kind in _CODES:
        return True
    return _SAYINGS.search(message) is not None and _OF_A_RATE.search(message) is None


def as_anthropic_says(message: str) -> str:
    """The sentence that makes Anthropic's clients shorten the conversation, with the two numbers where they are
    known."""
    if message.startswith("prompt is too long"):
        return message
    numbers = [int(number.replace(",", "")) for number in _TOKENS.findall(message)[:2]]
    if len(numbers) == 2 and numbers[0] != numbers[1]:
        return f"prompt is too long: {max(numbers)} tokens > {min(numbers)} maximum ({message})"
    return f"prompt is too long: {message}"
