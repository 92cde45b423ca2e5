"""What every scripted vendor does: it takes a request only if its API would, and remembers what it was asked, what it
sealed and what it refused. Which API that is, the vendor's own module says."""

import base64
import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping
from typing import Any, ClassVar

from clients.vendors.script import THOUGHT, Answer, Asked, Brain, Call, Fail, RefusedError
from pointsman.testing import Received, Scripted, scripted

INPUT_TOKENS, CACHED_TOKENS, OUTPUT_TOKENS = 30, 10, 7
"""What every answer used, however a vendor counts it; the cached tokens are among the input."""


class Vendor(ABC):
    """`served` is what was asked and answered, `refused` what was not taken and why. `given` maps every seal to what
    it was put on; `sealed_with_calls` are those of answers that called tools."""

    dialect: ClassVar[str]
    model: ClassVar[str]
    """What the vendor itself calls its model."""
    abilities: ClassVar[tuple[str, ...]] = ("tools", "vision", "json_schema", "thinking")
    base_path: ClassVar[str]
    """What the gateway's configuration has behind the origin."""
    counts: ClassVar[Mapping[str, Any]] = {}
    """What is answered, by the path, to whoever asks how many tokens a prompt has."""

    def __init__(self, brain: Brain) -> None:
        self.brain = brain
        self.key = f"key-of-{self.dialect}"
        self.served: list[Asked] = []
        self.refused: list[str] = []
        self.given: dict[str, Any] = {}
        self.sealed_with_calls: list[str] = []
        self._replies = 0

    @property
    def name(self) -> str:
        """Of the provider in the configuration, and of its model there."""
        return self.dialect

    def forget(self) -> None:
        self.served, self.refused, self.given, self.sealed_with_calls = [], [], {}, []

    def answer(self, request: Received) -> Scripted:
        if request.path in self.counts:
            return scripted(json=self.counts[request.path])
        try:
            self.check_head(request)
            asked = self.read(request, request.json())
            require(THOUGHT not in asked.texts, "a thought is shown as if it had been said")
            told = self.brain(asked)
        except (RefusedError, LookupError, TypeError, ValueError, AttributeError) as error:
            why = str(error) if isinstance(error, RefusedError) else f"malformed: {error!r}"
            details = error.details if isinstance(error, RefusedError) else None
            if details is None:
                self.refused.append(f"{self.dialect}: {why}")
            return self.error(400, why, details)
        if isinstance(told, Fail):
            return self.error(told.status, told.message)
        self.served.append(asked)
        self._replies += 1
        before = set(self.given)
        reply = self.reply(asked, told)
        if any(isinstance(part, Call) for part in told):
            self.sealed_with_calls += [seal for seal in self.given if seal not in before]
        return reply

    # what an API says

    @abstractmethod
    def check_head(self, request: Received) -> None:
        """Method, path and credentials. Raises RefusedError."""

    @abstractmethod
    def read(self, request: Received, body: dict[str, Any]) -> Asked:
        """Raises RefusedError, or whatever a malformed body leads to."""

    @abstractmethod
    def reply(self, asked: Asked, answer: Answer) -> Scripted: ...

    @abstractmethod
    def error(self, status: int, message: str, details: dict[str, Any] | None = None) -> Scripted:
        """`details` are for clients that know what to do about it."""

    # for them

    def new_id(self, prefix: str, place: int = 0) -> str:
        made = hashlib.sha256(f"{self.dialect} {self._replies} {prefix} {place}".encode()).hexdigest()
        return prefix + made[:22]

    def seal(self, content: Any, prefix: str = "", *, url_safe: bool = False) -> str:
        """New opaque state for `content`, some 400 characters long."""
        start = f"{self.dialect} {self._replies} {len(self.given)} {content!r}".encode()
        data = b"".join(hashlib.sha512(start + bytes([at])).digest() for at in range(5))[:300]
        made = prefix + (base64.urlsafe_b64encode(data) if url_safe else base64.b64encode(data)).decode()
        self.given[made] = content
        return made

    def opened(self, seal: str, where: str) -> Any:
        """What a seal that came back was put on."""
        if seal not in self.given:
            raise RefusedError(f"{where}: this was not sealed here: {seal[:40]}...")
        return self.given[seal]


def require(is_so: bool, why: str) -> None:
    if not is_so:
        raise RefusedError(why)


def only(value: Mapping[str, Any], where: str, allowed: Collection[str], needed: Iterable[str] = ()) -> None:
    """An object with these fields and no others."""
    require(isinstance(value, dict), f"{where}: not an object")
    for name in value:
        require(name in allowed, f"{where}.{name}: Extra inputs are not permitted")
    for name in needed:
        require(name in value, f"{where}.{name}: Field required")


def bearer(request: Received, key: str) -> None:
    require(request.header("authorization") == f"Bearer {key}", "not the key of this vendor")
    require(request.header("x-api-key") is None, "a second credential")


def posted(request: Received, *paths: str) -> None:
    require(request.method == "POST", f"{request.method} is no way to ask")
    require(request.path in paths, f"no such path: {request.path}")


def sse(event: object, name: str | None = None, *, end: bytes = b"\n\n") -> bytes:
    head = b"" if name is None else f"event: {name}\n".encode()
    return head + b"data: " + json.dumps(event).encode() + end


def failed(status: int, body: object) -> Scripted:
    return scripted(json=body, status=status)


def pieces(text: str) -> list[str]:
    """A text as it is streamed."""
    middle = len(text) // 2
    return [piece for piece in (text[:middle], text[middle:]) if piece]


def image_of(url: str) -> tuple[str, str]:
    """Media type and data of a data URL."""
    head, found, data = url.partition(";base64,")
    require(bool(found) and head.startswith("data:image/"), f"not an image: {head[:40]}")
    return checked_image(head.removeprefix("data:"), data)


def checked_image(media_type: str, data: str) -> tuple[str, str]:
    raw = base64.b64decode(data, validate=True)
    kinds = {b"\x89PNG": "image/png", b"\xff\xd8\xff\xe0": "image/jpeg"}
    require(kinds.get(raw[:4]) == media_type, f"the data is no {media_type}")
    return media_type, data
