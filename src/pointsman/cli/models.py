"""`pointsman models`: the table, and what a profile makes of each tier: which one it turns it into, and the order
in which it tries the models."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, pairwise
from pathlib import Path

import typer

from pointsman.cli.tables import model_table, table
from pointsman.config.cards import Served, cards_of, served_of
from pointsman.config.values import policy_of
from pointsman.control.discoverer import load_with_models
from pointsman.core.errors import UnknownModel, Unsupported
from pointsman.core.model_card import ModelCard
from pointsman.core.prompt import Prompt
from pointsman.fleet.place import rank
from pointsman.routing.chain import Shelf, need_of
from pointsman.routing.keywords import Keywords
from pointsman.routing.names import Names
from pointsman.routing.policy import Policy
from pointsman.routing.profiles import Profile
from pointsman.routing.reading import read
from pointsman.routing.tiers import Ladder

_INPUT_TOKENS = 1000
"""The order within a tier depends a little on a prompt's length; this one is ordinary."""

_PLAIN = Prompt(system="", turns=(), input_bytes=0)
"""A request without anything that would set a floor."""


def run(path: Path | None, profile_name: str, environ: Mapping[str, str]) -> int:
    settings = load_with_models(path, environ, {}).settings
    policy = policy_of(settings)
    profile = profile_called(profile_name, policy)
    cards = cards_of(settings)
    typer.echo(model_table(cards))
    typer.echo("".join(_places(served_of(settings))), nl=False)
    typer.echo(f"\nWhat {profile.name} does with a request whose score is in the middle of a tier:")
    try:
        typer.echo(table(("score of", "gets", "tries"), _orders(cards, policy, profile)))
    except Unsupported as error:
        typer.echo(error.message)
    return 0


def _places(served: Sequence[Served]) -> Iterator[str]:
    """The models with more than one backend, and what those are called where they are drained or reset."""
    times = Counter(one.backend.model for one in served)
    shared = sorted(
        (one.backend for one in served if times[one.backend.model] > 1), key=lambda one: one.model
    )
    if not shared:
        return
    yield "\nServed in several places, the cheapest first; places of one price share the calls by weight:\n"
    for _, backends in groupby(shared, key=lambda one: one.model):
        for backend in sorted(backends, key=rank):
            region = "" if backend.region is None else f", in {backend.region}"
            yield f"  {backend.name} (weight {backend.weight:g}{region})\n"


def profile_called(name: str, policy: Policy) -> Profile:
    """Raises UnknownModel for what is not a profile."""
    try:
        found = Names((), policy.profiles).resolve(name)
    except UnknownModel:
        known = ", ".join(profile.name for profile in policy.profiles)
        raise UnknownModel(f"there is no profile {name!r}; there are {known}") from None
    assert isinstance(found, Profile)
    return found


def _orders(cards: Sequence[ModelCard], policy: Policy, profile: Profile) -> Iterator[tuple[str, str, str]]:
    shelf, ladder = Shelf(cards, policy.tiers), Ladder(policy, profile)
    need = need_of(_PLAIN, _INPUT_TOKENS, profile, policy.expected_output_tokens)
    measures = read(_PLAIN, Keywords({})).measures
    for tier, (low, high) in zip(policy.tiers, pairwise((0.0, *policy.boundaries, 1.0)), strict=True):
        place = ladder.place((low + high) / 2, measures).place
        names = [card.name for card in shelf.order(place, need, profile)]
        yield tier, policy.tiers[place], ", ".join(names)
