"""Every judge sees the sin it is there for: a gateway that lies is judged by the same SDKs from its bytes.

Each sin is planted in an exchange that is otherwise right, and only the judges named for it may speak.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from faults.cells import Behind, Cell
from faults.heard import CLIENTS, Callers
from faults.judges import JUDGES, Played
from pointsman.core.usage import Usage
from pointsman.lab.faults import FAULTS
from pointsman.lab.scripted import FakeUpstream, Scripted, scripted
from pointsman.lab.upstream import Asked, Case
from pointsman.lab.voices import VOICES
from pointsman.lab.voices.voice import Said, Stream
from pointsman.lab.ways import WORDS
from pointsman.ledger.entry import Attempt, Entry, Outcome


@dataclass
class Story:
    """What a gateway does in one cell, to be bent. `path` are the models asked; the rows are those of the ledger."""

    cell: Cell
    answer: Scripted
    path: list[str]
    outcome: Outcome
    model: str | None
    status: int
    fault: str | None
    usage: Usage | None = field(default_factory=lambda: Usage(10, len(WORDS) + 1))
    is_booked: bool = True

    @property
    def voice(self) -> Any:
        return VOICES[self.cell.client]

    def events(self, model: str) -> Stream:
        return self.voice.stream(_said(model))

    def streams(self, *pieces: bytes) -> None:
        self.answer = _stream(self.cell.client, *pieces)


def _said(model: str) -> Said:
    return Said(model, (model, *WORDS), {"stream_options": {"include_usage": True}})


def _stream(client: str, *pieces: bytes) -> Scripted:
    return Scripted(
        headers=((b"content-type", VOICES[client].stream_type),), pieces=pieces, framing="chunked"
    )


def _cell(fault: str, client: str, behind: Behind, *, stream: bool = True) -> Cell:
    second = FAULTS["500"] if behind == "failing" else None
    return Cell(FAULTS[fault], client, stream, behind, client, client, second)


def fallen_back(client: str) -> Story:
    """The first model fails, the second answers."""
    cell = _cell("500", client, "well")
    events = VOICES[client].stream(_said("second"))
    answer = _stream(client, *events.opening, *events.content, *events.closing)
    return Story(cell, answer, ["first", "second"], "failed_over", "second", 200, None)


def told_plainly(client: str) -> Story:
    """Nobody can answer, and the caller is told so."""
    cell = _cell("429_retry_after", client, "none", stream=False)
    body = VOICES[client].error(429, "one: Slow down.")
    answer = scripted(json=body, status=429, headers=[(b"retry-after", b"30")])
    return Story(cell, answer, ["first"], "failed", None, 429, "rate_limited", None)


def broken_off(client: str) -> Story:
    """The answer breaks within its content, and the caller is told so."""
    cell = _cell("cut_in_content", client, "well")
    voice = VOICES[client]
    events = voice.stream(_said("first"))
    answer = _stream(client, *events.opening, *events.content[:3], voice.stream_error("It broke."))
    return Story(cell, answer, ["first"], "partial", "first", 200, "broken", None)


def refused(client: str) -> Story:
    """The request itself is at fault."""
    cell = _cell("400", client, "well", stream=False)
    answer = scripted(json=VOICES[client].error(400, "Invalid value."), status=400)
    return Story(cell, answer, ["first"], "refused", None, 400, "rejected", None)


def withheld_openly(client: str) -> Story:
    """Another model could answer, but for a ceiling."""
    cell = replace(_cell("500", client, "well", stream=False), way="ceiling")
    body = VOICES[client].error(502, "consent_required: second is too dear.")
    answer = scripted(json=body, status=502, headers=[(b"x-pointsman-withheld", b"second=price")])
    return Story(cell, answer, ["first"], "refused", None, 502, "consent_required", None)


RIGHT = (fallen_back, told_plainly, broken_off, refused, withheld_openly)
Telling = Callable[[str], Story]


class Liar:
    """A gateway that says what a story wants, and the callers who hear it."""

    def __init__(self, upstream: FakeUpstream, callers: Callers) -> None:
        self.upstream = upstream
        self.callers = callers


@pytest.fixture(scope="module")
def liar() -> Iterator[Liar]:
    with FakeUpstream.in_thread() as upstream, Callers() as callers:
        yield Liar(upstream, callers)


def play(liar: Liar, story: Story) -> Played:
    cell = story.cell
    liar.upstream.answer_with(lambda received: story.answer)
    heard = liar.callers.ask(liar.upstream.origin, cell.client, "auto", "Hello.", stream=cell.stream)
    case = Case(1, {}, [Asked(model, "one", cell.client, cell.stream, None) for model in story.path])
    return Played(cell, heard, case, _rows(story) if story.is_booked else None)


def _rows(story: Story) -> tuple[Entry, tuple[Attempt, ...]]:
    last = len(story.path)
    ended: Outcome = {"failed_over": "complete", "refused": "failed"}.get(story.outcome, story.outcome)
    attempts = tuple(
        Attempt(number, model, "p", 0.0, None, ended if number == last else "failed", None, None, 1.0)
        for number, model in enumerate(story.path, 1)
    )
    entry = Entry(
        request_id="r",
        started_at_s=1.0,
        caller="",
        dialect=story.cell.client,
        requested_model="auto",
        decision=None,
        model=story.model,
        provider=None,
        stream=story.cell.stream,
        usage=story.usage,
        price=None,
        baseline=None,
        first_token_ms=None,
        total_ms=1.0,
        status=story.status,
        outcome=story.outcome,
        fault=story.fault,
    )
    return entry, attempts


def spoken(played: Played) -> set[str]:
    """The judges that find something."""
    return {name for name, judge in JUDGES.items() if list(judge(played))}


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("right", RIGHT)
def test_what_is_right_is_not_judged(liar: Liar, right: Telling, client: str) -> None:
    played = play(liar, right(client))

    assert [f"{name}: {wrong}" for name, judge in JUDGES.items() for wrong in judge(played)] == []


# Sins. Each bends a story that is right, and names the judges that must speak; others may.


def is_cut_within_an_event(story: Story) -> None:
    story.answer = replace(
        story.answer, cut_after_bytes=len(b"".join(story.answer.pieces)) - 5, ending="close"
    )


def ends_without_its_end(story: Story) -> None:
    events = story.events("second")
    story.streams(*events.opening, *events.content)


def shows_the_failed_attempt(story: Story) -> None:
    events = story.events("first")
    story.streams((events.opening or events.content)[0], *story.answer.pieces)


def starts_twice(story: Story) -> None:
    events = story.events("second")
    story.streams(*events.opening, *story.answer.pieces)


def repeats_its_text(story: Story) -> None:
    events = story.events("second")
    story.streams(*events.opening, *events.content, *events.content, *events.closing)


def ends_twice(story: Story) -> None:
    story.streams(*story.answer.pieces, *story.events("second").closing)


def answers_with_another_text(story: Story) -> None:
    events = story.events("third")
    story.streams(*events.opening, *events.content, *events.closing)


def fails_though_somebody_answers(story: Story) -> None:
    story.answer = scripted(json=story.voice.error(503, "Overloaded."), status=503)


def asks_the_second_first(story: Story) -> None:
    story.path = ["second"]


def books_no_tokens(story: Story) -> None:
    story.usage = None


def books_nothing(story: Story) -> None:
    story.is_booked = False


def books_a_failure(story: Story) -> None:
    story.outcome = "failed"


def books_another_model(story: Story) -> None:
    story.model = "first"


def tells_401(story: Story) -> None:
    story.answer = scripted(json=story.voice.error(401, "Your key is wrong."), status=401)


def tells_500_for_429(story: Story) -> None:
    story.answer = scripted(json=story.voice.error(500, "Internal."), status=500)


def forgets_retry_after(story: Story) -> None:
    story.answer = replace(story.answer, headers=((b"content-type", b"application/json"),))


def passes_an_empty_answer(story: Story) -> None:
    said = Said("", (), {})
    story.answer = scripted(json=story.voice.whole(said))


def tells_in_html(story: Story) -> None:
    story.answer = scripted(body=b"<html>", status=200, headers=[(b"content-type", b"application/json")])


def never_answers(story: Story) -> None:
    story.answer = scripted(raw=b"", ending="close")


def ends_like_a_success(story: Story) -> None:
    events = story.events("first")
    story.streams(*events.opening, *events.content[:3], *events.closing)


def says_nothing_of_the_break(story: Story) -> None:
    story.answer = replace(story.answer, pieces=story.answer.pieces[:-1])


def breaks_the_connection(story: Story) -> None:
    story.answer = replace(story.answer, pieces=story.answer.pieces[:-1], ending="close")


def goes_on_with_another_model(story: Story) -> None:
    second = story.events("second")
    story.streams(*story.answer.pieces[:-1], *second.content, *second.closing)
    story.path = ["first", "second"]


def books_the_part_as_complete(story: Story) -> None:
    story.outcome = "complete"


def asks_somebody_else(story: Story) -> None:
    story.path = ["first", "second"]


def asks_again(story: Story) -> None:
    story.path = ["first", "first"]


def hides_the_ceiling(story: Story) -> None:
    story.answer = replace(story.answer, headers=())


def forgets_the_code(story: Story) -> None:
    pieces = tuple(piece.replace(b"consent_required", b"no") for piece in story.answer.pieces)
    story.answer = replace(story.answer, pieces=pieces)


def says_that_somebody_was_withheld(story: Story) -> None:
    story.answer = replace(
        story.answer, headers=[*story.answer.headers, (b"x-pointsman-withheld", b"second=price")]
    )


SINS: tuple[tuple[Telling, Callable[[Story], None], set[str]], ...] = (
    (fallen_back, is_cut_within_an_event, {"invisible", "once"}),
    (fallen_back, shows_the_failed_attempt, {"invisible"}),
    (fallen_back, repeats_its_text, {"invisible", "once"}),
    (fallen_back, ends_without_its_end, {"once"}),
    (fallen_back, answers_with_another_text, {"invisible"}),
    (fallen_back, fails_though_somebody_answers, {"invisible"}),
    (fallen_back, asks_the_second_first, {"asked"}),
    (fallen_back, books_no_tokens, {"booked"}),
    (fallen_back, books_nothing, {"booked"}),
    (fallen_back, books_a_failure, {"booked"}),
    (fallen_back, books_another_model, {"booked"}),
    (told_plainly, tells_401, {"told"}),
    (told_plainly, tells_500_for_429, {"told"}),
    (told_plainly, forgets_retry_after, {"patient"}),
    (told_plainly, passes_an_empty_answer, {"told"}),
    (told_plainly, tells_in_html, {"told"}),
    (told_plainly, never_answers, {"bounded", "told"}),
    (broken_off, ends_like_a_success, {"broken", "once"}),
    (broken_off, breaks_the_connection, {"broken", "once"}),
    (broken_off, goes_on_with_another_model, {"broken", "once", "asked"}),
    (broken_off, books_the_part_as_complete, {"booked"}),
    (refused, asks_somebody_else, {"asked"}),
    (refused, asks_again, {"asked"}),
    (refused, says_that_somebody_was_withheld, {"withheld"}),
    (withheld_openly, hides_the_ceiling, {"withheld"}),
    (withheld_openly, forgets_the_code, {"withheld"}),
    (withheld_openly, asks_somebody_else, {"asked"}),
)


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(
    ("right", "sin", "judges"), SINS, ids=[f"{right.__name__} but {sin.__name__}" for right, sin, _ in SINS]
)
def test_a_planted_sin_is_seen(
    liar: Liar, right: Telling, sin: Callable[[Story], None], judges: set[str], client: str
) -> None:
    story = right(client)
    sin(story)

    assert judges <= spoken(play(liar, story))


@pytest.mark.parametrize("client", [client for client in CLIENTS if client != "gemini"])
@pytest.mark.parametrize("sin", [starts_twice, ends_twice])
def test_a_second_start_or_end_is_seen(liar: Liar, sin: Callable[[Story], None], client: str) -> None:
    """A stream of Gemini's has no event that only opens it, and its second end is seen as text behind the first."""
    story = fallen_back(client)
    sin(story)

    assert "once" in spoken(play(liar, story))


def test_silence_without_an_end_is_seen(liar: Liar) -> None:
    """Judged from what the SDK raises when its patience ends, which no test should wait for."""
    played = play(liar, broken_off("openai-chat"))
    for raised in ("APITimeoutError", "ReadTimeout"):
        endless = replace(played, heard=replace(played.heard, raised=raised, is_sdks_own=False))
        assert {"bounded", "broken"} <= spoken(endless)


def test_every_judge_has_a_sin() -> None:
    assert {name for _, _, judges in SINS for name in judges} == set(JUDGES)
