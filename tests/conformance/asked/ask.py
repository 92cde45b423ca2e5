"""What a request asks, and the tools to read it with. Whatever is not understood is kept by its path, so that nobody
can lose it without being seen."""

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass
class Ask:
    """`said` pairs a role (system, user, assistant) with a text, `media` holds a mark for each picture or file,
    `results` the text of what tools answered, `course` what was said, called and
    answered one after the other, `loaded` the deferred tools that the conversation has brought in. `others` is what has no place here, by path."""

    said: list[tuple[str, str]] = field(default_factory=list)
    media: list[str] = field(default_factory=list)
    calls: list[tuple[str, Any]] = field(default_factory=list)
    results: list[str] = field(default_factory=list)
    course: list[tuple[str, str]] = field(default_factory=list)
    shown_by_model: bool = False
    errors: int = 0
    thoughts: list[str] = field(default_factory=list)
    tools: dict[str, Json] = field(default_factory=dict)
    loaded: list[str] = field(default_factory=list)
    choice: str | None = None
    parallel: bool | None = None
    schema: Any = None
    wants_json: bool = False
    params: Json = field(default_factory=dict)
    others: Json = field(default_factory=dict)
    _turn: list[Any] = field(default_factory=list)
    _answers: list[int] = field(default_factory=list)

    def say(self, role: str, text: str | None) -> None:
        if text:
            self.said.append((role, text))
            if role in {"user", "assistant"}:
                self.course.append((role, text))

    def call(self, name: str, arguments: Any, id_: Any = None) -> None:
        self.calls.append((name, arguments))
        self.course.append(("call", json.dumps(arguments, sort_keys=True)))
        if self._answers:
            self._turn = []  # the calls from here on are another turn's
        self._answers = []
        self._turn.append(id_)

    def answer(self, text: str, id_: Any = None) -> None:
        """Answers to one turn's calls count in the order of these calls: some APIs tell them apart by nothing else."""
        place = self._turn.index(id_) if id_ is not None and id_ in self._turn else len(self._turn)
        at = sum(other <= place for other in self._answers)
        behind = len(self._answers) - at
        self._answers.insert(at, place)
        self.results.insert(len(self.results) - behind, text)
        while behind and self.course[-behind:] and any(kind != "result" for kind, _ in self.course[-behind:]):
            behind -= 1  # what was said in between stays where it is
        self.course.insert(len(self.course) - behind, ("result", text))

    def set(self, name: str, value: Any) -> None:
        if value is not None and value not in ([], ()):
            self.params[name] = value


class Fields:
    """A JSON object that is emptied as it is read; what is left at the end was not understood."""

    def __init__(self, ask: Ask, value: Json, path: str = "") -> None:
        self.ask = ask
        self.left = dict(value)
        self.path = path

    def take(self, *names: str) -> Any:
        found = [self.left.pop(name) for name in names if name in self.left]
        return found[0] if found else None

    def sub(self, *names: str) -> "Fields":
        name = next((name for name in names if name in self.left), names[0])
        value = self.take(*names)
        return Fields(self.ask, value if isinstance(value, dict) else {}, f"{self.path}{name}.")

    def each(self, *names: str) -> Iterator["Fields"]:
        name = next((name for name in names if name in self.left), names[0])
        value = self.take(*names)
        for at, one in enumerate([value] if isinstance(value, dict) else value or []):
            yield Fields(self.ask, one, f"{self.path}{name}.{at}.")

    def ignore(self, *names: str) -> None:
        for name in names:
            self.left.pop(name, None)

    def close(self) -> None:
        for name, value in self.left.items():
            self.ask.others[self.path + name] = value
        self.left = {}

    def keep_whole(self, word: str) -> None:
        """The object as a whole is not understood."""
        self.ask.others[f"{self.path}{word}"] = True
        self.left = {}


def show(
    ask: Ask,
    *,
    data: str | None = None,
    url: str | None = None,
    kind: str = "",
    texts: list[str] | None = None,
) -> None:
    """Notes what is shown, in a way that it is recognised by wherever it goes: its bytes or its address. A file of
    text is what it says. Sound, moving pictures and files of other programs are marked: few can take them."""
    if url is not None and url.startswith("data:"):
        head, _, data = url.partition(",")
        kind, url = head[5:].partition(";")[0], None
    family, _, sort = kind.partition("/")
    if data is not None and family == "text":
        text = base64.b64decode(data).decode()
        if texts is None:
            ask.say("user", text)
        else:
            texts.append(text)
        return
    mark = f"url:{url}"
    if data is not None:
        same = data.replace("-", "+").replace("_", "/").rstrip("=")
        mark = "data:" + hashlib.sha256(same.encode()).hexdigest()[:16]
    if family in {"audio", "video"}:
        mark = f"{family}:{mark}"
    elif family == "application" and data is None:
        mark = f"document:{mark}"
    elif sort in {"heic", "heif"}:
        mark = f"heic:{mark}"
    elif family == "application" and sort != "pdf":
        mark = f"other:{mark}"
    ask.media.append(mark)


def parsed(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    try:
        return json.loads(text or "{}")
    except json.JSONDecodeError:
        return text
