"""Opaque state under way through a client: tagged, untagged, and what is left of a tag that somebody cut."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.request import Seal
from pointsman.wire.seals import MARK, Kind, Tagged, tag, untag

makers = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,20}\Z")
states = st.text(st.characters(codec="utf-8"), max_size=60)
seals = st.builds(Seal, states, makers)
kinds = st.sampled_from(Kind)


@given(seals, kinds)
def test_a_tagged_seal_comes_back_as_it_was(seal: Seal, kind: Kind) -> None:
    tagged = tag(seal, kind)
    assert tagged.startswith(MARK)
    assert untag(tagged) == Tagged(kind, seal)


@given(seals, kinds)
def test_the_alphabet_for_urls_and_missing_padding_change_nothing(seal: Seal, kind: Kind) -> None:
    tagged = tag(seal, kind).translate(str.maketrans("+/", "-_")).rstrip("=")
    assert untag(tagged) == Tagged(kind, seal)


@given(st.none() | st.text(max_size=80))
def test_what_was_not_tagged_here_is_nobodys(text: str | None) -> None:
    assert untag(text) is None


@given(seals, kinds, st.data())
def test_a_cut_or_changed_tag_opens_nothing_and_breaks_nothing(
    seal: Seal, kind: Kind, data: st.DataObject
) -> None:
    tagged = tag(seal, kind)
    cut = data.draw(st.integers(0, len(tagged)))
    changed = tagged[:cut] + data.draw(st.text("AZaz09+/=!\n ", max_size=3)) + tagged[cut + 1 :]
    found = untag(changed)
    assert found is None or isinstance(found.seal.data, str)


@pytest.mark.parametrize(
    "inside", [b"pointsman", b"pointsmanq", b"pointsman?maker\0data", b"pointsmant\xff\0x"]
)
def test_a_mark_with_something_else_behind_it_is_no_tag(inside: bytes) -> None:
    assert untag(base64.b64encode(inside).decode()) is None


def test_no_recorded_state_looks_like_a_tag() -> None:
    assert not "EqQBCkYIARgCKkDT".startswith(MARK)
    assert base64.b64decode(MARK) == b"pointsman"
