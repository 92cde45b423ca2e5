"""Reads the contents of a generateContent request: each part becomes a part of a message, or is named as what no other
dialect can carry. It reads no other field.

Function calls have no ids, or only some have. They are given ones that a conversation always gets again, and the
responses find their calls by id, else by name and order.
"""

import hashlib
import re
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

import msgspec

from pointsman.core.errors import BadRequest
from pointsman.core.request import (
    Audio,
    Document,
    Image,
    Message,
    Part,
    RedactedThinking,
    Seal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from pointsman.wire.gemini.contents import read_turns
from pointsman.wire.gemini.fields import (
    Fields,
    as_flag,
    as_string,
    begins,
    compact,
    read,
    read_fields,
    read_list,
    read_value,
    wrong,
)
from pointsman.wire.seals import Kind, Tagged, untag

_AUDIO_FORMATS = {"mpeg": "mp3", "mpga": "mp3", "x-wav": "wav", "wave": "wav", "vnd.wave": "wav"}
_OWN_FILES = re.compile(r"gs:|https://generativelanguage\.googleapis\.com/|files/|https://(?:\w+\.)?youtu")
"""Files that Google alone can open, and videos."""

_FROM_URLS = str.maketrans("-_", "+/")
_KINDS = frozenset({"text", "functionCall", "functionResponse", "inlineData", "fileData"})
_READ = _KINDS | {"thought", "thoughtSignature"}
_OF_BLOB = frozenset({"mimeType", "data", "displayName"})
_OF_CALL = frozenset({"id", "name", "args"})
_OF_RESPONSE = frozenset({"id", "name", "response", "parts"})
_RESULT_KEYS = ("output", "result", "error")
_encode = msgspec.json.Encoder().encode


class Reading:
    """What one request gathers besides its turns."""

    def __init__(self) -> None:
        self.foreign: dict[str, Any] = {}
        self.must_not_drop: set[str] = set()

    def leave_out(self, name: str, value: object) -> None:
        self.foreign.setdefault(name, value)

    def insist_on(self, name: str, value: object) -> None:
        self.foreign[name] = value
        self.must_not_drop.add(name)


def read_contents(raw: msgspec.Raw, reading: Reading) -> list[Message]:
    contents = _Contents(reading)
    for role, parts in read_turns(raw):
        if role == "model":
            contents.add_model(parts)
        else:
            contents.add_user(parts)
    return contents.finish()


class _Contents:
    """Contents of the model that follow each other are one message: a streamed answer comes back in the pieces that
    it was sent in."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._messages: list[Message] = []
        self._model: list[Part] = []
        self._calls = _Calls()

    def add_model(self, parts: Sequence[tuple[str, Fields]]) -> None:
        self._calls.check_answered()
        for path, part in parts:
            self._model_part(part, path)

    def add_user(self, parts: Sequence[tuple[str, Fields]]) -> None:
        self._close_model()
        found: list[Part] = []
        for path, part in parts:
            if "functionResponse" in part:
                self._leave_hints(part)
                found.append(self._result(part["functionResponse"], f"{path}.functionResponse"))
            elif "text" in part:
                self._leave_hints(part)
                found.append(Text(read(as_string, part["text"], f"{path}.text")))
            else:
                found += self._other(part, path)
        if found:
            self._messages.append(Message("user", tuple(found)))

    def finish(self) -> list[Message]:
        self._close_model()
        self._calls.close()
        self._calls.check_answered()
        return self._messages

    def _close_model(self) -> None:
        if parts := self._model:
            self._messages.append(Message("assistant", tuple(_joined(parts) if len(parts) > 1 else parts)))
            self._model = []
            self._calls.close()

    # parts of the model

    def _model_part(self, part: Fields, path: str) -> None:
        tagged = untag(_string(part, "thoughtSignature", path)) if "thoughtSignature" in part else None
        if "functionCall" in part:
            self._leave_hints(part)
            self._model.append(self._call(part["functionCall"], f"{path}.functionCall", tagged))
        elif "text" in part:
            self._leave_hints(part)
            text = read(as_string, part["text"], f"{path}.text")
            if "thought" in part and read(as_flag, part["thought"], f"{path}.thought"):
                self._add_thought(text, tagged)
            else:
                self._add_text(text, _seal(tagged))
        else:
            self._model += self._other(part, path)

    def _add_text(self, text: str, seal: Seal | None) -> None:
        if text or seal is not None:
            self._model.append(Text(text, seal=seal))

    def _add_thought(self, text: str, tagged: Tagged | None) -> None:
        if tagged is not None and tagged.kind is Kind.REDACTED:
            self._model.append(RedactedThinking(tagged.seal))
            return
        seal = None if tagged is None else tagged.seal
        if text or seal is not None:
            self._model.append(Thinking(text, seal))

    def _call(self, raw: msgspec.Raw, path: str, tagged: Tagged | None) -> ToolCall:
        fields = read_fields(raw, path)
        if not fields.keys() <= _OF_CALL:
            self._name_hints(fields, _OF_CALL, "functionCall")
        name = _string(fields, "name", path)
        if not name:
            raise wrong(f"{path}.name", "the name of the function is missing")
        arguments = compact(fields["args"]) if "args" in fields else "{}"
        if not arguments.startswith("{"):
            raise wrong(f"{path}.args", "Expected `object`")
        call_id = self._calls.open(_string(fields, "id", path), name, path)
        return ToolCall(call_id, name, arguments, _seal(tagged))

    # parts of the user

    def _result(self, raw: msgspec.Raw, path: str) -> ToolResult:
        fields = read_fields(raw, path)
        if not fields.keys() <= _OF_RESPONSE:
            self._name_hints(fields, _OF_RESPONSE, "functionResponse")
        name = _string(fields, "name", path)
        call_id = self._calls.answer(_string(fields, "id", path), name or "", path)
        text, is_error = _result_text(fields["response"]) if "response" in fields else ("", False)
        content: list[Text | Image | Document] = [Text(text)] if text else []
        for at, inner in enumerate(read_list(fields["parts"], f"{path}.parts") if "parts" in fields else ()):
            for part in self._other(read_fields(inner, f"{path}.parts[{at}]"), f"{path}.parts[{at}]"):
                if not isinstance(part, Text | Image | Document):
                    raise wrong(f"{path}.parts[{at}]", "only images and documents can be translated here")
                content.append(part)
        return ToolResult(call_id, tuple(content), is_error)

    # parts of either

    def _name_hints(self, fields: Fields, known: frozenset[str], of: str) -> None:
        for hint in fields.keys() - known:
            if bytes(fields[hint]) != b"false":
                self._reading.leave_out(f"contents[].parts[].{of}.{hint}", True)

    def _leave_hints(self, part: Fields) -> None:
        """What stands beside what a part says."""
        if not part.keys() <= _READ:
            for hint in part.keys() - _READ:
                self._reading.leave_out(f"contents[].parts[].{hint}", True)

    def _other(self, part: Fields, path: str) -> list[Part]:
        if not part.keys().isdisjoint(_KINDS):
            self._leave_hints(part)
        if "inlineData" in part:
            return self._inline(part["inlineData"], f"{path}.inlineData")
        if "fileData" in part:
            return self._file(part["fileData"], f"{path}.fileData")
        for kind in part.keys() - _READ:
            self._reading.insist_on(f"{path}.{kind}", True)
        return []

    def _inline(self, raw: msgspec.Raw, path: str) -> list[Part]:
        fields = read_fields(raw, path)
        if not fields.keys() <= _OF_BLOB:
            self._name_hints(fields, _OF_BLOB, "inlineData")
        media_type = (_string(fields, "mimeType", path) or "").lower()
        # Google's own SDK writes the alphabet for URLs.
        data = (_string(fields, "data", path) or "").translate(_FROM_URLS)
        data += "=" * (-len(data) % 4)
        main, _, sub = media_type.partition(";")[0].partition("/")
        match main:
            case "image":
                return [Image(media_type=media_type, data=data)]
            case "audio":
                return [Audio(data, _AUDIO_FORMATS.get(sub, sub))]
            case "video" | "":
                self._reading.insist_on(path, media_type)
                return []
            case _:
                return [Document(media_type=media_type, data=data, name=_string(fields, "displayName", path))]

    def _file(self, raw: msgspec.Raw, path: str) -> list[Part]:
        fields = read_fields(raw, path)
        url, media_type = _string(fields, "fileUri", path) or "", _string(fields, "mimeType", path) or ""
        main = media_type.partition("/")[0]
        if main in {"video", "audio"} or _OWN_FILES.match(url) or not url.startswith(("https://", "http://")):
            self._reading.insist_on(path, url)
            return []
        if main == "image":
            return [Image(url=url)]
        return [Document(media_type=media_type or None, url=url, name=_string(fields, "displayName", path))]


class _Call(NamedTuple):
    id: str
    own_id: str | None
    name: str
    path: str


class _Calls:
    """Which calls of the last turn have no response yet. `_queues` holds their numbers by what a response may say of
    them; those that were answered under another of their names are passed over."""

    def __init__(self) -> None:
        self._turn: list[_Call] = []
        self._waiting: dict[int, _Call] = {}
        self._queues: defaultdict[tuple[str, str], deque[int]] = defaultdict(deque)
        self._ids: set[str] = set()
        self._count = 0

    def open(self, own_id: str | None, name: str, path: str) -> str:
        call_id = own_id or ""
        if not call_id or call_id in self._ids:
            call_id = f"call{hashlib.sha256(f'{path}/{name}'.encode()).hexdigest()[:24]}"
        self._ids.add(call_id)
        self._turn.append(_Call(call_id, own_id, name, path))
        return call_id

    def close(self) -> None:
        """The model's turn is over: its calls wait for their responses."""
        for call in self._turn:
            self._count += 1
            self._waiting[self._count] = call
            self._queues["name", call.name].append(self._count)
            own = ("id", call.own_id) if call.own_id else ("name of no id", call.name)
            self._queues[own].append(self._count)
        self._turn = []

    def answer(self, own_id: str | None, name: str, path: str) -> str:
        said = (("id", own_id), ("name of no id", name), ("name", name)) if own_id else (("name", name),)
        for queue in map(self._queues.get, said):
            while queue:
                if (call := self._waiting.pop(queue.popleft(), None)) is not None:
                    return call.id
        raise wrong(path, f"no function call {name[:64]!r} of the turn before waits for this response")

    def check_answered(self) -> None:
        if self._waiting:
            call = next(iter(self._waiting.values()))
            raise BadRequest(
                f"Invalid value at '{call.path}': no function response follows the call of {call.name[:64]!r}. Please "
                "ensure that every function call is answered in the turn after it.",
                param=call.path,
            )


def _joined(parts: Sequence[Part]) -> Iterator[Part]:
    """Pieces of one text, or of one thought, as one; a sealed piece is the last of it."""
    pieces: list[str] = []
    for part, following in zip_longest(parts, parts[1:]):
        if not isinstance(part, Text | Thinking):
            yield part
            continue
        pieces.append(part.text)
        if part.seal is not None or type(following) is not type(part):
            yield msgspec.structs.replace(part, text="".join(pieces))
            pieces = []


def _seal(tagged: Tagged | None) -> Seal | None:
    """Empty ones only mark a part that nobody sealed."""
    return None if tagged is None or not tagged.seal.data else tagged.seal


def _result_text(raw: msgspec.Raw) -> tuple[str, bool]:
    """The text of a response, and whether it tells an error. Google gives three of its keys a meaning."""
    if begins(raw) != b"{":
        value = read_value(raw, "response")
        return (value if isinstance(value, str) else compact(raw)), False
    fields = read_fields(raw, "response")
    name = next(iter(fields), "")
    if len(fields) == 1 and name in _RESULT_KEYS:
        inner = fields[name]
        text = read(as_string, inner, "response") if begins(inner) == b'"' else compact(inner)
        return text, name == "error"
    return compact(raw), False


def _string(fields: Fields, name: str, path: str) -> str | None:
    raw = fields.get(name)
    return None if raw is None else read(as_string, raw, f"{path}.{name}")
