"""OpenAI responses: the items of a stream while they are being written, one class for each kind. Each announces its
item, grows it and ends it; which of them is open is the encoder's to know."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from pointsman.core.request import Citation
from pointsman.wire.custom_tools import as_free_text
from pointsman.wire.openai_responses.client_tools import as_done
from pointsman.wire.openai_responses.tool_names import Own

_encode = msgspec.json.Encoder().encode
_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class Numbered:
    """Events in a row, counted from 0."""

    def __init__(self) -> None:
        self.count = 0
        self._out: list[bytes] = []

    def write(self, kind: bytes, fields: bytes) -> None:
        self._out.append(
            b'event: %b\ndata: {"type":"%b","sequence_number":%d,%b}\n\n' % (kind, kind, self.count, fields)
        )
        self.count += 1

    def write_raw(self, events: bytes, count: int) -> None:
        self._out.append(events)
        self.count += count

    def take(self) -> bytes:
        out, self._out = b"".join(self._out), []
        return out


class Block(ABC):
    """One item. `place` is its index in the output, `written` the whole of it once it has ended."""

    def __init__(self, events: Numbered, item_id: str, place: int) -> None:
        self._events = events
        self._id = item_id
        self._at = b'"output_index":%d' % place
        self._place = b'"item_id":%b,%b' % (_encode(item_id), self._at)
        self.written = b""

    def _added(self, item: Mapping[str, Any]) -> None:
        self._events.write(b"response.output_item.added", b'%b,"item":%b' % (self._at, _encode(item)))

    def _done(self, item: Mapping[str, Any]) -> None:
        self.written = _encode(item)
        self._events.write(b"response.output_item.done", b'%b,"item":%b' % (self._at, self.written))

    @abstractmethod
    def end(self, *, is_whole: bool = True) -> None: ...


def _status(*, is_whole: bool) -> str:
    return "completed" if is_whole else "incomplete"


class TextBlock(Block):
    """A message with one part: text, or the words of a refusal."""

    def __init__(self, events: Numbered, item_id: str, place: int, *, is_refusal: bool) -> None:
        super().__init__(events, item_id, place)
        self.is_refusal = is_refusal
        self._pieces: list[str] = []
        self._length = 0
        self._logprobs: list[Mapping[str, Any]] = []
        self._annotations: list[Mapping[str, Any]] = []
        self._place += b',"content_index":0'
        self._kind = b"response.refusal" if is_refusal else b"response.output_text"
        self._before_delta = self._place + b',"delta":'
        self._added(self._item("in_progress", []))
        self._part_event(b"added", self._part())

    def grow(self, text: str, logprobs: Sequence[Mapping[str, Any]]) -> None:
        if not text:
            return
        self._pieces.append(text)
        self._length += len(text)
        if self.is_refusal:
            self._events.write(b"response.refusal.delta", self._before_delta + _encode(text))
            return
        self._logprobs += logprobs
        told = _encode(logprobs) if logprobs else b"[]"
        self._events.write(
            b"response.output_text.delta", b'%b%b,"logprobs":%b' % (self._before_delta, _encode(text), told)
        )

    def cite(self, citation: Citation) -> None:
        """Of a source without an address the API knows nothing."""
        if citation.url is None:
            return
        here = self._length
        annotation = {
            "type": "url_citation",
            "url": citation.url,
            "title": citation.title or "",
            "start_index": here if citation.start is None else citation.start,
            "end_index": here if citation.end is None else citation.end,
        }
        fields = b'%b,"annotation_index":%d,"annotation":%b' % (
            self._place,
            len(self._annotations),
            _encode(annotation),
        )
        self._annotations.append(annotation)
        self._events.write(b"response.output_text.annotation.added", fields)

    def end(self, *, is_whole: bool = True) -> None:
        text, part = "".join(self._pieces), self._part()
        if self.is_refusal:
            self._events.write(b"response.refusal.done", b'%b,"refusal":%b' % (self._place, _encode(text)))
        else:
            fields = b'%b,"text":%b,"logprobs":%b' % (self._place, _encode(text), _encode(self._logprobs))
            self._events.write(b"response.output_text.done", fields)
        self._part_event(b"done", part)
        self._done(self._item(_status(is_whole=is_whole), [part]))

    def _part_event(self, word: bytes, part: Mapping[str, Any]) -> None:
        self._events.write(b"response.content_part." + word, b'%b,"part":%b' % (self._place, _encode(part)))

    def _part(self) -> Mapping[str, Any]:
        text = "".join(self._pieces)
        if self.is_refusal:
            return {"type": "refusal", "refusal": text}
        told = {"annotations": self._annotations, "logprobs": self._logprobs}
        return {"type": "output_text", "text": text, **told}

    def _item(self, status: str, content: list[Mapping[str, Any]]) -> Mapping[str, Any]:
        return {
            "id": self._id,
            "type": "message",
            "status": status,
            "role": "assistant",
            "content": content,
        }


class ReasoningBlock(Block):
    """Reasoning as a summary, since that is what every client shows. `sealed` is the state to be given back."""

    def __init__(self, events: Numbered, item_id: str, place: int) -> None:
        super().__init__(events, item_id, place)
        self.sealed: str | None = None
        self._pieces: list[str] = []
        self._place += b',"summary_index":0'
        self._before_delta = self._place + b',"delta":'
        self._added(self._item([]))

    def grow(self, text: str) -> None:
        if not text:
            return
        if not self._pieces:
            self._part_event(b"added", _summary(""))
        self._pieces.append(text)
        self._events.write(b"response.reasoning_summary_text.delta", self._before_delta + _encode(text))

    def end(self, *, is_whole: bool = True) -> None:
        summary: list[Mapping[str, Any]] = []
        if self._pieces:
            text = "".join(self._pieces)
            fields = b'%b,"text":%b' % (self._place, _encode(text))
            self._events.write(b"response.reasoning_summary_text.done", fields)
            summary = [_summary(text)]
            self._part_event(b"done", summary[0])
        self._done(self._item(summary))

    def _part_event(self, word: bytes, part: Mapping[str, Any]) -> None:
        fields = b'%b,"part":%b' % (self._place, _encode(part))
        self._events.write(b"response.reasoning_summary_part." + word, fields)

    def _item(self, summary: list[Mapping[str, Any]]) -> Mapping[str, Any]:
        item: dict[str, Any] = {"id": self._id, "type": "reasoning", "summary": summary}
        if self.sealed is not None:
            item["encrypted_content"] = self.sealed
        return item


def _summary(text: str) -> Mapping[str, Any]:
    return {"type": "summary_text", "text": text}


class CallBlock(Block):
    """A call under the caller's own name for the tool."""

    def __init__(self, events: Numbered, item_id: str, place: int, call_id: str, own: Own) -> None:
        super().__init__(events, item_id, place)
        self._call_id = call_id
        self._own = own
        self._pieces: list[str] = []
        self._added(self._item("in_progress", ""))

    def grow(self, arguments: str) -> None:
        if not arguments:
            return
        self._pieces.append(arguments)
        fields = b'%b,"delta":%b' % (self._place, _encode(arguments))
        self._events.write(b"response.function_call_arguments.delta", fields)

    @property
    def has_whole_arguments(self) -> bool:
        try:
            _decode_object("".join(self._pieces))
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
            return False
        return True

    def end(self, *, is_whole: bool = True) -> None:
        if not any(piece.strip() for piece in self._pieces):
            self.grow("{}")
        arguments = "".join(self._pieces)
        fields = b'%b,"arguments":%b' % (self._place, _encode(arguments))
        self._events.write(b"response.function_call_arguments.done", fields)
        self._done(self._item(_status(is_whole=is_whole or self.has_whole_arguments), arguments))

    def _item(self, status: str, arguments: str) -> Mapping[str, Any]:
        item: dict[str, Any] = {
            "id": self._id,
            "type": "function_call",
            "status": status,
            "call_id": self._call_id,
            "name": self._own.name,
            "arguments": arguments,
        }
        if self._own.namespace is not None:
            item["namespace"] = self._own.namespace
        return item


