"""OpenAI responses: what a provider answers, as events. It writes nothing.

An item may come in pieces, or whole at its end, or only in the response that ends the stream; whatever of it was
not told yet is told then. Items that the provider runs itself (searches, code) are passed over.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from pointsman.core.errors import UpstreamError, UpstreamFault
from pointsman.core.events import (
    BlockEnded,
    CitationAdded,
    Failed,
    Finished,
    FinishReason,
    ImageMade,
    ReplyEvent,
    ReplyStarted,
    TextDelta,
    ThinkingDelta,
    ThinkingSealed,
    ToolCallDelta,
    ToolCallStarted,
    UsageReported,
)
from pointsman.core.request import Citation, Seal
from pointsman.wire.openai_errors import error_instead_of_reply, error_within_reply
from pointsman.wire.openai_responses.sealed import sealed
from pointsman.wire.openai_responses.shapes import (
    NOT_JSON,
    Event,
    Item,
    Response,
    decode_any,
    decode_event,
    decode_item,
    decode_kind,
    decode_response,
)
from pointsman.wire.openai_responses.tool_names import as_arguments, flat_name
from pointsman.wire.sse import SseReader

_encode = msgspec.json.Encoder().encode

_READ_ITEMS = frozenset(
    ("message", "reasoning", "function_call", "custom_tool_call", "image_generation_call")
)
_RUN_BY_CALLERS = frozenset(("apply_patch_call", "computer_call", "local_shell_call", "mcp_approval_request"))
"""Calls that wait for the caller and that no other dialect has: without them the reply would look done."""

_READ_EVENTS = frozenset(
    (
        "response.created",
        "response.output_item.added",
        "response.output_item.done",
        "response.output_text.delta",
        "response.output_text.annotation.added",
        "response.refusal.delta",
        "response.reasoning_summary_text.delta",
        "response.reasoning_text.delta",
        "response.function_call_arguments.delta",
        "response.custom_tool_call_input.delta",
        "response.completed",
        "response.incomplete",
        "response.failed",
        "error",
    )
)
_FAILURES = frozenset(("failed", "cancelled"))
_UNFINISHED = frozenset(("queued", "in_progress"))
_REASONS: Mapping[str, FinishReason] = {
    "max_output_tokens": "length",
    "max_tokens": "length",
    "content_filter": "content_filter",
}
_BETWEEN_THOUGHTS = "\n\n"
_END_OF_INPUT = '"}'


class _Open:
    """An item under way: what of it was told. `section` is the part of a reasoning item that its thoughts come from,
    for some providers send the same in two."""

    __slots__ = ("call", "has_citations", "has_text", "is_custom", "kind", "section")

    def __init__(self, kind: str, call: int = -1) -> None:
        self.kind = kind
        self.call = call
        self.is_custom = kind == "custom_tool_call"
        self.has_text = False
        self.has_citations = False
        self.section: tuple[str, int] | None = None


class _Reading:
    """Turns items and their pieces into events, which whoever drives it takes out of `events`."""

    def __init__(self, maker: str) -> None:
        self.events: list[ReplyEvent] = []
        self._maker = maker
        self._open: dict[int, _Open] = {}
        self._told: set[int] = set()
        self._calls = 0
        self._has_refused = False

    def add(self, index: int, raw: msgspec.Raw) -> None:
        if index in self._open or index in self._told or not _is_read(raw):
            return
        self._begin(index, decode_item(raw))

    def _begin(self, index: int, item: Item) -> _Open:
        opened = self._open[index] = _Open(item.type)
        if item.type in {"function_call", "custom_tool_call"}:
            if not item.name:
                raise _bad_reply("a tool call of the reply has no name")
            opened.call = self._calls
            self._calls += 1
            call_id = item.call_id or item.id or f"call{opened.call}"
            self.events.append(ToolCallStarted(opened.call, call_id, flat_name(item.namespace, item.name)))
        return opened

    def grow(self, event: Event) -> bool:
        """False unless the event is a piece of an item."""
        match event.type:
            case "response.output_text.delta":
                self._text(event, is_refusal=False)
            case "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta":
                self._arguments(event)
            case "response.reasoning_summary_text.delta":
                self._thought(event, "summary", event.summary_index)
            case "response.reasoning_text.delta":
                self._thought(event, "content", event.content_index)
            case "response.refusal.delta":
                self._text(event, is_refusal=True)
            case "response.output_text.annotation.added":
                self._cite(event)
            case _:
                return False
        return True

    def _text(self, event: Event, *, is_refusal: bool) -> None:
        opened = self._of(event, "message")
        if opened is not None and event.delta:
            opened.has_text = True
            self._say(str(event.delta), event.logprobs, is_refusal=is_refusal)

    def _thought(self, event: Event, section: str, place: int) -> None:
        opened = self._of(event, "reasoning")
        if opened is None or not event.delta:
            return
        if opened.section is not None and opened.section[0] != section:
            return
        if opened.section is not None and opened.section[1] != place:
            self.events.append(ThinkingDelta(_BETWEEN_THOUGHTS))
        opened.section = (section, place)
        opened.has_text = True
        self.events.append(ThinkingDelta(str(event.delta)))

    def _arguments(self, event: Event) -> None:
        opened = self._open.get(event.output_index)
        if opened is None or opened.call < 0 or not event.delta:
            return
        piece = str(event.delta)
        if opened.is_custom:
            # The string within the arguments grows; its quotes and braces stand around the pieces.
            piece = as_arguments(piece)[:-2] if not opened.has_text else _encode(piece)[1:-1].decode()
        opened.has_text = True
        self.events.append(ToolCallDelta(opened.call, piece))

    def _cite(self, event: Event) -> None:
        opened = self._of(event, "message")
        if opened is not None and (citation := _citation(event.annotation)) is not None:
            opened.has_citations = True
            self.events.append(CitationAdded(citation))

    def complete(self, index: int, raw: msgspec.Raw) -> None:
        """The item is whole: says what of it was not said."""
        if index in self._told:
            return
        self._told.add(index)
        if not _is_read(raw):
            self._open.pop(index, None)
            return
        item = decode_item(raw)
        opened = self._open.get(index) or self._begin(index, item)
        del self._open[index]
        match item.type:
            case "reasoning":
                self._reasoning(item, opened)
            case "image_generation_call":
                if item.result:
                    self.events.append(ImageMade(f"image/{item.output_format or 'png'}", item.result))
            case "function_call" | "custom_tool_call":
                self._call(item, opened)
            case _:
                self._message(item, opened)
        self.events.append(BlockEnded())

    def _message(self, item: Item, opened: _Open) -> None:
        for part in item.content or ():
            if not opened.has_text:
                if part.text and part.type != "refusal":
                    self._say(part.text, part.logprobs)
                if part.refusal:
                    self._say(part.refusal, None, is_refusal=True)
            if not opened.has_citations:
                citations = (_citation(annotation) for annotation in part.annotations or ())
                self.events.extend(CitationAdded(citation) for citation in citations if citation is not None)

    def _say(self, text: str, logprobs: list[dict[str, Any]] | None, *, is_refusal: bool = False) -> None:
        self._has_refused = self._has_refused or is_refusal
        told = tuple(_logprob(each) for each in logprobs) if logprobs else ()
        self.events.append(TextDelta(text, is_refusal, told))

    def _reasoning(self, item: Item, opened: _Open) -> None:
        is_open_text = bool(item.content)
        if not opened.has_text:
            pieces = [piece.text for piece in (item.summary or item.content or ()) if piece.text]
            if pieces:
                opened.has_text = True
                self.events.append(ThinkingDelta(_BETWEEN_THOUGHTS.join(pieces)))
        if item.encrypted_content:
            self.events.append(
                ThinkingSealed(Seal(sealed(item.id or "", item.encrypted_content), self._maker))
            )
        elif is_open_text and opened.has_text:
            # An open model reads its own reasoning as it stands.
            self.events.append(ThinkingSealed(Seal("", self._maker)))

    def _call(self, item: Item, opened: _Open) -> None:
        whole = as_arguments(item.input or "") if opened.is_custom else item.arguments
        if opened.has_text:
            if opened.is_custom:
                self.events.append(ToolCallDelta(opened.call, _END_OF_INPUT))
        elif whole:
            self.events.append(ToolCallDelta(opened.call, whole))

    def _of(self, event: Event, kind: str) -> _Open | None:
        """The item a piece belongs to; some servers do not announce it."""
        index = event.output_index
        if index in self._told:
            return None
        opened = self._open.get(index)
        if opened is None:
            opened = self._open[index] = _Open(kind)
        return opened

    def end(self, response: Response) -> None:
        """The last events. What the response holds that no event told comes before them."""
        is_untold = not self._told
        for index, raw in enumerate(response.output or ()):
            if is_untold or index in self._open:
                self.complete(index, raw)
        for opened in self._open.values():
            if opened.is_custom and opened.has_text:
                self.events.append(ToolCallDelta(opened.call, _END_OF_INPUT))
        if response.usage is not None:
            self.events.append(UsageReported(response.usage.usage()))
        if response.status in _FAILURES or response.error:
            error = response.error or {"message": f"the response was {response.status}"}
            self.events.append(Failed(error_within_reply({"error": error})))
            return
        self.events.append(self._finished(response))

    def _finished(self, response: Response) -> Finished:
        why = None if response.incomplete_details is None else response.incomplete_details.reason
        reason: FinishReason = "stop"
        if response.status == "incomplete":
            reason = _REASONS.get(why or "", "length")
        if self._calls and reason != "length":
            reason = "tool_calls"
        elif self._has_refused and reason == "stop":
            reason = "refusal"
        return Finished(reason, raw_reason=why or response.status)


def _is_read(raw: msgspec.Raw) -> bool:
    """False for an item that is passed over."""
    item = decode_kind(raw)
    is_for_caller = (
        item.type in _RUN_BY_CALLERS
        or (item.type == "tool_search_call" and item.execution == "client")
        or (item.type == "shell_call" and item.environment is None)
    )
    if is_for_caller:
        raise _bad_reply(f"the reply holds a call that cannot be translated ({item.type})")
    return item.type in _READ_ITEMS or item.role == "assistant"


def _citation(annotation: Any) -> Citation | None:
    match annotation:
        case {"type": "url_citation", "url": str(url)}:
            start, end, title = (annotation.get(name) for name in ("start_index", "end_index", "title"))
            return Citation(
                url,
                title if isinstance(title, str) else None,
                start=start if isinstance(start, int) else None,
                end=end if isinstance(end, int) else None,
            )
        case _:
            return None  # a file that only the provider knows


def _logprob(told: dict[str, Any]) -> Mapping[str, Any]:
    token = told.get("token")
    if isinstance(token, str) and told.get("bytes") is None:
        return {**told, "bytes": list(token.encode("utf-8", "surrogatepass"))}
    return told


def decode_reply(body: bytes, maker: str) -> list[ReplyEvent]:
    try:
        response = decode_response(body)
        _check_is_reply(response, body)
        reading = _Reading(maker)
        reading.events.append(ReplyStarted(response.id or "", response.model or ""))
        reading.end(response)
    except NOT_JSON:
        raise error_instead_of_reply(body, "a response") from None
    return reading.events


def _check_is_reply(response: Response, body: bytes) -> None:
    if response.output is None:
        if response.error:
            raise error_within_reply({"error": response.error})
        raise error_instead_of_reply(body, "a response")
    if response.status in _UNFINISHED:
        raise _bad_reply(f"the response is not there yet ({response.status})")


def _bad_reply(message: str) -> UpstreamError:
    return UpstreamError(UpstreamFault.BAD_REPLY, message)


def _event(data: bytes) -> Event | None:
    """None for an event that is not read: only what is read must have the shape we know."""
    try:
        return decode_event(data)
    except msgspec.ValidationError:
        if decode_kind(data).type in _READ_EVENTS:
            raise
        return None


class ReplyDecoder:
    """States: nothing said yet -> telling -> over. A provider opens the stream before it looks at the request, so the
    start is told with what follows it: until then another model could still answer."""

    def __init__(self, maker: str) -> None:
        self._reader = SseReader()
        self._reading = _Reading(maker)
        self._start: ReplyStarted | None = None
        self._is_started = False
        self._is_over = False
        self._error: UpstreamError | None = None

    def feed(self, data: bytes) -> list[ReplyEvent]:
        return self._take([event.data for event in self._reader.feed(data)])

    def finish(self) -> list[ReplyEvent]:
        was_good = self._error is None
        try:
            events = self._take([event.data for event in self._reader.finish()])
        except UpstreamError:
            if was_good:
                raise UpstreamError(UpstreamFault.BROKEN, "the reply ended within an event") from None
            raise
        if not self._is_over and self._error is None:
            raise UpstreamError(UpstreamFault.BROKEN, "the reply ended before its end (response.completed)")
        return events

    def _take(self, told: list[bytes]) -> list[ReplyEvent]:
        # An error waits until the events before it are out, so that it makes no difference where the stream was cut.
        reading = self._reading
        for data in told:
            if self._is_over or self._error is not None:
                break
            try:
                self._read(data)
            except UpstreamError as error:
                self._error = error
        events, reading.events = reading.events, []
        if events and not self._is_started:
            self._is_started = True
            events.insert(0, self._start or ReplyStarted("", ""))
        if self._error is not None and not events:
            raise self._error
        return events

    def _read(self, data: bytes) -> None:
        if not data or data.startswith(b"[DONE]"):
            return
        try:
            event = _event(data)
            if event is not None and not self._reading.grow(event):
                self._follow(event, data)
        except NOT_JSON:
            raise _bad_reply("the stream holds an event that is not of a response") from None

    def _follow(self, event: Event, data: bytes) -> None:
        match event.type:
            case "response.output_item.added":
                self._reading.add(event.output_index, event.item)
            case "response.output_item.done":
                self._reading.complete(event.output_index, event.item)
            case "response.created":
                response = decode_response(event.response)
                self._start = ReplyStarted(response.id or "", response.model or "")
            case "response.completed" | "response.incomplete" | "response.failed":
                self._end(event)
            case _ if event.type == "error" or event.error:
                self._is_over = True
                told = {"error": event.error} if event.error else decode_any(data)
                self._reading.events.append(Failed(error_within_reply(told)))
            case _:
                pass

    def _end(self, event: Event) -> None:
        response = decode_response(event.response)
        if self._start is None:
            self._start = ReplyStarted(response.id or "", response.model or "")
        response.status = response.status or event.type.removeprefix("response.")
        self._is_over = True
        self._reading.end(response)
