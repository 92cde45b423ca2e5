"""What is wrong with a judge, a sidecar, affinity or a cascade, seen together with providers, models and tiers."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from pointsman.config.opinions import table_of
from pointsman.config.problems import nearest, shown
from pointsman.config.values import policy_of
from pointsman.config.view import View
from pointsman.core.errors import ConfigError, Problem


def judge(view: View) -> Iterator[Problem]:
    settings = view.settings.judge
    written = view.section("judge")
    models = view.section("models")
    name = settings.model
    if name is None:
        if settings.when != "never" and "model" not in written:
            yield view.problem(("judge", "model"), None, "one of the models, since there is to be a judge")
    elif name not in models:
        known = list(map(str, models))
        expected = f"one of the models: {', '.join(known)}"
        yield view.problem(("judge", "model"), repr(name), expected, nearest(name, known))
    elif name in view.settings.models:
        providers = [
            view.settings.providers.get(place.provider) for place in view.settings.models[name].places
        ]
        if any(one is not None and one.pass_through_caller_key and one.api_key is None for one in providers):
            yield view.problem(
                ("judge", "model"),
                f"{name}, which is reached with the callers' own keys",
                "a model whose provider has a key here: what a judge costs is nobody's but yours",
            )
    if len(set(view.settings.tiers)) < len(view.settings.tiers):
        return
    try:
        table_of(settings, view.settings.tiers)
    except ConfigError as error:
        yield from error.problems


def sidecar(view: View) -> Iterator[Problem]:
    url = view.settings.sidecar.url
    where = ("sidecar", "url")
    if url is None:
        if view.section("sidecar") and "url" not in view.section("sidecar"):
            yield view.problem(
                where, None, "the address of the classifier, such as http://127.0.0.1:6060/classify"
            )
        return
    try:
        parts = urlsplit(url)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or not url.isascii() or " " in url:
        yield view.problem(where, shown(url, where), "an address such as http://127.0.0.1:6060/classify")
    elif parts.username is not None or parts.password is not None:
        yield view.problem(where, shown(url, where), "an address without a user name")


def affinity(view: View) -> Iterator[Problem]:
    written = view.section("providers")
    for name in view.settings.affinity.kept_s:
        if name not in written:
            known = list(map(str, written))
            yield view.problem(
                ("affinity", "kept_s", name),
                "not a provider",
                f"one of the providers: {', '.join(known)}",
                nearest(name, known),
            )


def cascade(view: View) -> Iterator[Problem]:
    settings = view.settings.cascade
    models = list(map(str, view.section("models")))
    named = [("judge", settings.judge)] if settings.judge is not None else []
    named += [(f"drafts.{chosen}", name) for chosen, name in settings.drafts.items()]
    named += [(f"drafts.{chosen}", chosen) for chosen in settings.drafts]
    for key, name in named:
        if name not in models:
            where = ("cascade", *key.split(".", 1))
            yield view.problem(
                where, repr(name), f"one of the models: {', '.join(models)}", nearest(name, models)
            )
    known = [profile.name for profile in policy_of(view.settings).profiles]
    for place, name in enumerate(settings.profiles):
        if name not in known:
            expected = f"one of the profiles: {', '.join(known)}"
            yield view.problem(("cascade", "profiles", place), repr(name), expected, nearest(name, known))
