"""OpenAI responses: the input items of a request as turns. Items that a model made one after the other are one turn of
it, and the answers to its calls follow it in one message, wherever the caller put them."""

from collections import deque
from typing import Any

import msgspec

from pointsman.core.errors import BadRequest
from pointsman.core.request import (
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
from pointsman.wire.custom_tools import as_arguments
from pointsman.wire.json_bytes import NOT_JSON, NOTHING
from pointsman.wire.left_out import LeftOut, not_translatable
from pointsman.wire.openai_complaints import missing
from pointsman.wire.openai_responses.client_tools import CLIENT_TOOLS, TOOL_OF_CALL
from pointsman.wire.openai_responses.client_tools import as_arguments as client_arguments
from pointsman.wire.openai_responses.parts_in import AnyPart, Content, ContentPart, read_parts
from pointsman.wire.openai_responses.prompt import unknown_role
from pointsman.wire.openai_responses.sealed import is_own_reasoning
from pointsman.wire.openai_responses.tool_names import flat_name
from pointsman.wire.seals import Kind, Tagged, untag
from pointsman.wire.unread import take_unknown


class Item(msgspec.Struct, forbid_unknown_fields=True):
    """Every field that is translated, or named where it is not, or says nothing to another model."""

    type: str | None = None
    role: str | None = None
    content: Content = None
    phase: str | None = None
    name: str | None = None
    namespace: str | None = None
    id: str | None = None
    call_id: str | None = None
    action: msgspec.Raw = NOTHING
    operation: msgspec.Raw = NOTHING
    arguments: Any = None
    input: str | None = None
    output: Content = None
    summary: list[ContentPart] | None = None
    encrypted_content: str | None = None
    tools: list[msgspec.Raw] | None = None
    status: str | None = None
    is_async: bool | None = msgspec.field(name="async", default=None)
    caller: Any = None
    environment: Any = None
    max_output_length: Any = None
    created_by: Any = None


_AnyContent = str | list[AnyPart] | AnyPart | None


class AnyItem(Item, forbid_unknown_fields=False):
    """One with fields that nobody here knows, or of a kind that is not translated."""

    content: _AnyContent = None  # type: ignore[assignment]
    output: _AnyContent = None  # type: ignore[assignment]
    summary: list[AnyPart] | None = None  # type: ignore[assignment]


def unread_in(items: list[Any], left_out: LeftOut) -> None:
    """Names the fields of translated items that nobody here knows."""
    unread: dict[str, Any] = {}
    for item in items:
        if isinstance(item, dict) and item.get("type", "message") in _TRANSLATED:
            take_unknown(item, Item, "input[]", unread)
    for path, value in unread.items():
        left_out.note(path, value)


_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode

_ANSWERS = frozenset(
    (
        "function_call_output",
        "custom_tool_call_output",
        "local_shell_call_output",
        "shell_call_output",
        "apply_patch_call_output",
    )
)
_TRANSLATED = _ANSWERS | TOOL_OF_CALL.keys() | {"message", "function_call", "custom_tool_call", "reasoning"}
_OF_THE_PROVIDER = frozenset(
    (
        "web_search_call",
        "file_search_call",
        "code_interpreter_call",
        "image_generation_call",
        "mcp_list_tools",
        "mcp_call",
        "mcp_approval_request",
        "mcp_approval_response",
    )
)
"""What the provider did by itself on the way to a text that stands in the history too."""


def read_items(items: list[Item], namespaces: frozenset[str], left_out: LeftOut) -> tuple[Message, ...]:
    """`namespaces` are those that the request declares: only a tool of theirs is known by two names."""
    return _History(namespaces, left_out).read(items)


class _History:
    """`_parts` are those of the model's turn that is open. It is answered once an answer to a call was passed; what
    the model says then begins another."""

    def __init__(self, namespaces: frozenset[str], left_out: LeftOut) -> None:
        self._namespaces = namespaces
        self._left_out = left_out
        self._messages: list[Message] = []
        self._answers: dict[str, deque[tuple[int, Item]]] = {}
        self._parts: list[Part] = []
        self._calls: list[str] = []
        self._is_answered = False
        self._call_seal: Seal | None = None
        self._text_seal: Seal | None = None

    def read(self, items: list[Item]) -> tuple[Message, ...]:
        for index, item in enumerate(items):
            if item.type in _ANSWERS:
                if item.call_id is None and item.type == "local_shell_call_output":
                    item.call_id = item.id  # which is the call's there
                call_id = _need(item.call_id, f"input[{index}].call_id")
                self._answers.setdefault(call_id, deque()).append((index, item))
        for index, item in enumerate(items):
            self._item(index, item)
        self._close_turn()
        for call_id, left in self._answers.items():
            if left:
                raise BadRequest(
                    f"No tool call found for function call output with call_id {call_id[:80]}.", param="input"
                )
        return tuple(self._messages)

    def _item(self, index: int, item: Item) -> None:
        match item.type:
            case None | "message":
                self._message(index, item)
            case "reasoning":
                self._open_turn()
                self._reasoning(item)
            case "function_call":
                self._open_turn()
                self._call(index, item, self._arguments(item, f"input[{index}].arguments"))
            case "custom_tool_call":
                self._open_turn()
                self._call(index, item, as_arguments(_need(item.input, f"input[{index}].input")))
            case kind if kind in TOOL_OF_CALL:
                self._open_turn()
                self._client_call(index, item, TOOL_OF_CALL[kind])
            case answer if answer in _ANSWERS:
                self._is_answered = True
            case "additional_tools":
                self._left_out.note("input[].additional_tools.role", True)  # they are offered from the start
            case "item_reference" if is_own_reasoning(item.id):
                # It holds what a provider sealed, which is remembered by the calls behind it.
                self._left_out.note("input[].item_reference", True)
            case "item_reference":
                raise not_translatable(f"input[{index}]", "an item known to its own provider only")
            case kind if kind in _OF_THE_PROVIDER:
                self._left_out.note(f"input[].{kind}", True)
            case kind:
                self._left_out.insist_on(f"input[{index}].{kind[:64]}", True)

    def _message(self, index: int, item: Item) -> None:
        if item.phase is not None:
            self._left_out.note("input[].phase", item.phase)
        path = f"input[{index}].content"
        match item.role:
            case None:
                raise missing(f"input[{index}].role")
            case "user" | "system" | "developer" as role:
                self._close_turn()
                if parts := read_parts(item.content, path, self._left_out):
                    self._messages.append(Message(role, tuple(parts)))
            case "assistant":
                self._open_turn()
                for part in read_parts(item.content, path, self._left_out):
                    if part != Text(""):
                        self._parts.append(self._with_seal(part))
            case role:
                raise unknown_role(index, role)

    def _with_seal(self, part: Part) -> Part:
        if not isinstance(part, Text) or part.is_refusal or self._text_seal is None:
            return part
        seal, self._text_seal = self._text_seal, None
        return Text(part.text, seal=seal)

    def _reasoning(self, item: Item) -> None:
        # What is not tagged was made by a provider of this dialect, and the model that this request goes to speaks
        # another one: it may not see it.
        match untag(item.encrypted_content):
            case None:
                pass
            case Tagged(Kind.THINKING, seal):
                pieces = item.summary or (item.content if isinstance(item.content, list) else [])
                self._parts.append(Thinking("\n\n".join(piece.text or "" for piece in pieces), seal))
            case Tagged(Kind.REDACTED, seal):
                self._parts.append(RedactedThinking(seal))
            case Tagged(Kind.CALL, seal):
                self._call_seal = seal
            case Tagged(_, seal):
                # It stands behind its text, since a stream learns of it there; a text alone may be empty.
                match self._parts:
                    case [*_, Text(text, False, None)]:
                        self._parts[-1] = Text(text, seal=seal)
                    case _:
                        self._text_seal = seal

    def _arguments(self, item: Item, path: str) -> str:
        arguments = item.arguments
        if arguments is None or arguments == "":
            return "{}"
        try:
            _decode_object(arguments)
        except (msgspec.DecodeError, TypeError, RecursionError):
            raise BadRequest(
                f"Invalid '{path}': expected the JSON text of an object.", param=path, code="invalid_value"
            ) from None
        return str(arguments)

    def _client_call(self, index: int, item: Item, name: str) -> None:
        tool = CLIENT_TOOLS[name]
        done = item.action if tool.field == "action" else item.operation
        path = f"input[{index}].{tool.field}"
        if done is NOTHING:
            raise missing(path)
        try:
            arguments = client_arguments(done, tool)
        except NOT_JSON:
            raise BadRequest(
                f"Invalid '{path}': expected an object.", param=path, code="invalid_type"
            ) from None
        item.name = name
        self._call(index, item, arguments)

    def _call(self, index: int, item: Item, arguments: str) -> None:
        call_id = _need(item.call_id, f"input[{index}].call_id")
        namespace = item.namespace if item.namespace in self._namespaces else None
        if item.namespace is not None and namespace is None:
            self._left_out.note("input[].namespace", True)
        if item.is_async:
            self._left_out.note("input[].async", True)
        if isinstance(item.caller, dict) and item.caller.get("type") != "direct":
            self._left_out.note("input[].caller", item.caller)
        name = flat_name(namespace, _need(item.name, f"input[{index}].name"))
        self._parts.append(ToolCall(call_id, name, arguments, self._call_seal))
        self._call_seal = None
        self._calls.append(call_id)

    def _open_turn(self) -> None:
        if self._is_answered:
            self._close_turn()

    def _close_turn(self) -> None:
        if self._text_seal is not None:
            self._parts.append(Text("", seal=self._text_seal))
        # Reasoning that led to nothing (the turn was interrupted) is nothing to go on from.
        if not all(isinstance(part, Thinking | RedactedThinking) for part in self._parts):
            self._messages.append(Message("assistant", tuple(self._parts)))
        if self._calls:
            self._messages.append(Message("user", tuple(self._result(call_id) for call_id in self._calls)))
        self._parts, self._calls, self._is_answered = [], [], False
        self._call_seal = self._text_seal = None

    def _result(self, call_id: str) -> ToolResult:
        waiting = self._answers.get(call_id)
        if not waiting:
            raise BadRequest(
                f"No tool output found for function call {call_id[:80]}.", param="input", code="invalid_value"
            )
        index, item = waiting.popleft()
        path = f"input[{index}].output"
        content: list[Text | Image | Document] = []
        for part in read_parts(item.output, path, self._left_out):
            if not isinstance(part, Text | Image | Document):
                raise not_translatable(path, "such a part in a tool's output")
            content.append(part)
        is_error = item.type == "apply_patch_call_output" and item.status == "failed"
        return ToolResult(call_id, tuple(content), is_error)


def _need(value: str | None, path: str) -> str:
    if value is None:
        raise missing(path)
    return value
