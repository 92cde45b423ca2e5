"""What the mutations start from: recorded exchanges, by dialect. The committed selection is always there; the whole
recordings are used where they lie beside the repository."""

import gzip
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

GOLDEN = Path(__file__).resolve().parent.parent / "golden"

SEED_BYTES_MAX = 16 * 1024
"""Larger exchanges hold no other shapes, only more of them, and take the time of many."""

Form = Literal["request", "reply", "stream", "error"]

DIALECT_OF: Mapping[str, str] = {
    "openai.chat": "openai-chat",
    "openai.responses": "openai-responses",
    "anthropic.messages": "anthropic-messages",
    "gemini.generateContent": "gemini",
    "gemini.streamGenerateContent": "gemini",
    "ollama.chat": "ollama",
    "openai.embeddings": "openai embeddings",
    "gemini.embed": "gemini embeddings",
    "ollama.embed": "ollama embeddings",
    "openai.completions": "openai completions",
    "anthropic.count_tokens": "anthropic-messages count",
    "gemini.countTokens": "gemini count",
}
"""Dialects, and the APIs that are none, by the endpoint as a recording names it."""


class Seed(NamedTuple):
    dialect: str
    form: Form
    data: bytes


def read_seeds(shared: Path | None) -> list[Seed]:
    """Each once, in an order that is always the same. `shared` is the folder of recordings."""
    records = [*_committed(), *(_recorded(shared) if shared is not None else ())]
    found = (seed for record in records for seed in _seeds_of(record))
    return [seed for seed in dict.fromkeys(found) if len(seed.data) <= SEED_BYTES_MAX]


def _committed() -> Iterator[dict[str, Any]]:
    for path in sorted(GOLDEN.glob("*/*.json")):
        yield json.loads(path.read_text())


def _recorded(shared: Path) -> Iterator[dict[str, Any]]:
    for path in sorted((shared / "wire").glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            yield from map(json.loads, lines)


def _seeds_of(record: dict[str, Any]) -> Iterator[Seed]:
    dialect = DIALECT_OF.get(record.get("endpoint"))
    if dialect is None:
        return
    request, response = record["request"], record["response"]
    if request.get("body") is not None:
        yield Seed(dialect, "request", _written(request["body"]))
    pieces = response.get("sse") or response.get("lines")
    if pieces is not None:
        yield Seed(dialect, "stream", "".join(pieces).encode())
    elif response.get("body") is not None:
        form: Form = "reply" if response["status"] == 200 else "error"
        yield Seed(dialect, form, _written(response["body"]))


def _written(body: Any) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
