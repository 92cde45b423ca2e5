"""Ollama: a Request as the body that `/api/chat` takes. It reads no caller's bytes.

What Ollama cannot say is refused where the caller relies on it, else left out and named. Three things take another
shape: an error result begins with "Error: ", images in a tool result follow in a user message behind the last
tool message of the turn, and a call that must be made is an answer in its form (forced_call).
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from pointsman.core.errors import BadRequest, Unsupported
from pointsman.core.model_card import ModelCard
from pointsman.core.request import (
    Document,
    Image,
    Message,
    Part,
    Reasoning,
    RedactedThinking,
    Request,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
)
from pointsman.wire.dialect import EncodedRequest
from pointsman.wire.effort import effort_of
from pointsman.wire.ollama.forced_call import forced_tools, schema_of, told
from pointsman.wire.system_text import leading_system, system_texts
from pointsman.wire.text_files import text_in
from pointsman.wire.undo import NOTHING_TO_UNDO, Undo

_encode = msgspec.json.Encoder().encode
_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode

_NO_EFFORT = frozenset(("none", "minimal"))
_LEVELS: Mapping[str, str] = {
    "none": "low",
    "minimal": "low",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "high",
    "max": "high",
}


def encode_request(request: Request, card: ModelCard) -> EncodedRequest:
    writing = _Writing(request, card)
    writing.foreign()
    writing.messages()
    writing.tools()
    writing.parameters()
    try:
        return EncodedRequest(_encode(writing.body), tuple(writing.dropped), writing.undo())
    except RecursionError:
        raise BadRequest("The tools or the schema are nested too deeply.") from None


class _Writing:
    """Collects the fields of one body."""

    def __init__(self, request: Request, card: ModelCard) -> None:
        self.request = request
        self.card = card
        # Said in any case: a server that is not told streams.
        self.body: dict[str, Any] = {"model": card.id, "stream": request.stream}
        self.options: dict[str, Any] = {}
        self.dropped: dict[str, None] = {}  # a set that keeps its order
        self.calls: dict[str, tuple[int, str]] = {}  # by id: which call it was, and of what tool
        self.forced = forced_tools(request)

    def drop(self, name: str) -> None:
        self.dropped[name] = None

    def refuse(self, what: str, param: str) -> Unsupported:
        return Unsupported(
            f"{what} cannot be sent to the model {self.card.name}, which Ollama serves.",
            param=param,
            code="unsupported_value",
        )

    def foreign(self) -> None:
        for name, value in self.request.foreign.items():
            # Two fields of Ollama's own, which its callers are used to sending in any dialect.
            if name == "options" and isinstance(value, dict):
                self.options.update(value)
            elif name == "keep_alive":
                self.body[name] = value
            elif name in self.request.must_not_drop:
                raise self.refuse(f"'{name}'", name)
            else:
                self.drop(name)

    # messages

    def messages(self) -> None:
        leading, messages = leading_system(self.request.messages)
        # Many chat templates take one system message, at the start.
        texts = list(map(self._system_text, leading))
        if self.forced:
            texts.append(told(self.forced))
        out = [_system("\n\n".join(texts))] if texts else []
        for message in messages:
            match message.role:
                case "system" | "developer":
                    out.append(_system(self._system_text(message)))
                case "user":
                    self._user(message, out)
                case _:
                    self._assistant(message, out)
        self.body["messages"] = out

    def _system_text(self, message: Message) -> str:
        return "\n\n".join(system_texts(message, self.card))

    def _user(self, message: Message, out: list[dict[str, Any]]) -> None:
        shown: list[Image] = []
        results = [part for part in message.parts if isinstance(part, ToolResult)]
        rest = [part for part in message.parts if not isinstance(part, ToolResult)]
        # The API knows no ids: what answers which call is told by the order, and tools finish in any.
        out.extend(self._result(result, shown) for result in sorted(results, key=self._call_of))
        texts = [f"[image {number}]" for number in range(1, len(shown) + 1)]
        images = [self._image(image) for image in shown]
        for part in rest:
            if (text := self._text_of(part)) is not None:
                texts.append(text)
            elif isinstance(part, Image):
                images.append(self._image(part))
            else:
                raise self.refuse(f"A {_kind(part)}", "messages")
        if not texts and not images:
            return
        turn: dict[str, Any] = {"role": "user", "content": "\n".join(texts)}
        if images:
            turn["images"] = images
        out.append(turn)

    def _text_of(self, part: Part) -> str | None:
        """What a text or a file of text says, None for anything else."""
        if isinstance(part, Document):
            if part.name and text_in(part) is not None:
                self.drop("messages[].document.title")
            return text_in(part)
        return part.text if isinstance(part, Text) else None

    def _call_of(self, result: ToolResult) -> tuple[int, str]:
        if result.call_id not in self.calls:
            raise BadRequest("A tool result answers no call that comes before it.", param="messages")
        return self.calls[result.call_id]

    def _result(self, result: ToolResult, shown: list[Image]) -> dict[str, Any]:
        _, name = self._call_of(result)
        pieces: list[str] = []
        for part in result.content:
            if (text := self._text_of(part)) is not None:
                pieces.append(text)
            elif isinstance(part, Image):
                shown.append(part)
                pieces.append(f"[image {len(shown)} attached below]")
            else:
                raise self.refuse(f"A {_kind(part)} in a tool result", "messages")
        text = "\n".join(pieces)
        return {
            "role": "tool",
            "tool_name": name,
            "content": f"Error: {text}" if result.is_error else text,
        }

    def _image(self, image: Image) -> str:
        if image.data is None:
            raise self.refuse("An image by its URL", "messages")
        if image.detail not in {None, "auto"}:
            self.drop("messages[].detail")
        return image.data

    def _assistant(self, message: Message, out: list[dict[str, Any]]) -> None:
        texts: list[str] = []
        thoughts: list[str] = []
        calls: list[dict[str, Any]] = []
        for part in message.parts:
            match part:
                case Text(text):
                    texts.append(text)
                case Thinking(text, seal) if seal is not None and seal.maker == self.card.provider:
                    thoughts.append(text)
                case Thinking() | RedactedThinking():
                    # Another maker's; as visible text it would become something the model had said.
                    self.drop("messages[].thinking")
                case ToolCall(call_id, name, arguments):
                    self.calls[call_id] = (len(self.calls), name)
                    calls.append({"function": {"name": name, "arguments": _arguments(arguments, name)}})
                case _:
                    raise self.refuse(f"A {_kind(part)} of the assistant", "messages")
        if not (texts or calls):
            return
        turn: dict[str, Any] = {"role": "assistant", "content": "".join(texts)}
        if thoughts:
            turn["thinking"] = "".join(thoughts)
        if calls:
            turn["tool_calls"] = calls
        out.append(turn)

    # tools

    def tools(self) -> None:
        request, choice = self.request, self.request.tool_choice
        if not request.tools or self.forced or (choice is not None and choice.mode == "none"):
            return
        self.body["tools"] = [_tool(tool) for tool in request.tools]
        if request.parallel_tools is False:
            self.drop("parallel_tool_calls")
        if any(tool.strict for tool in request.tools):
            self.drop("tools[].strict")

    # parameters

    def parameters(self) -> None:
        request, sampling, body, card = self.request, self.request.sampling, self.body, self.card
        limit = sampling.max_output_tokens
        if limit is not None and card.max_output_tokens is not None and limit > card.max_output_tokens:
            limit = card.max_output_tokens
            self.drop("max_tokens")
        options = {
            # What does not fit is cut off without a word, and by itself a server leaves room for little.
            "num_ctx": self.options.get("num_ctx", card.context_tokens),
            "num_predict": limit,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "top_k": sampling.top_k,
            "seed": sampling.seed,
            "stop": list(sampling.stop) or None,
            "frequency_penalty": sampling.frequency_penalty,
            "presence_penalty": sampling.presence_penalty,
        }
        self.options |= {name: value for name, value in options.items() if value is not None}
        if self.options:
            body["options"] = self.options
        if sampling.logprobs:
            body["logprobs"] = True
            if sampling.top_logprobs is not None:
                body["top_logprobs"] = sampling.top_logprobs
        wanted = request.output_format
        if self.forced:
            # An answer that must be a call is not to have another form besides.
            body["format"] = schema_of(self.forced)
        elif wanted is not None:
            body["format"] = "json" if wanted.kind == "json_object" else wanted.schema
        if request.reasoning is not None:
            self._reasoning(request.reasoning)
        if request.user is not None:
            self.drop("user")

    def undo(self) -> Undo:
        return Undo(said_tools=tuple(tool.name for tool in self.forced)) if self.forced else NOTHING_TO_UNDO

    def _reasoning(self, reasoning: Reasoning) -> None:
        effort = reasoning.effort or effort_of(reasoning.budget_tokens)
        named = "thinking" if reasoning.effort is None else "reasoning_effort"
        if "gpt-oss" in self.card.id:
            # The one family that knows levels, and cannot be told not to think.
            level = _LEVELS.get(effort or "")
            if level is not None:
                self.body["think"] = level
            if effort is not None and level != effort:
                self.drop(named)
        elif effort in _NO_EFFORT:
            self.body["think"] = False
            if effort == "minimal":
                self.drop(named)
        elif self.card.abilities is None:
            # A model that can think does so unless it is told not to, and one that cannot refuses to be told.
            if effort is not None:
                self.drop(named)
        elif "thinking" in self.card.abilities:
            self.body["think"] = True
            if effort is not None:
                self.drop(named)
        else:
            self.drop(named)


def _arguments(arguments: str, name: str) -> msgspec.Raw:
    """The object as the model wrote it."""
    text = arguments.strip().encode("utf-8", "replace") or b"{}"
    try:
        _decode_object(text)
    except (msgspec.DecodeError, RecursionError):
        raise BadRequest(
            f"The arguments of a call of {name[:80]!r} are not a JSON object.", param="messages"
        ) from None
    return msgspec.Raw(text)


def _system(text: str) -> dict[str, Any]:
    return {"role": "system", "content": text}


def _kind(part: Part) -> str:
    return type(part).__name__.lower()


def _tool(tool: Tool) -> dict[str, Any]:
    function: dict[str, Any] = {"name": tool.name}
    if tool.description is not None:
        function["description"] = tool.description
    function["parameters"] = {"type": "object", "properties": {}} if tool.schema is None else tool.schema
    return {"type": "function", "function": function}
