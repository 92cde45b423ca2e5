# ruff: noqa: RUF001 - prompts in many scripts
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pointsman.core.prompt import Prompt, Turn
from pointsman.routing.keywords import EDGE_CHARS, Keywords
from pointsman.routing.reading import graded, read

TASK = "Prove that the square root of two is irrational"


def conversation(*turns: tuple[str, str], system: str = "") -> Prompt:
    return Prompt(system, tuple(Turn(speaker, text) for speaker, text in turns), 2_000)


@pytest.mark.parametrize(
    "follow_up",
    [
        "yes, go on",
        "Try now?",
        "continue",
        "",
        "好的，请继续",
        "はい、続けてください",
        "네, 계속해 주세요",
        "да, продолжай",
        "ja, mach bitte weiter",
        "sí, continúa por favor",
        "sim, pode continuar",
        "نعم، تابع من فضلك",
        "oui, continuez s'il vous plaît",
    ],
)
def test_short_follow_up_inherits_the_turn_before(keywords: Keywords, follow_up: str) -> None:
    reading = read(conversation(("user", TASK), ("assistant", "Shall I?"), ("user", follow_up)), keywords)

    assert reading.inherited_turns == 1
    assert reading.asked.replace(",", "，") == f"{TASK}\n{follow_up}".replace(",", "，")
    assert "reasoning" in reading.measures


@pytest.mark.parametrize(
    "courtesy",
    [
        "thanks!",
        "谢谢",
        "ありがとう",
        "감사합니다",
        "спасибо",
        "danke",
        "شكرا",
        "I see! Thank you",
        "なるほど！ありがとう",
    ],
)
def test_thanks_inherit_nothing(keywords: Keywords, courtesy: str) -> None:
    reading = read(conversation(("user", TASK), ("assistant", "Done."), ("user", courtesy)), keywords)

    assert reading.inherited_turns == 0


@pytest.mark.parametrize(
    "wish",
    [
        "Now write a poem about it",
        "请把上面的内容翻译成英文并且检查语法",
        "x" * 400,
        "What is the capital of Peru?",
    ],
)
def test_full_sentence_inherits_nothing(keywords: Keywords, wish: str) -> None:
    reading = read(conversation(("user", TASK), ("assistant", "Done."), ("user", wish)), keywords)

    assert reading.inherited_turns == 0
    assert reading.asked == wish


def test_inheriting_goes_back_to_the_first_turn_that_says_more(keywords: Keywords) -> None:
    talk = conversation(
        ("user", "What is the weather like?"),
        ("user", TASK),
        ("assistant", "ok?"),
        ("user", "yes"),
        ("assistant", "sure?"),
        ("user", "go on"),
    )

    assert read(talk, keywords).asked == f"{TASK}\nyes\ngo on"


def test_endless_short_turns_are_read_in_part(keywords: Keywords) -> None:
    reading = read(conversation(*[("user", "ok")] * 500), keywords)

    assert reading.inherited_turns == 8


def test_tool_results_and_replies_are_no_wish(keywords: Keywords) -> None:
    talk = conversation(
        ("user", "List the files in this folder please"),
        ("assistant", "I will prove the theorem step by step."),
        ("tool", "theorem lemma corollary"),
    )

    assert "reasoning" not in read(talk, keywords).measures


def test_system_text_counts_for_length_alone(keywords: Keywords) -> None:
    plain = read(conversation(("user", "Hello there my friend")), keywords)
    instructed = read(
        conversation(("user", "Hello there my friend"), system="Prove theorems. " * 1_000), keywords
    )

    assert "reasoning" not in instructed.measures
    assert instructed.measures["asked_tokens"] == plain.measures["asked_tokens"]
    assert instructed.measures["input_tokens"] > plain.measures["input_tokens"] + 2_000


def test_prompt_without_user_turn_is_read(keywords: Keywords) -> None:
    assert read(Prompt("be kind", (), 60), keywords).asked == ""


def test_lone_surrogate_is_read(keywords: Keywords) -> None:
    reading = read(conversation(("user", "prove \ud800 that"), ("assistant", "\udfff")), keywords)

    assert "reasoning" in reading.measures


def test_pasted_words_count_as_one_word_at_most(keywords: Keywords) -> None:
    pasted = (
        "theorem lemma corollary conjecture axiom proof puzzle riddle deduce derive logically formally " * 40
    )
    filler = "lorem ipsum " * 200

    assert read(conversation(("user", filler + pasted + filler)), keywords).measures["reasoning"] == 1


