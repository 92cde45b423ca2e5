"""Against examples worked by hand."""

import numpy as np
import pytest

from pointsman.learning.metrics import (
    apgr,
    cost_at_quality,
    cpt,
    curve,
    outcomes_of,
    paired_difference,
    spread,
)

# Four prompts; the strong model gains 1, 1, 0, 0 on them.
FOUR = outcomes_of([0, 0, 1, 1], [1, 1, 1, 1], weak_usd=1.0, strong_usd=10.0)


def scores(*values: float) -> np.ndarray:
    return np.array(values, dtype=float)


def test_perfect_order_has_three_quarters_of_the_area() -> None:
    assert apgr(scores(4, 3, 2, 1), FOUR) == pytest.approx(0.75)


def test_reverse_order_has_one_quarter() -> None:
    assert apgr(scores(1, 2, 3, 4), FOUR) == pytest.approx(0.25)


def test_equal_scores_are_chance_whatever_their_order() -> None:
    assert apgr(scores(1, 1, 1, 1), FOUR) == pytest.approx(0.5)


def test_ties_are_the_mean_of_both_orders() -> None:
    both = [apgr(scores(4, 3, 2, 1), FOUR), apgr(scores(4, 2, 3, 1), FOUR)]

    assert apgr(scores(4, 2, 2, 1), FOUR) == pytest.approx(sum(both) / 2)


def test_cpt_lies_between_corners_too() -> None:
    assert cpt(scores(4, 3, 2, 1), FOUR, 0.5) == pytest.approx(0.25)
    assert cpt(scores(4, 3, 2, 1), FOUR, 0.8) == pytest.approx(0.4)
    assert cpt(scores(1, 1, 1, 1), FOUR, 0.8) == pytest.approx(0.8)


def test_cost_at_quality_is_a_share_of_the_strong_models_cost() -> None:
    # 95 % of quality 1 is reached when 45 % of the prompts are sent: 0.55 * 1 + 0.45 * 10 of 10 dollars.
    assert cost_at_quality(scores(4, 3, 2, 1), FOUR) == pytest.approx(0.505)


def test_cost_at_quality_is_the_weak_models_where_that_keeps_it() -> None:
    equal = outcomes_of([1, 1], [1, 1], weak_usd=1.0, strong_usd=4.0)

    assert cost_at_quality(scores(1, 2), equal) == 0.25


def test_every_benchmark_weighs_the_same() -> None:
    # One prompt of a benchmark where the gain is 1 and three of one where it is 0.
    mixed = outcomes_of([0, 1, 1, 1], [1, 1, 1, 1], groups=["a", "b", "b", "b"])

    line = curve(scores(4, 3, 2, 1), mixed)

    assert line.quality[0] == pytest.approx(0.5)
    assert line.share[1] == pytest.approx(0.5)


def test_curve_ends_at_the_strong_model() -> None:
    line = curve(scores(2, 1, 4, 3), FOUR)

    assert line.quality[-1] == pytest.approx(1.0)
    assert line.cost[-1] == pytest.approx(10.0)
    assert line.recovered[-1] == pytest.approx(1.0)


def test_interval_holds_the_value_and_comes_out_the_same_again() -> None:
    chance = np.random.default_rng(1)
    outcomes = outcomes_of(chance.random(200), chance.random(200) + 0.3)
    order = chance.random(200)

    first, again = (spread(apgr, order, outcomes, draws=50) for _ in range(2))

    assert first == again
    assert first.low < first.value < first.high


def test_better_order_is_told_from_chance() -> None:
    gain = np.repeat([0.0, 1.0], 100)
    outcomes = outcomes_of(np.zeros(200), gain)

    difference = paired_difference(gain, np.zeros(200), outcomes, draws=50)

    assert difference.low > 0
