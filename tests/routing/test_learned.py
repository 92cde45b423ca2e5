"""The learned score: what it reads of a text, and what it makes of it."""

import random
from math import log1p

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.model_card import ModelCard
from pointsman.core.prompt import Prompt, Turn
from pointsman.routing.decide import Router
from pointsman.routing.features import (
    EDGE_CHARS,
    FEATURES,
    FEATURES_VERSION,
    SLOTS,
    features,
    pieces,
    read_text,
)
from pointsman.routing.keywords import Keywords
from pointsman.routing.learned import CLIP, LEARNED, Learned, Term, Weights, pack, unpack
from pointsman.routing.policy import default_policy

NOTHING = (Term(0.0, 0.0, 0.0),) * len(FEATURES)


def packed(
    counts: tuple[Term, ...] = NOTHING,
    words: bytes = bytes(SLOTS),
    known: bytes = b"\xff" * (SLOTS // 8),
    *,
    share: float = 1.0,
    terms: tuple[Term, ...] = (),
) -> bytes:
    chance = ((0.1, 0.05), (0.5, 0.25), (0.7, 0.65))
    return pack(
        Weights(FEATURES_VERSION, counts, 0.0, 0.0, 0.001, chance, share=share, terms=terms), words, known
    )


def any_terms(chance: random.Random) -> tuple[Term, ...]:
    return tuple(Term(chance.random(), chance.random() * 9, chance.random() - 0.5) for _ in FEATURES)


def test_counts_add_up_on_their_scale_and_within_bounds() -> None:
    terms = any_terms(random.Random(7))
    learned = Learned(packed(terms))

    for text in ("", "a", "What is 2 + 2?", "def f(x):\n    return x\n" * 9, "один два", "why " * 900):
        expected = sum(
            term.weight * min(max((value - term.mean) * term.scale, -CLIP), CLIP)
            for term, value in zip(terms, features(read_text(text)), strict=True)
        )
        assert learned.parts(text)[1] == pytest.approx(expected)


def test_features_of_a_text_stay_what_they_are() -> None:
    read = read_text("  Solve x^2 = 16 for x, then explain why.\n\nB) 4 and 250?  ")
    named = dict(zip(FEATURES, features(read), strict=True))

    assert read.words == b"solve x 0 00 for x then explain why b 0 and 000".split()
    assert named["chars"] == pytest.approx(log1p(54))
    assert named["words"] == pytest.approx(log1p(13))
    assert named["lines"] == pytest.approx(log1p(2))
    assert named["empty_lines"] == pytest.approx(log1p(1))
    assert named["choices"] == pytest.approx(log1p(1))
    assert named["different_numbers"] == 3
    assert named["carets"] == pytest.approx(1 / 33)
    assert named["asking_words"] == pytest.approx(1 / 31)
    assert named["solving_words"] == pytest.approx(1 / 31)


def test_pieces_of_a_word_stay_where_they_are() -> None:
    """The weights lie in these slots; another place for them needs another version."""
    assert FEATURES_VERSION == 2
    assert pieces(b"prove") == [47231, 38888, 24799, 28849, 44770]
    assert pieces(b"a") == [48707, 33451]
    assert len(pieces(b"a" * 1_000)) == 24


def test_only_the_ends_of_a_long_text_are_read() -> None:
    text = "a" * EDGE_CHARS + "b" * 1_000_000 + "c" * EDGE_CHARS

    read = read_text(text)

    assert read.chars == len(text)
    assert len(read.data) == 2 * EDGE_CHARS + 1
    assert b"b" not in read.data


def test_words_count_once_and_by_their_root() -> None:
    words = bytearray(SLOTS)
    words[pieces(b"prove")[0]] = 40
    learned = Learned(packed(words=bytes(words)))

    assert learned.parts("prove")[0] == 40
    assert learned.parts("Prove, prove!")[0] == 40
    assert learned.parts("prove it at once")[0] == 20


def test_text_of_unknown_words_has_no_say() -> None:
    words = bytes([100]) * SLOTS

    assert Learned(packed(words=words)).read("Докажи это " * 20).value > 0.3
    assert Learned(packed(words=words, known=bytes(SLOTS // 8))).read("Докажи это " * 20) == (0, 0)


def full_of_weights() -> Learned:
    chance = random.Random(1)
    words = bytes(chance.randrange(256) for _ in range(SLOTS))
    return Learned(packed(any_terms(chance), words))


FULL = full_of_weights()


@given(st.text(max_size=400))
def test_value_stays_within_bounds(text: str) -> None:
    value, trust = FULL.read(text)

    assert -1 <= value <= 1
    assert 0 <= trust <= 1


@given(st.lists(st.floats(0, 1), min_size=2, max_size=30))
def test_chance_never_falls_as_the_score_rises(scores: list[float]) -> None:
    chances = [FULL.chance_of_need(score) for score in sorted(scores)]

    assert chances == sorted(chances)


def test_router_with_other_boundaries_still_has_a_learned_score() -> None:
    policy = default_policy()
    cards = tuple(ModelCard(tier, "p", tier, tier) for tier in policy.tiers)
    router = Router(cards, policy, Keywords({}), learned=FULL)
    prompt = Prompt("", (Turn("user", "Why is the sky blue, and the grass green? " * 9),), 500)

    before = router.decide(prompt, policy.profiles[0], "auto")
    after = router.with_boundaries((0.2, 0.4, 0.6)).decide(prompt, policy.profiles[0], "auto")

    assert any(name == LEARNED for name, _, _ in before.shares)
    assert after.shares == before.shares


def test_few_words_have_little_say() -> None:
    learned = Learned(packed(words=bytes([100]) * SLOTS))

    assert learned.read("prove it").value < learned.read("prove it now " * 5).value < 0.5


def test_correction_is_added_to_a_share_of_the_rest() -> None:
    """Feature 0 is how long the text is: e times as long as its mean is one unit, at a weight of 0.1."""
    by_length = (Term(log1p(10), 1.0, 0.1), *NOTHING[1:])
    words = bytes([100]) * SLOTS
    alone, half, corrected = (
        Learned(packed(words=words, share=share, terms=terms))
        for share, terms in ((1.0, ()), (0.5, NOTHING), (0.5, by_length))
    )
    text = "prove it now " * 5

    assert half.read(text).value == pytest.approx(alone.read(text).value / 2)
    added = 0.1 * (log1p(len(text.strip())) - log1p(10))
    assert corrected.read(text).value == pytest.approx(half.read(text).value + added)
    assert corrected.read("a" * 10_000).value == pytest.approx(half.read("a" * 10_000).value + 0.1 * CLIP)


@pytest.mark.parametrize("chance", [0.06, 0.25, 0.3, 0.65])
def test_score_at_a_chance_is_where_that_chance_begins(chance: float) -> None:
    learned = Learned(packed())

    assert learned.chance_of_need(learned.score_at(chance)) == pytest.approx(chance)


def test_no_score_reaches_a_chance_that_is_too_high() -> None:
    assert Learned(packed()).score_at(0.9) > 1
    assert Learned(packed()).score_at(0.0) == 0


def test_what_was_packed_comes_out_the_same() -> None:
    chance = random.Random(3)
    counts, words = any_terms(chance), bytes(chance.randrange(256) for _ in range(SLOTS))

    weights, unpacked, known = unpack(packed(counts, words))

    assert (weights.counts, unpacked, known) == (counts, words, b"\xff" * (SLOTS // 8))


@pytest.mark.parametrize("cut", [0, 5, 12, 100, -1])
def test_file_that_is_not_whole_is_refused(cut: int) -> None:
    with pytest.raises(ValueError, match=r"whole|ours|read"):
        Learned(packed()[:cut])
