"""Keeps a conversation with its model, whose provider has the beginning of it in its prompt cache. It knows
conversations by a key, prices by cards and the time by what it is told; it chooses no model of its own.

    what the new decision says          what becomes of it
    the same model                      stays
    a higher tier than before           goes there, and stays there
    another model, no harder            goes there only if that saves more than the cache is worth
    the old model cannot take it        goes there
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from pointsman.core.decision import Decision
from pointsman.core.model_card import ModelCard

_MILLION = Decimal(1_000_000)


class Pin(NamedTuple):
    """`tokens` is the length of what the model has been sent, `place` the position of the tier it was chosen for."""

    model: str
    place: int
    tokens: int
    until_s: float


class Move(NamedTuple):
    """What going from one model to another would save on this turn at list prices, and what the tokens that are cached
    now would cost more, in US dollars."""

    saving_usd: Decimal
    cache_usd: Decimal


class Affinity:
    """`kept_s` says how long each model's provider keeps a cache, by the model's name. At most `pins_max`
    conversations are known; those that were not seen for longest go first."""

    def __init__(
        self, tiers: Sequence[str], kept_s: Mapping[str, float], output_tokens: int, pins_max: int
    ) -> None:
        self._places = {tier: place for place, tier in enumerate(tiers)}
        self._kept_s = kept_s
        self._output_tokens = output_tokens
        self._pins_max = pins_max
        self.pins: OrderedDict[bytes, Pin] = OrderedDict()

    def keep(self, key: bytes, decision: Decision, tokens: int, now_s: float) -> Decision:
        """The decision for the next turn of a conversation of so many tokens."""
        pin = self.pins.get(key)
        place = self._places.get(decision.tier or "", 0)
        if pin is not None and pin.until_s > now_s and place <= pin.place and decision.card.name != pin.model:
            kept = next((card for card in decision.chain if card.name == pin.model), None)
            if kept is not None:
                cached = min(pin.tokens, tokens)
                move = moving(kept, decision.card, cached, tokens, self._output_tokens)
                if move is None or move.saving_usd <= move.cache_usd:
                    decision = _first(decision, kept, _told(f"{kept.name} kept", decision.card, move))
                    place = pin.place
                else:
                    rule = _told(f"from {kept.name} to {decision.card.name}", decision.card, move)
                    decision = decision._replace(rules=(*decision.rules, rule))
        elif pin is not None and pin.until_s > now_s and decision.card.name == pin.model:
            place = max(place, pin.place)
        self._put(key, decision.card.name, place, tokens, now_s)
        return decision

    def answered(self, key: bytes, model: str, now_s: float) -> None:
        """Another model than the chosen one has answered: what is cached is cached there."""
        pin = self.pins.get(key)
        if pin is not None and pin.model != model:
            self._put(key, model, pin.place, pin.tokens, now_s)

    def take_over(self, other: "Affinity") -> None:
        """The conversations of another one go on here: those that were seen last, as many as there is room for."""
        room = len(other.pins) - self._pins_max
        self.pins = OrderedDict(list(other.pins.items())[max(room, 0) :])

    def __len__(self) -> int:
        return len(self.pins)

    def _put(self, key: bytes, model: str, place: int, tokens: int, now_s: float) -> None:
        self.pins[key] = Pin(model, place, tokens, now_s + self._kept_s.get(model, 0.0))
        self.pins.move_to_end(key)
        if len(self.pins) > self._pins_max:
            self.pins.popitem(last=False)


def moving(
    old: ModelCard, new: ModelCard, cached_tokens: int, tokens: int, output_tokens: int
) -> Move | None:
    """None where a price is not known. A provider that does not say what cached tokens cost charges them in full:
    nothing is lost then."""
    if old.price is None or new.price is None:
        return None
    before, after = old.price.rates_for(tokens), new.price.rates_for(tokens)
    saving = tokens * (before.usd_per_million_input - after.usd_per_million_input) + output_tokens * (
        before.usd_per_million_output - after.usd_per_million_output
    )
    read = before.usd_per_million_cache_read
    lost = Decimal(0) if read is None else cached_tokens * (before.usd_per_million_input - read)
    return Move(saving / _MILLION, lost / _MILLION)


def _first(decision: Decision, card: ModelCard, rule: str) -> Decision:
    chain = (card, *(other for other in decision.chain if other is not card))
    return decision._replace(chain=chain, rules=(*decision.rules, rule))


def _told(what: str, other: ModelCard, move: Move | None) -> str:
    if move is None:
        return f"affinity: {what}, the price of a move to {other.name} is not known"
    return (
        f"affinity: {what}, a move to {other.name} saves ${move.saving_usd:.6f} and loses"
        f" ${move.cache_usd:.6f} of prompt cache"
    )
