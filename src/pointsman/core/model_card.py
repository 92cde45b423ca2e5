"""Facts about one model as one provider serves it. What to do with them is decided in routing."""

from dataclasses import dataclass
from typing import Literal

from pointsman.core.usage import Price

Ability = Literal["tools", "vision", "documents", "audio", "json_schema", "thinking"]
"""What a model may or may not be able to do; the words that `abilities:` takes in the configuration."""

ABILITIES: tuple[Ability, ...] = ("tools", "vision", "documents", "audio", "json_schema", "thinking")


@dataclass(frozen=True, slots=True)
class ModelCard:
    """One model. `name` is what clients ask for, `id` what its provider calls it.

    `abilities` None means unknown: the model is then tried, since refusing what might work is worse.
    `price` and the token limits are None where nobody told us. `profile` names how its provider's API departs
    from the dialect it speaks; empty where nobody knows. `coder`: it was made for programming.
    """

    name: str
    provider: str
    id: str
    tier: str | None = None
    price: Price | None = None
    context_tokens: int | None = None
    max_output_tokens: int | None = None
    abilities: frozenset[Ability] | None = None
    profile: str = ""
    coder: bool = False

    def can(self, ability: Ability) -> bool:
        return self.abilities is None or ability in self.abilities
