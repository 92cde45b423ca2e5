"""The gateway that a soak watches: a real one in a process of its own, which besides answers each line on its standard
input with a line of what it holds. It changes nothing of what the gateway does."""

import asyncio
import json
import os
import signal
import sys
import threading
from pathlib import Path

import uvloop

from pointsman.app import Stopper, run
from pointsman.config.load import load
from pointsman.ledger.store import Ledger
from pointsman.server.eager_task import EagerTask
from pointsman.server.sockets import listen, url_of


def held(stopper: Stopper) -> dict[str, int]:
    """Called in the loop. The main task and the one that counts are not counted."""
    server = stopper.server
    if server is None:
        return {}
    requests = sum(isinstance(task, EagerTask) for task in server.server_state.tasks)
    return {
        "tasks": len(asyncio.all_tasks()) - 2,
        "requests": requests,
        "slots": server.slots.in_flight,
        "waiting": server.slots.waiting,
        "shed": server.slots.shed,
        "clients": len(server.server_state.connections),
    }


def answer_lines(loop: asyncio.AbstractEventLoop, stopper: Stopper) -> None:
    async def count() -> dict[str, int]:
        return held(stopper)

    for _ in sys.stdin:
        counted = asyncio.run_coroutine_threadsafe(count(), loop).result(60)
        sys.stdout.write(json.dumps(counted) + "\n")
        sys.stdout.flush()


def main() -> None:
    folder = Path(sys.argv[1])
    environ = {**os.environ, "POINTSMAN_STATE_DIR": str(folder)}
    loaded = load(folder / "pointsman.yaml", environ, {"port": 0})
    stopper = Stopper()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stopper.on_signal)
    ledger = Ledger(folder / "ledger.db")
    ledger.open()
    server = loaded.settings.server
    listener = listen(server.host, server.port)

    async def serve() -> None:
        reader = threading.Thread(
            target=answer_lines, args=(asyncio.get_running_loop(), stopper), daemon=True
        )
        reader.start()
        await run(loaded, listener, ledger.record, stopper)

    sys.stdout.write(url_of(listener) + "\n")
    sys.stdout.flush()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve())
    finally:
        ledger.close()


if __name__ == "__main__":
    main()
