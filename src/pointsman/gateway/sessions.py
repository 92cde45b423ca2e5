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
    return named_key(call, envelope) or unnamed_key(call, prompt)


def named_key(call: Call, envelope: Envelope) -> bytes | None:
    """That of a conversation which its caller names."""
    named = _named(call, envelope)
    return None if named is None else _digest(call.caller, "named", named)


def reply_key(call: Call, reply_id: str) -> bytes:
    """That of what follows a reply, for callers who say which one (`previous_response_id`)."""
    return _digest(call.caller, "reply", reply_id)


def unnamed_key(call: Call, prompt: Prompt) -> bytes | None:
    """By what does not change from turn to turn."""
    first = next((turn.text for turn in prompt.turns if turn.speaker == "user"), None)
    if first is None:
        return None
    return _digest(call.caller, prompt.system[:_CHARS_MAX], first[:_CHARS_MAX])


def _named(call: Call, envelope: Envelope) -> str | None:
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
