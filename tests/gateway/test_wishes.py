"""Headers in which a caller says what may be done for one request."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.decision import Decision
from pointsman.core.errors import BadRequest
from pointsman.core.model_card import ModelCard
from pointsman.fleet.consent import CEILINGS
from pointsman.gateway.wishes import NO_WISHES, Wishes, as_wished, read_wishes

A, B, C = (ModelCard(name, "p", name) for name in "abc")
CARDS = {"a": A, "b": B, "c": C, "see": C}
DECISION = Decision("auto", "auto", (A, B), score=0.1, tier="simple")


def read(name: str, value: str) -> Wishes:
    return read_wishes([(b"accept", b"*/*"), (name.encode(), value.encode("latin-1"))])


def test_without_such_headers_nothing_is_wished() -> None:
    assert read_wishes([(b"accept", b"*/*")]) is NO_WISHES
    ours = [(b"x-pointsman-session", b"one"), (b"x-pointsman-routing", b"true")]
    assert read_wishes(ours) is NO_WISHES, "they are carried out elsewhere"


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("x-pointsman-fallbak", "x-pointsman-fallback"),
        ("x-pointsman-target", "x-pointsman-targets"),
        ("x-pointsman-deadline", "x-pointsman-deadline-s"),
        ("x-pointsman-session-id", "x-pointsman-session"),
        ("x-pointsman-", "x-pointsman-"),
    ],
)
def test_one_that_is_misspelt_is_refused_and_told_the_nearest(name: str, nearest: str) -> None:
    with pytest.raises(BadRequest, match=f"{name!r}; the nearest is {nearest}") as caught:
        read(name, "none")
    assert (caught.value.param, caught.value.code) == (name, "invalid_header")


def test_each_is_read() -> None:
    assert read("x-pointsman-fallback", "none") == Wishes(falls_back=False)
    assert read("x-pointsman-fallback", "chain") == NO_WISHES
    assert read("x-pointsman-targets", " a , b") == Wishes(targets=("a", "b"), consents=frozenset(CEILINGS))
    assert read("x-pointsman-deadline-s", "2.5") == Wishes(deadline_s=2.5)
    assert read("x-pointsman-consent", "price, tier") == Wishes(consents=frozenset({"price", "tier"}))
    assert read("x-pointsman-consent", "all").consents == {"price", "region", "vendor", "tier"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-pointsman-fallback", "off"),
        ("x-pointsman-fallback", ""),
        ("x-pointsman-targets", "a,,b"),
        ("x-pointsman-targets", ""),
        ("x-pointsman-targets", ",".join("a" * 21)),
        ("x-pointsman-deadline-s", "soon"),
        ("x-pointsman-deadline-s", "0"),
        ("x-pointsman-deadline-s", "-1"),
        ("x-pointsman-deadline-s", "nan"),
        ("x-pointsman-deadline-s", "inf"),
        ("x-pointsman-deadline-s", "1e9"),
        ("x-pointsman-consent", "everything"),
        ("x-pointsman-routing", "yes"),
    ],
)
def test_one_that_cannot_be_read_is_refused_by_its_name(name: str, value: str) -> None:
    with pytest.raises(BadRequest, match=name) as caught:
        read(name, value)
    assert (caught.value.param, caught.value.code) == (name, "invalid_header")


@given(
    st.sampled_from(["fallback", "targets", "deadline-s", "consent"]),
    st.text(st.characters(max_codepoint=255), max_size=40),
)
def test_any_value_is_read_or_refused(name: str, value: str) -> None:
    try:
        wishes = read(f"x-pointsman-{name}", value)
    except BadRequest:
        return
    assert wishes.deadline_s == math.inf or wishes.deadline_s > 0


def test_the_targets_that_are_named_are_the_only_ones_in_their_order() -> None:
    assert as_wished(DECISION, Wishes(targets=("see", "a", "c")), CARDS.get).chain == (C, A)
    with pytest.raises(BadRequest, match="x-pointsman-targets"):
        as_wished(DECISION, Wishes(targets=("auto",)), CARDS.get)


def test_no_fallback_leaves_the_first() -> None:
    assert as_wished(DECISION, Wishes(falls_back=False), CARDS.get).chain == (A,)
    assert as_wished(DECISION, Wishes(falls_back=False, targets=("b", "a")), CARDS.get).chain == (B,)


def test_what_comes_twice_is_one_list_or_the_strictest() -> None:
    twice = [("targets", "a"), ("targets", "b,c"), ("fallback", "none"), ("fallback", "chain")]
    twice += [("deadline-s", "3"), ("deadline-s", "9")]
    read = read_wishes([(f"x-pointsman-{name}".encode(), value.encode()) for name, value in twice])

    assert (read.targets, read.falls_back, read.deadline_s) == (("a", "b", "c"), False, 3.0)
