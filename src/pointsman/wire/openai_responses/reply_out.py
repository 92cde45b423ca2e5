"""OpenAI responses: a reply as its client expects it, whole or as a stream. It reads nothing of providers.

A whole reply is what its stream ends with, so the two cannot differ.
"""

from collections.abc import Sequence

from pointsman.core.errors import PointsmanError
from pointsman.core.events import (
    BlockEnded,
    CitationAdded,
    Failed,
    Finished,
    FinishReason,
    ImageMade,
    RedactedThinkingBlock,
    ReplyEvent,
    ReplyStarted,
    TextDelta,
    TextSealed,
    ThinkingDelta,
    ThinkingSealed,
    ToolCallDelta,
    ToolCallStarted,
    UsageReported,
    merge_usage,
)
from pointsman.core.usage import Usage
from pointsman.wire.dialect import ReplyContext
from pointsman.wire.openai_responses.blocks_out import (
    Block,
    CallBlock,
    ClientCallBlock,
    CustomCallBlock,
    ImageBlock,
    Numbered,
    ReasoningBlock,
    TextBlock,
)
from pointsman.wire.openai_responses.errors import failed, failure_of
from pointsman.wire.openai_responses.response import ResponseObject
from pointsman.wire.openai_responses.sealed import own_id
from pointsman.wire.openai_responses.tool_names import Own, own_tools
from pointsman.wire.seals import Kind, tag

_INCOMPLETE: dict[FinishReason, str] = {
    "length": "max_output_tokens",
    "pause": "max_output_tokens",  # the answer is not whole, and there is no nearer word for it
    "content_filter": "content_filter",
}


def encode_reply(events: Sequence[ReplyEvent], context: ReplyContext) -> bytes:
    """Raises the UpstreamError of a Failed event; ValueError if the events do not end."""
    encoder = ReplyEncoder(context)
    encoder.feed(events)
    if encoder.error is not None:
        raise encoder.error
    if encoder.response is None:
        raise ValueError("the reply has no end")
    return encoder.response


class ReplyEncoder:
    """States: before the first event -> items -> ended. `response` is the object that a whole reply ends with.

    Text and reasoning end when another item begins. A call ends when its arguments are a whole JSON object and another
    item begins, else at the end of the reply: the pieces of parallel calls may interleave.
    """

    def __init__(self, context: ReplyContext) -> None:
        self.response: bytes | None = None
        self.error: PointsmanError | None = None
        self._context = context
        self._events = Numbered()
        self._object = ResponseObject(context)
        self._own = own_tools(context.envelope)
        self._usage: Usage | None = None
        self._is_started = False
        self._has_refused = False
        self._blocks: list[Block] = []
        self._last: Block | None = None
        self._calls: dict[int, CallBlock] = {}

    def feed(self, events: Sequence[ReplyEvent]) -> bytes:
        for event in events:
            if self.response is not None or self.error is not None:
                break
            if not self._is_started:
                self._start()
            self._write(event)
        return self._events.take()

    def _start(self) -> None:
        self._is_started = True
        response = b'"response":' + self._object.written("in_progress")
        self._events.write(b"response.created", response)
        self._events.write(b"response.in_progress", response)

    def _write(self, event: ReplyEvent) -> None:
        match event:
            case TextDelta(text, is_refusal, logprobs):
                if text:
                    self._text(is_refusal=is_refusal).grow(text, logprobs)
            case ToolCallDelta(index, arguments):
                self._calls[index].grow(arguments)
            case ThinkingDelta(text):
                if text:
                    self._reasoning().grow(text)
            case ThinkingSealed(seal):
                self._seal(self._reasoning(), tag(seal, Kind.THINKING))
            case RedactedThinkingBlock(seal):
                self._seal(self._new_reasoning(), tag(seal, Kind.REDACTED))
            case TextSealed(seal):
                self._seal(self._new_reasoning(), tag(seal, Kind.TEXT))
            case CitationAdded(citation):
                self._text(is_refusal=False).cite(citation)
            case ToolCallStarted():
                self._call(event)
            case ImageMade(media_type, data):
                self._begin(ImageBlock(self._events, *self._place("ig"), media_type, data))
                self._end_last()
            case BlockEnded():
                self._end_last()
            case UsageReported(usage):
                self._usage = merge_usage(self._usage, usage)
            case ReplyStarted():
                pass
            case Finished(reason):
                self._finish(reason)
            case Failed(error):
                self._fail(error)

    def _place(self, prefix: str) -> tuple[str, int]:
        """The id and the index of the next item; ends what is in its way."""
        if isinstance(self._last, CallBlock) and not self._last.has_whole_arguments:
            self._last = None  # it may still grow
        self._end_last()
        place = len(self._blocks)
        return own_id(prefix, self._object.id, place), place

    def _begin(self, block: Block) -> None:
        self._blocks.append(block)
        self._last = block

    def _end_last(self) -> None:
        if self._last is not None:
            self._last.end()
            self._last = None

    def _text(self, *, is_refusal: bool) -> TextBlock:
        last = self._last
        if isinstance(last, TextBlock) and last.is_refusal == is_refusal:
            return last
        block = TextBlock(self._events, *self._place("msg"), is_refusal=is_refusal)
        self._has_refused = self._has_refused or is_refusal
        self._begin(block)
        return block

    def _reasoning(self) -> ReasoningBlock:
        last = self._last
        return last if isinstance(last, ReasoningBlock) else self._new_reasoning()

    def _new_reasoning(self) -> ReasoningBlock:
        block = ReasoningBlock(self._events, *self._place("rs"))
        self._begin(block)
        return block

    def _seal(self, block: ReasoningBlock, sealed: str) -> None:
        block.sealed = sealed
        self._end_last()

    def _call(self, started: ToolCallStarted) -> None:
        if started.seal is not None:
            self._seal(self._new_reasoning(), tag(started.seal, Kind.CALL))
        own = self._own.get(started.name) or Own(started.name)
        prefix, kind = ("ctc", CustomCallBlock) if own.is_custom else ("fc", CallBlock)
        if own.client is not None:
            prefix, kind = own.client.call.removesuffix("_call"), ClientCallBlock
        call = kind(self._events, *self._place(prefix), started.id, own)
        self._calls[started.index] = call
        self._begin(call)

    def _finish(self, reason: FinishReason) -> None:
        incomplete = _INCOMPLETE.get(reason)
        if reason == "refusal" and not self._has_refused:
            incomplete = "content_filter"  # one without words can only be shown as filtered
        for block in self._blocks:
            if not block.written:
                block.end(is_whole=incomplete is None)
        status = "completed" if incomplete is None else "incomplete"
        output = b",".join(block.written for block in self._blocks)
        self.response = self._object.written(status, output, self._usage, incomplete=incomplete)
        self._events.write(f"response.{status}".encode(), b'"response":' + self.response)

    def _fail(self, error: PointsmanError) -> None:
        self.error = error
        failure = failure_of(error, self._context.reply_id)
        output = b",".join(block.written for block in self._blocks if block.written)
        told = {"code": failure["code"], "message": failure["message"]}
        response = self._object.written("failed", output, self._usage, error=told)
        self._events.write_raw(failed(failure, response, self._events.count), 2)
