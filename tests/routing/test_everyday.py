"""Where 200 everyday requests in ten languages land, half of which nobody looked at while choosing words."""

import pytest
from everyday import EVERYDAY, HELD_BACK, THIRDS, TUNED, Everyday, default_router, placed

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
