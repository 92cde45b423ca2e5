# ruff: noqa: RUF001 - prompts in many scripts
"""A wish beside what it is about: long texts with a short question, in front or behind."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from routing_values import Ask, Route

from pointsman.routing.keywords import Keywords
from pointsman.routing.wish import apart, plain, without_courtesies

ARTICLE = (
    "The city council met on Tuesday evening to discuss the future of the old tram depot. Several residents spoke in"
    " favour of turning the building into a market hall, while others asked for affordable housing. According to a"
    " report, the costs would be around four million euros. A second meeting will take place in May. "
) * 5
GERMAN = (
    "Der Stadtrat hat am Dienstagabend über die Zukunft des alten Straßenbahndepots beraten. Mehrere Anwohner sprachen"
    " sich für eine Markthalle aus, andere forderten bezahlbaren Wohnraum. "
) * 8
CHINESE = (
    "市议会周二晚上讨论了旧电车站的未来。几位居民主张把它改建成市场，另一些人则要求建造经济适用房。" * 12
)
LOG = (
    "2026-03-01 10:00:01 INFO server started on port 8080\n"
    "2026-03-01 10:00:05 ERROR database connection refused: timeout after 30s\n"
) * 12
CONTRACT = (
    "1. The Supplier shall deliver the goods within thirty days. 2. In no event shall the Supplier be liable for"
    " indirect damages. 3. This agreement is governed by the laws of England. "
) * 6

EASY, MIDDLE, HARD = {"simple"}, {"medium"}, {"complex", "reasoning"}

CASES = [
    (f"{ARTICLE}\n\nWhen is the second meeting?", EASY),
    (f"What port does the server use?\n\n{LOG}", EASY),
    (f"Wann ist die nächste Sitzung?\n\n{GERMAN}", EASY),
    (f"{CHINESE}\n\n市长是男是女？", EASY),
    (f"{CONTRACT}\n\nWhat is the name of the country?", EASY),
    (f"Summarize this article in three sentences:\n\n{ARTICLE}", MIDDLE),
    (f"{GERMAN}\n\nFasse den Text in drei Sätzen zusammen.", MIDDLE),
    (f"{CHINESE}\n\n请用三句话总结这篇文章。", MIDDLE),
    (f"{LOG}\n\nExplain what went wrong here and how to prevent it.", MIDDLE),
    (
        f"{CONTRACT}\n\nAnalyze the legal risks for the buyer, compare them with the law, and propose amendments.",
        HARD,
    ),
    (f"{CHINESE}\n\n请深入分析各方利益，比较不同方案的利弊，并提出详细的政策建议。", HARD),
    (f"Prove by induction that the server never deadlocks:\n\n{LOG}", HARD),
]


@pytest.mark.parametrize(("text", "tiers"), CASES, ids=[case[0][-30:] for case in CASES])
def test_wish_decides_and_not_what_was_pasted(route: Route, ask: Ask, text: str, tiers: set[str]) -> None:
    assert route(ask(text)).tier in tiers


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        (f"Count the boats.\n\n{ARTICLE}", "Count the boats."),
        (f"{ARTICLE}\n\nCount the boats.", "Count the boats."),
        (f"Count them.\n\n{ARTICLE}\n\nOnly the red ones.", "Count them.\nOnly the red ones."),
        (f'Make this shorter: "{ARTICLE}"', "Make this shorter:"),
        (f"Kürze das: „{GERMAN}“ Danke", "Kürze das:   Danke"),
        (f"请翻译：「{CHINESE}」", "请翻译："),
    ],
)
def test_what_was_pasted_is_told_from_the_wish(text: str, wish: str) -> None:
    asked, pasted = apart(text)

    assert asked.strip() == wish
    assert len(pasted) > 300


@pytest.mark.parametrize(
    "text",
    [
        "Write a poem.\n\nIt should rhyme.",
        ARTICLE,
        "Build a shop.\n" + "It must have a cart and a search.\n" * 4 + "It must be fast.",
        f"{ARTICLE}\n\n{ARTICLE}",
        "",
        "\n" * 500,
    ],
    ids=["short", "one paragraph", "wish in lines", "two long paragraphs", "nothing", "line ends"],
)
def test_text_without_a_wish_of_its_own_is_read_as_one(text: str) -> None:
    assert apart(text) == (text, "")


@given(
    st.sampled_from(["Hello there!", "Thanks a lot.", "你好！", "Guten Tag!", "could you please help me?"]),
    st.text(max_size=300),
)
def test_courtesies_at_an_end_are_noticed_whatever_else_there_is(
    keywords: Keywords, courtesy: str, rest: str
) -> None:
    assert keywords.is_courtesy(courtesy, ())
    assert keywords.may_hold_courtesies(plain(f"{courtesy} {rest}"))
    assert keywords.may_hold_courtesies(plain(f"{rest} {courtesy}"))


@pytest.mark.parametrize(
    ("before", "behind"),
    [
        ("", " Thank you very much in advance"),
        ("Could you please answer the following question? ", ""),
        ("你好,请帮我:", " 谢谢!"),
        ("请回答以下问题: ", ""),
        ("Bitte beantworte die folgende Frage: ", " Vielen Dank!"),
        ("Responde a la siguiente pregunta, por favor: ", ""),
    ],
)
def test_courtesies_are_no_part_of_the_wish(keywords: Keywords, before: str, behind: str) -> None:
    wish = "Which of these two cities had more inhabitants in 1900"

    assert without_courtesies(f"{before}{wish}{behind}", keywords).strip() == wish


@pytest.mark.parametrize(
    "wish",
    ["Write a thank you note", "Please summarize this: ", "请帮我写一首诗:", "Could you write a poem?"],
)
def test_wish_that_is_asked_for_politely_is_kept(keywords: Keywords, wish: str) -> None:
    assert without_courtesies(f"{wish} It was a dark and stormy night.", keywords).startswith(wish)
    assert without_courtesies(wish, keywords) == wish


@pytest.mark.parametrize("size", [1_000, 60_000, 400_000])
def test_both_ends_of_a_text_are_in_one_form_however_long_it_is(size: int) -> None:
    text = plain(f"Ｐｒｏｖｅ  it{'. 中 ' * (size // 4)}ｔｈｅｎ  \u3000 stop \ud800 ")

    assert text.startswith("Prove it. 中 . ")
    assert text.endswith(". 中 then stop ?")


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        (f"<context>\n{ARTICLE}\n</context>\n\nWhen do they meet again?", "\n\nWhen do they meet again?"),
        (
            f'Answer from the source.\n<source id="1">\n{ARTICLE}</source>\nWho spoke?',
            "Answer from the source.\n\nWho spoke?",
        ),
        (f"<a>{ARTICLE}</a>\n<b>{ARTICLE}</b>\nCompare both.", "\n\nCompare both."),
        (
            f"<div>\n<p>{ARTICLE}</p>\n</div>\nWhat is wrong with this page?",
            "\nWhat is wrong with this page?",
        ),
    ],
)
def test_what_stands_between_tags_is_given(text: str, wish: str) -> None:
    assert apart(text)[0] == wish


def test_question_behind_what_was_found_is_the_wish() -> None:
    how = (
        "Answer from the context alone, analyse it with care, weigh its sources and explain what is missing. "
        * 6
    )

    assert apart(f"{how}\n<context>\n{ARTICLE}\n</context>\n\nWho spoke?")[0].strip() == "Who spoke?"
    assert how in apart(f"{how}\n<context>\n{ARTICLE}\n</context>\n\nBegin.")[0]


def test_tag_that_is_not_closed_is_part_of_the_text() -> None:
    text = f"<br>\n{LOG}\n<hr>\nWhy </i>?"

    assert "<hr>" in "".join(apart(text))


@given(st.text(max_size=2_000), st.sampled_from(["", "\n", "\n\n", '"']), st.text(max_size=2_000))
def test_any_text_can_be_taken_apart(keywords: Keywords, before: str, between: str, behind: str) -> None:
    text = plain(before + between + behind)

    wish, pasted = apart(text)

    assert len(wish) + len(pasted) <= len(text) + 1
    assert without_courtesies(text, keywords) in text
