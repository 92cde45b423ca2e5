"""OpenAI responses: the one string that stands for the state of a reasoning item. The API wants the item's id back
beside its encrypted content, and refuses the content under another id."""

from hashlib import blake2s

from pointsman.wire.seals import MARK


def sealed(item_id: str, encrypted: str) -> str:
    return f"{item_id} {encrypted}"


def opened(data: str) -> tuple[str, str]:
    """The item's id, which may be empty, and its encrypted content."""
    item_id, _, encrypted = data.partition(" ")
    return item_id, encrypted


_OWN_REASONING = f"rs_{MARK}"


def own_id(prefix: str, reply_id: str, place: int) -> str:
    """An id for the item at `place` of a reply that was written here. That of reasoning shows it: no provider knows
    such an item. Those of a reply sort by their places, since Haystack puts the calls of a stream in the order of
    their ids."""
    start = _OWN_REASONING if prefix == "rs" else f"{prefix}_"
    return f"{start}{blake2s(reply_id.encode(), digest_size=10).hexdigest()}{place:04x}"


def is_own_reasoning(item_id: str | None) -> bool:
    return item_id is not None and item_id.startswith(_OWN_REASONING)
