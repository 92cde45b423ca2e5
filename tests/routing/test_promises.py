"""Examples that routers of this kind promise in their documentation, and faults they are known for."""

from dataclasses import replace

import pytest
from routing_values import Ask, MakeCard, Route

from pointsman.core.model_card import ModelCard
from pointsman.core.prompt import Prompt, Turn
from pointsman.routing.decide import Router
from pointsman.routing.keywords import Keywords
from pointsman.routing.policy import Policy, default_policy
from pointsman.routing.rules import Rule
from pointsman.wire.anthropic_messages import ANTHROPIC_MESSAGES
from pointsman.wire.envelope import read_envelope
from pointsman.wire.openai_responses import OPENAI_RESPONSES

HARD = {"complex", "reasoning"}


@pytest.mark.parametrize(
    "text",
    [
        "what is the capital of france",
        "what is the capital of Peru",
        "What is 2+2?",
        "Approve the waterproof jacket order",
        "Hello!",
        "hi",
        "Is java coffee stronger than a Turkish one?",
        "I will import the selected goods myself, said the class president",
        "Where is the nearest root beer function room?",
        "I need proof of address, what documents count?",
        "Wo kann ich einen Beweis für meine Adresse bekommen?",
        "收入证明在哪里开",
        "A prova de matemática é amanhã?",
        "Ist Java eine Insel?",
    ],
)
def test_easy_wish_gets_the_lowest_tier(route: Route, ask: Ask, text: str) -> None:
    assert route(ask(text)).tier == "simple"


@pytest.mark.parametrize(
    "text",
    [
        "prove that sqrt(2) is irrational step by step",
        "design a high-availability microservices architecture",
        "Design a high-availability microservices architecture for an e-commerce platform",
        "Write a compiler for a toy language in Rust with type inference and a garbage collector",
        "Determine all prime numbers p for which p^2 + 2 is prime, and prove that there are no others",
    ],
)
def test_hard_wish_gets_a_strong_model(route: Route, ask: Ask, text: str) -> None:
    assert route(ask(text)).tier in HARD


def test_improving_an_email_step_by_step_is_no_proof(route: Route, ask: Ask) -> None:
    assert route(ask("Improve my email step by step")).tier == "medium"


def test_solving_for_x_is_no_easy_fact(route: Route, ask: Ask) -> None:
    assert route(ask("Solve x^2+y^2=25")).tier == "medium"


@pytest.mark.parametrize(
    "text", ["explain the class struggle", "what is the capital of Peru", "show me this song"]
)
def test_no_code_is_seen_inside_words(route: Route, ask: Ask, text: str) -> None:
    decision = route(ask(text))

    assert decision.category != "code"
    assert {"code", "technical"}.isdisjoint(signal for signal, _, _ in decision.shares)


def test_every_tier_can_be_reached(route: Route, ask: Ask) -> None:
    wishes = (
        "Hello!",
        "Write a cover letter for a job in a library",
        "Design a scalable chat service with replication and compare two ways to store its messages",
        "Prove by induction that the sum of the first n odd numbers is n^2, step by step",
    )

    assert [route(ask(wish)).tier for wish in wishes] == ["simple", "medium", "complex", "reasoning"]


def test_every_level_of_five_can_be_reached(keywords: Keywords, ask: Ask, make_card: MakeCard) -> None:
    policy = default_policy(("super_easy", "easy", "medium", "hard", "super_hard"))
    router = Router([make_card(tier, tier) for tier in policy.tiers], policy, keywords)
    wishes = (
        "Hello!",
        "Put these words into another order: pear, apple, fig, mango, plum",
        "Write a cover letter for a job in a library",
        "Design a scalable chat service with replication and compare two ways to store its messages",
        "Prove by induction that the sum of the first n odd numbers is n^2, step by step",
    )

    landed = [router.decide(ask(wish), policy.profiles[0], "auto").tier for wish in wishes]

    assert landed == list(policy.tiers)


@pytest.mark.parametrize(
    "text",
    [
        "If a train travels 60 km in 45 minutes and then 80 km in 70 minutes, what is its average speed?",
        "Which of these is the odd one out and why: 3, 5, 7, 9, 11?",
        "A farmer has 17 sheep and sells all but 9. Explain how many are left and why people get it wrong",
    ],
)
def test_short_task_without_a_famous_word_is_not_the_easiest(route: Route, ask: Ask, text: str) -> None:
    assert route(ask(text)).tier != "simple"


