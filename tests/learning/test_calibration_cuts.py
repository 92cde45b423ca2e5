"""Where the line between weak and strong is drawn, by examples worked by hand."""

import numpy as np
import pytest

from pointsman.learning.calibration import cut_for_quality, cut_for_share, moved
from pointsman.learning.metrics import outcomes_of

SCORES = np.linspace(0.0, 1.0, 101)


def test_share_above_the_cut_is_the_one_wanted() -> None:
    cut = cut_for_share(SCORES, 0.25)

    assert cut.score.value == pytest.approx(0.75)
    assert cut.strong_share.low < 0.26 < cut.strong_share.high


def test_no_more_goes_to_the_strong_model_than_quality_needs() -> None:
    """The weak model fails on the ten hardest of 101: all of them kept is a quality of 1."""
    weak = (SCORES < 0.905).astype(float)

    cut = cut_for_quality(SCORES, outcomes_of(weak, np.ones(101), weak_usd=0.1), 1.0)

    assert cut.score.value == pytest.approx(0.91)
    assert cut.quality_kept is not None
    assert cut.quality_kept.value == 1
    assert cut.cost is not None
    assert cut.cost.value == pytest.approx((91 * 0.1 + 10) / 101)


def test_weak_model_that_is_good_enough_gets_everything() -> None:
    cut = cut_for_quality(SCORES[:-1], outcomes_of(np.ones(100), np.ones(100)), 0.95)

    assert cut.score.value == 1
    assert cut.strong_share.value == 0


def test_moved_boundaries_keep_their_order_and_have_the_middle_at_the_cut() -> None:
    assert moved((0.2, 0.4, 0.7), 0.6) == [0.3, 0.6, 0.8]
    assert moved((0.5,), 0.3) == [0.3]
