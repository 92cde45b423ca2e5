"""Where everyday requests in ten languages land, half of which nobody looked at while choosing words."""

import everyday_bodies
import pytest
from everyday import EVERYDAY, HELD_BACK, THIRDS, TUNED, Everyday, default_router, placed
from everyday_bodies import EverydayBody

from pointsman.routing.decide import Router


@pytest.fixture(scope="module")
def router() -> Router:
    return default_router()


@pytest.mark.parametrize(("requests", "at_least"), [(TUNED, 95), (HELD_BACK, 90)], ids=["tuned", "held back"])
def test_everyday_requests_land_in_their_third(
    router: Router, requests: list[Everyday], at_least: int
) -> None:
    landed = placed(requests, router)

    wrong = [
        (each.third, third, each.prompt.turns[-1].text[:60])
        for each, third in zip(requests, landed, strict=True)
        if each.third != third
    ]
    assert len(requests) - len(wrong) >= at_least, wrong


def test_none_lands_at_the_other_end(router: Router) -> None:
    for each, third in zip(EVERYDAY, placed(EVERYDAY, router), strict=True):
        assert abs(THIRDS.index(each.third) - THIRDS.index(third)) < 2, each.prompt.turns[-1].text


def test_every_language_does_well(router: Router) -> None:
    for language in {each.language for each in EVERYDAY}:
        spoken = [each for each in EVERYDAY if each.language == language]
        right = sum(each.third == third for each, third in zip(spoken, placed(spoken, router), strict=True))
        assert right / len(spoken) >= 0.8, language


@pytest.mark.parametrize(
    ("bodies", "at_least"),
    [(everyday_bodies.TUNED, 0.95), (everyday_bodies.HELD_BACK, 0.9)],
    ids=["tuned", "held back"],
)
def test_everyday_bodies_land_in_their_third_and_none_at_the_other_end(
    router: Router, bodies: list[EverydayBody], at_least: float
) -> None:
    landed = everyday_bodies.off(bodies, router)

    wrong = [
        (body.thirds, body.language, body.prompt.turns[-1].text[-60:])
        for body, by in zip(bodies, landed, strict=True)
        if by
    ]
    assert landed.count(0) >= at_least * len(bodies), wrong
    assert 2 not in landed, wrong


def test_everyday_bodies_do_well_in_every_language(router: Router) -> None:
    bodies = everyday_bodies.TUNED + everyday_bodies.HELD_BACK
    for language in {body.language for body in bodies}:
        landed = everyday_bodies.off([body for body in bodies if body.language == language], router)
        assert landed.count(0) >= 0.85 * len(landed), language
