"""Settings as the values that the rest of the program works with: providers, model cards, policy."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pointsman.config.deadlines import DeadlineSettings, deadlines_of
from pointsman.config.limits import LimitsSettings, TargetLimitsSettings
from pointsman.config.routing import ProfileSettings, RuleSettings
from pointsman.config.schema import ProviderSettings, Settings
from pointsman.config.section import Section
from pointsman.core.model_card import ModelCard
from pointsman.core.ports import Limits
from pointsman.fleet.attempts import RetryPolicy
from pointsman.fleet.breaker import BreakerPolicy
from pointsman.fleet.chains import Chains
from pointsman.fleet.consent import Ceilings
from pointsman.fleet.place import Backend
from pointsman.fleet.remedies import DEFAULT_REMEDIES, Remedy
from pointsman.fleet.retry_budget import RetryBudget
from pointsman.routing.categories import Category
from pointsman.routing.policy import Policy, default_policy
from pointsman.routing.profiles import Profile
from pointsman.routing.rules import Rule
from pointsman.upstream.known_providers import DEMO_URL, KNOWN_PROVIDERS
from pointsman.upstream.provider import CredentialHeader, KnownProvider, Provider
from pointsman.wire.openai_chat.profiles import PROFILES

_CREDENTIAL_HEADERS: Mapping[str, CredentialHeader] = {
    "anthropic-messages": "x-api-key",
    "gemini": "x-goog-api-key",
}


def providers_of(settings: Settings) -> dict[str, Provider]:
    """Every provider, with what its name brings filled in. Expects settings that `load` let through."""
    return {
        name: _provider(name, provider, settings.deadlines) for name, provider in settings.providers.items()
    }


def _provider(name: str, settings: ProviderSettings, deadlines: DeadlineSettings) -> Provider:
    known = KNOWN_PROVIDERS.get(name)
    dialect = settings.dialect or (known.dialect if known else "")
    known_to_speak = known.also_speaks if known is not None and known.dialect == dialect else ()
    also_speaks = known_to_speak if settings.also_speaks is None else settings.also_speaks
    base_url = settings.base_url or (known.base_url if known else "")
    prefixes = settings.caller_key_prefixes
    return Provider(
        name=name,
        dialect=dialect,
        also_speaks=tuple(other for other in also_speaks if other != dialect),
        base_url=base_url,
        api_key=settings.api_key.get_secret_value() if settings.api_key is not None else None,
        credential_header=settings.credential_header or _credential_header(known, dialect),
        headers=dict(settings.headers),
        caller_key_prefixes=prefixes
        if prefixes is not None
        else (known.caller_key_prefixes if known else ()),
        pass_through_caller_key=settings.pass_through_caller_key,
        include_stream_usage=settings.include_stream_usage,
        deadlines=deadlines_of(settings.deadlines, deadlines),
        embedded=base_url == DEMO_URL,
        profile=settings.profile or (name if name in PROFILES else ""),
    )


def _credential_header(known: KnownProvider | None, dialect: str) -> CredentialHeader:
    if known is not None and known.dialect == dialect:
        return known.credential_header
    return _CREDENTIAL_HEADERS.get(dialect, "bearer")


def breaker_policy_of(settings: Settings) -> BreakerPolicy:
    return BreakerPolicy(**settings.breaker.model_dump())


def policy_of(settings: Settings) -> Policy:
    """The default policy for these tiers, with what the configuration says otherwise."""
    policy = default_policy(settings.tiers)
    routing = settings.routing
    return replace(
        policy,
        boundaries=policy.boundaries if routing.boundaries is None else routing.boundaries,
        rules=_rules(policy.rules, routing.rules),
        profiles=_profiles(policy.profiles, settings.profiles),
        categories=categories_of(settings),
        weights={**policy.weights, **routing.weights},
    )


def limits_of(settings: LimitsSettings) -> Limits:
    return Limits(settings.in_flight, settings.queue, settings.queue_timeout_s)


def target_limits_of(settings: TargetLimitsSettings) -> Limits | None:
    """None where there is no limit."""
    if settings.in_flight is None:
        return None
    return Limits(settings.in_flight, settings.queue, settings.queue_timeout_s)


def categories_of(settings: Settings) -> tuple[Category, ...]:
    """The categories that were configured, in their order."""
    return tuple(
        Category(name, category.models, category.keywords, category.description)
        for name, category in settings.categories.items()
    )


def _rules(shipped: tuple[Rule, ...], settings: Mapping[str, RuleSettings]) -> tuple[Rule, ...]:
    rules = {rule.name: rule for rule in shipped}
    for name, given in settings.items():
        if not given.enabled:
            rules.pop(name, None)
            continue
        rule = rules.get(name) or Rule(name)
        if given.tier is not None:
            rule = replace(rule, floor=None, ceiling=None)
        if given.keywords is not None:
            rule = replace(rule, when=None)
        rules[name] = replace(rule, **_given(given, "enabled"))
    return tuple(rules.values())


def _profiles(shipped: tuple[Profile, ...], settings: Mapping[str, ProfileSettings]) -> tuple[Profile, ...]:
    profiles = {profile.name: profile for profile in shipped}
    for name, given in settings.items():
        changes = _given(given)
        if given.models is not None:
            changes["models"] = tuple(given.models.items())
        profiles[name] = replace(profiles.get(name) or Profile(name), **changes)
    return tuple(profiles.values())


def _given(section: Section, *but: str) -> dict[str, Any]:
    """The keys of a section that have a value."""
    values = {key: getattr(section, key) for key in type(section).model_fields if key not in but}
    return {key: value for key, value in values.items() if value is not None}


def retry_policy_of(settings: Settings) -> RetryPolicy:
    """How often and how soon a target is asked again, and after which failures."""
    retries = settings.reliability.retries
    remedies = {outcome: Remedy(word) for outcome, word in settings.reliability.outcomes.items()}
    return RetryPolicy(
        retries.per_target,
        retries.attempts_max,
        retries.backoff_s,
        retries.backoff_max_s,
        retries.retry_after_max_s,
        {**DEFAULT_REMEDIES, **remedies},
    )


def retry_budget_of(settings: Settings) -> RetryBudget:
    """One process's."""
    retries = settings.reliability.retries
    return RetryBudget(retries.budget_share, retries.budget_burst)


def chains_of(settings: Settings, cards: Sequence[ModelCard]) -> Chains | None:
    """The chains that were written down, None where there are none."""
    by_name = {card.name: card for card in cards}
    written = settings.chains
    tiers, categories, models = (
        {name: tuple(by_name[model] for model in chain) for name, chain in kind.items()}
        for kind in (written.tiers, written.categories, written.models)
    )
    return Chains(tiers, categories, models) if tiers or categories or models else None


def ceilings_of(settings: Settings, served: Iterable[tuple[Backend, ModelCard]]) -> Ceilings | None:
    """How far a substitute may depart without consent, None where there is no ceiling."""
    consent = settings.consent
    regions: dict[str, frozenset[str]] = {}
    cards: dict[str, tuple[ModelCard, ...]] = {}
    for backend, card in served:
        # A place whose region nobody told is in no region that was named.
        regions[backend.model] = regions.get(backend.model, frozenset()) | {backend.region or ""}
        cards[backend.model] = (*cards.get(backend.model, ()), card)
    ceilings = Ceilings(
        consent.price_multiple_max,
        frozenset(consent.regions),
        frozenset(consent.vendors),
        consent.tier_min,
        consent.keep_tier,
        settings.tiers,
        regions,
        cards,
        consent.by_header,
    )
    return ceilings if ceilings.are_set else None
