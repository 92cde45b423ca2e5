"""Which models can take a request, and in which order they are tried. It neither scores nor sends."""

from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from pointsman.core.decision import Candidate
from pointsman.core.errors import Unsupported
from pointsman.core.model_card import Ability, ModelCard
from pointsman.core.prompt import Prompt
from pointsman.core.usage import Rates
from pointsman.routing.profiles import Profile

_MILLION = Decimal(1_000_000)
_NAMED_IN_ERROR = 5

_LACKS: dict[Ability, str] = {
    "tools": "it cannot call tools",
    "vision": "it cannot see images",
    "documents": "it cannot read documents",
    "audio": "it cannot hear audio",
    "json_schema": "it cannot answer to a JSON schema",
}


class Need(NamedTuple):
    """What a request asks of a model. `output_tokens` is what an answer is expected to take and priced at;
    `reserved_tokens` what has to fit behind the input: the request's own limit where it sets one."""

    input_tokens: int
    output_tokens: int
    reserved_tokens: int
    max_output_tokens: int | None
    abilities: tuple[Ability, ...]
    prefers_thinking: bool
    only_free: bool


class Preference(NamedTuple):
    """What is wanted of a model beyond being able: `first` are the names of models to try before all others, in their
    order; `coder`, that it was made for programming, or that it was not."""

    first: tuple[str, ...] = ()
    coder: bool = False


NO_PREFERENCE = Preference()


def need_of(prompt: Prompt, input_tokens: int, profile: Profile, expected_output_tokens: int) -> Need:
    wanted: list[Ability] = []
    if prompt.tool_count or profile.needs_tools:
        wanted.append("tools")
    if prompt.image_count:
        wanted.append("vision")
    if prompt.document_count:
        wanted.append("documents")
    if prompt.audio_count:
        wanted.append("audio")
    if prompt.output_format == "json_schema":
        wanted.append("json_schema")
    limit = prompt.max_output_tokens
    if limit is not None and limit < 1:
        limit = None  # nonsense that its provider will refuse; it must not make the estimate one too
    return Need(
        input_tokens=input_tokens,
        # A limit is rarely reached: clients send 32,000 and get 300. Below the usual length it binds.
        output_tokens=expected_output_tokens if limit is None else min(limit, expected_output_tokens),
        reserved_tokens=expected_output_tokens if limit is None else limit,
        max_output_tokens=limit,
        abilities=tuple(wanted),
        prefers_thinking=prompt.wants_thinking,
        only_free=profile.only_free,
    )


def why_not(card: ModelCard, need: Need) -> str | None:
    """Why `card` cannot take the request, as a sentence; None when it can. What is not known of a card does
    not count against it, except that a model without a price may not be free."""
    for ability in need.abilities:
        if not card.can(ability):
            return _LACKS[ability]
    room = card.context_tokens
    if room is not None and need.input_tokens + need.reserved_tokens > room:
        asked = need.input_tokens + need.reserved_tokens
        return f"it holds {room:,} tokens, the request and its answer need about {asked:,}"
    limit = card.max_output_tokens
    if limit is not None and need.max_output_tokens is not None and need.max_output_tokens > limit:
        return f"it writes at most {limit:,} tokens, the request asks for up to {need.max_output_tokens:,}"
    if need.only_free:
        if card.price is None:
            return "its price is not known, so it may not be free"
        if not card.price.is_free:
            return "it is not free"
    return None


def estimate_usd(card: ModelCard, input_tokens: int, output_tokens: int) -> Decimal | None:
    """What the request will cost at list price, nothing cached; None where the price is not known."""
    if card.price is None:
        return None
    rates = card.price.rates_for(input_tokens)
    cost = input_tokens * rates.usd_per_million_input + output_tokens * rates.usd_per_million_output
    return cost / _MILLION


def cards_by_name(cards: Sequence[ModelCard]) -> dict[str, ModelCard]:
    """Every name that a card may be called by: its own, `provider/id`, `provider:id`, and the bare id. Of two cards
    with one id it means the first."""
    return {
        name: card
        for name_of in (_id, _colon_id, _slash_id, _name)
        for card in reversed(cards)
        for name in (name_of(card),)
    }


