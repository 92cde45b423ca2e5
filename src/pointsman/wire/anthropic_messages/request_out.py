"""Writes a Request as the Messages API takes it, and says what it had to leave out. The turns themselves are
written by turns; nothing here reads a caller's body.

What of another dialect's fields cannot be expressed is refused where its source says that the caller relies on it, else
left out and named.
"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from pointsman.core.errors import BadRequest, Unsupported
from pointsman.core.model_card import ModelCard
from pointsman.core.request import Image, Part, Reasoning, Request, Tool, ToolResult
from pointsman.wire.anthropic_messages.families import is_adaptive_only, nearest_effort, thinks_adaptively
from pointsman.wire.anthropic_messages.turns import system_blocks, turn_blocks
from pointsman.wire.dialect import EncodedRequest
from pointsman.wire.effort import effort_of
from pointsman.wire.tool_naming import fitting, name_rule
from pointsman.wire.undo import NOTHING_TO_UNDO, Undo, asking_by_tool

DEFAULT_MAX_TOKENS = 8192
"""`max_tokens` where neither the request nor the model's card says: every model since Claude 3.5 takes it."""

BUDGET_TOKENS_MIN = 1024
"""The API refuses a smaller thinking budget, and one that is not below `max_tokens`."""

BUDGETS = {"minimal": 1024, "low": 1024, "medium": 4096, "high": 16384, "xhigh": 32768, "max": 32768}
"""Thinking tokens for an effort; at most half of `max_tokens`, so that room is left for the answer."""

JSON_HINT = "Answer with a single JSON object and nothing else: no prose, no code fence."
"""Stands in for a JSON mode without a schema, which the API does not have."""

_USER_ID_CHARS_MAX = 256  # of metadata.user_id
_TOOL_NAMES = name_rule(r"a-zA-Z0-9_-", 128)
_encode = msgspec.json.Encoder().encode


