# ruff: noqa: RUF001 - prompts in many scripts
"""Each signal on what it should see, and on what it should not."""

import tomllib

import pytest
from routing_values import Ask

from pointsman.core.decision import Reason
from pointsman.core.prompt import Prompt
from pointsman.routing.keywords import Keywords
from pointsman.routing.policy import Policy, default_policy
from pointsman.routing.reading import read
from pointsman.routing.scorer import Scorer
from pointsman.routing.signals import SIGNALS


@pytest.fixture
def sees(keywords: Keywords, ask: Ask):
    """What one signal says of a prompt, None where it sees nothing."""

    def look(name: str, prompt: Prompt | str) -> Reason | None:
        scorer = Scorer(Policy(("only",), (), (), (), weights={name: 1.0}))
        reading = read(ask(prompt) if isinstance(prompt, str) else prompt, keywords)
        reasons = scorer.reasons(reading, scorer.score(reading)[1])
        return next((reason for reason in reasons if reason.signal == name), None)

    return look


WORDED = [
    # signal, a text of little, a text of more, what it saw first in the second, a text of none
    ("reasoning", "Prove it", "Prove the theorem", "prove", "Improve the waterproof jacket"),
    (
        "formulas",
        "find $\\frac{1}{2}$",
        "find $\\frac{1}{2} + \\sqrt{3}$",
        "\\frac",
        "see C:\\users\\cosmo for $5",
    ),
    ("analysis", "Compare these", "Compare and evaluate the trade-offs", "compare", "Show the comparison"),
    ("code", "a regex for dates", "debug this Python function", "debug", "a classic in selected importance"),
    ("technical", "a cache", "a distributed cache with sharding", "distributed", "a dock in the harbour"),
    (
        "agentic",
        "deploy it",
        "run the build and deploy it in the terminal",
        "run the",
        "an agency with editors",
    ),
    ("output_format", "as a checklist", "as JSON with bullet points", "json", "the stable"),
    ("references", "as attached", "the document attached previously", "the document", "aboveboard"),
    ("constraints", "at most two", "exactly two, within a budget", "exactly", "mustard"),
    ("imperative", "Write it", "Design and implement and write it", "design", "the writer"),
    ("creative", "a poem", "imagine a story", "imagin", "poetaster"),
    ("domain", "the plaintiff", "the plaintiff and the statute", "plaintiff", "plain tiffs"),
]


@pytest.mark.parametrize(("name", "little", "more", "first", "none"), WORDED, ids=[row[0] for row in WORDED])
def test_worded_signal_rises_with_its_words(sees, name, little, more, first, none) -> None:
    low, high = sees(name, little), sees(name, more)

    assert low is not None
    assert high is not None
    assert 0 < low.value < high.value <= 1
    assert first in high.detail
    assert sees(name, none) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [("", -1), ("word", -1), ("word " * 92, 0.0), ("word " * 290, 0.15), ("word " * 9_200, 0.3)],
)
def test_size_is_logarithmic(sees, text: str, value: float) -> None:
    hit = sees("size", text)

    assert (hit.value if hit else 0) == pytest.approx(value, abs=0.05)


def test_context_begins_at_4000_tokens_and_ends_at_100000(sees, ask: Ask) -> None:
    assert sees("context", ask("hello there", system="word " * 3_000)) is None
    middle = sees("context", ask("hello there", system="word " * 20_000))
    assert middle is not None
    assert 0.4 < middle.value < 0.6
    whole = sees("context", ask("hello there", system="word " * 200_000))
    assert whole is not None
    assert whole.value == 1


def test_turns_count_from_the_second(sees, ask: Ask) -> None:
    assert sees("turns", ask("one")) is None
    values = [sees("turns", ask(*["a"] * (2 * count - 1))).value for count in (2, 4, 10, 100)]
    assert values == sorted(values)
    assert values[-1] == 1


def test_long_instructions_count_more_than_a_line(sees, ask: Ask) -> None:
    assert sees("system_prompt", ask("a")) is None
    assert sees("system_prompt", ask("a", system="Be kind.")).value < 0.01
    assert sees("system_prompt", ask("a", system="Be kind. " * 1_000)).value == 1


@pytest.mark.parametrize(("count", "detail"), [(1, "1 tool"), (4, "4 tools"), (40, "40 tools")])
def test_tools_are_counted(sees, ask: Ask, count: int, detail: str) -> None:
    assert sees("tools", ask("a", tool_count=count)).detail == detail
    assert sees("tools", ask("a")) is None


def test_demanded_json_is_seen_in_any_place(sees, ask: Ask) -> None:
    schema = sees("structured_output", ask("a", output_format="json_schema"))
    mode = sees("structured_output", ask("a", output_format="json_object"))
    instructed = sees("structured_output", ask("a", system="Answer in JSON."))

    assert schema.value > mode.value > instructed.value > 0
    assert sees("structured_output", ask("a", system="Answer in prose.")) is None


