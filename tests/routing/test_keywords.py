# ruff: noqa: RUF001 - prompts in many scripts
import importlib.resources
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from routing_values import pasted, said

from pointsman.routing.keywords import _BLOCK_CHARS, EDGE_CHARS, Keywords, _joins

LATIN = Keywords({"reasoning": ["prove", "proof", "c++", "refactor*"], "simple": ["\nhi", "what's", "naïve"]})
WIDE = Keywords({"code": ["python", "代码", "関数", "함수"]})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("prove it", ["prove"]),
        ("PROVE it", ["prove"]),
        ("(prove)", ["prove"]),
        ("please “prove” it", ["prove"]),
        ("prove", ["prove"]),
        ("improve it", []),
        ("waterproof", []),
        ("approve the waterproof jacket", []),
        ("it proved nothing", []),
        ("prove_it()", []),
        ("prove2", []),
        ("I know C++.", ["c++"]),
        ("refactoring", ["refactor"]),
        ("prerefactor", []),
        ("prove and prove and prove", ["prove"]),
        ("proof that you can prove", ["proof", "prove"]),
        ("éprove", []),
        ("prove—now", ["prove"]),
    ],
)
def test_word_counts_only_where_a_word_begins_and_ends(text: str, words: list[str]) -> None:
    assert list(said(LATIN.find(text)).get("reasoning", ())) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hi there", ["hi"]),
        ("So:\nHi", ["hi"]),
        ("this", []),
        ("hint", []),
        ("What’s up", ["what's"]),
        ("NAÏVE", ["naïve"]),
    ],
)
def test_greetings_and_apostrophes_are_found(text: str, words: list[str]) -> None:
    assert list(said(LATIN.find(text)).get("simple", ())) == words


@pytest.mark.parametrize(
    "text",
    ["用python写", "请写代码吧", "この関数を", "함수를 작성", "python으로", "ไทยpythonไทย", "Python，代码"],
)
def test_scripts_without_spaces_have_no_word_edges(text: str) -> None:
    assert "code" in said(WIDE.find(text))


def test_word_may_stand_in_two_lists() -> None:
    found = Keywords({"a": ["table"], "b": ["table", "chair"]}).find("a table")

    assert said(found) == {"a": ["table"], "b": ["table"]}


def test_word_written_twice_counts_once() -> None:
    assert said(Keywords({"a": ["table", "Table"]}).find("a table")) == {"a": ["table"]}


def test_failing_word_does_not_hide_the_one_beginning_inside_it() -> None:
    found = Keywords({"a": ["or not", "not only"]}).find("a tractor not only for fields")

    assert said(found) == {"a": ["not only"]}


def test_long_text_tells_what_is_said_from_what_is_pasted() -> None:
    text = "prove it: " + "lorem ipsum " * 500 + "a proof here " + "lorem ipsum " * 500 + "refactor it"

    found = LATIN.find(text)

    assert said(found) == {"reasoning": ["prove", "refactor"]}
    assert pasted(found) == {"reasoning": ["proof"]}


@given(
    st.integers(0, 3 * _BLOCK_CHARS),
    st.sampled_from([2 * EDGE_CHARS - 3, 2 * EDGE_CHARS + 50, 2 * _BLOCK_CHARS]),
)
def test_word_is_found_wherever_it_stands(place: int, length: int) -> None:
    place %= length
    text = " " * place + "prove" + " " * (length - place)

    found = LATIN.find(text)

    assert (said(found) or pasted(found)) == {"reasoning": ["prove"]}


@given(st.text(), st.text())
def test_any_text_can_be_searched(before: str, after: str) -> None:
    assert "reasoning" in said(LATIN.find(f"{before} prove {after}"))


PIECES = [
    *("prove", "Proof", "c++", "REFACTOR", "hi", "\nhi", "what\u2019s", "na\u00efve", "not", "only"),
    *("\u4ee3\u7801", "python"),
]
GLUE = ["", " ", "\n", "_", "7", "\u00e9", "\u0e17", "\u3002", "'", "x", "\U0001f600", "\u0130"]


