"""What is wrong between settings that are each fine alone: names that lead nowhere, keys nobody reads, an open
door. One function for each question, all of them in CHECKS."""

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from urllib.parse import urlsplit

from pointsman.config import fallback_checks, learned
from pointsman.config.discovery import DISCOVERABLE
from pointsman.config.opinion_checks import affinity, cascade, judge, sidecar
from pointsman.config.problems import nearest, shown
from pointsman.config.references import MASK, STAND_IN
from pointsman.config.schema import ModelSettings, ProviderSettings, Settings
from pointsman.config.source import Where
from pointsman.config.values import categories_of, policy_of
from pointsman.config.view import View
from pointsman.core.errors import ConfigError, Problem, UnknownModel
from pointsman.core.model_card import ModelCard
from pointsman.routing import policy as routing_policy
from pointsman.routing.categories import problems as category_problems
from pointsman.routing.chain import cards_by_name
from pointsman.routing.names import Names
from pointsman.upstream.known_providers import DEMO, DEMO_URL, KNOWN_PROVIDERS
from pointsman.wire.openai_chat.profiles import PROFILES

_NEW_KEY = 'python3 -c "import secrets; print(secrets.token_urlsafe(32))"'
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/\s?#@]+")
_NOT_OURS_TO_SET = frozenset(
    {
        "host",
        "content-length",
        "content-type",
        "content-encoding",
        "accept-encoding",
        "transfer-encoding",
        "connection",
        "keep-alive",
        "te",
        "trailer",
        "upgrade",
        "expect",
    }
)


def _used(view: View) -> set[object]:
    """The providers that models name, and those that a misspelt name was meant for."""
    written = view.section("providers")
    found: list[object] = []
    for model in view.section("models").values():
        if isinstance(model, Mapping):
            backends = model.get("backends")
            places = [model, *(backends if isinstance(backends, list) else ())]
            found += [place.get("provider") for place in places if isinstance(place, Mapping)]
    return {name if name in written else nearest(name, written) for name in found}


def _providers(view: View) -> Iterator[Problem]:
    used = _used(view)
    for name, provider in view.settings.providers.items():
        where = ("providers", name)
        known = KNOWN_PROVIDERS.get(name)
        if name not in used and provider.discover is None:
            yield view.problem(where, "not used", "a model that it serves, or no such provider")
        if known is None:
            missing = [key for key in ("dialect", "base_url") if key not in view.written("providers", name)]
            if missing:
                yield view.problem(
                    where,
                    "not a provider known by name",
                    f"{' and '.join(missing)}, or one of {', '.join(KNOWN_PROVIDERS)}",
                    nearest(name, KNOWN_PROVIDERS),
                )
        elif known.is_at_own_address and "base_url" not in view.written("providers", name):
            yield view.problem((*where, "base_url"), None, f"your own address, such as {known.base_url}")
        elif (
            known.key_variables
            and provider.api_key is None
            and provider.base_url is None
            and not provider.pass_through_caller_key
            and provider.credential_header != "none"
        ):
            variable = known.key_variables[0]
            yield view.problem(
                (*where, "api_key"), None, f"a key: set ${variable}, or write `api_key: $NAME` here"
            )
        if provider.profile is not None and provider.profile not in PROFILES:
            yield view.problem(
                (*where, "profile"),
                repr(provider.profile),
                f"one of {', '.join(sorted(PROFILES))}",
                nearest(provider.profile, PROFILES),
            )
        yield from _base_url(view, where, provider, provider.dialect or (known.dialect if known else None))
        yield from _credentials(view, where, name, provider)
        yield from _headers(view, where, provider)


