"""What a gateway remembers between requests. Each part is bounded; nothing of it outlives the process."""

from dataclasses import dataclass, field

from pointsman.gateway.conversations import Conversations
from pointsman.gateway.elsewhere import Elsewhere
from pointsman.gateway.homes import Homes
from pointsman.gateway.seal_memory import SealMemory


@dataclass(frozen=True, slots=True)
class Memory:
    """`seals` are what providers sealed, for callers who cannot carry it; `conversations` what callers may come
    back to by an id, `elsewhere` which of those their providers keep, `homes` where conversations were answered last."""

    seals: SealMemory = field(default_factory=SealMemory)
    conversations: Conversations = field(default_factory=Conversations)
    elsewhere: Elsewhere = field(default_factory=Elsewhere)
    homes: Homes = field(default_factory=Homes)
