"""A vendor with the Gemini API, as strict as Google: two roles, as many responses as calls and by name, schemas of its own
subset, and a signature on the first call of each step of the turn under way."""

import re
from collections.abc import Iterator
from itertools import groupby
from types import MappingProxyType
from typing import Any

from clients.vendors.gemini_rules import (
    UNSIGNED,
    forced_tool,
    image_of,
    result_of,
    standard,
    tools_of,
    wanted_schema,
)
from clients.vendors.script import Answer, Asked, Call, Say, Think, Turn
from clients.vendors.vendor import (
    CACHED_TOKENS,
    INPUT_TOKENS,
    OUTPUT_TOKENS,
    Vendor,
    failed,
    only,
    pieces,
    posted,
    require,
    sse,
)
from pointsman.testing import Received, Scripted, scripted

FIELDS = {
    "contents",
    "systemInstruction",
    "tools",
    "toolConfig",
    "generationConfig",
    "safetySettings",
    "labels",
}
PART_FIELDS = {"text", "inlineData", "functionCall", "functionResponse", "thought", "thoughtSignature"}
GENERATION_FIELDS = {
    "temperature", "topP", "topK", "maxOutputTokens", "stopSequences", "seed", "presencePenalty",
    "frequencyPenalty", "candidateCount", "responseMimeType", "responseSchema", "responseJsonSchema",
    "responseModalities", "thinkingConfig", "responseLogprobs", "logprobs", "mediaResolution",
}  # fmt: skip
_OPAQUE = {
    "args",
    "response",
    "parametersJsonSchema",
    "responseJsonSchema",
    "parameters",
    "responseSchema",
    "labels",
}

USAGE = {
    "promptTokenCount": INPUT_TOKENS,
    "cachedContentTokenCount": CACHED_TOKENS,
    "candidatesTokenCount": OUTPUT_TOKENS - 2,
    "thoughtsTokenCount": 2,
    "totalTokenCount": INPUT_TOKENS + OUTPUT_TOKENS,
}


