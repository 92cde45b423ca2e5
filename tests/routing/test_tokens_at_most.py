"""The estimate of a request's tokens against what providers counted: it errs high, and keeps within sight."""

import gzip
import json
from pathlib import Path

from pointsman.core.prompt import Prompt, Turn
from pointsman.routing.counting import tokens_at_most
from pointsman.wire.anthropic_messages import ANTHROPIC_MESSAGES
from pointsman.wire.counting import ANTHROPIC_TOKENS
from pointsman.wire.envelope import read_envelope
from pointsman.wire.openai_chat import OPENAI_CHAT

FILES = (
    ("anthropic", "anthropic.count_tokens", ANTHROPIC_MESSAGES),
    ("anthropic", "anthropic.messages", ANTHROPIC_MESSAGES),
    ("openai_chat", "openai.chat", OPENAI_CHAT),
)


def test_more_is_asked_for_more():
    def tokens(text: str, **more: int) -> int:
        return tokens_at_most(Prompt("", (Turn("user", text),), len(text) + 60, **more))

    assert 10 < tokens("Hi") < 60
    assert tokens("words " * 1000) > 1250
    assert tokens("Hi", tool_count=1) > tokens("Hi") + 500
    assert tokens("Hi", image_count=2) > tokens("Hi") + 3000


def test_a_lone_surrogate_is_counted():
    assert tokens_at_most(Prompt("", (Turn("user", "\ud800"),), 20)) > 0


def test_recorded_requests_are_seldom_counted_too_low(shared: Path):
    """Tools that the provider runs itself are left out: what it tells the model about them is its secret."""
    ratios: list[float] = []
    for file, endpoint, dialect in FILES:
        with gzip.open(shared / "wire" / f"{file}.jsonl.gz", "rt", encoding="utf-8") as lines:
            records = [json.loads(line) for line in lines]
        for record in records:
            asked, told = record["request"]["body"], record["response"].get("body")
            if (
                record["endpoint"] != endpoint
                or not asked
                or not told
                or record["response"]["status"] != 200
                or {"document", "image", "audio"} & set(record["features"])
                or "request:base64" in record["elided"]
                or any(
                    tool.get("type", "function") not in {"function", "custom"}
                    for tool in asked.get("tools") or ()
                )
            ):
                continue
            usage = told if "input_tokens" in told else told.get("usage") or {}
            counted = usage.get("input_tokens", usage.get("prompt_tokens"))
            if not counted:
                continue
            for cached in ("cache_read_input_tokens", "cache_creation_input_tokens"):
                counted += usage.get(cached) or 0
            envelope = read_envelope(json.dumps(asked, ensure_ascii=False).encode())
            if dialect is ANTHROPIC_MESSAGES:
                envelope = ANTHROPIC_TOKENS.asked(envelope)
            ratios.append(tokens_at_most(dialect.read_prompt(envelope)) / counted)
    assert len(ratios) > 150
    assert sum(ratio < 1 for ratio in ratios) / len(ratios) < 0.03
