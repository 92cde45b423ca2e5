import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.prompt import Prompt, Turn
from pointsman.routing.tokens import beside, input_tokens, text_tokens, weigh, weigh_roughly

ENGLISH = (
    "The harbour lay quiet in the early light while the fishermen mended their nets, and spoke of rain. "
)
CODE = 'def total(items):\n    return sum(item["price"] * item["count"] for item in items if item["count"] > 0)\n'
JSON = '{"id":17,"tags":["a","b"],"score":0.25,"at":[1,2,3],"x":{"y":null}},'
CHINESE = "请用简单的话解释这个定理为什么成立并且举一个例子说明"


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [(ENGLISH, 4.2, 4.7), (CODE, 2.8, 3.8), (JSON, 2.0, 2.4), (CHINESE, 2.8, 4.1), ("\U0001f600", 1.5, 2.5)],
    ids=["english", "code", "json", "chinese", "emoji"],
)
@pytest.mark.parametrize("times", [10, 400])
def test_bytes_per_token_follow_the_kind_of_text(text: str, least: float, most: float, times: int) -> None:
    long = text * times

    assert least <= len(long.encode()) / text_tokens(weigh(long)) <= most


@given(st.text(), st.text())
def test_two_texts_beside_each_other_weigh_what_they_weigh_joined(one: str, other: str) -> None:
    assert beside(weigh(one), weigh(other)) == weigh(f"{one}\n{other}")


@given(
    st.lists(st.tuples(st.sampled_from([ENGLISH, CODE, JSON, CHINESE]), st.integers(1, 300)), min_size=30),
)
def test_sample_of_a_long_text_tells_what_all_of_it_would(pieces: list[tuple[str, int]]) -> None:
    text = "".join(piece * times for piece, times in pieces)

    assert text_tokens(weigh_roughly(text)) == pytest.approx(text_tokens(weigh(text)), rel=0.1)


@given(st.text(max_size=3_000))
def test_short_text_is_looked_at_as_a_whole(text: str) -> None:
    assert weigh_roughly(text) == weigh(text)


def test_size_of_a_long_ascii_text_is_exact() -> None:
    text = ENGLISH * 3_001

    assert weigh_roughly(text)[0] == len(text)


def test_empty_text_has_no_tokens() -> None:
    assert text_tokens(weigh("")) == 0


@given(st.text(min_size=1), st.integers(1, 50))
def test_more_text_never_has_fewer_tokens(text: str, times: int) -> None:
    assert text_tokens(weigh(text * times)) >= text_tokens(weigh(text)) * 0.99


@given(st.text(max_size=50))
def test_tokens_are_never_more_than_bytes(text: str) -> None:
    assert 0 <= text_tokens(weigh(text)) <= len(text.encode())


def tokens(text: str, input_bytes: int, **fields: int) -> int:
    prompt = Prompt("", (Turn("user", text),), input_bytes, **fields)
    return input_tokens(prompt, weigh(text), text_tokens(weigh(text)))


def test_tool_descriptions_count_as_input() -> None:
    text = ENGLISH * 5
    body = len(text) + 92

    assert 950 <= tokens(text, body + 3_600) - tokens(text, body) <= 1_050


def test_media_bytes_are_no_text() -> None:
    plain = tokens("describe it", 103)

    assert tokens("describe it", 5_000_103, media_bytes=5_000_000, image_count=1) == plain + 1_500


def test_escaped_body_is_not_counted_twice() -> None:
    text = CHINESE * 20
    as_utf8 = len(text.encode()) + 64
    as_escapes = 6 * len(text) + 64

    assert tokens(text, as_utf8) == tokens(text, as_escapes)


def test_line_ends_and_quotes_of_a_body_are_not_counted_twice() -> None:
    text = 'say "yes"\n' * 100

    assert tokens(text, len(text) + 32) == tokens(text, len(text) + 300 + 64)


def test_nothing_is_still_a_request() -> None:
    assert input_tokens(Prompt("", (), 0), weigh(""), 0.0) == 3