class Shelf:
    """The known cards by tier. Build it once; what does not depend on the request is settled here."""

    def __init__(self, cards: Sequence[ModelCard], tiers: Sequence[str]) -> None:
        self._tiers = tuple(tiers)
        self._placed = tuple((card, tiers.index(card.tier)) for card in cards if card.tier in tiers)
        self._unplaced = tuple(card for card in cards if card.tier not in tiers)
        self._called = cards_by_name(cards)
        # How near a tier is to the one asked for: itself, then the higher ones, then the lower ones.
        count = len(self._tiers)
        self._distance = tuple(
            tuple(other - wanted if other >= wanted else count + wanted - other for other in range(count))
            for wanted in range(count)
        )

    def order(
        self, wanted: int, need: Need, profile: Profile, preference: Preference = NO_PREFERENCE
    ) -> tuple[ModelCard, ...]:
        """The cards that can take the request, in the order they are tried.

        First those that are preferred by name. Then, nearest tier first, within one: models that can think where
        that is wanted, then those made for what is asked (programming, or not), then by estimated cost (unknown
        last), then as in the configuration. Raises Unsupported when there is none.
        """
        distance = self._distance[wanted]
        sign = -1 if profile.order == "strongest" else 1
        first = [card for name in preference.first if (card := self._called.get(name)) is not None]
        chain = [card for card in dict.fromkeys(first) if why_not(card, need) is None]
        able: list[tuple[int, bool, bool, bool, float | Decimal, int, ModelCard]] = []
        for position, (card, tier) in enumerate(self._placed):
            if card not in chain and why_not(card, need) is None:
                cost = _picodollars(card, need)
                no_thinking = need.prefers_thinking and not card.can("thinking")
                rank = 0 if cost is None else sign * cost
                misfit = card.coder is not preference.coder
                able.append((distance[tier], no_thinking, misfit, cost is None, rank, position, card))
        able.sort(key=_rank)
        chain += [entry[-1] for entry in able]
        if not chain:
            raise _nobody(self.explain((), need), profile)
        return tuple(chain)

    def changes_price_within(self, smallest: int, largest: int) -> bool:
        """Whether some card has other rates for `largest` input tokens than for `smallest`."""
        return any(
            smallest <= threshold < largest
            for card, _ in self._placed
            if card.price is not None
            for threshold, _ in card.price.above
        )

    def explain(self, chain: Sequence[ModelCard], need: Need) -> tuple[Candidate, ...]:
        """All cards with what the request would cost there: the chain first, then the others with why not."""
        able = [Candidate(card, _estimate(card, need)) for card in chain]
        fallen = [
            Candidate(card, _estimate(card, need), reason)
            for card, _ in self._placed
            if (reason := why_not(card, need)) is not None
        ]
        unplaced = [Candidate(card, None, _no_place(card)) for card in self._unplaced if card not in chain]
        return (*able, *fallen, *unplaced)


def _rank(entry: tuple[int, bool, bool, bool, float | Decimal, int, ModelCard]) -> tuple[object, ...]:
    return entry[:-1]


def _estimate(card: ModelCard, need: Need) -> Decimal | None:
    return estimate_usd(card, need.input_tokens, need.output_tokens)


def _picodollars(card: ModelCard, need: Need) -> int | Decimal | None:
    """The estimate as a whole number, which every usual price gives: decimal arithmetic costs ten times as
    much, and this is done for every card of every request."""
    price = card.price
    if price is None:
        return None
    of_input, of_output = _per_token(price.rates_for(need.input_tokens) if price.above else price.rates)
    return need.input_tokens * of_input + need.output_tokens * of_output


@lru_cache(maxsize=4096)
def _per_token(rates: Rates) -> tuple[int | Decimal, int | Decimal]:
    return _whole(rates.usd_per_million_input * _MILLION), _whole(rates.usd_per_million_output * _MILLION)


def _whole(number: Decimal) -> int | Decimal:
    return int(number) if number == number.to_integral_value() else number


def _no_place(card: ModelCard) -> str:
    return "it has no tier" if card.tier is None else f"its tier {card.tier} is not among the tiers"


def _nobody(out: Sequence[Candidate], profile: Profile) -> Unsupported:
    told = [f"{candidate.card.name}: {candidate.excluded}" for candidate in out[:_NAMED_IN_ERROR]]
    if len(out) > _NAMED_IN_ERROR:
        told.append(f"and {len(out) - _NAMED_IN_ERROR} more")
    why = "; ".join(told) if told else "none is configured"
    return Unsupported(
        f"no model can take this request as {profile.name} ({why})", param="model", code="no_able_model"
    )


def _name(card: ModelCard) -> str:
    return card.name


def _id(card: ModelCard) -> str:
    return card.id


def _slash_id(card: ModelCard) -> str:
    return f"{card.provider}/{card.id}"


def _colon_id(card: ModelCard) -> str:
    return f"{card.provider}:{card.id}"
