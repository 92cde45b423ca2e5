"""`pointsman` as a process of its own, with what it says."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Self


class Served:
    """One running `pointsman`."""

    def __init__(self, arguments: tuple[str, ...], folder: Path, environ: Mapping[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pointsman", *arguments],
            cwd=folder,
            env={
                **{name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ},
                "HOME": str(folder),
                "OLLAMA_HOST": "127.0.0.1:1",  # nothing listens there
                "POINTSMAN_STATE_DIR": str(folder),
                **environ,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.out: list[str] = []
        self.err: list[str] = []
        self._listening = threading.Event()
        self._readers = [
            threading.Thread(target=self._read, args=(self.process.stdout, self.out)),
            threading.Thread(target=self._read, args=(self.process.stderr, self.err)),
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, stream: IO[str], lines: list[str]) -> None:
        for line in stream:
            lines.append(line)
            if "listening on http://" in line:
                self._listening.set()
        self._listening.set()  # it never will

    @property
    def url(self) -> str:
        assert self._listening.wait(60)
        line = next((line for line in self.out if "listening on" in line), None)
        assert line is not None, f"it ended with {self.wait()}: {self.said}"
        return line.rpartition(" ")[2].strip()

    @property
    def said(self) -> str:
        return "".join(self.out + self.err)

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self) -> int:
        code = self.process.wait(60)
        for reader in self._readers:
            reader.join()
        return code

    def stop(self) -> int:
        self.signal(signal.SIGTERM)
        return self.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.wait()
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()


Serve = Callable[..., Served]
