"""Settings as cards: what every model is and costs, by itself and at each place that serves it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

from pointsman.config.backends import BackendSettings
from pointsman.config.facts import UNKNOWN, Facts, look_up
from pointsman.config.schema import ModelSettings, Settings
from pointsman.config.values import providers_of
from pointsman.core.model_card import ModelCard
from pointsman.core.usage import Price, Rates
from pointsman.fleet import catalog
from pointsman.fleet.coders import is_coder
from pointsman.fleet.place import Backend, rank
from pointsman.upstream.known_providers import KNOWN_PROVIDERS
from pointsman.upstream.provider import Provider


class Served(NamedTuple):
    """One backend, and its model's card as it is there."""

    backend: Backend
    card: ModelCard


def cards_of(settings: Settings, at: datetime | None = None) -> tuple[ModelCard, ...]:
    """Every model, with prices and context sizes filled in as far as they are known. `at` is when prices are
    asked for; None is now."""
    served: dict[str, list[Served]] = {}
    for one in served_of(settings, at):
        served.setdefault(one.backend.model, []).append(one)
    return tuple(_one_card(ones) for ones in served.values())


def served_of(settings: Settings, at: datetime | None = None) -> tuple[Served, ...]:
    """Every place where a model is served. Their names are MODEL@PROVIDER, and MODEL@PROVIDER/ID where a provider
    serves it under several ids."""
    at = at or datetime.now(UTC)
    providers = providers_of(settings)
    served: list[Served] = []
    for name, model in settings.models.items():
        times = Counter(place.provider for place in model.places)
        for place in model.places:
            here = model.model_copy(update=_said_here(place))
            card = _card(name, here, providers[place.provider], at)
            called = f"{name}@{place.provider}" + ("" if times[place.provider] == 1 else f"/{card.id}")
            region = place.region or settings.providers[place.provider].region
            dearness = None if card.price is None else _dearness(card.price)
            backend = Backend(called, name, place.provider, place.weight, dearness, region)
            served.append(Served(backend, card))
    return tuple(served)


def _said_here(place: BackendSettings) -> dict[str, object]:
    """What a backend says otherwise than its model."""
    names = ("id", *(name for name in BackendSettings.model_fields if name.startswith("usd_")))
    return {name: value for name in names if (value := getattr(place, name)) is not None}


def _one_card(served: Sequence[Served]) -> ModelCard:
    """The card of a model: as it is at the backend that is asked first, and able to do what all of them can."""
    cards = [one.card for one in served]
    first = served[0].card if len(served) == 1 else min(served, key=lambda one: rank(one.backend)).card
    sizes = [card.context_tokens for card in cards if card.context_tokens is not None]
    abilities = [card.abilities for card in cards if card.abilities is not None]
    return replace(
        first,
        context_tokens=min(sizes, default=None),
        abilities=frozenset.intersection(*abilities) if abilities else None,
    )


def _card(name: str, settings: ModelSettings, provider: Provider, at: datetime) -> ModelCard:
    model_id = settings.id or name
    known = catalog.find(provider.name, model_id)
    price = known.price if known else None
    context_tokens = settings.context_tokens or (known.context_tokens if known else None)
    if price is None or context_tokens is None:
        facts = _facts(provider, model_id, at)
        price = price or facts.price
        context_tokens = context_tokens or facts.context_tokens
    price = _price(settings, price)
    abilities = settings.abilities
    return ModelCard(
        name=name,
        provider=provider.name,
        id=model_id,
        tier=settings.tier,
        price=price,
        context_tokens=context_tokens,
        max_output_tokens=settings.max_output_tokens,
        abilities=abilities if abilities is not None else (known.abilities if known else None),
        profile=provider.profile,
        coder=settings.coder if settings.coder is not None else is_coder(model_id),
    )


def _facts(provider: Provider, model_id: str, at: datetime) -> Facts:
    known = KNOWN_PROVIDERS.get(provider.name)
    if known is not None and known.prices_as is not None:
        return look_up(known.prices_as, provider.base_url, model_id, at)
    if provider.base_url.startswith("https://"):
        return look_up(None, provider.base_url, model_id, at)
    return UNKNOWN  # somebody's own machine: nobody publishes its prices


def _price(settings: ModelSettings, known: Price | None) -> Price | None:
    """What the configuration says, else what is known. The known rates of the cache go with the known base rates: beside
    others they would be somebody else's."""
    if settings.usd_per_million_input is None or settings.usd_per_million_output is None:
        return known
    given = Rates(settings.usd_per_million_input, settings.usd_per_million_output)
    is_known = known is not None and given == Rates(
        known.rates.usd_per_million_input, known.rates.usd_per_million_output
    )
    above = known.above if known is not None and is_known else ()
    rates = known.rates if known is not None and is_known else given
    cache = {
        name: value
        for name in ("usd_per_million_cache_read", "usd_per_million_cache_write")
        if (value := getattr(settings, name)) is not None
    }
    if "usd_per_million_cache_write" in cache:
        rates = replace(rates, usd_per_million_cache_write_1h=None)
    # Dearer rates for long prompts hold only as they are published.
    return Price(replace(rates, **cache), "config", () if cache else above)


def baseline_of(settings: Settings, cards: Sequence[ModelCard]) -> ModelCard | None:
    """The model that savings are counted against: the one that was named, else the dearest; None without a
    price to compare."""
    if settings.baseline_model is not None:
        return next(card for card in cards if card.name == settings.baseline_model)
    priced = [
        (_dearness(card.price), -place, card) for place, card in enumerate(cards) if card.price is not None
    ]
    return max(priced)[-1] if priced else None


def _dearness(price: Price) -> Decimal:
    return price.rates.usd_per_million_input + price.rates.usd_per_million_output
