"""What is wrong with chains and ceilings beside other settings: names that lead nowhere, tiers that are none."""

from collections.abc import Iterable, Iterator, Mapping

from pointsman.config.problems import nearest
from pointsman.config.values import policy_of
from pointsman.config.view import View
from pointsman.core.errors import Problem
from pointsman.routing.categories import BUILT_IN


def chains(view: View) -> Iterator[Problem]:
    settings = view.settings
    models = view.section("models")
    known: Mapping[str, Iterable[str]] = {
        "tiers": settings.tiers,
        "categories": (*settings.categories, *BUILT_IN),
        "models": [str(name) for name in models],
    }
    for kind, names in known.items():
        for name, chain in getattr(settings.chains, kind).items():
            where = ("chains", kind, name)
            if name not in names:
                yield view.problem(where, repr(name), f"one of the {kind}", nearest(name, names))
            for place, model in enumerate(chain):
                if model not in models:
                    near = nearest(model, [str(each) for each in models])
                    yield view.problem((*where, place), repr(model), "one of the models", near)
                elif model in chain[:place] or (kind == "models" and model == name):
                    yield view.problem((*where, place), f"{model!r} again", "each model once")


def hedging(view: View) -> Iterator[Problem]:
    settings = view.settings
    models = [str(name) for name in view.section("models")]
    for name in settings.reliability.hedging.models:
        if name not in models:
            where = ("reliability", "hedging", "models", name)
            yield view.problem(where, repr(name), "one of the models", nearest(name, models))
    profiles = [profile.name for profile in policy_of(settings).profiles]
    for name in settings.reliability.hedging.profiles:
        if name not in profiles:
            where = ("reliability", "hedging", "profiles", name)
            yield view.problem(where, repr(name), "one of the profiles", nearest(name, profiles))


def consent(view: View) -> Iterator[Problem]:
    settings = view.settings
    lowest = settings.consent.tier_min
    if lowest is not None and lowest not in settings.tiers:
        yield view.problem(
            ("consent", "tier_min"), repr(lowest), "one of the tiers", nearest(lowest, settings.tiers)
        )
    providers = [str(name) for name in view.section("providers")]
    for place, vendor in enumerate(settings.consent.vendors):
        if vendor not in providers:
            near = nearest(vendor, providers)
            yield view.problem(("consent", "vendors", place), repr(vendor), "one of the providers", near)
    regions = {
        *(provider.region for provider in settings.providers.values()),
        *(place.region for model in settings.models.values() for place in model.places),
    } - {None}
    for place, region in enumerate(settings.consent.regions):
        if region not in regions:
            yield view.problem(
                ("consent", "regions", place), repr(region), "the `region` of a provider or a backend"
            )