def _base_url(view: View, where: Where, provider: ProviderSettings, dialect: str | None) -> Iterator[Problem]:
    url = provider.base_url
    if url is None or url == DEMO_URL:
        return
    where = (*where, "base_url")
    try:
        parts = urlsplit(url)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    told = MASK if where in view.named else shown(url, where)  # part of what a variable holds may be a key
    if not good or re.search(r"[^!-~]", url):
        yield view.problem(where, told, "an address such as https://host/v1")
    elif parts.username is not None or parts.password is not None:
        yield view.problem(where, told, "an address without a user name; keys go into api_key")
    elif parts.query or parts.fragment or url.endswith("?"):
        yield view.problem(where, told, "an address without `?` and `#`")
    elif dialect == "ollama" and parts.path == "/v1":
        yield view.problem(where, told, "Ollama's address without /v1; /v1 is for dialect: openai-chat")


def _credentials(view: View, where: Where, name: str, provider: ProviderSettings) -> Iterator[Problem]:
    known = KNOWN_PROVIDERS.get(name)
    dialect = provider.dialect or (known.dialect if known else None)
    if provider.api_key is not None:
        if not re.fullmatch(r"[!-~]+", provider.api_key.get_secret_value()):
            yield view.problem(
                (*where, "api_key"), "********", "a key of visible ASCII characters, without spaces"
            )
        if provider.credential_header == "none" or provider.base_url == DEMO_URL or name == DEMO:
            yield view.problem((*where, "api_key"), "not used", "no key where none is sent")
    if provider.pass_through_caller_key:
        prefixes = provider.caller_key_prefixes or (known.caller_key_prefixes if known else ())
        if not prefixes:
            yield view.problem(
                (*where, "caller_key_prefixes"),
                None,
                "what this provider's keys begin with, so that no other key is sent to it",
            )
    elif provider.caller_key_prefixes is not None:
        yield view.problem(
            (*where, "caller_key_prefixes"), "not used", "pass_through_caller_key: true, or no prefixes"
        )
    spoken = {dialect, *(provider.also_speaks or (known.also_speaks if known else ()))}
    if provider.include_stream_usage and "openai-chat" not in spoken:
        yield view.problem(
            (*where, "include_stream_usage"), "not used", "openai-chat: the other dialects always tell usage"
        )


def _headers(view: View, where: Where, provider: ProviderSettings) -> Iterator[Problem]:
    for name, value in provider.headers.items():
        place = (*where, "headers", name)
        if not _HEADER_NAME.fullmatch(name):
            yield view.problem(place, "not a header name", "letters, digits and dashes")
        elif name.lower() in _NOT_OURS_TO_SET:
            yield view.problem(place, "set by Pointsman itself", "another header")
        if not re.fullmatch(r"[ -~]*", value):
            yield view.problem(place, shown(value, place), "visible ASCII characters on one line")


def _models(view: View) -> Iterator[Problem]:
    for name, model in view.settings.models.items():
        where = ("models", name)
        written = view.written("models", name)
        if model.provider is not None or "backends" not in written:
            yield from _known_provider(view, (*where, "provider"), model.provider)
        if model.provider is not None and "backends" in written:
            yield view.problem((*where, "backends"), "beside `provider`", "one of the two")
        if model.tier is not None and model.tier not in view.settings.tiers:
            yield view.problem(
                (*where, "tier"),
                repr(model.tier),
                f"one of the tiers: {', '.join(view.settings.tiers)}",
                nearest(model.tier, view.settings.tiers),
            )
        yield from _prices(view, where, written)
        yield from _backends(view, name, model)


def _known_provider(view: View, where: Where, name: str | None) -> Iterator[Problem]:
    written = view.section("providers")
    if name is None:
        yield view.problem(where, None, "which provider serves it: that, or `backends`, is required")
    elif name not in written:
        yield view.problem(
            where,
            repr(name),
            f"one of the providers: {', '.join(map(str, written))}",
            nearest(name, written),
        )


