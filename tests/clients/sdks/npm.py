"""The JavaScript SDKs as clients that can have the conversations of talk: tests/npm/talk.mjs does it, one process for
all of them. They are installed from the lock once per environment."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar

from clients.sdks.words import KEY
from clients.talk import Failure, Heard, Manner

SOURCES = Path(__file__).resolve().parents[2] / "npm"
UNREACHABLE = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ETIMEDOUT")


class UnavailableError(Exception):
    """Node, npm or the registry is not to be had here."""


def installed() -> Path:
    """The folder with the locked SDKs beside the scripts. Raises UnavailableError."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise UnavailableError("node and npm")
    lock = (SOURCES / "package-lock.json").read_bytes()
    folder = Path(sys.prefix) / "npm" / hashlib.sha256(lock).hexdigest()[:12]
    is_whole = folder / "is-whole"
    folder.mkdir(parents=True, exist_ok=True)
    for source in SOURCES.iterdir():
        if source.is_file():
            shutil.copy2(source, folder)
    if not is_whole.exists():
        command = [npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"]
        ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if ran.returncode != 0 and any(word in ran.stderr for word in UNREACHABLE):
            raise UnavailableError("the npm registry")
        assert ran.returncode == 0, ran.stdout + ran.stderr
        is_whole.touch()
    return folder


class Pipe:
    """The process, and one command at a time."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def __call__(self, **command: Any) -> Any:
        to, back = self._process.stdin, self._process.stdout
        assert to is not None
        assert back is not None
        to.write(json.dumps(command) + "\n")
        to.flush()
        line = back.readline()
        assert line, "the process ended"
        answer = json.loads(line)
        if (failure := answer.get("failure")) is not None:
            if failure["status"] is None:
                raise AssertionError(failure["stack"])
            raise Failure(failure["kind"], failure["status"], failure["message"])
        return answer["talk"] if "talk" in answer else answer["heard"]


@contextmanager
def running(folder: Path) -> Iterator[Pipe]:
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "NODE_NO_WARNINGS": "1"}
    command = ["node", "talk.mjs"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=folder, env=environ, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield Pipe(process)
        finally:
            process.kill()


class NpmClient:
    name: ClassVar[str]
    dialect: ClassVar[str]
    loses_thoughts: ClassVar[bool] = False

    def __init__(self, pipe: Pipe, url: str, key: str = KEY) -> None:
        self._pipe = pipe
        self._url = url
        self._key = key

    def talk(self, manner: Manner) -> "NpmTalk":
        number = self._pipe(do="open", sdk=self.name, url=self._url, key=self._key, manner=asdict(manner))
        return NpmTalk(self._pipe, number)

    def close(self) -> None:
        """Nothing: its connections end with the process."""


class NpmTalk:
    def __init__(self, pipe: Pipe, number: int) -> None:
        self._pipe = pipe
        self._number = number

    def ask(self, model: str, text: str, *, picture: str | None = None) -> Heard:
        return _heard(self._pipe(do="ask", talk=self._number, model=model, text=text, picture=picture))

    def give(self, model: str, results: Sequence[str]) -> Heard:
        return _heard(self._pipe(do="give", talk=self._number, model=model, results=results))

    def describe(self, model: str) -> Any:
        return self._pipe(do="describe", talk=self._number, model=model)

    def run(self, model: str, text: str) -> str:
        told: str = self._pipe(do="run", talk=self._number, model=model, text=text)
        return told

    def models(self) -> list[str]:
        """The names that the SDK lists."""
        names: list[str] = self._pipe(do="models", talk=self._number)
        return names


def _heard(answer: Mapping[str, Any]) -> Heard:
    calls = [(name, arguments) for name, arguments in answer["calls"]]
    return Heard(answer["text"], answer["thinking"], calls, answer["ended"], tuple(answer["usage"]))


class OpenAiNpm(NpmClient):
    name, dialect = "openai", "openai-chat"
    loses_thoughts = True  # runTools gives back nothing that is not OpenAI's own


class AnthropicNpm(NpmClient):
    name, dialect = "anthropic", "anthropic-messages"


class AiOpenAiCompatible(NpmClient):
    name, dialect = "ai-openai-compatible", "openai-chat"


class AiAnthropic(NpmClient):
    name, dialect = "ai-anthropic", "anthropic-messages"


class OpenAiResponsesNpm(NpmClient):
    name, dialect = "openai-responses", "openai-responses"


class GoogleGenAiNpm(NpmClient):
    name, dialect = "google-genai", "gemini"


WITH_OWN_LOOP = ("openai", "anthropic", "ai-openai-compatible", "ai-anthropic")
CLIENTS: tuple[type[NpmClient], ...] = (
    OpenAiNpm,
    OpenAiResponsesNpm,
    AnthropicNpm,
    GoogleGenAiNpm,
    AiOpenAiCompatible,
    AiAnthropic,
)
