"""Drives one server with wrk for a while and says what came back. It measures nothing of the server itself."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from processes import LOAD_CORE

HERE = Path(__file__).resolve().parent
BODY_BYTES = 1269
NUMBERED = b"0000000"
"""Where load.lua numbers the requests."""

_PROMPT = (
    "Ticket 0000000: we run a small service behind a proxy and would like to understand where its time goes. "
    "The service reads a request, looks up a few rows in a database, renders an answer and sends it back; "
    "most answers are between one and two kilobytes. During the day it serves about forty requests a second, "
    "in the evening twice that. Lately the slowest answers have become slower, although the average has not "
    "changed, and the database shows no slow queries. Please explain which measurements you would take first, "
    "in which order, and what each of them would tell us. Then compare the two usual suspects, a queue in front "
    "of the workers and garbage collection inside them, and say how to tell one from the other without changing "
    "the program. Finish with a short list of what to try, the cheapest first, and name the risk of each step. "
    "We can restart the service at night but not during the day, and we may add one line of logging if it helps. "
    "Answer in plain words; a table is welcome where it makes the comparison easier to read. "
)


def body(model: str, *, stream: bool = False) -> bytes:
    """A chat request of about one kilobyte of prompt; exactly BODY_BYTES long."""

    def encode(prompt: str) -> bytes:
        fields: dict[str, object] = {
            "model": model,
            "messages": [
                {"role": "system", "content": "You are a careful engineer. Answer briefly."},
                {"role": "user", "content": prompt},
            ],
            "temperature": 0.2,
            "max_tokens": 300,
        }
        if stream:
            fields |= {"stream": True, "stream_options": {"include_usage": True}}
        return json.dumps(fields, separators=(",", ":")).encode()

    prompt = _PROMPT * 2
    return encode(prompt[: len(prompt) - (len(encode(prompt)) - BODY_BYTES)])


def messages_body(model: str) -> bytes:
    """The same prompt as a caller of the Messages API streams it."""
    chat = json.loads(body(model))
    system, user = chat["messages"]
    fields = {
        "model": model,
        "max_tokens": 300,
        "system": system["content"],
        "messages": [user],
        "stream": True,
    }
    return json.dumps(fields, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk saw: complete answers, per second, and how long they took."""

    requests: int
    per_s: float
    p50_ms: float
    p99_ms: float


def drive(url: str, body_file: Path, headers: Sequence[str] = (), *, connections: int, seconds: int) -> Load:
    """Keeps `connections` requests going at `url`. Ends the whole run when an answer was not a good one: figures
    of a server that fails are worth nothing."""
    ran = subprocess.run(
        [
            "taskset",
            "-c",
            str(LOAD_CORE),
            "wrk",
            "-t1",
            f"-c{connections}",
            f"-d{seconds}s",
            "--timeout",
            "30s",
        ]
        + [word for header in headers for word in ("-H", header)]
        + ["-s", str(HERE / "load.lua"), url, "--", str(body_file)],
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode != 0:
        sys.exit(f"wrk failed on {url}: {ran.stdout}{ran.stderr}")
    seen = json.loads(ran.stdout.strip().splitlines()[-1])
    if seen["refused"] or seen["broken"] or not seen["requests"]:
        sys.exit(f"{url} did not answer well under load: {seen}\n{one_answer(url, body_file, headers)}")
    return Load(
        requests=seen["requests"],
        per_s=seen["requests"] / (seen["duration_us"] / 1e6),
        p50_ms=seen["p50_us"] / 1000,
        p99_ms=seen["p99_us"] / 1000,
    )


def one_answer(url: str, body_file: Path, headers: Sequence[str] = ()) -> str:
    """Status and the first bytes of one answer, to show what is wrong."""
    named = dict(header.split(": ", 1) for header in ("Content-Type: application/json", *headers))
    request = urllib.request.Request(url, body_file.read_bytes(), named, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return f"{answer.status}: {answer.read(600)!r}"
    except urllib.error.HTTPError as refused:
        return f"{refused.code}: {refused.read(600)!r}"
    except OSError as failed:
        return str(failed)