def _backends(view: View, name: str, model: ModelSettings) -> Iterator[Problem]:
    where = ("models", name, "backends")
    written = view.written("models", name).get("backends")
    if isinstance(written, list) and not written:
        yield view.problem(where, "an empty list", "at least one place, or `provider` instead")
    seen: set[tuple[str, str]] = set()
    for place, backend in enumerate(model.backends):
        yield from _known_provider(view, (*where, place, "provider"), backend.provider)
        called = (backend.provider, backend.id or model.id or name)
        if called in seen:
            yield view.problem((*where, place), f"{called[1]!r} at {called[0]} again", "each place once")
        seen.add(called)
        if isinstance(written, list) and place < len(written) and isinstance(written[place], Mapping):
            yield from _prices(view, (*where, place), written[place])


def _discovery(view: View) -> Iterator[Problem]:
    for name, provider in view.settings.providers.items():
        known = KNOWN_PROVIDERS.get(name)
        dialect = provider.dialect or (known.dialect if known else "")
        if provider.discover is not None and (dialect not in DISCOVERABLE or name == DEMO):
            yield view.problem(
                ("providers", name, "discover"),
                f"for a provider that speaks {dialect}" if name != DEMO else "for the demo",
                f"one that speaks {', '.join(sorted(DISCOVERABLE))}",
            )
    boundaries = view.settings.discovery.tier_from_billions
    where = ("discovery", "tier_from_billions")
    if any(low >= high for low, high in pairwise(boundaries)) or any(one <= 0 for one in boundaries):
        yield view.problem(where, "not rising", "numbers above 0, each larger than the one before")


def _prices(view: View, where: Where, written: Mapping[str, object]) -> Iterator[Problem]:
    pair = ("usd_per_million_input", "usd_per_million_output")
    given = [key for key in pair if key in written]
    cached = [key for key in ("usd_per_million_cache_read", "usd_per_million_cache_write") if key in written]
    if len(given) == 1 or (cached and not given):
        for key in pair:
            if key not in given:
                yield view.problem(
                    (*where, key), None, f"a price, since {(given or cached)[0]} is given: both or neither"
                )


def _tiers(view: View) -> Iterator[Problem]:
    tiers = view.settings.tiers
    for place, tier in enumerate(tiers):
        if tier in tiers[:place]:
            yield view.problem(("tiers", place), f"{tier!r} again", "each tier once")


def _routing(view: View) -> Iterator[Problem]:
    if len(set(view.settings.tiers)) < len(view.settings.tiers):
        return
    policy = policy_of(view.settings)
    for problem in routing_policy.problems(policy):
        path = problem.path.replace("[", ".").removesuffix("]").split(".")
        where: Where = tuple(int(step) if step.isdigit() else step for step in path)
        if path[0] not in {"profiles", "categories"}:
            where = ("routing", *where)
        near = nearest(path[-1], routing_policy.DEFAULT_WEIGHTS) if path[0] == "weights" else problem.nearest
        yield view.problem(where, problem.value, problem.expected, near)


def _preferred_models(view: View) -> Iterator[Problem]:
    """Models that rules, profiles and categories name."""
    settings = view.settings
    known = cards_by_name(_bare_cards(settings))
    rules = settings.routing.rules
    named: list[tuple[Where, str]] = [
        (("routing", "rules", name, "model"), rule.model)
        for name, rule in rules.items()
        if rule.model is not None
    ]
    for name, profile in settings.profiles.items():
        named += [
            (("profiles", name, "models", tier, place), model)
            for tier, models in (profile.models or {}).items()
            for place, model in enumerate(models)
        ]
    for where, model in named:
        if model not in known and model not in view.section("models"):  # a broken model is told of elsewhere
            yield view.problem(where, repr(model), "one of the models", nearest(model, known))
    for category in categories_of(settings):
        for problem in category_problems(category, {*known, *view.section("models")}):
            path = problem.path.replace("[", ".").removesuffix("]").split(".")
            near = nearest(problem.value, known) if path[0] == "models" and problem.value else None
            yield view.problem(
                ("categories", category.name, *(int(step) if step.isdigit() else step for step in path)),
                problem.value,
                problem.expected,
                near,
            )


