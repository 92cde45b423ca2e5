"""What was asked in another way comes back as it was meant, whole and in pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.events import (
    BlockEnded,
    Finished,
    ReplyEvent,
    ReplyStarted,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
    fold,
)
from pointsman.core.request import (
    Message,
    OutputFormat,
    Reasoning,
    Request,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
)
from pointsman.wire.undo import NOTHING_TO_UNDO, Undo, Undoing, asking_by_tool

ANSWER = Undo(answer_tool="answer")
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
WANTED = OutputFormat("json_schema", SCHEMA, name="person", strict=True)


def asked(**fields: object) -> Request:
    return Request("auto", (Message("user", (Text("Hi"),)),), output_format=WANTED, **fields)  # type: ignore[arg-type]


def called(index: int, name: str, *pieces: str) -> list[ReplyEvent]:
    return [ToolCallStarted(index, f"id{index}", name), *(ToolCallDelta(index, piece) for piece in pieces)]


def reply(*events: ReplyEvent, reason: str = "tool_calls") -> list[ReplyEvent]:
    return [ReplyStarted("r", "m"), *events, Finished(reason)]  # type: ignore[arg-type]


def test_the_arguments_of_the_answer_tool_are_the_text_and_the_end_is_a_plain_one() -> None:
    """Rule 7."""
    undone = Undoing(ANSWER).feed(reply(*called(0, "answer", '{"a"', ":1}"), BlockEnded()))
    whole = fold(undone)
    assert whole.parts == (Text('{"a":1}'),)
    assert whole.finished == Finished("stop")


def test_an_answer_without_arguments_is_the_empty_object() -> None:
    assert fold(Undoing(ANSWER).feed(reply(*called(0, "answer")))).parts == (Text("{}"),)
    assert fold(Undoing(ANSWER).feed(reply(*called(0, "answer"), reason="length"))).parts == ()


def test_calls_behind_the_answer_move_up_and_decide_the_end() -> None:
    undone = Undoing(ANSWER).feed(reply(*called(0, "answer", "{}"), *called(1, "clock", '{"b":2}')))
    whole = fold(undone)
    assert whole.parts == (Text("{}"), ToolCall("id1", "clock", '{"b":2}'))
    assert [event.index for event in undone if isinstance(event, ToolCallStarted)] == [0]
    assert whole.finished.reason == "tool_calls"


def test_there_is_one_answer() -> None:
    undone = Undoing(ANSWER).feed(reply(*called(0, "answer", '{"a":1}'), *called(1, "answer", '{"a":2}')))
    assert fold(undone).parts == (Text('{"a":1}'),)


def test_renamed_tools_have_their_own_names_again() -> None:
    undoing = Undoing(Undo(tool_names={"weather_2": "weather.today"}))
    first, second = fold(undoing.feed(reply(*called(0, "weather_2"), *called(1, "clock")))).parts
    assert isinstance(first, ToolCall)
    assert isinstance(second, ToolCall)
    assert (first.name, second.name) == ("weather.today", "clock")


def test_an_answer_in_words_stays_one() -> None:
    events = reply(TextDelta("No."), reason="stop")
    assert Undoing(ANSWER).feed(events) == events


@given(
    st.lists(
        st.tuples(st.sampled_from(["answer", "f", "g"]), st.lists(st.text("ab", max_size=2))), max_size=5
    )
)
def test_indexes_stay_contiguous_and_every_piece_belongs_to_its_call(
    calls: list[tuple[str, list[str]]],
) -> None:
    events = [event for index, (name, pieces) in enumerate(calls) for event in called(index, name, *pieces)]
    undone = Undoing(ANSWER).feed(reply(*events))
    starts = [event for event in undone if isinstance(event, ToolCallStarted)]
    assert [start.index for start in starts] == list(range(len(starts)))
    wanted = [(name, "".join(pieces) or "{}") for name, pieces in calls if name != "answer"]
    parts = fold(undone).parts
    assert [(part.name, part.arguments) for part in parts if isinstance(part, ToolCall)] == wanted


def test_a_schema_is_asked_for_as_the_only_call_there_is() -> None:
    request, undo = asking_by_tool(asked())
    assert undo == Undo(answer_tool="person")
    assert request.tool_choice == ToolChoice("tool", "person")
    assert [(tool.name, tool.schema) for tool in request.tools] == [("person", SCHEMA)]
    assert (request.output_format, request.parallel_tools) == (None, False)
    assert request.reasoning == Reasoning(effort="none")


def test_tools_that_may_not_be_called_stay_unforced() -> None:
    clock = Tool("clock")
    request, _ = asking_by_tool(asked(tools=(clock,), tool_choice=ToolChoice("none")))
    assert request.tool_choice == ToolChoice("tool", "person")
    request, _ = asking_by_tool(asked(tools=(clock,), tool_choice=ToolChoice("auto")))
    assert request.tool_choice == ToolChoice("required")


def test_a_request_that_forces_its_own_call_needs_no_answer() -> None:
    choice = ToolChoice("tool", "clock")
    request, undo = asking_by_tool(asked(tools=(Tool("clock"),), tool_choice=choice))
    assert (request.output_format, request.tool_choice, undo) == (None, choice, NOTHING_TO_UNDO)


# calls that are said in words

ONE = Undo(said_tools=("clock",))
SEVERAL = Undo(said_tools=("clock", "weather"))


@given(st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=5))
def test_a_text_that_says_the_one_call_is_that_call_however_it_is_cut(pieces: list[str]) -> None:
    undoing = Undoing(ONE, "reply-1")
    events = [own for event in reply(*map(TextDelta, pieces), reason="stop") for own in undoing.feed([event])]
    whole = fold(events)
    (call,) = whole.parts
    assert isinstance(call, ToolCall)
    assert (call.name, call.arguments) == ("clock", "".join(pieces))
    assert whole.finished == Finished("tool_calls")


def test_a_text_that_says_a_call_of_one_of_several_tools_names_it() -> None:
    text = '{"name": "weather", "arguments": {"b": 1.50, "a": "x"}}'
    undone = fold(Undoing(SEVERAL).feed(reply(TextDelta(text[:20]), TextDelta(text[20:]), reason="stop")))
    (call,) = undone.parts
    assert isinstance(call, ToolCall)
    assert (call.name, call.arguments) == ("weather", '{"b": 1.50, "a": "x"}')
    assert undone.finished == Finished("tool_calls")


@pytest.mark.parametrize(
    "text", ['{"name": "weather", "argu', '{"name": "other", "arguments": {}}', "Hello."]
)
def test_a_text_that_says_no_call_stays_a_text(text: str) -> None:
    undone = fold(Undoing(SEVERAL).feed(reply(TextDelta(text), reason="length")))
    assert undone.parts == (Text(text),)
    assert undone.finished == Finished("length")


def test_calls_said_in_words_have_ids_of_their_own_in_every_reply() -> None:
    """A client that knows its calls by their ids takes a second one with the same for the first."""

    def id_of(reply_id: str) -> str:
        (call,) = fold(Undoing(ONE, reply_id).feed(reply(TextDelta("{}"), reason="stop"))).parts
        assert isinstance(call, ToolCall)
        return call.id

    assert id_of("reply-1") != id_of("reply-2")


def test_a_call_that_was_broken_off_says_so() -> None:
    undone = fold(Undoing(ONE).feed(reply(TextDelta('{"a":'), reason="length")))
    assert undone.finished == Finished("length")