def test_media_are_counted(sees, ask: Ask) -> None:
    assert sees("media", ask("a", image_count=1)).detail == "1 image"
    both = sees("media", ask("a", image_count=2, document_count=1))
    assert both.detail == "2 images, 1 document"
    assert both.value > sees("media", ask("a", document_count=1)).value
    assert sees("media", ask("a", image_count=50)).value == 1
    assert sees("media", ask("a")) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("then we left", 0),
        ("first we eat, then we sleep", 0.5),
        ("first, second, then, finally", 1),
        ("Do this:\n1. a\n2. b\n3. c", 0.8),
        ("首先读取文件，然后计算", 0.5),
    ],
)
def test_steps_need_two_words(sees, text: str, value: float) -> None:
    hit = sees("multi_step", text)

    assert (hit.value if hit else 0) == pytest.approx(value)


def test_figures_and_words_of_mathematics_add_up(sees) -> None:
    words, figures = sees("calculation", "Solve it"), sees("calculation", "12 and 35 to 99")
    both = sees("calculation", "Solve 12 + 35")

    assert sees("calculation", "nothing here") is None
    assert both.value > words.value
    assert "digits" in figures.detail
    assert both.value > 0.5
    assert sees("calculation", "") is None


@pytest.mark.parametrize(
    ("text", "value"), [("never now", 0), ("without it, never there", 0.4), ("except, never, without", 0.8)]
)
def test_one_negation_is_everyday_speech(sees, text: str, value: float) -> None:
    hit = sees("negation", text)

    assert (hit.value if hit else 0) == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "count"), [("why?", 1), ("why? how?", 2), ("为什么？怎么办？", 2), ("لماذا؟ كيف؟ متى؟", 3)]
)
def test_questions_of_all_scripts_are_counted(sees, text: str, count: int) -> None:
    hit = sees("questions", text)

    assert (hit is None) if count < 2 else (hit.detail == f"{count} questions")


@pytest.mark.parametrize(
    "text",
    [
        "What is the capital of Peru?",
        "中国的首都是哪里",
        "フランスの首都はどこですか",
        "한국의 수도는 어디인가요",
        "Какая столица Канады?",
        "Was ist die Hauptstadt von Peru?",
        "¿Cuál es la capital de Perú?",
        "Qual é a capital do Peru?",
        "ما هي عاصمة",
        "Quelle est la capitale du Pérou ?",
    ],
)
def test_simple_wish_argues_for_an_easier_model(sees, text: str) -> None:
    assert sees("simple", text).value < -0.5


def test_simple_word_beside_work_says_little(sees) -> None:
    assert (
        -0.3 < sees("simple", "what is wrong? Design and implement it and explain the trade-offs").value < 0
    )


def test_question_about_a_long_text_stays_simple(sees) -> None:
    assert sees("simple", "What time is it? " + "there is much to be said of many things " * 60).value < -0.5


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "你好",
        "こんにちは",
        "안녕하세요",
        "Привет!",
        "Hallo!",
        "¡Hola!",
        "Olá, tudo bem?",
        "مرحبا",
        "Bonjour",
    ],
)
def test_greeting_alone_is_easy(sees, text: str) -> None:
    assert sees("greeting", text).value < -0.5


def test_greeting_before_a_wish_says_nothing(sees) -> None:
    wish = "Hello! Could you please show all the boats in that harbour to my brothers? Thanks in advance"

    assert sees("greeting", wish) is None


def test_courtesies_do_not_count_as_length(sees) -> None:
    plain, polite = (
        "show all the boats of the harbour",
        "please could you show all the boats of the harbour, thank you very much",
    )

    assert abs(sees("size", plain).value - sees("size", polite).value) < 0.05


def test_explanation_beside_an_order_adds_little(sees) -> None:
    assert sees("explanation", "Write it and explain it").value < sees("explanation", "Explain it").value / 2


@pytest.mark.parametrize(
    "text",
    ["How do you say good night in Polish?", "用法语怎么说", "كيف نقول صباح الخير بالفرنسية؟"],
)
def test_how_something_is_said_asks_for_no_explanation(sees, text: str) -> None:
    assert sees("explanation", text) is None


def test_how_something_is_said_hides_no_other_explanation(sees) -> None:
    assert sees("explanation", "How do you say rain in Polish, and why does it fall?").value > 0


def test_program_that_calculates_is_no_mathematics(sees) -> None:
    assert (
        sees("calculation", "the variance in python").value
        < sees("calculation", "the variance in prose").value
    )