def _bare_cards(settings: Settings) -> list[ModelCard]:
    return [
        ModelCard(name, model.places[0].provider if model.places else "", model.id or name)
        for name, model in settings.models.items()
    ]


def _names(view: View) -> Iterator[Problem]:
    """Aliases lead somewhere, and no name hides another."""
    settings = view.settings
    profiles = policy_of(settings).profiles
    virtual = Names((), profiles)
    try:
        Names(_bare_cards(settings), profiles, settings.aliases)
    except ConfigError as error:
        for problem in error.problems:
            alias = problem.path.removeprefix("aliases.")
            if settings.aliases[alias] not in view.section("models"):  # a broken model is told of elsewhere
                yield view.problem(("aliases", alias), repr(problem.value), problem.expected, problem.nearest)
    for section in ("models", "aliases"):
        for name in getattr(settings, section):
            if _is_known(virtual, name):
                yield view.problem((section, name), "the name of a profile", "a name of its own")
    for alias in settings.aliases:
        if alias in settings.models:
            yield view.problem(("aliases", alias), "the name of a model", "a name of its own")


def _is_known(names: Names, name: str) -> bool:
    try:
        names.resolve(name)
    except UnknownModel:
        return False
    return True


def _baseline(view: View) -> Iterator[Problem]:
    name, models = view.settings.baseline_model, view.section("models")
    if name is not None and name not in models:
        yield view.problem(
            ("baseline_model",), repr(name), "one of the models", nearest(name, map(str, models))
        )


def _open_door(view: View) -> Iterator[Problem]:
    server = view.settings.server
    key = server.master_key
    for name, secret in (("master_key", key), ("admin_key", server.admin_key)):
        if secret is not None and not re.fullmatch(r"[!-~]+", secret.get_secret_value()):
            yield view.problem(("server", name), MASK, "a key of visible ASCII characters, without spaces")
    if key is not None and server.admin_key == key and key.get_secret_value() != STAND_IN:
        yield view.problem(
            ("server", "admin_key"),
            MASK,
            "another key than master_key: whoever may ask models may not change them",
        )
    if key is None and not view.section("server").get("master_key") and not is_loopback(server.host):
        yield view.problem(
            ("server", "host"),
            f"{server.host}, which others can reach",
            f'127.0.0.1, or a master key that callers must send: export POINTSMAN_MASTER_KEY="$({_NEW_KEY})"',
        )
    for place, origin in enumerate(server.cors_origins):
        if not _ORIGIN.fullmatch(origin):
            yield view.problem(
                ("server", "cors_origins", place), repr(origin), "an origin such as https://chat.example.org"
            )


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens there."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _limits(view: View) -> Iterator[Problem]:
    """A queue before something that is never full, and room that a single body would not fit in."""
    most, each = view.settings.limits.body_bytes, view.settings.server.max_body_bytes
    if most < each:
        yield view.problem(("limits", "body_bytes"), str(most), f"at least server.max_body_bytes, {each}")
    for section in ("providers", "models"):
        for name in view.section(section):
            limits = view.written(section, name).get("limits")
            if isinstance(limits, Mapping) and limits and limits.get("in_flight") is None:
                where = (section, name, "limits")
                yield view.problem(where, "not used", "in_flight: how many requests it may get at once")


def _learned(view: View) -> Iterator[Problem]:
    for problem in learned.problems(view.settings.routing.learned):
        yield view.problem(("routing", "learned", "path"), problem.value, problem.expected)


CHECKS: tuple[Callable[[View], Iterator[Problem]], ...] = (
    _open_door,
    _providers,
    _models,
    _discovery,
    _tiers,
    _names,
    _baseline,
    _routing,
    _limits,
    _preferred_models,
    fallback_checks.chains,
    fallback_checks.consent,
    fallback_checks.hedging,
    judge,
    sidecar,
    affinity,
    cascade,
    _learned,
)
