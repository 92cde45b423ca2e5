"""What a request of OpenAI's dialects holds that has no place in a Request, gathered by name or path. It decides nothing
about targets."""

from typing import Any

from pointsman.core.errors import Unsupported


class LeftOut:
    def __init__(self) -> None:
        self.foreign: dict[str, Any] = {}
        self.must_not_drop: set[str] = set()

    def note(self, name: str, value: Any) -> None:
        """A hint: the answer is the same kind of answer without it."""
        self.foreign[name] = value

    def insist_on(self, name: str, value: Any) -> None:
        """Something the caller relies on."""
        self.foreign[name] = value
        self.must_not_drop.add(name)


def not_translatable(path: str, what: str) -> Unsupported:
    return Unsupported(
        f"'{path}': {what} cannot be translated for the model this request is sent to.",
        param=path,
        code="unsupported_value",
    )