class _Writing:
    """Collects the fields of one body."""

    def __init__(self, request: Request, card: ModelCard) -> None:
        self.request = request
        self.card = card
        self.body: dict[str, Any] = {"model": card.id}
        self.dropped: dict[str, None] = {}  # a set that keeps its order
        self.max_tokens = self._max_tokens()
        self.body["max_tokens"] = self.max_tokens

    def drop(self, name: str) -> None:
        self.dropped[name] = None

    def _max_tokens(self) -> int:
        wanted, most = self.request.sampling.max_output_tokens, self.card.max_output_tokens
        if wanted is None:
            return most or DEFAULT_MAX_TOKENS
        if most is not None and wanted > most:
            self.drop("max_tokens")
            return most
        return wanted

    def foreign(self) -> None:
        for name in self.request.foreign:
            if name in self.request.must_not_drop:
                raise self._inexpressible(name)
            self.drop(name)

    def _inexpressible(self, name: str) -> Unsupported:
        return Unsupported(
            f"{name} cannot be expressed for the model {self.card.name}", param=name, code="unsupported"
        )

    def messages(self) -> None:
        system = system_blocks(self.request.messages, self.card)
        wanted = self.request.output_format
        if wanted is not None and wanted.kind == "json_object":
            system.append({"type": "text", "text": JSON_HINT})
        if system:
            self.body["system"] = system[0]["text"] if len(system) == 1 else system
        if any(isinstance(part, Image) and part.detail not in {None, "auto"} for part in self._shown()):
            self.drop("messages[].content[].image_url.detail")
        turns = turn_blocks(self.request.messages, self.card)
        if not turns:
            raise BadRequest("messages: at least one message is required", param="messages")
        self.body["messages"] = turns

    def _shown(self) -> Iterator[Part]:
        for message in self.request.messages:
            for part in message.parts:
                yield from part.content if isinstance(part, ToolResult) else (part,)

    def tools(self) -> None:
        request = self.request
        choice, parallel = request.tool_choice, request.parallel_tools
        if choice is not None and choice.mode in {"required", "tool"}:
            names = {tool.name for tool in request.tools}
            if choice.name not in names if choice.mode == "tool" else not names:
                raise BadRequest("tool_choice asks for a tool that is not in tools", param="tool_choice")
        if not request.tools:
            return
        self.body["tools"] = [_tool(tool) for tool in request.tools]
        mode = "auto" if choice is None else choice.mode
        written: dict[str, Any] = {"type": "any" if mode == "required" else mode}
        if choice is not None and choice.name is not None:
            written["name"] = choice.name
        if parallel is False and mode != "none":
            written["disable_parallel_tool_use"] = True
        elif choice is None:
            return
        self.body["tool_choice"] = written

    def output(self) -> None:
        config: dict[str, Any] = {}
        wanted, reasoning = self.request.output_format, self.request.reasoning
        if wanted is not None and wanted.kind == "json_schema":
            config["format"] = {"type": "json_schema", "schema": closed(wanted.schema or {"type": "object"})}
            if wanted.name is not None:
                self.drop("response_format.json_schema.name")
        if reasoning is not None and reasoning.effort != "none":
            self._think(reasoning, config)
        if config:
            self.body["output_config"] = config

    def _think(self, reasoning: Reasoning, config: dict[str, Any]) -> None:
        name = "reasoning" if reasoning.effort is None else "reasoning_effort"
        if not self.card.can("thinking"):
            self.drop(name)
        elif is_adaptive_only(self.card.id) or (reasoning.adaptive and thinks_adaptively(self.card.id)):
            self._think_adaptively(reasoning, config, name)
        elif (budget := self._budget(reasoning)) is None or self._thinking_would_be_refused():
            self.drop(name)
        else:
            self.body["thinking"] = {"type": "enabled", "budget_tokens": budget}
        # Only a chat caller has to ask for hidden thoughts; the others merely did not ask for them.
        if "thinking" in self.body and not reasoning.is_shown and self.request.source == "openai-chat":
            self.drop("reasoning.exclude")

    def _think_adaptively(self, reasoning: Reasoning, config: dict[str, Any], name: str) -> None:
        thinking = {"type": "adaptive"}
        if reasoning.is_shown and is_adaptive_only(self.card.id):
            thinking["display"] = "summarized"  # else these show nothing of it
        self.body["thinking"] = thinking
        effort = reasoning.effort or effort_of(reasoning.budget_tokens)
        if effort is not None:
            config["effort"] = nearest_effort(effort, self.card.id)
            if config["effort"] != effort:
                self.drop(name)

    def _budget(self, reasoning: Reasoning) -> int | None:
        if self.max_tokens <= BUDGET_TOKENS_MIN:
            return None
        if reasoning.budget_tokens is not None:
            budget = min(reasoning.budget_tokens, self.max_tokens - 1)
        elif (effort := "medium" if reasoning.adaptive else reasoning.effort) in BUDGETS:
            budget = min(BUDGETS[effort], self.max_tokens // 2)
        else:
            return None
        return max(budget, BUDGET_TOKENS_MIN)

    def _thinking_would_be_refused(self) -> bool:
        """The API refuses an enabled budget beside a forced tool, and within a tool loop whose assistant
        turn does not begin with the thinking that led to the call."""
        choice = self.request.tool_choice
        if choice is not None and choice.mode in {"required", "tool"}:
            return True
        last = next((turn for turn in reversed(self.body["messages"]) if turn["role"] == "assistant"), None)
        if last is None or isinstance(last["content"], str):
            return False
        kinds = [block["type"] for block in last["content"]]
        return "tool_use" in kinds and kinds[0] not in {"thinking", "redacted_thinking"}

    def sampling(self) -> None:
        sampling = self.request.sampling
        for name in ("logprobs", "top_logprobs"):
            if getattr(sampling, name):
                raise self._inexpressible(name)
        thinks = "thinking" in self.body
        temperature, top_p, top_k = sampling.temperature, sampling.top_p, sampling.top_k
        if is_adaptive_only(self.card.id):
            for name, value in (("temperature", temperature), ("top_p", top_p), ("top_k", top_k)):
                if value is not None and not (name != "top_k" and value == 1):
                    self.drop(name)
            temperature = top_p = top_k = None
        if temperature is not None and temperature > 1:
            temperature = 1
            self.drop("temperature")
        if thinks and temperature is not None and temperature != 1:
            temperature = None
            self.drop("temperature")
        # Newer models refuse the two together; a budget for thinking allows no top_p below 0.95.
        if top_p is not None and (temperature is not None or (thinks and top_p < 0.95)):
            top_p = None
            self.drop("top_p")
        if temperature is not None:
            self.body["temperature"] = temperature
        if top_p is not None:
            self.body["top_p"] = top_p
        if top_k is not None:
            if thinks:
                self.drop("top_k")
            else:
                self.body["top_k"] = top_k
        if sampling.stop:
            if not all(stop.strip() for stop in sampling.stop):
                raise Unsupported(
                    f"{self.card.name} takes no stop string that is only white space", param="stop"
                )
            self.body["stop_sequences"] = sampling.stop
        if sampling.seed is not None:
            self.drop("seed")
        if sampling.frequency_penalty:
            self.drop("frequency_penalty")
        if sampling.presence_penalty:
            self.drop("presence_penalty")

    def caller(self) -> None:
        user = self.request.user
        if user:
            if len(user) > _USER_ID_CHARS_MAX:
                user = hashlib.sha256(user.encode()).hexdigest()
            self.body["metadata"] = {"user_id": user}
        if self.request.stream:
            self.body["stream"] = True


def encode_request(request: Request, card: ModelCard) -> EncodedRequest:
    try:
        named, own_names = fitting(request, _TOOL_NAMES)
        asked, undo = _answerable(named, card)
        writing = _Writing(asked, card)
        writing.foreign()
        writing.messages()
        writing.tools()
        writing.output()
        writing.sampling()
        writing.caller()
        if undo.answer_tool is not None and request.reasoning not in {None, Reasoning(effort="none")}:
            writing.drop("reasoning" if request.reasoning.effort is None else "reasoning_effort")
        return EncodedRequest(
            _encode(writing.body), tuple(writing.dropped), undo._replace(tool_names=own_names)
        )
    except RecursionError:
        raise BadRequest("the tools or the schema are nested too deeply") from None


def _answerable(request: Request, card: ModelCard) -> tuple[Request, Undo]:
    """The request in a form that the model can hold its answer to: for what the API's own way does not know it is
    made to call a tool."""
    wanted = request.output_format
    if wanted is None or wanted.kind == "json_object":
        return request, NOTHING_TO_UNDO
    if card.can("json_schema") and not has_maps(wanted.schema or {}):
        return request, NOTHING_TO_UNDO
    if not card.can("tools") or (wanted.schema or {}).get("type", "object") != "object":
        raise Unsupported(
            f"{card.name} cannot be held to a JSON schema"
            f"{' of anything but an object' if card.can('tools') else ''}",
            param="response_format",
            code="unsupported",
        )
    return asking_by_tool(request)


def _tool(tool: Tool) -> dict[str, Any]:
    schema = dict(tool.schema) if tool.schema else {"properties": {}}
    if "type" not in schema:
        schema = {"type": "object", **schema}
    written: dict[str, Any] = {"name": tool.name, "input_schema": schema}
    if tool.description:
        written["description"] = tool.description
    if tool.strict:
        written["strict"] = True
    return written


def has_maps(schema: object) -> bool:
    """True if an object in it may have properties of any name, which the API refuses in the schema of an answer."""
    if isinstance(schema, list | tuple):
        return any(has_maps(each) for each in schema)
    if not isinstance(schema, Mapping):
        return False
    if schema.get("additionalProperties", False) is not False:
        return True
    named = (schema.get(name) for name in ("properties", "$defs", "definitions"))
    inner = [each for group in named if isinstance(group, Mapping) for each in group.values()]
    inner += [schema.get(name) for name in ("items", "anyOf", "oneOf", "allOf", "prefixItems")]
    return has_maps(inner)


def closed(schema: object) -> object:
    """The schema with every object that lists its properties closed to others, as the API insists. What it
    allows is a part of what the open schema allowed."""
    if not isinstance(schema, Mapping):
        return schema
    result = dict(schema)
    if "items" in result:
        result["items"] = closed(result["items"])
    for name in ("anyOf", "oneOf", "allOf", "prefixItems"):
        if isinstance(result.get(name), list):
            result[name] = [closed(option) for option in result[name]]
    for name in ("properties", "$defs", "definitions"):
        if isinstance(result.get(name), Mapping):
            result[name] = {key: closed(value) for key, value in result[name].items()}
    kind = result.get("type")
    if kind == "object" or (isinstance(kind, list) and "object" in kind):
        result.setdefault("additionalProperties", False)
    return result
