"""Keeps keys out of messages. What a provider says about an error may quote the key it was given."""

import re

MESSAGE_CHARACTERS_MAX = 500

_NAMED_KEY = re.compile(r"(?i)(bearer\s+|\bkey(?: provided)?\s*[:=]\s*)[^\s\"',]+")
_KEY = re.compile(
    r"\b(?:sk|pk|rk|gsk|xai|hf|csk|pplx|nvapi|tgp|r8|fw|sess)[-_][\w*.-]{8,}"
    r"|\bAIza[\w-]{8,}"
    r"|\beyJ[\w.-]{16,}"
    r"|\b(?!req_)(?=[A-Za-z]*\d)(?=\d*[A-Za-z])\w{32,}(?:\.\w{8,})?"
)
_URL_QUERY = re.compile(r"(https?://[^\s?\"'<>]+)\?[^\s\"'<>]*")


def without_secrets(text: str) -> str:
    """`text` cut to a length fit for a message, with anything that looks like a key masked."""
    text = _URL_QUERY.sub(r"\1", text[: 4 * MESSAGE_CHARACTERS_MAX])
    return _KEY.sub("***", _NAMED_KEY.sub(r"\1***", text))[:MESSAGE_CHARACTERS_MAX]
