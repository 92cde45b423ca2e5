"""`GET /v1/models` in the shape its caller reads: OpenAI's list, Anthropic's pages or Gemini's."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pointsman.core.errors import BadRequest


@dataclass(frozen=True, slots=True)
class ListedModel:
    """One name a client may ask for. `owner` is its provider, or pointsman for a virtual model. The limits are
    None where they are not known, or depend on the request."""

    name: str
    owner: str
    display_name: str
    context_tokens: int | None = None
    max_output_tokens: int | None = None


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
        """One page. `limit` 1..1000, as Anthropic's own endpoint takes it. Raises BadRequest."""
        models = self._models
        start = 0 if after_id is None else self._place(after_id, "after_id") + 1
        end = len(models) if before_id is None else self._place(before_id, "before_id")
        if before_id is not None:
            start = max(start, end - limit)
        page = models[start : min(end, start + limit)]
        return {
            "data": [self.anthropic_item(model) for model in page],
            "has_more": start + len(page) < end if before_id is None else start > 0,
            "first_id": page[0].name if page else None,
            "last_id": page[-1].name if page else None,
        }

    def _place(self, name: str, param: str) -> int:
        model = self._by_name.get(name)
        if model is None:
            raise BadRequest(f"{param}: there is no model {name}", param=param)
        return self._models.index(model)

    def anthropic_item(self, model: ListedModel) -> dict[str, Any]:
        return {
            "type": "model",
            "id": model.name,
            "display_name": model.display_name,
            "created_at": self._created_at,
        }

    def gemini(self, page_size: int = 50, page_token: str | None = None) -> dict[str, Any]:
        """One page. `page_size` 1..1000; a token is the name that the page begins with. Raises BadRequest."""
        start = 0 if not page_token else self._place(page_token, "pageToken")
        page = self._models[start : start + page_size]
        listed: dict[str, Any] = {"models": [self.gemini_item(model) for model in page]}
        if start + page_size < len(self._models):
            listed["nextPageToken"] = self._models[start + page_size].name
        return listed

    def gemini_item(self, model: ListedModel) -> dict[str, Any]:
        item: dict[str, Any] = {
            "name": f"models/{model.name}",
            "version": "001",
            "displayName": model.display_name,
            "description": f"Served by {model.owner}",
            "supportedGenerationMethods": ["generateContent", "streamGenerateContent", "countTokens"],
        }
        if model.context_tokens is not None:
            item["inputTokenLimit"] = model.context_tokens
        if model.max_output_tokens is not None:
            item["outputTokenLimit"] = model.max_output_tokens
        return item
