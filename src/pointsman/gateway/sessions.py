"""Which conversation a request belongs to, as a key: what its caller says, else what does not change from turn to
turn. Keys are digests; nothing of what was said can be read from them."""

from hashlib import blake2b

import msgspec

from pointsman.core.prompt import Prompt
from pointsman.gateway.call import Call
from pointsman.wire.envelope import Envelope

_HEADERS = frozenset({b"x-pointsman-session", b"x-session-id", b"session_id"})
_METADATA = ("session_id", "conversation_id")
_CHARS_MAX = 65_536

_decode = msgspec.json.Decoder().decode


def session_key(call: Call, envelope: Envelope, prompt: Prompt) -> bytes | None:
    """None where there is nothing to tell a conversation by. Each caller's are its own."""
    named = named_session(call, envelope)
    if named is not None:
        return _digest(call.caller, "named", named)
    words = first_words(prompt)
    return None if words is None else _digest(call.caller, *words)


def first_words(prompt: Prompt) -> tuple[str, str] | None:
    """What does not change from turn to turn: the system text and the first of the user. None where there is none."""
    for turn in prompt.turns:
        if turn.speaker == "user":
            return prompt.system[:_CHARS_MAX], turn.text[:_CHARS_MAX]
    return None


def named_session(call: Call, envelope: Envelope) -> str | None:
    """What the caller calls the conversation."""
    for name, value in call.headers:
        if name in _HEADERS and value:
            return value.decode("latin-1")
    raw = envelope.fields.get("metadata")
    metadata = None if raw is None else _decode(raw)
    if not isinstance(metadata, dict):
        return None
    for field in _METADATA:
        named = metadata.get(field)
        if isinstance(named, str) and named:
            return named
    user = metadata.get("user_id")
    # Anthropic's clients write the session behind the user, and only then is it one conversation.
    return user if isinstance(user, str) and "session" in user else None


def _digest(*parts: str) -> bytes:
    digest = blake2b(digest_size=16)
    for part in parts:
        data = part.encode("utf-8", "replace")
        digest.update(b"%d:" % len(data))
        digest.update(data)
    return digest.digest()