def test_two_words_follow_the_turn_before(route: Route, ask: Ask) -> None:
    assert (
        route(ask("Prove that the halting problem is undecidable", "First attempt ...", "Try now?")).tier
        in HARD
    )
    assert route(ask("Try now?")).tier == "simple"


def test_question_behind_a_long_preamble_is_read(route: Route, ask: Ask) -> None:
    preamble = "The harbour lay quiet in the early light while the fishermen mended their nets. " * 40

    assert route(ask(preamble + "Now prove that the number of boats is even, by induction.")).tier in HARD
    assert route(ask(preamble + "What is the name of the harbour?")).tier == "simple"


def test_hard_wish_gets_a_strong_coder_where_there_is_no_other(
    keywords: Keywords, policy: Policy, make_card: MakeCard, ask: Ask
) -> None:
    cards = (
        make_card("small", "simple", ("0.1", "0.1")),
        make_card("coder-32b", "reasoning", ("1", "1"), coder=True),
        make_card("coder-30b", "complex", ("1", "1"), coder=True),
    )
    router = Router(cards, policy, keywords)
    essay = ask(
        "Analyze in depth the causes of the French Revolution, compare the historians' arguments, evaluate them"
    )

    assert router.decide(essay, policy.profiles[0], "auto").card.coder


def test_coder_goes_first_with_code_and_last_without(
    keywords: Keywords, policy: Policy, make_card: MakeCard, ask: Ask
) -> None:
    cards = (
        make_card("general", "medium", ("1", "1")),
        make_card("coder", "medium", ("2", "2"), coder=True),
    )
    router, auto = Router(cards, policy, keywords), policy.profiles[0]

    code = router.decide(ask("Write a Python function that reverses a list"), auto, "auto")
    prose = router.decide(ask("Write a letter to my landlord about the heating"), auto, "auto")

    assert [card.name for card in code.chain] == ["coder", "general"]
    assert [card.name for card in prose.chain] == ["general", "coder"]


def test_answer_needs_room_too(keywords: Keywords, policy: Policy, make_card: MakeCard, ask: Ask) -> None:
    cards = (
        make_card("narrow", "simple", ("0.1", "0.1"), context_tokens=4_000),
        make_card("wide", "simple", ("1", "1"), context_tokens=32_000),
    )
    router = Router(cards, policy, keywords)

    short = router.decide(ask("Hello!", max_output_tokens=100), policy.profiles[0], "auto")
    long = router.decide(ask("Hello!", max_output_tokens=8_000), policy.profiles[0], "auto")

    assert (short.card.name, long.card.name) == ("narrow", "wide")


@pytest.mark.parametrize(
    ("dialect", "body"),
    [
        (
            ANTHROPIC_MESSAGES,
            b'{"model":"auto","max_tokens":9,"system":"Answer in JSON. %b","messages":[{"role":"user","content":"Hi"}]}',
        ),
        (
            OPENAI_RESPONSES,
            b'{"model":"auto","instructions":"Answer in JSON. %b","input":"Name the boats"}',
        ),
    ],
    ids=["anthropic system", "responses instructions"],
)
def test_instructions_beside_the_messages_are_seen(route: Route, dialect, body: bytes) -> None:
    envelope = read_envelope(body % (b"Be kind to sailors. " * 60))
    shares = {signal for signal, _, _ in route(dialect.read_prompt(envelope)).shares}

    assert {"system_prompt", "structured_output"} <= shares


def test_responses_input_is_read_as_the_wish(route: Route) -> None:
    texts = (
        b'{"model":"auto","input":"Prove by induction that it holds for every n, step by step"}',
        b'{"model":"auto","input":[{"role":"user","content":"Prove by induction that it holds, step by step"}]}',
    )
    for text in texts:
        assert route(OPENAI_RESPONSES.read_prompt(read_envelope(text))).tier in HARD


def test_tools_alone_ask_for_the_second_tier(route: Route, ask: Ask) -> None:
    decision = route(ask("hello", tool_count=1))

    assert (decision.tier, decision.category) == ("medium", "tools")
    assert decision.rules == ("tools: at least medium",)


def test_model_for_tools_may_be_forced(keywords: Keywords, four_cards: tuple[ModelCard, ...]) -> None:
    policy = default_policy()
    forced = replace(policy, rules=(Rule("agent", "tools", model="big"), *policy.rules))
    router = Router(four_cards, forced, keywords)
    prompt = Prompt("", (Turn("user", "hello"),), 100, tool_count=2)

    decision = router.decide(prompt, policy.profiles[0], "auto")

    assert decision.card.name == "big"
    assert decision.rules == (
        "agent: big first",
        "tools: at least medium",
        "tried before those of medium: big of complex",
    )
