"""OpenAI chat: a Request as the body that an OpenAI-compatible provider takes. It reads no caller's bytes.

What chat cannot say is refused where the caller relies on it, else left out and named. Two things take
another shape: an error result begins with "Error: ", and images or documents in a tool result follow in a user message
behind the last tool message of the turn, since tool messages hold text only.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from pointsman.core.errors import BadRequest, Unsupported
from pointsman.core.model_card import ModelCard
from pointsman.core.request import (
    Audio,
    Document,
    Image,
    Message,
    OutputFormat,
    Part,
    Reasoning,
    RedactedThinking,
    Request,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from pointsman.wire.dialect import EncodedRequest

_encode = msgspec.json.Encoder().encode

_FOREIGN: Mapping[str, Literal["refuse", "drop"]] = {
    # Anthropic Messages
    "container": "refuse",
    "mcp_servers": "refuse",
    "cache_control": "drop",
    "citations": "drop",
    "context_management": "drop",
    "diagnostics": "drop",
    "inference_geo": "drop",
    "metadata": "drop",
    "output_config": "drop",
    "service_tier": "drop",
    "speed": "drop",
    "thinking": "drop",
    # OpenAI Responses
    "background": "refuse",
    "conversation": "refuse",
    "previous_response_id": "refuse",
    "prompt": "refuse",
    "include": "drop",
    "store": "drop",
    "truncation": "drop",
    # Gemini
    "cachedContent": "refuse",
    "responseModalities": "refuse",
    "speechConfig": "refuse",
    "safetySettings": "drop",
}
"""What becomes of fields that only another dialect has, by the first word of their path. Those not listed are
dropped, unless the dialect that read them says that they must not be."""

_STOPS_MAX = 4  # of the API
_USER_CHARACTERS_MAX = 64  # of safety_identifier, which `user` became

# Models of OpenAI that reason: they take max_completion_tokens only, and no sampling parameters.
_REASONS = re.compile(r"(?:^|/)(?:o\d(?:-|$)|gpt-[5-9]|codex)(?!.*-chat)")
_GPT_5_POINT = re.compile(r"(?:^|/)gpt-(?:5\.\d|[6-9])")
_GPT_5 = re.compile(r"(?:^|/)gpt-5")

_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_COMMON_EFFORTS = ("low", "medium", "high")
_BUDGETS = ((4096, "low"), (16384, "medium"))
"""A thinking budget below so many tokens is this effort; above them all it is high."""


def encode_request(request: Request, card: ModelCard) -> EncodedRequest:
    writing = _Writing(request, card)
    writing.foreign()
    writing.messages()
    writing.tools()
    writing.parameters()
    try:
        return EncodedRequest(_encode(writing.body), tuple(writing.dropped))
    except RecursionError:
        raise BadRequest("The tools or the schema are nested too deeply.") from None


class _Writing:
    """Collects the fields of one body."""

    def __init__(self, request: Request, card: ModelCard) -> None:
        self.request = request
        self.card = card
        self.reasons = _REASONS.search(card.id) is not None
        self.body: dict[str, Any] = {"model": card.id}
        self.dropped: dict[str, None] = {}  # a set that keeps its order

    def drop(self, name: str) -> None:
        self.dropped[name] = None

    def foreign(self) -> None:
        for name in self.request.foreign:
            fate = _FOREIGN.get(name.partition(".")[0], "drop")
            if fate == "refuse" or name in self.request.must_not_drop:
                raise Unsupported(
                    f"'{name}' cannot be expressed for the model {self.card.name}.",
                    param=name,
                    code="unsupported_parameter",
                )
            self.drop(name)

    # messages

    def messages(self) -> None:
        out: list[dict[str, Any]] = []
        for message in self.request.messages:
            match message.role:
                case "system" | "developer":
                    self._system(message, out)
                case "user":
                    self._user(message, out)
                case _:
                    self._assistant(message, out)
        self.body["messages"] = out

    def _system(self, message: Message, out: list[dict[str, Any]]) -> None:
        # Only OpenAI's reasoning models know the developer role.
        role = message.role if self.reasons else "system"
        text = "\n\n".join(part.text for part in message.parts if isinstance(part, Text))
        if len(out) == 1 and out[0]["role"] == role:
            # Several chat templates take one system message, at the start.
            out[0]["content"] += f"\n\n{text}"
        else:
            out.append({"role": role, "content": text})

    def _user(self, message: Message, out: list[dict[str, Any]]) -> None:
        shown: list[Image | Document] = []
        rest: list[Part] = []
        for part in message.parts:
            if isinstance(part, ToolResult):
                text = _result_text(part, shown)
                out.append({"role": "tool", "tool_call_id": part.call_id, "content": text})
            else:
                rest.append(part)
        content: list[dict[str, Any]] = []
        for number, each in enumerate(shown, 1):
            content.append({"type": "text", "text": f"[{_kind(each)} {number}]"})
            content.append(self._part(each))
        content.extend(self._part(part) for part in rest)
        if len(content) == 1 and content[0]["type"] == "text":
            out.append({"role": "user", "content": content[0]["text"]})
        elif content:
            out.append({"role": "user", "content": content})

    def _part(self, part: Part) -> dict[str, Any]:
        match part:
            case Text(text):
                return {"type": "text", "text": text}
            case Image():
                url = part.url or f"data:{part.media_type};base64,{part.data}"
                return {"type": "image_url", "image_url": {"url": url}}
            case Document(text=str(text)):
                return {"type": "text", "text": text}
            case Document(data=str(data)):
                url = f"data:{part.media_type};base64,{data}"
                return {"type": "file", "file": {"filename": part.name or "document.pdf", "file_data": url}}
            case Audio(data, audio_format):
                return {"type": "input_audio", "input_audio": {"data": data, "format": audio_format}}
            case _:
                raise Unsupported(
                    f"A {_kind(part)} of this form cannot be sent to the model {self.card.name}.",
                    param="messages",
                    code="unsupported_value",
                )

    def _assistant(self, message: Message, out: list[dict[str, Any]]) -> None:
        texts = [part.text for part in message.parts if isinstance(part, Text) and not part.is_refusal]
        refusals = [part.text for part in message.parts if isinstance(part, Text) and part.is_refusal]
        calls = [part for part in message.parts if isinstance(part, ToolCall)]
        if any(isinstance(part, Thinking | RedactedThinking) for part in message.parts):
            # Valid at its maker only; as visible text it would become something the model had said.
            self.drop("messages[].thinking")
        if not (texts or refusals or calls):
            return
        turn: dict[str, Any] = {"role": "assistant", "content": "".join(texts) or None}
        if refusals:
            turn["refusal"] = "".join(refusals)
        if calls:
            turn["tool_calls"] = [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {"name": call.name, "arguments": call.arguments or "{}"},
                }
                for call in calls
            ]
        out.append(turn)

    # tools

    def tools(self) -> None:
        request = self.request
        choice = request.tool_choice
        if choice is not None and choice.mode in {"required", "tool"}:
            names = {tool.name for tool in request.tools}
            if choice.name not in names if choice.mode == "tool" else not names:
                raise BadRequest("tool_choice asks for a tool that is not in tools.", param="tool_choice")
        if not request.tools:
            return
        self.body["tools"] = [_tool(tool) for tool in request.tools]
        if choice is not None:
            self.body["tool_choice"] = _tool_choice(choice)
        if request.parallel_tools is not None:
            self.body["parallel_tool_calls"] = request.parallel_tools

    # parameters

    def parameters(self) -> None:
        request, sampling, body = self.request, self.request.sampling, self.body
        limit, most = sampling.max_output_tokens, self.card.max_output_tokens
        if limit is not None:
            if most is not None and limit > most:
                limit = most
                self.drop("max_tokens")
            body["max_completion_tokens" if self.reasons else "max_tokens"] = limit
        knobs = {
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "frequency_penalty": sampling.frequency_penalty,
            "presence_penalty": sampling.presence_penalty,
        }
        for name, value in knobs.items():
            if value is None:
                continue
            if self.reasons:
                self.drop(name)
            else:
                body[name] = value
        if sampling.top_k is not None:
            self.drop("top_k")
        if len(sampling.stop) > _STOPS_MAX:
            raise Unsupported(
                f"The model {self.card.name} takes at most {_STOPS_MAX} stop sequences, not {len(sampling.stop)}.",
                param="stop",
                code="unsupported_value",
            )
        if sampling.stop:
            body["stop"] = list(sampling.stop)
        if sampling.seed is not None:
            body["seed"] = sampling.seed
        if request.output_format is not None:
            body["response_format"] = _response_format(request.output_format)
        if request.reasoning is not None:
            self._reasoning(request.reasoning)
        if request.user is not None:
            body["user"] = _short_user(request.user)
        if request.stream:
            body["stream"] = True
            body["stream_options"] = {"include_usage": True}  # the books need it, asked for or not

    def _reasoning(self, reasoning: Reasoning) -> None:
        effort = reasoning.effort or _effort_of(reasoning.budget_tokens)
        known = self._known_efforts()
        if effort == "none" and not self.reasons:
            # What thinks only when told to is not told; naming the least effort would begin it.
            if known:
                self.drop("thinking" if reasoning.effort is None else "reasoning_effort")
        elif effort is not None and known and effort in _EFFORTS:
            self.body["reasoning_effort"] = nearest = _nearest(effort, known)
            if nearest != effort:
                self.drop("reasoning_effort")
        elif effort is not None or (reasoning.adaptive and not known):
            self.drop("thinking" if reasoning.effort is None else "reasoning_effort")

    def _known_efforts(self) -> tuple[str, ...]:
        if not self.reasons:
            # A model not known to think may refuse the field, and then answer nothing at all.
            knows = self.card.abilities is not None and "thinking" in self.card.abilities
            return _COMMON_EFFORTS if knows else ()
        if _GPT_5_POINT.search(self.card.id):
            return (*_COMMON_EFFORTS, "none")
        return (*_COMMON_EFFORTS, "minimal") if _GPT_5.search(self.card.id) else _COMMON_EFFORTS


def _result_text(result: ToolResult, shown: list[Image | Document]) -> str:
    pieces: list[str] = []
    for part in result.content:
        match part:
            case Text(text) | Document(text=str(text)):
                pieces.append(text)
            case _:
                shown.append(part)
                pieces.append(f"[{_kind(part)} {len(shown)} attached below]")
    text = "\n".join(pieces)
    return f"Error: {text}" if result.is_error else text


def _kind(part: Part) -> str:
    return type(part).__name__.lower()


def _tool(tool: Tool) -> dict[str, Any]:
    function: dict[str, Any] = {"name": tool.name}
    if tool.description is not None:
        function["description"] = tool.description
    # Absent parameters are legal, but not every compatible server thinks so.
    function["parameters"] = {"type": "object", "properties": {}} if tool.schema is None else tool.schema
    if tool.strict is not None:
        function["strict"] = tool.strict
    return {"type": "function", "function": function}


def _tool_choice(choice: ToolChoice) -> str | dict[str, Any]:
    if choice.mode == "tool":
        return {"type": "function", "function": {"name": choice.name}}
    return choice.mode


def _response_format(wanted: OutputFormat) -> dict[str, Any]:
    if wanted.kind == "json_object":
        return {"type": "json_object"}
    schema: dict[str, Any] = {"name": wanted.name or "answer", "schema": wanted.schema}
    if wanted.strict is not None:
        schema["strict"] = wanted.strict
    return {"type": "json_schema", "json_schema": schema}


def _effort_of(budget_tokens: int | None) -> str | None:
    if budget_tokens is None:
        return None
    return next((effort for below, effort in _BUDGETS if budget_tokens < below), "high")


def _nearest(effort: str, known: tuple[str, ...]) -> str:
    place = _EFFORTS.index(effort)
    return min(known, key=lambda other: abs(_EFFORTS.index(other) - place))


def _short_user(user: str) -> str:
    """Long ids (Claude Code sends a whole object) are hashed, so that they still tell users apart."""
    return user if len(user) <= _USER_CHARACTERS_MAX else hashlib.sha256(user.encode()).hexdigest()
