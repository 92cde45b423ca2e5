"""Writes a Request as generateContent takes it, and says what it had to leave out. Nothing here reads a caller's body.

What of another dialect's fields cannot be expressed is refused where the caller relies on it, else left out and named.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from pointsman.core.errors import BadRequest, Unsupported
from pointsman.core.model_card import ModelCard
from pointsman.core.request import OutputFormat, Request, Tool
from pointsman.wire.dialect import EncodedRequest
from pointsman.wire.gemini.contents_out import system_parts, turns
from pointsman.wire.gemini.families import is_at_least_3, thinking_config
from pointsman.wire.gemini.schema_out import SchemaWriter
from pointsman.wire.gemini.tools_out import declarations, tool_config
from pointsman.wire.tool_naming import fitting, name_rule
from pointsman.wire.undo import Undo, free_name

_NOTHING: tuple[object, ...] = (None, "", [], {})
_SAME_AS_ABSENT: Mapping[str, object] = {"n": 1, "modalities": ["text"], "service_tier": "auto"}

STOP_SEQUENCES_MAX = 5
_LOGPROBS_MAX = 20
_TEMPERATURE_MAX = 2.0

ANSWER_TOOL = "json_answer"
"""Stands for the answer where a model cannot be held to a schema and offered tools at once."""

_TOOL_NAMES = name_rule(r"A-Za-z0-9_.:-", 64, begins="A-Za-z_")
_encode = msgspec.json.Encoder().encode


class _Writing:
    """Collects the fields of one body."""

    def __init__(self, request: Request, own_names: Mapping[str, str], card: ModelCard) -> None:
        self.request = request
        self.card = card
        self.body: dict[str, Any] = {}
        self.config: dict[str, Any] = {}
        self.dropped: dict[str, None] = {}  # a set that keeps its order
        self.own_names = own_names
        self.schemas = SchemaWriter()
        self.answer_tool: str | None = None

    def foreign(self) -> None:
        for name, value in self.request.foreign.items():
            must_not_drop = name in self.request.must_not_drop
            if not must_not_drop and (value in _NOTHING or _SAME_AS_ABSENT.get(name) == value):
                continue
            if must_not_drop:
                raise Unsupported(
                    f"{name} cannot be expressed for the model {self.card.name}",
                    param=name,
                    code="unsupported",
                )
            self.dropped[name] = None

    def messages(self) -> None:
        contents = turns(self.request.messages, self.card, self.dropped)
        if not contents:
            raise BadRequest("messages: at least one message is required", param="messages")
        if system := system_parts(self.request.messages, self.card):
            self.body["systemInstruction"] = {"parts": system}
        self.body["contents"] = contents

    def tools(self) -> None:
        request, choice = self.request, self.request.tool_choice
        config = tool_config(choice, request.tools)
        if request.parallel_tools is False and request.tools:
            self.dropped["parallel_tool_calls"] = None
        if not request.tools:
            return
        declared = declarations(request.tools, self.schemas, self.dropped)
        wanted = request.output_format
        if wanted is not None and not is_at_least_3(self.card.id):
            # Gemini 2 refuses a JSON answer and tools together.
            if config is None and wanted.kind == "json_schema":
                declared.append(self._answer_tool(wanted, request.tools))
                config = {"functionCallingConfig": {"mode": "ANY"}}
            elif choice is not None and choice.mode == "none":
                return  # none of them is called, so none of them is needed
            else:
                self.dropped["response_format"] = None
        self.body["tools"] = [{"functionDeclarations": declared}]
        if config is not None:
            self.body["toolConfig"] = config

    def _answer_tool(self, wanted: OutputFormat, tools: tuple[Tool, ...]) -> dict[str, Any]:
        schema = self.schemas.write(wanted.schema or {}, "response_format")
        if schema.get("type", "object") != "object":
            raise Unsupported(
                f"{self.card.name} can be offered tools together with a schema for an object only",
                param="response_format",
            )
        taken = {tool.name for tool in tools}
        self.answer_tool = free_name(ANSWER_TOOL, taken)
        return {
            "name": self.answer_tool,
            "description": "Gives the answer to the user. Call it once no other function is needed any more.",
            "parametersJsonSchema": {"type": "object", **schema},
        }

    def output(self) -> None:
        wanted = self.request.output_format
        if wanted is None or self.answer_tool is not None or "response_format" in self.dropped:
            return
        self.config["responseMimeType"] = "application/json"
        if wanted.kind == "json_schema":
            if not self.card.can("json_schema"):
                raise Unsupported(
                    f"{self.card.name} cannot be held to a JSON schema", param="response_format"
                )
            schema = self.schemas.write(wanted.schema or {"type": "object"}, "response_format")
            self.config["responseJsonSchema"] = schema

    def reasoning(self) -> None:
        reasoning = self.request.reasoning
        if reasoning is None:
            return
        name = "reasoning" if reasoning.effort is None else "reasoning_effort"
        if not self.card.can("thinking"):
            if reasoning.effort != "none":
                self.dropped[name] = None
            return
        config, is_exact = thinking_config(reasoning, self.card.id)
        if config:
            self.config["thinkingConfig"] = config
        if not is_exact:
            self.dropped[name] = None

    def sampling(self) -> None:
        sampling, config = self.request.sampling, self.config
        limit, most = sampling.max_output_tokens, self.card.max_output_tokens
        if limit is not None and most is not None and limit > most:
            limit = most
            self.dropped["max_tokens"] = None
        temperature = sampling.temperature
        if temperature is not None and temperature > _TEMPERATURE_MAX:
            temperature = _TEMPERATURE_MAX
            self.dropped["temperature"] = None
        if len(sampling.stop) > STOP_SEQUENCES_MAX:
            raise Unsupported(
                f"{self.card.name} takes at most {STOP_SEQUENCES_MAX} stop strings", param="stop"
            )
        top = sampling.top_logprobs
        config |= {
            name: value
            for name, value in (
                ("maxOutputTokens", limit),
                ("temperature", temperature),
                ("topP", sampling.top_p),
                ("topK", sampling.top_k),
                ("stopSequences", list(sampling.stop) or None),
                ("seed", sampling.seed),
                ("frequencyPenalty", sampling.frequency_penalty),
                ("presencePenalty", sampling.presence_penalty),
                ("responseLogprobs", sampling.logprobs or None),
                ("logprobs", min(top, _LOGPROBS_MAX) if sampling.logprobs and top else None),
            )
            if value is not None
        }

    def finish(self) -> EncodedRequest:
        if self.config:
            self.body["generationConfig"] = self.config
        if self.request.user:
            self.dropped["user"] = None
        self.dropped.update(self.schemas.dropped)
        undo = Undo(self.own_names, self.answer_tool)
        return EncodedRequest(_encode(self.body), tuple(self.dropped), undo)


def encode_request(request: Request, card: ModelCard) -> EncodedRequest:
    """Gemini names model and streaming in its URL, not here."""
    try:
        writing = _Writing(*fitting(request, _TOOL_NAMES), card)
        writing.foreign()
        writing.messages()
        writing.tools()
        writing.output()
        writing.reasoning()
        writing.sampling()
        return writing.finish()
    except RecursionError:
        raise BadRequest("the tools or the schema are nested too deeply") from None
