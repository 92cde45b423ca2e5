"""What a provider sealed is put back for callers who lost it, to whom it belongs, as long as it is kept."""

from dataclasses import replace

import pytest

from pointsman.core.events import (
    Finished,
    RedactedThinkingBlock,
    ReplyStarted,
    TextDelta,
    ThinkingDelta,
    ThinkingSealed,
    ToolCallStarted,
)
from pointsman.core.request import (
    Message,
    RedactedThinking,
    Request,
    Seal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from pointsman.gateway.seal_memory import KEPT_BYTES_MAX, KEPT_S, Sealed, SealMemory, Turn

SIGNED = Seal("sig", "anthropic")
OF_CALL = Seal("thought", "gemini")


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def kept(*call_ids: str, clock: Clock | None = None) -> SealMemory:
    memory = SealMemory(clock or Clock())
    turn = Turn((Thinking("Hm.", SIGNED),), {"call1": OF_CALL})
    memory.keep(call_ids, turn)
    return memory


def history(*parts: object) -> Request:
    result = Message("user", (ToolResult("call_1", (Text("cold"),)),))
    return Request("auto", (Message("assistant", tuple(parts)), result))  # type: ignore[arg-type]


def test_a_turn_that_lost_its_seals_has_them_again() -> None:
    """Rule 31: for clients whose dialect has no place for a signature."""
    recalled = kept("call_1").recalled(history(Text("Let me see"), ToolCall("call_1", "weather", "{}")))
    assert recalled.messages[0].parts == (
        Thinking("Hm.", SIGNED),
        Text("Let me see"),
        ToolCall("call_1", "weather", "{}", OF_CALL),
    )


@pytest.mark.parametrize(
    "call_id",
    ["functions.weather:0", "functions_weather_0", "weather", "weather-12", "call_0", "tool-3", "7"],
)
def test_nothing_is_kept_by_an_id_that_every_conversation_has(call_id: str) -> None:
    memory, sealed = SealMemory(Clock()), Sealed()
    sealed.feed(
        [ThinkingDelta("Hm."), ThinkingSealed(SIGNED), ToolCallStarted(0, call_id, "weather", OF_CALL)]
    )
    sealed.leave_in(memory)
    assert memory.find(call_id) is None


@pytest.mark.parametrize(
    ("call_id", "tool"), [("toolu_01abcf7", "f"), ("call_9f2", ""), ("call_weather_x1", "weather")]
)
def test_an_id_that_merely_holds_the_tools_name_is_kept(call_id: str, tool: str) -> None:
    memory, sealed = SealMemory(Clock()), Sealed()
    sealed.feed([ToolCallStarted(0, call_id, tool, OF_CALL)])
    sealed.leave_in(memory)
    assert memory.find(call_id) is not None


def test_a_call_is_known_by_the_letters_and_digits_of_its_id() -> None:
    recalled = kept("call_1").recalled(history(ToolCall("call1", "weather", "{}")))
    assert recalled.messages[0].parts[0] == Thinking("Hm.", SIGNED)


def test_thinking_that_came_without_its_seal_is_not_told_twice() -> None:
    recalled = kept("call_1").recalled(history(Thinking("Hm."), ToolCall("call_1", "weather", "{}")))
    assert recalled.messages[0].parts == (
        Thinking("Hm.", SIGNED),
        ToolCall("call_1", "weather", "{}", OF_CALL),
    )


def test_what_came_sealed_stays_as_it_came() -> None:
    own = Thinking("Mine.", Seal("own", "anthropic"))
    call = ToolCall("call_1", "weather", "{}", Seal("mine", "gemini"))
    asked = history(own, call)
    assert kept("call_1").recalled(asked) is asked


def test_turns_that_nobody_knows_stay_as_they_are() -> None:
    asked = history(ToolCall("call_2", "weather", "{}"))
    assert kept("call_1").recalled(asked) is asked
    assert SealMemory().recalled(asked) is asked


def test_seals_are_forgotten_after_their_time() -> None:
    clock = Clock()
    memory = kept("call_1", clock=clock)
    clock.now_s = KEPT_S - 1
    assert memory.find("call_1") is not None
    clock.now_s = KEPT_S + 1
    assert memory.find("call_1") is None


def test_the_oldest_turns_go_first_when_there_is_no_more_room() -> None:
    memory = SealMemory(Clock())
    large = Turn((Thinking("", Seal("x" * (KEPT_BYTES_MAX // 2 - 8), "anthropic")),), {})
    for call_id in ("a", "b", "c"):
        memory.keep([call_id], large)
    assert memory.find("a") is None
    assert memory.find("b") is not None
    assert memory.find("c") is not None


def test_a_turn_told_again_counts_once() -> None:
    memory = SealMemory(Clock())
    half = Turn((Thinking("", Seal("x" * (KEPT_BYTES_MAX // 2 - 8), "anthropic")),), {})
    for _ in range(5):
        memory.keep(["a"], half)
    memory.keep(["b"], half)
    assert memory.find("a") is not None


def test_a_reply_that_called_leaves_what_was_sealed_before_and_on_its_calls() -> None:
    memory, sealed = SealMemory(Clock()), Sealed()
    sealed.feed([ReplyStarted("r", "m"), ThinkingDelta("H")])
    sealed.feed([ThinkingDelta("m."), ThinkingSealed(SIGNED), RedactedThinkingBlock(Seal("r", "anthropic"))])
    sealed.feed(
        [
            ToolCallStarted(0, "call_1f", "f", OF_CALL),
            ToolCallStarted(1, "call_2f", "f"),
            Finished("tool_calls"),
        ]
    )
    sealed.leave_in(memory)
    turn = Turn((Thinking("Hm.", SIGNED), RedactedThinking(Seal("r", "anthropic"))), {"call1f": OF_CALL})
    assert memory.find("call_1f") == turn
    assert memory.find("call_2f") == turn


def test_a_reply_without_a_call_or_without_a_seal_leaves_nothing() -> None:
    memory = SealMemory(Clock())
    for events in (
        [ThinkingDelta("Hm."), ThinkingSealed(SIGNED), TextDelta("Hi")],
        [TextDelta("Hi"), ToolCallStarted(0, "call_1f", "f")],
    ):
        sealed = Sealed()
        sealed.feed(events)
        sealed.leave_in(memory)
    assert memory.find("call_1f") is None


def test_thinking_of_a_maker_without_signatures_is_remembered_too() -> None:
    """Rule 32: DeepSeek wants its reasoning back beside the call it led to, whoever lost it."""
    memory, sealed = SealMemory(Clock()), Sealed()
    sealed.feed(
        [ThinkingDelta("Hm."), ThinkingSealed(Seal("", "deepseek")), ToolCallStarted(0, "call_1f", "f")]
    )
    sealed.leave_in(memory)
    call = ToolCall("call_1f", "f", "{}")
    asked = history(call)
    wanted = Message("assistant", (Thinking("Hm.", Seal("", "deepseek")), call))
    assert memory.recalled(asked) == replace(asked, messages=(wanted, asked.messages[1]))