class GeminiVendor(Vendor):
    dialect = "gemini"
    model = "gemini-3-pro-preview"
    base_path = "/gemini/v1beta"
    counts = MappingProxyType({f"{base_path}/models/{model}:countTokens": {"totalTokens": INPUT_TOKENS}})

    def check_head(self, request: Received) -> None:
        start = f"{self.base_path}/models/{self.model}"
        posted(request, f"{start}:generateContent", f"{start}:streamGenerateContent")
        if request.path.endswith(":streamGenerateContent"):
            require(request.query == "alt=sse", f"not a stream of events: {request.query}")
        require(request.header("x-goog-api-key") == self.key, "API key not valid")
        require(request.header("authorization") is None, "a second credential")

    def read(self, request: Received, body: dict[str, Any]) -> Asked:
        body = _camel(body)
        only(body, "body", FIELDS, ("contents",))
        tools = tools_of(body.get("tools", ()))
        generation = body.get("generationConfig", {})
        only(generation, "generation_config", GENERATION_FIELDS)
        thinking = generation.get("thinkingConfig", {})
        only(thinking, "thinking_config", {"includeThoughts", "thinkingBudget", "thinkingLevel"})
        require(
            not {"thinkingBudget", "thinkingLevel"} <= set(thinking), "thinking budget and level, not both"
        )
        turns, seals = self._turns(body["contents"])
        system = body.get("systemInstruction")
        if system is not None:
            only(system, "system_instruction", {"parts", "role"}, ("parts",))
            turns.insert(0, Turn("system", "\n".join(part["text"] for part in system["parts"])))
        return Asked(
            self.model,
            request.path.endswith(":streamGenerateContent"),
            turns,
            tools,
            forced_tool(body.get("toolConfig", {}), tools),
            schema=wanted_schema(generation),
            thinks=bool(thinking) and thinking.get("thinkingBudget") != 0,
            seals=seals,
            raw=body,
        )

    def _turns(self, contents: list[dict[str, Any]]) -> tuple[list[Turn], list[str]]:
        require(bool(contents), "contents is not specified")
        turns: list[Turn] = []
        seals: list[str] = []
        expected: list[str] = []
        for role, content, where in _merged(contents):
            turn = Turn("assistant" if role == "model" else "user")
            names: list[str] = []
            for part in content:
                only(part, where, PART_FIELDS)
                kinds = {"text", "inlineData", "functionCall", "functionResponse"} & set(part)
                require(len(kinds) == 1, f"{where}: exactly one of oneof 'data' must be set: {sorted(kinds)}")
                seals += self._opened_signature(part, where)
                if part.get("thought"):
                    require(role == "model", f"{where}: a user does not think")
                elif "text" in part:
                    turn.text += part["text"] + ("\n" if role == "user" else "")  # a streamed answer's pieces
                elif "inlineData" in part:
                    turn.images.append(image_of(part["inlineData"], where))
                elif "functionCall" in part:
                    require(role == "model", f"{where}: a user calls no functions")
                    only(part["functionCall"], where, {"name", "args", "id"}, ("name",))
                    turn.calls.append(
                        Call(part["functionCall"]["name"], part["functionCall"].get("args", {}))
                    )
                else:
                    response = part["functionResponse"]
                    only(response, where, {"name", "response", "id", "parts"}, ("name", "response"))
                    require(isinstance(response["response"], dict), f"{where}: response is not an object")
                    names.append(response["name"])
                    turn.results.append(result_of(response["response"]))
                    turn.images += [image_of(each["inlineData"], where) for each in response.get("parts", ())]
            number = "the number of function response parts is equal to the number of function call parts"
            require(names == expected, f"{where}: Please ensure that {number}: {expected}, not {names}")
            expected = [call.name for call in turn.calls]
            turns.append(turn)
        require(not expected, f"function calls without responses: {expected}")
        self._check_signed(contents)
        return turns, seals

    def _opened_signature(self, part: dict[str, Any], where: str) -> list[str]:
        signature = standard(part.get("thoughtSignature"))
        if signature is None or signature in UNSIGNED:
            return []
        sealed = self.opened(signature, f"{where}: Corrupted thought signature.")
        said = {name: value for name, value in part.items() if name != "thoughtSignature"}
        if "functionCall" in said:
            said["functionCall"] = {
                "name": said["functionCall"]["name"],
                "args": said["functionCall"]["args"],
            }
            require(said == sealed, f"{where}: this signature is another part's")
        return [signature]

    def _check_signed(self, contents: list[dict[str, Any]]) -> None:
        turns = list(_merged(contents))
        spoken = [
            at
            for at, (role, parts, _) in enumerate(turns)
            if role == "user" and any("text" in part for part in parts)
        ]
        for _, parts, where in turns[spoken[-1] if spoken else 0 :]:
            first = next((part for part in parts if "functionCall" in part), {"thoughtSignature": ""})
            missing = f"Function call in {where} is missing a thought_signature in functionCall parts."
            require("thoughtSignature" in first, missing)

    # replies

    def reply(self, asked: Asked, answer: Answer) -> Scripted:
        assert isinstance(answer, list)
        parts: list[dict[str, Any]] = []
        has_signed = False
        for part in answer:
            match part:
                case Think(text):
                    if asked.raw["generationConfig"]["thinkingConfig"].get("includeThoughts"):
                        parts.append({"text": text, "thought": True})
                    continue
                case Say(text):
                    said: dict[str, Any] = {"text": text}
                case Call(name, arguments):
                    said = {"functionCall": {"name": name, "args": arguments}}
            # Of calls at once the first alone is signed. This model always thinks, and so always signs its calls.
            if not has_signed and ("functionCall" in said or asked.thinks):
                said = {**said, "thoughtSignature": self.seal(said)}
                has_signed = True
            parts.append(said)
        if not asked.is_stream:
            return scripted(json=self._chunk(parts, "STOP"))
        chunks = [self._chunk([piece]) for part in parts for piece in _cut(part)]
        chunks.append(self._chunk([{"text": ""}], "STOP"))
        return scripted(sse=[sse(chunk, end=b"\r\n\r\n") for chunk in chunks])

    def _chunk(self, parts: list[dict[str, Any]], finish: str | None = None) -> dict[str, Any]:
        candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}, "index": 0}
        if finish is not None:
            candidate["finishReason"] = finish
        return {
            "candidates": [candidate], "usageMetadata": USAGE, "modelVersion": self.model,
            "responseId": self.new_id("r"),
        }  # fmt: skip

    def error(self, status: int, message: str, details: dict[str, Any] | None = None) -> Scripted:
        words = {400: "INVALID_ARGUMENT", 429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE"}
        error = {"code": status, "message": message, "status": words.get(status, "INTERNAL")}
        return failed(status, {"error": error})


def _camel(value: Any) -> Any:
    """Names in either spelling are known; what a schema or a call holds is nobody's name."""
    if isinstance(value, list):
        return [_camel(each) for each in value]
    if not isinstance(value, dict):
        return value
    named = {re.sub(r"_([a-z])", lambda found: found[1].upper(), name): each for name, each in value.items()}
    require(len(named) == len(value), f"a name in both spellings: {list(value)}")
    return {name: each if name in _OPAQUE else _camel(each) for name, each in named.items()}


def _merged(contents: list[dict[str, Any]]) -> Iterator[tuple[str, list[dict[str, Any]], str]]:
    """Role, parts and place; contents in a row of one role are one turn."""
    for role, group in groupby(enumerate(contents), key=lambda each: each[1].get("role", "user")):
        parts: list[dict[str, Any]] = []
        where = ""
        for at, content in group:
            where = f"contents[{at}]"
            only(content, where, {"role", "parts"}, ("parts",))
            require(role in {"user", "model"}, "Please use a valid role: user, model.")
            require(bool(content["parts"]), f"{where}.parts: must not be empty")
            parts += content["parts"]
        yield role, parts, where


def _cut(part: dict[str, Any]) -> list[dict[str, Any]]:
    """The pieces of one part; what is sealed comes whole."""
    if "text" not in part or "thoughtSignature" in part:
        return [part]
    return [{**part, "text": piece} for piece in pieces(part["text"])]
