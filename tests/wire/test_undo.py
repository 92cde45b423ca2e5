"""What was asked in another way comes back as it was meant, whole and in pieces."""

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
