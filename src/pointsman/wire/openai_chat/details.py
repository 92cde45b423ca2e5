"""OpenAI chat: `reasoning_details`, OpenRouter's list of what a model thought: texts, summaries, signatures and
encrypted state, of which providers want back all that was sealed, just as it was. Nothing here looks into it.
"""

from typing import Any

import msgspec

_encode = msgspec.json.Encoder().encode
_TEXTS = ("text", "summary")


class ReasoningDetails:
    """Puts the details of one stretch of thinking together. A stream tells one in pieces with the same index."""

    __slots__ = ("_details", "_pieces", "are_sealed")

    def __init__(self) -> None:
        self._details: list[dict[str, Any]] = []
        self._pieces: list[dict[str, list[str]]] = []
        self.are_sealed = False
        """Something in them can be read by its maker only."""

    def add(self, details: list[Any]) -> None:
        for detail in details:
            if isinstance(detail, dict):
                self._add(detail)

    def _add(self, detail: dict[str, Any]) -> None:
        self.are_sealed = self.are_sealed or bool(detail.get("signature") or detail.get("data"))
        if not self._continues(detail):
            self._details.append({})
            self._pieces.append({})
        known, pieces = self._details[-1], self._pieces[-1]
        for name, value in detail.items():
            if name in _TEXTS and isinstance(value, str):
                pieces.setdefault(name, []).append(value)
            elif value not in (None, "") or name not in known:
                known[name] = value

    def _continues(self, detail: dict[str, Any]) -> bool:
        if not self._details or detail.get("data"):
            return False
        last = self._details[-1]
        return all(last.get(name) == detail.get(name) for name in ("type", "index"))

    def sealed(self) -> str:
        """The list as JSON, empty where nothing in it is sealed. What comes then is another stretch."""
        details = [
            {**known, **{name: "".join(texts) for name, texts in pieces.items()}}
            for known, pieces in zip(self._details, self._pieces, strict=True)
        ]
        data = _encode(details).decode() if self.are_sealed else ""
        self._details, self._pieces, self.are_sealed = [], [], False
        return data


def text_of_details(details: Any) -> str:
    """What can be read in them."""
    if not isinstance(details, list):
        return ""
    texts = (each.get("text") or each.get("summary") for each in details if isinstance(each, dict))
    return "".join(text for text in texts if isinstance(text, str))
