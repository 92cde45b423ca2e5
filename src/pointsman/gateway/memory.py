"""What a gateway remembers between requests. Each part is bounded; nothing of it outlives the process."""

from dataclasses import dataclass, field

from pointsman.gateway.conversations import Conversations
from pointsman.gateway.homes import Homes
from pointsman.gateway.seal_memory import SealMemory


@dataclass(frozen=True, slots=True)
class Memory:
    """`seals` are what providers sealed, for callers who cannot carry it; `conversations` what callers may come
    back to by an id, `homes` where conversations were answered last."""

    seals: SealMemory = field(default_factory=SealMemory)
    conversations: Conversations = field(default_factory=Conversations)
    homes: Homes = field(default_factory=Homes)