@given(st.lists(st.tuples(st.sampled_from(PIECES), st.sampled_from(GLUE), st.sampled_from([1, 1, 1, 900]))))
def test_found_is_what_comparing_every_place_finds(pieces: list[tuple[str, str, int]]) -> None:
    lists = {
        "a": ["prove", "proof", "refactor*", "not only"],
        "b": ["c++", "\nhi", "what's", "na\u00efve", "python", "\u4ee3\u7801"],
    }
    text = "".join(piece + glue * times for piece, glue, times in pieces)

    found = Keywords(lists).find(text)

    plain = f"\n{text.lower()}\n".replace("\u2019", "'")
    expected = {word.strip("*\n") for words in lists.values() for word in words if stands_in(plain, word)}
    assert {word for name in lists for word in found.words(name)} == expected
    assert sum(found.said.values()) + sum(found.pasted.values()) == len(expected)


def stands_in(text: str, word: str) -> bool:
    bare = word.removesuffix("*")
    return any(
        not (_joins(bare[0]) and _joins(text[at - 1]))
        and not (bare == word and _joins(bare[-1]) and _joins(text[at + len(bare)]))
        for at in range(len(text) - len(bare))
        if text.startswith(bare, at)
    )


def test_middle_of_a_very_long_text_is_left_out() -> None:
    """Its ends and what stands near them say enough; the time a decision takes is bounded by it."""
    lorem = "lorem ipsum " * 10_000
    found = LATIN.find(f"prove it {lorem} proof {lorem} refactor it")

    assert said(found) == {"reasoning": ["prove", "refactor"]}
    assert pasted(found) == {}


def test_question_behind_a_text_full_of_words_is_still_read() -> None:
    assert "reasoning" in said(LATIN.find("hi\n" * 200_000 + "now prove it"))


def test_empty_keyword_is_refused() -> None:
    with pytest.raises(ValueError, match="empty keyword in a"):
        Keywords({"a": ["*"]})


LISTS = tomllib.loads(
    importlib.resources.files("pointsman.routing").joinpath("keywords.toml").read_text("utf-8")
)
NO_LIST = "never_misspelt"
SAME_EVERYWHERE = "formulas"
TEN = {"en", "zh", "ja", "ko", "ru", "de", "es", "pt", "ar", "fr"}


@pytest.mark.parametrize("name", sorted(set(LISTS) - {NO_LIST, SAME_EVERYWHERE}))
def test_shipped_list_is_there_in_ten_languages(name: str) -> None:
    assert set(LISTS[name]) == TEN
    assert all(LISTS[name].values())


def test_shipped_words_of_a_list_do_not_hold_one_another(keyword_text: str) -> None:
    twice = []
    for name, by_language in tomllib.loads(keyword_text).items():
        words = [word for words in by_language.values() for word in words]
        assert len(words) == len(set(words)), name
        found_by = Keywords({name: words}, never_misspelt=words)
        for word in words:
            bare = word.removesuffix("*").lower()
            if len(said(found_by.find(bare)).get(name, ())) > 1:
                twice.append((name, word))

    assert twice == []


def test_every_wording_holds_the_explanation_it_takes_away() -> None:
    """Else it would take away one that was asked for beside it."""
    alone = [
        word
        for language, words in LISTS["wording"].items()
        for word in words
        if not any(other.rstrip("*") in word for other in LISTS["explanation"][language])
    ]

    assert alone == []


