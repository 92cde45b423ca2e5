"""The events of a reply, folded into the reply."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.errors import UpstreamError, UpstreamFault
from pointsman.core.events import (
    BlockEnded,
    Failed,
    Finished,
    RedactedThinkingBlock,
    Reply,
    ReplyEvent,
    ReplyStarted,
    TextDelta,
    ThinkingDelta,
    ThinkingSealed,
    ToolCallDelta,
    ToolCallStarted,
    UsageReported,
    fold,
    merge_usage,
)
from pointsman.core.request import Part, RedactedThinking, Seal, Text, Thinking, ToolCall
from pointsman.core.usage import Usage

DONE = Finished("stop")


def parts(*events: ReplyEvent) -> tuple[Part, ...]:
    return fold([*events, DONE]).parts


def test_reply_is_what_its_events_say() -> None:
    events = [ReplyStarted("id", "model"), TextDelta("Hi"), UsageReported(Usage(1, 2)), DONE]
    assert fold(events) == Reply("id", "model", (Text("Hi"),), DONE, Usage(1, 2))


def test_text_is_joined_until_its_block_ends() -> None:
    events = (TextDelta("a"), TextDelta("b"), BlockEnded(), TextDelta("c"), BlockEnded(), BlockEnded())
    assert parts(*events) == (Text("ab"), Text("c"))


def test_change_of_kind_ends_the_block() -> None:
    assert parts(TextDelta("a"), ThinkingDelta("b"), TextDelta("c"), TextDelta("no", is_refusal=True)) == (
        Text("a"),
        Thinking("b"),
        Text("c"),
        Text("no", is_refusal=True),
    )


def test_empty_text_is_no_part() -> None:
    assert parts(TextDelta(""), ThinkingDelta(""), TextDelta("")) == ()


def test_signature_belongs_to_the_thinking_before_it() -> None:
    assert parts(
        ThinkingDelta("a"),
        ThinkingSealed(Seal("A", "anthropic")),
        ThinkingDelta("b"),
        BlockEnded(),
        ThinkingSealed(Seal("C", "anthropic")),
        RedactedThinkingBlock(Seal("D", "anthropic")),
    ) == (
        Thinking("a", Seal("A", "anthropic")),
        Thinking("b"),
        Thinking("", Seal("C", "anthropic")),
        RedactedThinking(Seal("D", "anthropic")),
    )


def test_calls_may_interleave_and_keep_their_place() -> None:
    assert parts(
        ToolCallStarted(0, "a", "f"),
        ToolCallStarted(1, "b", "g"),
        ToolCallDelta(1, '{"y"'),
        ToolCallDelta(0, '{"x":1}'),
        ToolCallDelta(1, ":2}"),
        TextDelta("so"),
        ToolCallStarted(2, "c", "h"),
    ) == (ToolCall("a", "f", '{"x":1}'), ToolCall("b", "g", '{"y":2}'), Text("so"), ToolCall("c", "h", "{}"))


def test_reply_without_an_end_is_no_reply() -> None:
    with pytest.raises(ValueError, match="no end"):
        fold([ReplyStarted("", ""), TextDelta("a")])


def test_failure_comes_out() -> None:
    error = UpstreamError(UpstreamFault.OVERLOADED, "busy")
    with pytest.raises(UpstreamError) as caught:
        fold([TextDelta("a"), Failed(error)])
    assert caught.value is error


COUNTS = st.one_of(st.none(), st.integers(0, 10))
USAGES = st.builds(Usage, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS)


def test_later_usage_replaces_only_what_it_knows() -> None:
    assert merge_usage(Usage(10, 1, 5), Usage(None, 0, 7)) == Usage(10, 0, 7)


@given(USAGES, USAGES, USAGES)
def test_merging_usage_is_associative_and_knows_nothing_anew(a: Usage, b: Usage, c: Usage) -> None:
    assert merge_usage(merge_usage(a, b), c) == merge_usage(a, merge_usage(b, c))
    assert merge_usage(None, a) == merge_usage(a, Usage()) == merge_usage(a, a) == a
