"""How long a large request takes from every client dialect into every other provider dialect.

    python bench/translate.py [--rounds N]

Prints milliseconds of CPU for one request of 400 KB, read and written: the lowest of N rounds.
"""

import argparse
import json
from collections.abc import Mapping
from typing import Any

from decide import PROSE, lowest_us
from pointsman.app import DIALECTS
from pointsman.core.model_card import ModelCard
from pointsman.wire.anthropic_messages import ANTHROPIC_MESSAGES
from pointsman.wire.dialect import ClientDialect
from pointsman.wire.envelope import Address, read_envelope
from pointsman.wire.gemini import GEMINI
from pointsman.wire.openai_chat import OPENAI_CHAT
from pointsman.wire.openai_responses import OPENAI_RESPONSES

SIZE = 400_000
BAR_MS = 5.0
CALLERS: tuple[ClientDialect, ...] = (OPENAI_CHAT, OPENAI_RESPONSES, ANTHROPIC_MESSAGES, GEMINI)
CARDS = {
    "openai-chat": ModelCard("m", "openai", "gpt-5", profile="openai"),
    "openai-responses": ModelCard("m", "openai", "gpt-5"),
    "anthropic-messages": ModelCard("m", "anthropic", "claude-opus-4-6"),
    "gemini": ModelCard("m", "gemini", "gemini-2.5-pro"),
    "ollama": ModelCard("m", "ollama", "qwen3"),
}
_TURN_BYTES = 2_000
_TOOLS = 20
_SCHEMA = {
    "type": "object",
    "properties": {
        "path": {"type": "string", "description": "Where the file is."},
        "line": {"type": "integer"},
    },
    "required": ["path"],
}
_TEXT = PROSE * 20


def conversation() -> list[tuple[str, str]]:
    """An agent's history: questions, calls, results and answers in turn."""
    turns = SIZE // _TURN_BYTES
    return [
        (("user", "call", "result", "answer")[at % 4], _TEXT[at : at + _TURN_BYTES - 200])
        for at in range(turns)
    ]


def requests() -> Mapping[str, bytes]:
    """The same 400 KB in every client dialect."""
    chat: list[Any] = []
    items: list[Any] = []
    messages: list[Any] = []
    contents: list[Any] = []
    for at, (kind, text) in enumerate(conversation()):
        call_id, arguments = f"call{at - (kind == 'result')}", {"path": text, "line": at}
        match kind:
            case "user":
                chat.append({"role": "user", "content": text})
                items.append({"role": "user", "content": text})
                messages.append({"role": "user", "content": text})
                contents.append({"role": "user", "parts": [{"text": text}]})
            case "call":
                call = {"name": "f0", "arguments": json.dumps(arguments)}
                chat.append(
                    {
                        "role": "assistant",
                        "tool_calls": [{"id": call_id, "type": "function", "function": call}],
                    }
                )
                items.append({"type": "function_call", "call_id": call_id, **call})
                messages.append(
                    {
                        "role": "assistant",
                        "content": [{"type": "tool_use", "id": call_id, "name": "f0", "input": arguments}],
                    }
                )
                contents.append(
                    {"role": "model", "parts": [{"functionCall": {"name": "f0", "args": arguments}}]}
                )
            case "result":
                chat.append({"role": "tool", "tool_call_id": call_id, "content": text})
                items.append({"type": "function_call_output", "call_id": call_id, "output": text})
                messages.append(
                    {
                        "role": "user",
                        "content": [{"type": "tool_result", "tool_use_id": call_id, "content": text}],
                    }
                )
                answer = {"functionResponse": {"name": "f0", "response": {"result": text}}}
                contents.append({"role": "user", "parts": [answer]})
            case _:
                chat.append({"role": "assistant", "content": text})
                items.append({"role": "assistant", "content": text})
                messages.append({"role": "assistant", "content": text})
                contents.append({"role": "model", "parts": [{"text": text}]})
    tools = [{"name": f"f{at}", "description": _TEXT[:200], "parameters": _SCHEMA} for at in range(_TOOLS)]
    bodies: dict[str, Any] = {
        "openai-chat": {
            "model": "m",
            "messages": chat,
            "tools": [{"type": "function", "function": tool} for tool in tools],
        },
        "openai-responses": {
            "model": "m",
            "input": items,
            "tools": [{"type": "function", **tool} for tool in tools],
        },
        "anthropic-messages": {
            "model": "m",
            "max_tokens": 1000,
            "messages": messages,
            "tools": [
                {"name": tool["name"], "description": tool["description"], "input_schema": _SCHEMA}
                for tool in tools
            ],
        },
        "gemini": {"contents": contents, "tools": [{"functionDeclarations": tools}]},
    }
    return {name: json.dumps(body).encode() for name, body in bodies.items()}


def rows(rounds: int) -> list[tuple[str, str, float]]:
    """Caller, provider and milliseconds, for every pair of two dialects."""
    bodies = requests()
    found = []
    for source in CALLERS:
        body = bodies[source.name]
        address = Address("m", stream=False) if source is GEMINI else None
        for name, target in DIALECTS.items():
            if name == source.name:
                continue

            def translate(
                source: ClientDialect = source, target: Any = target, card: ModelCard = CARDS[name]
            ) -> None:
                target.encode_request(source.decode_request(read_envelope(body, address)), card)  # noqa: B023

            found.append((source.name, name, lowest_us(translate, rounds) / 1000))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    found = rows(parser.parse_args().rounds)
    for source, target, ms in found:
        print(f"{source:20} -> {target:20} {ms:6.2f} ms")
    return max(ms for *_, ms in found) > BAR_MS


if __name__ == "__main__":
    raise SystemExit(main())
