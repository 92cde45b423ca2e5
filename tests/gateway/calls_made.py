"""A call as the server hands it in, with a clock that is moved by hand."""

from collections.abc import Callable
from typing import Any

from pointsman.gateway.call import Call
from pointsman.wire.dialect import Dialect
from pointsman.wire.openai_chat import OPENAI_CHAT


class HandClock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def call(dialect: Dialect = OPENAI_CHAT, *, clock: Callable[[], float] | None = None, **more: Any) -> Call:
    clock = clock or HandClock()
    made = Call(
        request_id="pm_1",
        dialect=dialect,
        headers=(),
        query="",
        body=b"{}",
        caller="anonymous",
        credentials=(),
        started_at_s=1_700_000_000.5,
        clock=clock,
        started_clock_s=clock(),
    )
    return made._replace(**more)
