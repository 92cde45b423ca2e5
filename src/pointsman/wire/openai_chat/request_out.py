"""OpenAI chat: a Request as the body that an OpenAI-compatible provider takes. It reads no caller's bytes.

What chat, or this provider, cannot say is refused where the caller relies on it, else left out and named. How providers
differ is in profiles.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from pointsman.core.errors import BadRequest, Unsupported
from pointsman.core.model_card import ModelCard
from pointsman.core.request import OutputFormat, Request, Tool, ToolChoice
from pointsman.wire.dialect import EncodedRequest
from pointsman.wire.openai_chat.messages_out import Messages
from pointsman.wire.openai_chat.profiles import Knob, Profile, profile_of
from pointsman.wire.openai_chat.reasoning_out import is_reasoning_model, may_tell_logprobs, reasoning_fields
from pointsman.wire.tool_naming import OPENAI_NAMES, fitting
from pointsman.wire.undo import NOTHING_TO_UNDO, Undo, asking_by_tool

_encode = msgspec.json.Encoder().encode

_USER_CHARACTERS_MAX = 64  # of safety_identifier, which `user` became

_SHARED: Mapping[str, Mapping[str, str]] = {
    "openai-responses": {
        "metadata": "metadata",
        "moderation": "moderation",
        "prompt_cache_key": "prompt_cache_key",
        "prompt_cache_retention": "prompt_cache_retention",
        "safety_identifier": "safety_identifier",
        "service_tier": "service_tier",
        "store": "store",
        "text.verbosity": "verbosity",
        "user": "user",
    }
}
"""Fields of kin dialects that mean the same here, by their names there."""


def encode_request(request: Request, card: ModelCard) -> EncodedRequest:
    profile = profile_of(card.profile)
    named, own_names = fitting(request, OPENAI_NAMES)
    asked, undo = _answerable(named, card, profile)
    writing = _Writing(asked, card, profile)
    if undo.answer_tool is not None and _thinks(request):
        writing.drop("reasoning_effort")
    writing.foreign()
    messages = Messages(card, profile, writing.drop, knows_developer=writing.reasons)
    writing.body["messages"] = messages.write(asked.messages)
    writing.tools()
    writing.sampling()
    writing.parameters()
    try:
        return EncodedRequest(
            _encode(writing.body), tuple(writing.dropped), undo._replace(tool_names=own_names)
        )
    except RecursionError:
        raise BadRequest("The tools or the schema are nested too deeply.") from None


def _answerable(request: Request, card: ModelCard, profile: Profile) -> tuple[Request, Undo]:
    """The request in a form that the provider can hold its answer to."""
    wanted = request.output_format
    if wanted is None:
        return request, NOTHING_TO_UNDO
    if wanted.kind == "json_object":
        if not profile.json_object:
            raise _unsupported("response_format", card, "a JSON mode without a schema")
        return request, NOTHING_TO_UNDO
    if profile.json_schema:
        return request, NOTHING_TO_UNDO
    is_object = (wanted.schema or {}).get("type", "object") == "object"
    if profile.forced_tool == "none" or not (card.can("tools") and is_object):
        raise _unsupported("response_format", card, "a JSON schema")
    return asking_by_tool(request)


def _thinks(request: Request) -> bool:
    return request.reasoning is not None and request.reasoning.effort != "none"


def _unsupported(param: str, card: ModelCard, what: str) -> Unsupported:
    return Unsupported(
        f"The model {card.name} does not take {what}.", param=param, code="unsupported_parameter"
    )


class _Writing:
    """Collects the fields of one body."""

    def __init__(self, request: Request, card: ModelCard, profile: Profile) -> None:
        self.request = request
        self.card = card
        self.profile = profile
        self.reasons = is_reasoning_model(card, profile)
        self.body: dict[str, Any] = {"model": card.id}
        self.dropped: dict[str, None] = {}  # a set that keeps its order

    def drop(self, name: str) -> None:
        self.dropped[name] = None

    def foreign(self) -> None:
        request = self.request
        shared = _SHARED.get(request.source, {}) if self.profile.extras else {}
        for name, value in request.foreign.items():
            if name in shared:
                self.body[shared[name]] = value
            elif name in request.must_not_drop:
                raise Unsupported(
                    f"'{name}' cannot be expressed for the model {self.card.name}.",
                    param=name,
                    code="unsupported_parameter",
                )
            else:
                self.drop(name)

    def tools(self) -> None:
        request, profile = self.request, self.profile
        choice = request.tool_choice
        is_forced = choice is not None and choice.mode in {"required", "tool"}
        if choice is not None and is_forced:
            names = {tool.name for tool in request.tools}
            if choice.name not in names if choice.mode == "tool" else not names:
                raise BadRequest("tool_choice asks for a tool that is not in tools.", param="tool_choice")
        if not request.tools:
            return
        if not profile.tools:
            raise _unsupported("tools", self.card, "tools")
        if is_forced and profile.forced_tool == "none":
            raise _unsupported("tool_choice", self.card, "a choice that forces a call")
        self.body["tools"] = [self._tool(tool) for tool in request.tools]
        if choice is not None:
            self.body["tool_choice"] = _tool_choice(choice, profile)
        if request.parallel_tools is not None:
            if profile.parallel:
                self.body["parallel_tool_calls"] = request.parallel_tools
            elif not request.parallel_tools:
                self.drop("parallel_tool_calls")

    def _tool(self, tool: Tool) -> dict[str, Any]:
        function: dict[str, Any] = {"name": tool.name}
        if tool.description is not None:
            function["description"] = tool.description
        # Absent parameters are legal, but not every compatible server thinks so.
        function["parameters"] = {"type": "object", "properties": {}} if tool.schema is None else tool.schema
        if tool.strict is not None and self.profile.strict:
            function["strict"] = tool.strict
        elif tool.strict:
            self.drop("tools[].function.strict")
        return {"type": "function", "function": function}

    def sampling(self) -> None:
        sampling, profile, body = self.request.sampling, self.profile, self.body
        limit, most = sampling.max_output_tokens, self.card.max_output_tokens
        if limit is not None:
            if most is not None and limit > most:
                limit = most
                self.drop("max_tokens")
            body["max_completion_tokens" if self.reasons else profile.limit] = limit
        temperature = sampling.temperature
        if temperature is not None and temperature > profile.temperature_max:
            temperature = profile.temperature_max
            self.drop("temperature")
        knobs: dict[Knob, float | None] = {
            "temperature": temperature,
            "top_p": sampling.top_p,
            "frequency_penalty": sampling.frequency_penalty,
            "presence_penalty": sampling.presence_penalty,
        }
        for name, value in knobs.items():
            if value is None:
                continue
            if self.reasons or name in profile.refused_knobs:
                self.drop(name)
            else:
                body[name] = value
        if sampling.top_k is not None:
            if profile.top_k:
                body["top_k"] = sampling.top_k
            else:
                self.drop("top_k")
        if sampling.seed is not None:
            if profile.seed == "none":
                self.drop("seed")
            else:
                body[profile.seed] = sampling.seed
        self._stop(sampling.stop)
        if sampling.logprobs or sampling.top_logprobs:
            if not may_tell_logprobs(self.card, profile, self.request.reasoning):
                raise _unsupported("logprobs", self.card, "a wish for log probabilities")
            body["logprobs"] = True
            if sampling.top_logprobs is not None:
                body["top_logprobs"] = sampling.top_logprobs

    def _stop(self, stop: tuple[str, ...]) -> None:
        most = self.profile.stops_max
        if most is not None and len(stop) > most:
            raise Unsupported(
                f"The model {self.card.name} takes at most {most} stop sequences, not {len(stop)}.",
                param="stop",
                code="unsupported_value",
            )
        if stop:
            self.body["stop"] = list(stop)

    def parameters(self) -> None:
        request, profile, body = self.request, self.profile, self.body
        if request.output_format is not None:
            body["response_format"] = _response_format(request.output_format)
        if request.reasoning is not None:
            body.update(reasoning_fields(request.reasoning, self.card, profile, self.drop))
        if request.user is not None:
            if profile.user:
                body["user"] = _short_user(request.user)
            else:
                self.drop("user")
        if request.stream:
            body["stream"] = True
            if profile.stream_options:
                body["stream_options"] = {"include_usage": True}  # the books need it, asked for or not


def _tool_choice(choice: ToolChoice, profile: Profile) -> str | dict[str, Any]:
    if choice.mode == "tool":
        return {"type": "function", "function": {"name": choice.name}}
    return profile.forced_tool if choice.mode == "required" else choice.mode


def _response_format(wanted: OutputFormat) -> dict[str, Any]:
    if wanted.kind == "json_object":
        return {"type": "json_object"}
    schema: dict[str, Any] = {"name": wanted.name or "answer", "schema": wanted.schema}
    if wanted.strict is not None:
        schema["strict"] = wanted.strict
    return {"type": "json_schema", "json_schema": schema}


def _short_user(user: str) -> str:
    """Long ids (Claude Code sends a whole object) are hashed, so that they still tell users apart."""
    return user if len(user) <= _USER_CHARACTERS_MAX else hashlib.sha256(user.encode()).hexdigest()