def test_questions_and_digits_are_counted_at_both_ends_of_a_long_text(keywords: Keywords) -> None:
    text = "7?" * 100 + "a" * 5_000 + "9?" * 5_000 + "a" * 5_000 + "7?" * 100

    measures = read(conversation(("user", text)), keywords).measures

    assert measures["questions"] == 200
    assert measures["digits"] == 200 / (2 * EDGE_CHARS + 1)


def test_what_is_not_there_has_no_measure(keywords: Keywords) -> None:
    measures = read(conversation(("user", "lorem ipsum")), keywords).measures

    assert measures.keys() == {"asked_tokens", "input_tokens", "untold"}


@pytest.mark.parametrize(
    ("system", "speaks"),
    [
        ("Answer in JSON.", True),
        ("Use valid json", True),
        ("j" * 1_000 + "json", True),
        ("Just JS. " * 200 + "As JSON!", True),
        ("j" * 1_000, False),
        ("Just enjoy the major jobs; js, jso, Json. " * 100, False),
        ("Be brief.", False),
        ("a line that ends in js", False),
    ],
)
def test_instructions_may_speak_of_json(keywords: Keywords, system: str, speaks: bool) -> None:
    measures = read(conversation(("user", "Hi"), system=system), keywords).measures

    assert ("json_mentioned" in measures) is speaks


def test_json_that_is_demanded_is_not_counted_again_for_being_spoken_of(keywords: Keywords) -> None:
    prompt = conversation(("user", "Who wrote it?"), system="Answer as JSON")

    assert "json_mentioned" in read(prompt, keywords).measures
    assert "json_mentioned" not in read(replace(prompt, output_format="json_object"), keywords).measures


def test_every_measure_is_read(keywords: Keywords) -> None:
    prompt = replace(
        conversation(("user", "1 ? 2"), ("user", "1 ? 2 ?"), system="As json, please"),
        tool_count=3,
        output_format="json_schema",
        image_count=1,
        document_count=2,
    )

    measures = dict(read(prompt, keywords).measures)

    del measures["asked_tokens"], measures["input_tokens"], measures["digits"]
    assert measures == {
        "user_turns": 2,
        "system_chars": 15,
        "json_schema": 1,
        "tools": 3,
        "media": 3,
        "documents": 2,
        "images": 1,
        "audio": 0,
        "questions": 2,
        "math": 0,
    }


@pytest.mark.parametrize(
    ("count", "value"), [(0, 0), (0.5, 0.2), (1, 0.4), (1.5, 0.6), (2, 0.8), (3, 0.8), (99, 0.8)]
)
def test_graded_runs_straight_between_steps(count: float, value: float) -> None:
    assert graded(count, (0.4, 0.8)) == pytest.approx(value)


@given(st.lists(st.tuples(st.sampled_from(["user", "assistant", "tool"]), st.text()), max_size=12), st.text())
def test_any_conversation_can_be_read(keywords: Keywords, turns: list[tuple[str, str]], system: str) -> None:
    reading = read(conversation(*turns, system=system), keywords)

    assert reading.measures["input_tokens"] >= 1
    assert reading.measures["asked_tokens"] >= 0


FRAMES = [
    ("Hello! ", " Thanks in advance!"),
    ("Hi! Could you please help me with this? ", " Thank you very much."),
    ("¡Hola! Espero que estés bien. ", " Muchas gracias."),
    ("Guten Tag, ich hätte da eine Bitte: ", " Vielen Dank im Voraus."),
    ("你好！", " 谢谢！"),
    ("こんにちは。", " よろしくお願いします。"),
]


@pytest.mark.parametrize(("before", "behind"), FRAMES)
def test_courtesies_around_a_wish_are_no_part_of_it(keywords: Keywords, before: str, behind: str) -> None:
    reading = read(conversation(("user", f"{before}{TASK}.{behind}")), keywords)

    assert reading.asked.strip() == f"{TASK}."


@pytest.mark.parametrize(
    "text",
    [
        "Hello!",
        "Could you please show me all the boats in that harbour?",
        "Thanks. Please prove it. Thanks.",
        "Please explain the tides. I am Ann.",
        "Hello! " * 50,
    ],
)
def test_wish_is_never_taken_for_a_courtesy(keywords: Keywords, text: str) -> None:
    asked = read(conversation(("user", text)), keywords).asked

    assert asked
    assert all(word in asked for word in ("prove", "boats", "tides") if word in text)
