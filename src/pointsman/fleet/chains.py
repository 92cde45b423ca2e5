"""Chains that an operator wrote down: which models requests of a tier, of a category or for one model go to, in order.
It reads no request; without a word about a kind of request its own order stays."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pointsman.core.decision import Decision
from pointsman.core.model_card import ModelCard

Chain = tuple[ModelCard, ...]


@dataclass(frozen=True, slots=True)
class Chains:
    """By name. A category's wins over a tier's. `models` are the fallbacks of models that callers ask for by name."""

    tiers: Mapping[str, Chain] = field(default_factory=dict)
    categories: Mapping[str, Chain] = field(default_factory=dict)
    models: Mapping[str, Chain] = field(default_factory=dict)

    def order(self, decision: Decision) -> Decision:
        """The decision with the chain that was written for it, less the models that cannot take the request. Where
        none of them can, its own order stays."""
        if decision.score is None:
            further = self.models.get(decision.card.name)
            return decision if further is None else decision._replace(chain=(decision.card, *further))
        kind, name = "category", decision.category
        written = self.categories.get(name or "")
        if written is None:
            kind, name = "tier", decision.tier
            written = self.tiers.get(name or "")
        if written is None:
            return decision
        able = {card.name for card in decision.chain}
        chain = tuple(card for card in written if card.name in able or card.tier is None)
        if not chain:
            return decision._replace(
                rules=(*decision.rules, f"no model of the chain of {kind} {name} can take it")
            )
        return decision._replace(chain=chain, rules=(*decision.rules, f"chain of {kind} {name}"))
