"""What the reliability engine adds to a request that succeeds at once, in the process and without a network.

    python bench/engine.py [--rounds N]

Prints microseconds of CPU (the lowest of N rounds) for the engine's own part (who is asked, the lease, the settling,
the headers of a caller's own), for a whole pinned request through the pipeline with a provider that answers at once,
and their ratio; for the look at the beginning of a stream that is held back, in each dialect; and for what the engine
costs a stream in all, at the dearest of these.
"""

import argparse
import asyncio
import json
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from pointsman.app import Lasting, build
from pointsman.config.load import load
from pointsman.core.ports import Answer, HeaderList, Incoming, Outgoing
from pointsman.fleet.attempts import Attempts, RetryPolicy, Try
from pointsman.fleet.retry_budget import RetryBudget
from pointsman.gateway.call import Call
from pointsman.gateway.wishes import read_wishes
from pointsman.wire.anthropic_messages import ANTHROPIC_MESSAGES
from pointsman.wire.dialect import Dialect
from pointsman.wire.gemini import GEMINI
from pointsman.wire.openai_chat import OPENAI_CHAT
from pointsman.wire.openai_responses import OPENAI_RESPONSES

TIMES = 2000
BAR_US = 10.0
YAML = """
providers:
  one: {dialect: openai-chat, base_url: "http://127.0.0.1:1/v1"}
models:
  tiny: {provider: one, tier: simple}
"""
HEADERS: HeaderList = tuple(
    (name, b"value")
    for name in (b"host", b"user-agent", b"accept", b"content-type", b"content-length", b"authorization")
)
BODY = json.dumps({"model": "tiny", "messages": [{"role": "user", "content": "Hi"}]}).encode()
REPLY = json.dumps(
    {
        "id": "1",
        "object": "chat.completion",
        "model": "tiny",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }
).encode()
BEGINNINGS: Mapping[Dialect, tuple[bytes, bytes]] = {
    OPENAI_CHAT: (
        b'data: {"id":"1","choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\n',
        b'data: {"id":"1","choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\n',
    ),
    OPENAI_RESPONSES: (
        b'event: response.created\ndata: {"type":"response.created","response":{"id":"resp_1"}}\n\n',
        b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"Hi"}\n\n',
    ),
    ANTHROPIC_MESSAGES: (
        b'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1"}}\n\n',
        b'event: content_block_delta\ndata: {"type":"content_block_delta","delta":{"text":"Hi"}}\n\n',
    ),
    GEMINI: (
        b'data: {"candidates":[{"content":{"parts":[{"text":""}]}}]}\r\n\r\n',
        b'data: {"candidates":[{"content":{"parts":[{"text":"Hi"}]}}]}\r\n\r\n',
    ),
}
"""What comes before there is content, and the first of it."""


class Reply:
    """An `Incoming` that is there at once."""

    status = 200
    headers: HeaderList = ()
    expects_content = False

    async def first(self) -> bytes:
        return REPLY

    async def read(self, limit_bytes: int) -> bytes:
        return REPLY

    async def pump(self, deliver: Callable[[bytes], None]) -> None:
        deliver(REPLY)

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def abort(self) -> None: ...

    def fail(self, error: Exception) -> None: ...


class Nowhere(Answer):
    """An answer that nobody reads."""

    is_started = False
    disconnected = False

    def start(self, status: int, lines: bytes, *, length: int | None = None) -> None:
        assert status == 200

    def write(self, data: bytes) -> None: ...

    def finish(self) -> None: ...

    def break_off(self) -> None: ...

    def throttle(self, source: Incoming | None) -> None: ...

    def when_silent(self, say: Callable[[Answer], None]) -> None: ...


async def send(outgoing: Outgoing) -> Reply:
    return Reply()


def lowest_us(rounds: int, work: Callable[[], None]) -> float:
    """CPU of one of TIMES, the best of the rounds."""
    best = float("inf")
    for _ in range(rounds):
        began = time.process_time()
        for _ in range(TIMES):
            work()
        best = min(best, time.process_time() - began)
    return best / TIMES * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    with TemporaryDirectory() as folder:
        file = Path(folder) / "pointsman.yaml"
        file.write_text(YAML)
        settings = load(file, {"POINTSMAN_STATE_DIR": folder}, {}).settings
    runtime = build(settings, Lasting(send, lambda entry, attempts: None), now_s=0.0)
    clock, chain, budget, policy = time.perf_counter, runtime.brain.cards, RetryBudget(), RetryPolicy()

    def engine() -> None:
        read_wishes(HEADERS)
        attempts = Attempts(chain, runtime.fleet, policy, budget)
        step = attempts.next(clock())
        assert isinstance(step, Try)
        attempts.first_content(step, clock())
        attempts.succeeded(step, clock(), 0.1)

    def request() -> None:
        call = Call("pm_1", OPENAI_CHAT, HEADERS, "", BODY, "anonymous", (), 0.0, clock, clock())
        coroutine = runtime.pipeline.handle(call, Nowhere())
        try:
            coroutine.send(None)
        except StopIteration:
            return
        raise AssertionError("it waited")

    def beginning(dialect: Dialect) -> None:
        before, first = BEGINNINGS[dialect]
        assert not dialect.has_content(before)
        assert dialect.has_content(first)

    async def measure() -> tuple[float, float, dict[str, float]]:
        begun = {dialect.name: lowest_us(rounds, partial(beginning, dialect)) for dialect in BEGINNINGS}
        return lowest_us(rounds, engine), lowest_us(rounds, request), begun

    engine_us, request_us, begun_us = asyncio.run(measure())
    print(f"engine                  {engine_us:7.2f} us")
    print(f"whole pinned request    {request_us:7.2f} us  ({engine_us / request_us:.0%} of it the engine's)")
    for name, us in begun_us.items():
        print(f"beginning of a stream   {us:7.2f} us  ({name}: two events, once)")
    print(f"both, of a stream       {engine_us + max(begun_us.values()):7.2f} us  (bar {BAR_US:g})")


if __name__ == "__main__":
    main()
