"""`GET /v1/models` in the shape its caller reads: OpenAI's list, or Anthropic's pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class ListedModel:
    """One name a client may ask for. `owner` is its provider, or pointsman for a virtual model."""

    name: str
    owner: str
    display_name: str


class ModelList:
    """The names in the order they are shown: virtual models first. `created_s` is a Unix time: when this
    configuration came to be, since nobody knows when the models did."""

    def __init__(self, models: Sequence[ListedModel], created_s: int) -> None:
        self._models = tuple(models)
        self._by_name = {model.name: model for model in models}
        self._created_s = created_s
        self._created_at = datetime.fromtimestamp(created_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def find(self, name: str) -> ListedModel | None:
        return self._by_name.get(name)

    def openai(self) -> dict[str, Any]:
        return {"object": "list", "data": [self.openai_item(model) for model in self._models]}

    def openai_item(self, model: ListedModel) -> dict[str, Any]:
        return {"id": model.name, "object": "model", "created": self._created_s, "owned_by": model.owner}

    def anthropic(
        self, limit: int = 20, after_id: str | None = None, before_id: str | None = None
    ) -> dict[str, Any]:
        """One page. `limit` 1..1000, as Anthropic's own endpoint takes it."""
        models = self._models
        names = [model.name for model in models]
        start, end = 0, len(models)
        if after_id in names:
            start = names.index(after_id) + 1
        if before_id in names:
            end = names.index(before_id)
            start = max(start, end - limit)
        page = models[start : min(end, start + limit)]
        return {
            "data": [self.anthropic_item(model) for model in page],
            "has_more": start + len(page) < end if before_id is None else start > 0,
            "first_id": page[0].name if page else None,
            "last_id": page[-1].name if page else None,
        }

    def anthropic_item(self, model: ListedModel) -> dict[str, Any]:
        return {
            "type": "model",
            "id": model.name,
            "display_name": model.display_name,
            "created_at": self._created_at,
        }