class CustomCallBlock(CallBlock):
    """A call of a custom tool: its free text is known when the arguments that hold it are whole."""

    def grow(self, arguments: str) -> None:
        self._pieces.append(arguments)

    def end(self, *, is_whole: bool = True) -> None:
        text = as_free_text("".join(self._pieces))
        if text:
            fields = b'%b,"delta":%b' % (self._place, _encode(text))
            self._events.write(b"response.custom_tool_call_input.delta", fields)
        fields = b'%b,"input":%b' % (self._place, _encode(text))
        self._events.write(b"response.custom_tool_call_input.done", fields)
        self._done(self._item(_status(is_whole=is_whole or self.has_whole_arguments), text))

    def _item(self, status: str, arguments: str) -> Mapping[str, Any]:
        item = {
            name: value for name, value in super()._item(status, arguments).items() if name != "arguments"
        }
        return {**item, "type": "custom_tool_call", "input": arguments}


class ClientCallBlock(CallBlock):
    """A call of a tool that OpenAI defines and the caller runs: what is to be done is known when the arguments are whole."""

    def grow(self, arguments: str) -> None:
        self._pieces.append(arguments)

    def end(self, *, is_whole: bool = True) -> None:
        status = _status(is_whole=is_whole or self.has_whole_arguments)
        self._done(self._item(status, "".join(self._pieces)))

    def _item(self, status: str, arguments: str) -> Mapping[str, Any]:
        client = self._own.client
        assert client is not None
        return {
            "id": self._id,
            "type": client.call,
            "status": status,
            "call_id": self._call_id,
            client.field: as_done(arguments, client),
        }


class ImageBlock(Block):
    """A picture, which comes whole."""

    def __init__(self, events: Numbered, item_id: str, place: int, media_type: str, data: str) -> None:
        super().__init__(events, item_id, place)
        self._format = media_type.rpartition("/")[2]
        self._data = data
        self._added(self._item("in_progress", None))

    def end(self, *, is_whole: bool = True) -> None:
        self._events.write(b"response.image_generation_call.completed", self._place)
        self._done(self._item("completed", self._data))

    def _item(self, status: str, result: str | None) -> Mapping[str, Any]:
        return {
            "id": self._id,
            "type": "image_generation_call",
            "status": status,
            "output_format": self._format,
            "result": result,
        }
