"""Ids for tool calls whose provider gave them none. It remembers nothing: the same reply always gets the same."""

from hashlib import blake2s


def made_id(*made_from: object) -> str:
    """Unique like what it is made from: a reply, and which of its calls. Of letters and digits only, since some clients
    strip everything else."""
    text = " ".join(map(str, made_from))
    return "call" + blake2s(text.encode("utf-8", "replace"), digest_size=12).hexdigest()
