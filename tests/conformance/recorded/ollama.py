"""What answers of Ollama mean."""

from typing import Any

from conformance.meaning import Meaning, Tokens, arguments_in
from conformance.recorded.failures import BROKEN, failure_in

Json = dict[str, Any]


def read(chunks: list[Json], is_stream: bool) -> Meaning:
    meaning = Meaning()
    for chunk in chunks:
        if chunk.get("error"):
            return Meaning(failure=failure_in(chunk))
        said = chunk.get("message") or {}
        meaning.say("reasoning", said.get("thinking") or "")
        meaning.say("text", said.get("content") or "")
        for call in said.get("tool_calls") or []:
            arguments = call["function"].get("arguments") or {}
            if isinstance(arguments, str):
                arguments = arguments_in(arguments)
            meaning.call(call["function"]["name"], arguments, call.get("id"))
        meaning.logprobs += len(chunk.get("logprobs") or [])
        if chunk.get("done"):
            if "prompt_eval_count" in chunk or "eval_count" in chunk:
                meaning.usage = Tokens(chunk.get("prompt_eval_count"), chunk.get("eval_count"))
            meaning.ended("length" if chunk.get("done_reason") == "length" else "done")
            return meaning
    return Meaning(failure=BROKEN)
