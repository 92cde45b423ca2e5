"""OpenAI responses: a Request as the body that a provider of this dialect takes. The turns are written by history_out;
nothing here reads a caller's body.

Nothing is left with the provider (`store` is false), so a model that reasons is asked for its reasoning in sealed
form, to be given back. Stop strings, which the API does not know, cut the reply on its way back.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from pointsman.core.errors import BadRequest, Unsupported
from pointsman.core.model_card import ModelCard
from pointsman.core.request import OutputFormat, Reasoning, Request, Tool, ToolChoice
from pointsman.wire.dialect import EncodedRequest
from pointsman.wire.effort import effort_of
from pointsman.wire.openai_models import GPT_5, GPT_5_POINT, REASONS, XHIGH
from pointsman.wire.openai_responses.history_out import Items, instructions_of
from pointsman.wire.openai_responses.request_in import LOGPROBS, SEALED_REASONING
from pointsman.wire.tool_naming import OPENAI_NAMES, fitting
from pointsman.wire.undo import Undo

_encode = msgspec.json.Encoder().encode

_KIN = frozenset(("openai-chat", "openai-responses"))
_SHARED_BY_KIN = frozenset((
    "metadata", "moderation", "prompt_cache_key", "prompt_cache_retention", "service_tier", "store", "truncation",
))  # fmt: skip
"""Fields that mean the same in both dialects of OpenAI, and those of the one that the other does not have."""
_TIERS = frozenset(("auto", "default", "flex", "scale", "priority"))
"""Other providers of chat completions have tiers of their own."""

_VERBOSITY = frozenset(("verbosity", "text.verbosity"))

_OUTPUT_TOKENS_MIN = 16  # of the API
_USER_CHARACTERS_MAX = 64  # of safety_identifier

_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_COMMON_EFFORTS = ("low", "medium", "high")

STOPS_MAX = 16
STOP_CHARS_MAX = 1000
"""The API knows no stop strings: each is looked for here, in every piece of the reply."""


def encode_request(request: Request, card: ModelCard) -> EncodedRequest:
    named, own_names = fitting(request, OPENAI_NAMES)
    writing = _Writing(named, card)
    writing.foreign()
    writing.conversation()
    writing.tools()
    writing.parameters()
    writing.reasoning()
    undo = Undo(tool_names=own_names, stop=tuple(filter(None, request.sampling.stop)))
    try:
        return EncodedRequest(_encode(writing.body), tuple(writing.dropped), undo)
    except RecursionError:
        raise BadRequest("The tools or the schema are nested too deeply.") from None


class _Writing:
    """Collects the fields of one body."""

    def __init__(self, request: Request, card: ModelCard) -> None:
        self.request = request
        self.card = card
        self.reasons = REASONS.search(card.id) is not None
        self.thinks = self.reasons or (card.abilities is not None and "thinking" in card.abilities)
        self.body: dict[str, Any] = {"model": card.id}
        self.include: list[str] = []
        self.text: dict[str, Any] = {}
        self.dropped: dict[str, None] = {}  # a set that keeps its order

    def drop(self, name: str) -> None:
        self.dropped[name] = None

    def foreign(self) -> None:
        self.body["store"] = False
        is_kin = self.request.source in _KIN
        for name, value in self.request.foreign.items():
            if name == "service_tier" and not (isinstance(value, str) and value in _TIERS):
                self.drop(name)
            elif is_kin and name in _SHARED_BY_KIN:
                self.body[name] = value
            elif is_kin and name in _VERBOSITY:
                self.text["verbosity"] = value
            elif name in self.request.must_not_drop:
                raise self._unsupported(name, f"'{name}' cannot be expressed for the model {self.card.name}.")
            else:
                self.drop(name)

    def conversation(self) -> None:
        instructions, messages = instructions_of(self.request, self.card)
        if instructions is not None:
            self.body["instructions"] = instructions
        self.body["input"] = Items(self.card, self.drop).write(messages)
        if not self.body["input"]:
            raise BadRequest("The request holds no message to answer.", param="input")

    def tools(self) -> None:
        request = self.request
        choice = request.tool_choice
        if choice is not None and choice.mode in {"required", "tool"}:
            offered = {tool.name for tool in request.tools}
            if choice.name not in offered if choice.mode == "tool" else not offered:
                raise BadRequest("tool_choice asks for a tool that is not in tools.", param="tool_choice")
        if not request.tools:
            return
        self.body["tools"] = [self._tool(tool) for tool in request.tools]
        if choice is not None:
            self.body["tool_choice"] = self._choice(choice)
        if request.parallel_tools is not None:
            self.body["parallel_tool_calls"] = request.parallel_tools

    def _tool(self, tool: Tool) -> dict[str, Any]:
        written: dict[str, Any] = {"type": "function", "name": tool.name}
        if tool.description is not None:
            written["description"] = tool.description
        written["parameters"] = {"type": "object", "properties": {}} if tool.schema is None else tool.schema
        # This dialect alone is strict with a tool whose caller said nothing.
        written["strict"] = tool.strict is True
        return written

    def _choice(self, choice: ToolChoice) -> str | dict[str, Any]:
        if choice.name is None:
            return choice.mode
        return {"type": "function", "name": choice.name}

    def parameters(self) -> None:
        request, sampling, body = self.request, self.request.sampling, self.body
        if sampling.max_output_tokens is not None:
            body["max_output_tokens"] = limit = self._limit(sampling.max_output_tokens)
            if limit != sampling.max_output_tokens:
                self.drop("max_output_tokens")
        for name, value in {"temperature": sampling.temperature, "top_p": sampling.top_p}.items():
            if value is not None and self.reasons:
                self.drop(name)
            elif value is not None:
                body[name] = value
        unknown = {
            "top_k": sampling.top_k,
            "seed": sampling.seed,
            "frequency_penalty": sampling.frequency_penalty,
            "presence_penalty": sampling.presence_penalty,
        }
        for name, value in unknown.items():
            if value is not None:
                self.drop(name)
        if len(sampling.stop) > STOPS_MAX or any(len(stop) > STOP_CHARS_MAX for stop in sampling.stop):
            raise self._unsupported(
                "stop",
                f"The model {self.card.name} takes at most {STOPS_MAX} stop strings of {STOP_CHARS_MAX} characters.",
            )
        if sampling.logprobs:
            if sampling.stop:
                raise self._unsupported(
                    "stop", f"The model {self.card.name} takes no stop strings beside logprobs."
                )
            self.include.append(LOGPROBS)
        if sampling.top_logprobs is not None:
            body["top_logprobs"] = sampling.top_logprobs
        if request.output_format is not None:
            self.text["format"] = _format(request.output_format)
        if self.text:
            body["text"] = self.text
        if request.user is not None:
            body["safety_identifier"] = _short_user(request.user)
        if request.stream:
            body["stream"] = True

    def _limit(self, limit: int) -> int:
        most = self.card.max_output_tokens
        return max(limit if most is None else min(limit, most), _OUTPUT_TOKENS_MIN)

    def reasoning(self) -> None:
        asked = self.request.reasoning
        written: dict[str, Any] = {}
        if asked is not None:
            effort = self._effort(asked)
            if effort is not None:
                written["effort"] = effort
            # Chat cannot ask for thoughts, and a model may refuse to summarise them for an account.
            if self.thinks and asked.is_shown and effort != "none" and self.request.source != "openai-chat":
                written["summary"] = "auto"
        if written:
            self.body["reasoning"] = written
        if self.thinks and written.get("effort") != "none":
            self.include.append(SEALED_REASONING)
        if self.include:
            self.body["include"] = self.include

    def _effort(self, asked: Reasoning) -> str | None:
        effort = asked.effort or effort_of(asked.budget_tokens)
        known = self._known_efforts()
        if effort == "none" and not self.reasons:
            # What thinks only when told to is not told; naming the least effort would begin it.
            if known:
                self.drop("reasoning")
            return None
        if effort is None or not known or effort not in _EFFORTS:
            if effort is not None or (asked.adaptive and not known):
                self.drop("reasoning")
            return None
        nearest = _nearest(effort, known)
        if nearest != effort:
            self.drop("reasoning")
        return nearest

    def _known_efforts(self) -> tuple[str, ...]:
        if not self.reasons:
            # A model not known to think may refuse the field, and then answer nothing at all.
            return _COMMON_EFFORTS if self.thinks else ()
        most = ("xhigh",) if XHIGH.search(self.card.id) else ()
        if GPT_5_POINT.search(self.card.id):
            return ("none", *_COMMON_EFFORTS, *most)
        return ("minimal", *_COMMON_EFFORTS) if GPT_5.search(self.card.id) else (*_COMMON_EFFORTS, *most)

    def _unsupported(self, name: str, message: str) -> Unsupported:
        return Unsupported(message, param=name, code="unsupported_parameter")


def _format(wanted: OutputFormat) -> Mapping[str, Any]:
    if wanted.kind == "json_object":
        return {"type": "json_object"}
    written: dict[str, Any] = {
        "type": "json_schema",
        "name": wanted.name or "answer",
        "schema": wanted.schema,
    }
    if wanted.strict is not None:
        written["strict"] = wanted.strict
    return written


def _nearest(effort: str, known: tuple[str, ...]) -> str:
    place = _EFFORTS.index(effort)
    return min(known, key=lambda other: abs(_EFFORTS.index(other) - place))


def _short_user(user: str) -> str:
    """Long ids (Claude Code sends a whole object) are hashed, so that they still tell users apart."""
    return user if len(user) <= _USER_CHARACTERS_MAX else hashlib.sha256(user.encode()).hexdigest()
