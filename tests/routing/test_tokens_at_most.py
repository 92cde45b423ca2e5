"""The estimates of a request's tokens against what providers counted: one is near, the other errs high."""

import gzip
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from pointsman.core.prompt import Prompt, Turn
from pointsman.routing.counting import tokens_at_most
from pointsman.routing.tokens import input_tokens, text_tokens, weigh
from pointsman.wire.anthropic_messages import ANTHROPIC_MESSAGES
from pointsman.wire.counting import ANTHROPIC_TOKENS
from pointsman.wire.dialect import ClientDialect
from pointsman.wire.envelope import Address, read_envelope
from pointsman.wire.gemini import GEMINI
from pointsman.wire.openai_chat import OPENAI_CHAT
from pointsman.wire.openai_responses import OPENAI_RESPONSES

FILES: Mapping[str, ClientDialect] = {
    "anthropic": ANTHROPIC_MESSAGES,
    "openai_chat": OPENAI_CHAT,
    "openai_responses": OPENAI_RESPONSES,
    "gemini": GEMINI,
}
MEDIA = {"document", "image", "audio", "file"}
SHORT_TOKENS = 60


def test_more_is_asked_for_more() -> None:
    def tokens(text: str, **more: int) -> int:
        return tokens_at_most(Prompt("", (Turn("user", text),), len(text) + 60, **more), "claude-opus-4-6")

    assert 8 < tokens("Hi") < 25
    assert tokens("words " * 1000) > 1250
    assert tokens("Hi", tool_count=1) > tokens("Hi") + 500
    assert tokens("Hi", image_count=2) > tokens("Hi") + 3000


@pytest.mark.parametrize(
    ("model", "least", "most"),
    [
        ("claude-opus-4-6", 500, 600),
        ("gpt-5.2", 10, 50),
        ("gemini-2.5-pro", 10, 50),
        ("llama-4-scout", 200, 400),
    ],
)
def test_what_tools_add_is_their_makers(model: str, least: int, most: int) -> None:
    plain = Prompt("", (Turn("user", "Hi"),), 62)
    with_tool = Prompt("", (Turn("user", "Hi"),), 62, tool_count=1)

    assert least <= tokens_at_most(with_tool, model) - tokens_at_most(plain, model) <= most


def test_a_lone_surrogate_is_counted() -> None:
    assert tokens_at_most(Prompt("", (Turn("user", "\ud800"),), 20)) > 0


def test_recorded_requests_are_seldom_counted_too_low(shared: Path) -> None:
    ratios = [tokens_at_most(prompt, model) / counted for prompt, model, counted in recorded(shared)]

    assert len(ratios) > 350
    # Those that are: conversations that the provider holds, and templates of open models that say much of their own.
    assert sum(ratio < 1 for ratio in ratios) / len(ratios) < 0.07


@pytest.mark.parametrize(
    ("file", "most_at_all"),
    [("anthropic", 2.2), ("openai_chat", 2.2), ("openai_responses", 2.2), ("gemini", 3.2)],
)
def test_short_recorded_requests_are_counted_near(shared: Path, file: str, most_at_all: float) -> None:
    """Short questions without tools: `Hi` is 8 tokens to most, 1 to Google."""
    plain = [
        (prompt, model, counted)
        for prompt, model, counted in recorded(shared, file)
        if counted <= SHORT_TOKENS and not prompt.tool_count and prompt.output_format == "text"
    ]

    assert len(plain) > 20
    assert 0.85 <= median(estimate(prompt) / counted for prompt, _, counted in plain) <= 1.65
    assert (
        1
        <= median(tokens_at_most(prompt, model) / counted for prompt, model, counted in plain)
        <= most_at_all
    )


def estimate(prompt: Prompt) -> int:
    whole = weigh("\n".join([prompt.system, *[turn.text for turn in prompt.turns]]))
    return input_tokens(prompt, whole, text_tokens(whole))


def recorded(shared: Path, *files: str) -> Iterator[tuple[Prompt, str, int]]:
    """Requests with the model they went to and the tokens their provider counted. Tools that the provider runs itself
    are left out, as is what they found: what it tells the model about them is its secret."""
    for file in files or FILES:
        dialect = FILES[file]
        with gzip.open(shared / "wire" / f"{file}.jsonl.gz", "rt", encoding="utf-8") as lines:
            records = [json.loads(line) for line in lines]
        for record in records:
            asked, told = record["request"]["body"], record["response"].get("body")
            if (
                not isinstance(asked, dict)
                or not isinstance(told, dict)
                or record["response"]["status"] != 200
                or MEDIA & set(record["features"])
                or "request:base64" in record["elided"]
                or "previous_response_id" in asked
                or not all(map(is_own, asked.get("tools") or ()))
            ):
                continue
            address, model = None, asked.get("model")
            if dialect is GEMINI:
                model = record["request"]["path"].rpartition("models/")[2].partition(":")[0]
                address = Address(model, stream=False)
                if "contents" not in asked:
                    continue
            if not isinstance(model, str) or not (counted := tokens_counted(told)):
                continue
            envelope = read_envelope(json.dumps(asked, ensure_ascii=False).encode(), address)
            if dialect is ANTHROPIC_MESSAGES:
                envelope = ANTHROPIC_TOKENS.asked(envelope)
            prompt = dialect.read_prompt(envelope)
            if not prompt.image_count and not prompt.document_count:
                yield prompt, model, counted


def is_own(tool: Any) -> bool:
    if not isinstance(tool, dict):
        return False
    if "functionDeclarations" in tool or "function_declarations" in tool:
        return len(tool) == 1
    return ("type" not in tool and "name" in tool) or tool.get("type") in {"function", "custom"}


def tokens_counted(told: Mapping[str, Any]) -> int | None:
    if "totalTokens" in told:
        return told["totalTokens"]
    usage = told if "input_tokens" in told else told.get("usage") or told.get("usageMetadata") or {}
    counted = usage.get("input_tokens", usage.get("prompt_tokens", usage.get("promptTokenCount")))
    if counted and "input_tokens_details" not in usage:
        counted += usage.get("cache_read_input_tokens") or 0
        counted += usage.get("cache_creation_input_tokens") or 0
    return counted
