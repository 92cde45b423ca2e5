"""Which substitutes are withheld, and what consent changes."""

from decimal import Decimal

import pytest

from pointsman.core.model_card import ModelCard
from pointsman.core.usage import Price, Rates
from pointsman.fleet.consent import CEILINGS, Ceilings

TIERS = ("simple", "medium", "complex")


def model(name: str, usd: str | None, tier: str | None = "medium", provider: str = "p") -> ModelCard:
    price = None if usd is None else Price(Rates(Decimal(usd), Decimal(usd)), "config")
    return ModelCard(name, provider, name, tier=tier, price=price)


CHOSEN = model("chosen", "1.00")


@pytest.mark.parametrize(
    ("usd", "ceiling"), [("3.00", None), ("3.01", "price"), ("0", None), (None, "price")]
)
def test_a_substitute_is_at_most_so_many_times_as_dear(usd: str | None, ceiling: str | None) -> None:
    ceilings = Ceilings(price_multiple_max=Decimal(3))
    assert ceilings.withholds(model("other", usd), CHOSEN) == ceiling


def test_nothing_free_is_replaced_by_what_costs() -> None:
    ceilings = Ceilings(price_multiple_max=Decimal(100))
    assert ceilings.withholds(CHOSEN, model("free", "0")) == "price"


def test_a_choice_of_unknown_price_can_be_compared_with_nothing() -> None:
    assert Ceilings(price_multiple_max=Decimal(3)).withholds(model("other", "9"), model("home", None)) is None


@pytest.mark.parametrize(
    ("regions", "ceiling"), [({"eu"}, None), ({"eu", "us"}, "region"), ({""}, "region"), ({"us"}, "region")]
)
def test_every_place_of_a_substitute_is_in_a_region_that_was_named(
    regions: set[str], ceiling: str | None
) -> None:
    ceilings = Ceilings(regions=frozenset({"eu"}), regions_of={"other": frozenset(regions)})
    assert ceilings.withholds(model("other", "1"), CHOSEN) == ceiling


@pytest.mark.parametrize(("vendor", "ceiling"), [("good", None), ("p", "vendor")])
def test_a_substitute_comes_from_a_vendor_that_was_named(vendor: str, ceiling: str | None) -> None:
    ceilings = Ceilings(vendors=frozenset({"good"}))
    assert ceilings.withholds(model("other", "1", provider=vendor), CHOSEN) == ceiling


@pytest.mark.parametrize(
    ("tier", "lowest", "keep", "ceiling"),
    [
        ("simple", "medium", False, "tier"),
        ("medium", "medium", False, None),
        ("simple", None, True, "tier"),
        ("complex", None, True, None),
        (None, "simple", False, "tier"),
        ("simple", "simple", False, None),
    ],
)
def test_a_substitute_has_no_lower_tier(
    tier: str | None, lowest: str | None, keep: bool, ceiling: str | None
) -> None:
    ceilings = Ceilings(tier_min=lowest, keep_tier=keep, tiers=TIERS)
    assert ceilings.withholds(model("other", "1", tier), CHOSEN) == ceiling


@pytest.mark.parametrize(
    ("place", "ceiling"),
    [
        (model("other", "2", provider="p"), None),
        (model("other", "4"), "price"),
        (model("other", None), "price"),
    ],
)
def test_every_place_of_a_substitute_keeps_the_price(place: ModelCard, ceiling: str | None) -> None:
    other = model("other", "2")
    ceilings = Ceilings(price_multiple_max=Decimal(3), cards_of={"other": (other, place)})
    assert ceilings.withholds(other, CHOSEN) == ceiling


def test_every_place_of_a_substitute_is_at_a_vendor_that_was_named() -> None:
    here, there = (model("other", "1", provider=name) for name in ("good", "p"))
    assert (
        Ceilings(vendors=frozenset({"good"}), cards_of={"other": (here, there)}).withholds(here, CHOSEN)
        == "vendor"
    )


STRICT = Ceilings(
    Decimal(2), frozenset({"eu"}), frozenset({"good"}), "complex", False, TIERS, {"other": frozenset({"us"})}
)


def test_consent_lifts_the_ceilings_it_names_and_no_other() -> None:
    other = model("other", "9")
    given: set[str] = set()
    for ceiling in CEILINGS:
        assert STRICT.withholds(other, CHOSEN, frozenset(given)) == ceiling
        given.add(ceiling)
    assert STRICT.withholds(other, CHOSEN, frozenset(given)) is None


def test_an_operator_may_keep_callers_from_consenting() -> None:
    strict = Ceilings(vendors=frozenset({"good"}), by_header=False)
    assert strict.withholds(model("other", "1"), CHOSEN, frozenset(CEILINGS)) == "vendor"


def test_the_choice_itself_is_nobodys_substitute() -> None:
    assert STRICT.withholds(CHOSEN, CHOSEN) is None
    assert not Ceilings().are_set