def test_long_words_are_those_of_a_trade(sees) -> None:
    assert sees("vocabulary", "the cat sat on the mat") is None
    some, many = "disintermediation", "disintermediation of macroeconomic stabilization and transmission"
    assert 0 < sees("vocabulary", some).value < sees("vocabulary", many).value <= 1
    assert sees("vocabulary", "https://example.org/a/b/c data['items'][0]") is None
    assert sees("vocabulary", "макроэкономическая стабилизация").value > 0


@pytest.mark.parametrize("text", ["one, two; three", "一，二；三", "一、二、三", "واحد، اثنان؛ ثلاثة"])
def test_parts_of_a_wish_are_counted_in_all_scripts(sees, text: str) -> None:
    assert sees("clauses", text).value == pytest.approx(0.4)


def test_long_text_has_no_more_parts_than_a_wish(sees) -> None:
    assert sees("clauses", "one, two and three of them and four more of the others. " * 100).value < 0.8


def test_nothing_but_own_words_is_told(keywords: Keywords, ask: Ask) -> None:
    """A decision is shown and logged; what the user wrote is not."""
    scorer = Scorer(default_policy())
    reading = read(ask("Prove sesquipedalian debugging of xylophone tables, please? Why?"), keywords)
    told = " ".join(reason.detail for reason in scorer.reasons(reading, scorer.score(reading)[1]))

    assert "prove" in told
    assert not {"sesquipedalian", "xylophone", "please"} & set(told.split())


def test_every_keyword_list_is_read_by_a_signal(keyword_text: str) -> None:
    read_elsewhere = {"go_on", "certificate", "rework", "transcript", "wording", "never_misspelt"}
    assert set(tomllib.loads(keyword_text)) - read_elsewhere <= {
        measure for signal in SIGNALS for measure in signal.of
    }


def test_no_measure_is_read_by_two_signals() -> None:
    measures = [measure for signal in SIGNALS for measure in signal.of]

    assert len(set(measures)) == len(measures)


def test_signal_names_are_unique() -> None:
    assert len({signal.name for signal in SIGNALS}) == len(SIGNALS)


PASTE = "The harbour lay quiet in the early light while the fishermen mended their nets. " * 20


def test_short_question_about_a_long_text_is_a_lookup(sees, ask: Ask) -> None:
    short = sees("lookup", f"{PASTE}\n\nWhen was it?")
    longer = sees(
        "lookup",
        f"{PASTE}\n\n{'And of all the people who are named in it at one place or another, ' * 2}who came?",
    )

    assert short.value == -1
    assert -1 < longer.value < 0
    for wish in ("Summarize it, will you?", "Why does it matter?", "Is it a valid argument? Assess it."):
        assert sees("lookup", f"{PASTE}\n\n{wish}") is None
    assert sees("lookup", "When was it?") is None


def test_last_line_of_a_log_is_no_wish(sees) -> None:
    log = "\n".join(
        f"2026-03-02T08:14:{second}Z [{second}] GET /v2/orders?page={second} 200" for second in range(60)
    )

    assert sees("lookup", f"Which came first?\n{log}").value == -1


def test_word_in_a_text_to_translate_is_only_mentioned(sees) -> None:
    assert sees("proof", "Translate: we prove the theorem").value < 0.15
    assert sees("proof", "Prove the theorem").value == 0.95
    assert sees("imperative", "Proofread: you should write to me").value < 0.15
    assert sees("imperative", "Rephrase this code and write a test").value == 0.75


def test_form_for_programs_is_no_order_where_the_text_is_given(sees, ask: Ask) -> None:
    given = "Give me name and town: I am Ada and live in York."

    assert sees("imperative", ask(given, output_format="json_object")).value < 0.3
    assert sees("imperative", ask(given)).value == 0.75
    assert sees("imperative", ask("Give me ten names", output_format="json_object")).value == 0.75
    assert sees("output_format", ask("as JSON", output_format="json_object")) is None


def test_order_to_show_the_way_of_a_sum_adds_little(sees) -> None:
    assert sees("imperative", "Show me how many 15 percent of 80 are").value < 0.4


def test_wish_of_some_length_that_no_known_word_tells_is_more_than_a_fact(sees, ask: Ask) -> None:
    wish = (
        "the neighbours upstairs stomp around until two at night and the landlord should hear of it from me"
    )

    assert sees("untold", wish).value == 1
    assert sees("untold", "two goldfish, same bowl") is None
    for told in (f"{wish}?", f"Write: {wish}", f"Translate: {wish}", wish.replace(" ", ", ")):
        assert sees("untold", told) is None
    assert sees("untold", ask(wish, output_format="json_object")) is None
    assert sees("untold", "lorem ipsum " * 100) is None


def test_wish_about_a_program_that_no_known_word_tells_may_be_a_question(sees) -> None:
    wish = "python: the users whose birthday is within seven days of today, from users.csv, sorted by age and town?"

    assert sees("untold", wish).value == 1
