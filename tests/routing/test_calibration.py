"""Where boundaries should be, by what was reported of the answers on either side of them."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.routing.calibration import CalibrationRules, Label, calibrate, falling

RULES = CalibrationRules()
CONFIGURED = (0.28, 0.45, 0.75)


def answers(place: int, low: float, high: float, quality: float, count: int = 200) -> list[Label]:
    """So many answers of one tier, evenly over a range of scores, all of one quality."""
    return [Label(low + (high - low) * number / count, place, quality) for number in range(count)]


def test_too_few_labels_say_nothing() -> None:
    assert calibrate(answers(0, 0, 0.28, 1.0, 199), CONFIGURED, RULES) is None


def test_weak_tier_that_does_well_gets_more_requests() -> None:
    labels = answers(0, 0, 0.28, 0.9) + answers(1, 0.28, 0.45, 0.9)
    found = calibrate(labels, CONFIGURED, RULES)
    assert found is not None
    assert 0.28 < found[0].boundary <= 0.28 + RULES.shift_max / 2
    assert found[0].boundary == pytest.approx(0.305)  # half of a step, since 200 labels are half believed
    assert (found[0].labels_below, found[0].labels_above) == (200, 200)


def test_weak_tier_that_fails_near_its_boundary_gets_fewer() -> None:
    labels = answers(0, 0, 0.20, 0.95) + answers(0, 0.20, 0.28, 0.2) + answers(1, 0.28, 0.45, 0.9)
    found = calibrate(labels, CONFIGURED, RULES)
    assert found is not None
    # 400 labels are believed by two thirds, and quality drops at 0.20
    assert found[0].boundary == pytest.approx(0.28 - 0.08 * 2 / 3, abs=0.002)


def test_boundary_without_answers_on_both_sides_stays() -> None:
    found = calibrate(answers(0, 0, 0.28, 0.9, 300), CONFIGURED, RULES)
    assert found is not None
    assert [one.boundary for one in found] == list(CONFIGURED)
    assert found[0].why_not == "0 labels of 20 above"
    assert found[1].why_not == "0 labels of 20 below"
    assert found[0].quality_above is None


def test_few_labels_move_a_boundary_less_than_many() -> None:
    moved = []
    for count in (25, 100, 400, 3200):
        labels = answers(0, 0, 0.28, 0.9, count) + answers(1, 0.28, 0.45, 0.9, 200)
        found = calibrate(labels, CONFIGURED, RULES)
        assert found is not None
        moved.append(found[0].boundary - 0.28)
    assert moved == sorted(moved)
    assert moved[0] < 0.2 * moved[-1]


def test_threshold_of_a_simulated_model_is_found() -> None:
    """A weak model whose quality falls at 0.2, noise of a coin; the same answer from any order of reports."""
    dice = random.Random(7)
    labels = [
        Label(score, 0, float(dice.random() < (0.95 if score < 0.2 else 0.3)))
        for score in (dice.random() * 0.28 for _ in range(3000))
    ]
    labels += [Label(0.28 + dice.random() * 0.17, 1, float(dice.random() < 0.95)) for _ in range(500)]
    found = calibrate(labels, CONFIGURED, RULES)
    dice.shuffle(labels)
    assert found == calibrate(labels, CONFIGURED, RULES)
    assert found is not None
    assert found[0].boundary == pytest.approx(0.2, abs=0.02)


QUALITIES = st.lists(
    st.builds(Label, st.floats(0, 1), st.integers(0, 3), st.floats(0, 1)), min_size=1, max_size=40
)


@given(QUALITIES)
def test_boundaries_rise_and_stay_near_whatever_is_reported(labels: list[Label]) -> None:
    found = calibrate(
        labels, CONFIGURED, CalibrationRules(labels_min=1, labels_per_tier_min=1, shrink_labels=1)
    )
    assert found is not None
    boundaries = [one.boundary for one in found]
    assert all(low <= high for low, high in pairwise(boundaries))
    for one in found:
        assert abs(one.boundary - one.configured) <= RULES.shift_max + 0.09  # two that cross meet halfway
        assert 0 <= one.boundary <= 1


@given(st.lists(st.tuples(st.integers(0, 20), st.floats(0, 1)), max_size=60))
def test_fit_falls_and_keeps_the_mean(points: list[tuple[int, float]]) -> None:
    ordered = sorted((float(x), y) for x, y in points)
    steps = falling(ordered)
    assert all(earlier[1] >= later[1] for earlier, later in pairwise(steps))
    assert [x for x, _ in steps] == sorted({x for x, _ in steps})
    fitted = [next(y for last, y in steps if x <= last) for x, _ in ordered]
    assert sum(fitted) == pytest.approx(sum(y for _, y in ordered))