def test_shipped_words_are_long_enough_not_to_flood(keyword_text: str) -> None:
    short = [
        word
        for name, by_language in tomllib.loads(keyword_text).items()
        if name not in {"greeting", "go_on"}
        for words in by_language.values()
        for word in words
        if word.isascii() and word.isalnum() and len(word) < 3
    ]

    assert short == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("reasoning", "请证明这个定理"),
        ("reasoning", "段階的に証明して"),
        ("reasoning", "단계별로 증명하세요"),
        ("reasoning", "Докажите теорему"),
        ("reasoning", "Beweisen Sie den Satz"),
        ("reasoning", "Demuestra que es cierto"),
        ("reasoning", "Demonstre que é verdade"),
        ("reasoning", "أثبت أن العدد"),
        ("reasoning", "Démontrez que c'est vrai"),
        ("code", "帮我写一个函数"),
        ("code", "バグを直して"),
        ("code", "이 코드를 고쳐"),
        ("code", "напиши функцию"),
        ("code", "Schreibe eine Funktion"),
        ("code", "escribe una función"),
        ("code", "escreva uma função"),
        ("code", "اكتب دالة"),
        ("code", "écris une fonction"),
    ],
)
def test_shipped_lists_find_other_languages(keywords: Keywords, name: str, text: str) -> None:
    assert name in said(keywords.find(text))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("reasoning", "Approve the waterproof jacket order and improve it"),
        ("code", "explain the class struggle"),
        ("code", "what is the capital of Peru"),
        ("simple", "this is a thing"),
        ("negation", "nevertheless, the monitor is neat"),
        ("agentic", "an agency with editors"),
        ("code", "classic and important, selected with care"),
    ],
)
def test_shipped_lists_do_not_hit_inside_words(keywords: Keywords, name: str, text: str) -> None:
    assert name not in said(keywords.find(text))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("code", "escribe una funcion"),
        ("proof", "demonstracao por inducao"),
        ("explanation", "Erklaere das, bitte"),
        ("reasoning", "theoreme de Pythagore"),
        ("analysis", "wäge die Folgen ab"),
    ],
)
def test_accents_may_be_missing(keywords: Keywords, name: str, text: str) -> None:
    assert name in said(keywords.find(text))


@pytest.mark.parametrize("text", ["والبرهان واضح", "وأثبت ذلك", "بالبرهان", "وبرهن أن"])
def test_arabic_word_may_have_prefixes(keywords: Keywords, text: str) -> None:
    assert "reasoning" in said(keywords.find(text))


def test_letters_before_an_arabic_word_are_no_prefix_by_themselves() -> None:
    assert said(Keywords({"a": ["برهان"]}).find("قبرهان")) == {}


@pytest.mark.parametrize("word", ["explian", "explaain", "expalin", "exlain", "explaim", "Explsin"])
def test_word_misspelt_by_a_letter_is_read(keywords: Keywords, word: str) -> None:
    assert "explanation" in said(keywords.find(f"{word} the tides to me"))


@pytest.mark.parametrize(
    "text", ["whether it rains", "the contract", "a product", "her interest", "they are started"]
)
def test_real_word_is_not_taken_for_a_misspelt_one(keywords: Keywords, text: str) -> None:
    assert set(said(keywords.find(text))) <= {"domain", "references"}


def test_misspelt_word_is_read_beside_a_script_without_spaces(keywords: Keywords) -> None:
    assert "explanation" in said(keywords.find("请用中文explian这个概念"))


def test_misspelt_word_is_read_every_time(keywords: Keywords) -> None:
    first, second = (said(keywords.find("pleese sumarize and explian it, tranquil")) for _ in range(2))

    assert first == second
    assert {"imperative", "explanation"} <= set(first)


def test_misspelt_word_of_an_operator_is_read() -> None:
    assert said(Keywords({"a": ["invoice"]}, never_misspelt=["invoiced"]).find("the inovice, invoiced")) == {
        "a": ["invoice"]
    }


def test_further_lists_do_not_change_the_first() -> None:
    both = LATIN.and_also({"more": ["pear"]})

    assert said(both.find("prove the pear")) == {"reasoning": ["prove"], "more": ["pear"]}
    assert said(LATIN.find("prove the pear")) == {"reasoning": ["prove"]}
    assert LATIN.and_also({}) is LATIN
