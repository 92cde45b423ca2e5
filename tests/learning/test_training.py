"""Learning from a handful of prompts whose difficulty hangs on a word and on a mark."""

from itertools import pairwise

import numpy as np
import pytest

from pointsman.learning.linear import WordMatrix, fit_words
from pointsman.learning.metrics import apgr, outcomes_of
from pointsman.learning.training import Example, Prepared, chance_curve, out_of_fold, train
from pointsman.routing.features import pieces, read_text
from pointsman.routing.learned import Learned

NAMES = ("harbour", "bread", "winter", "garden", "letter", "window", "river", "train", "music", "stone")


def examples() -> list[Example]:
    hard = [f"integrate the {one} over {other} = {one}" for one in NAMES for other in NAMES]
    easy = [f"tell me about the {one} near the {other}" for one in NAMES for other in NAMES]
    return [
        *(Example(prompt, 0.1, 0.9, "sums") for prompt in hard),
        *(Example(prompt, 0.9, 0.9, "talk") for prompt in easy),
    ]


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    return Prepared(examples())


def test_training_twice_gives_the_same_bytes(prepared: Prepared) -> None:
    places = range(len(prepared.examples))

    assert train(prepared, places) == train(prepared, places)


def test_hard_prompts_are_told_from_easy_ones(prepared: Prepared) -> None:
    learned = Learned(train(prepared, range(len(prepared.examples))))

    assert learned.read("integrate the cloud over rain = cloud").value > 0.03
    assert learned.read("tell me about the cloud near the rain").value < -0.03


def test_word_of_one_source_among_many_is_not_known() -> None:
    texts = [read_text("which harbour")] * 18 + [read_text("nereid")] * 3
    slots = [pieces(word)[0] for word in (b"which", b"nereid")]

    def known(sources: list[str]) -> list[bool]:
        bits = WordMatrix(texts, sources).known()
        return [bool(bits[slot >> 3] >> (slot & 7) & 1) for slot in slots]

    assert known([f"{place % 18}" for place in range(18)] + ["0"] * 3) == [True, False]
    assert known(["one"] * 21) == [True, True]


def test_weights_in_bytes_are_those_of_a_dense_solution(prepared: Prepared) -> None:
    rows = np.arange(0, len(prepared.examples), 5)
    matrix = WordMatrix([prepared.texts[row] for row in rows], ["one"] * len(rows))
    target = np.array([1 - prepared.examples[row].weak for row in rows]) + rows / 400
    units = np.eye(len(rows))
    dense = np.stack([matrix.transposed_times(unit) for unit in units])
    ridge = 2.0
    exact = dense.T @ np.linalg.solve(dense @ dense.T + ridge * units, target - target.mean())

    found = fit_words(matrix, target, np.ones(len(rows)), ridge=ridge, steps=60)

    assert np.abs(found).max() == 127
    assert np.corrcoef(found, exact)[0, 1] > 0.99


def test_scores_out_of_fold_rank_what_was_not_seen(prepared: Prepared) -> None:
    folds = [str(place % 4) for place in range(len(prepared.examples))]

    scores = out_of_fold(
        prepared,
        folds,
        lambda learned, places: np.array(
            [learned.read(prepared.examples[place].prompt).value for place in places]
        ),
    )

    weak = [example.weak for example in prepared.examples]
    strong = [example.strong for example in prepared.examples]
    assert apgr(scores, outcomes_of(weak, strong)) > 0.7


def test_chance_rises_even_where_the_outcomes_do_not() -> None:
    chance = np.random.default_rng(0)
    scores = chance.random(2_000)
    need = (chance.random(2_000) < scores * 0.5).astype(float)

    curve = chance_curve(scores, need, np.ones(2_000))

    assert len(curve) > 3
    assert all(
        one < other for before, after in pairwise(curve) for one, other in zip(before, after, strict=True)
    )
    assert curve[0][1] < 0.1
    assert 0.35 < curve[-1][1] < 0.6
