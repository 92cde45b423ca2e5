"""Recorded exchanges, one way to read them for every test of the wire."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).resolve().parent.parent / "golden"


def recorded(folder: Path, file: str, endpoint: str) -> Iterator[dict[str, Any]]:
    with gzip.open(folder / "wire" / f"{file}.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            if record["endpoint"] == endpoint:
                yield record


def golden(dialect: str) -> list[Path]:
    return sorted((GOLDEN / dialect).glob("*.json"))


def request_body(record: dict[str, Any]) -> bytes | None:
    body = record["request"]["body"]
    return None if body is None else json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def whole_answer(record: dict[str, Any]) -> bytes | None:
    body = record["response"].get("body")
    return None if body is None else json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def streamed_answer(record: dict[str, Any]) -> bytes | None:
    events = record["response"].get("sse")
    return None if events is None else "".join(events).encode()
