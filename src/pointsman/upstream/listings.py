"""Reads the lists of models that servers give, each server's own extras included: OpenAI-compatible ones (vLLM, llama.cpp,
OpenRouter, Groq, Mistral, Together, LM Studio), LiteLLM's and Ollama's. It sends nothing."""

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from pointsman.core.model_card import Ability
from pointsman.fleet.listed import Listed, Rates, seems_to_write_text
from pointsman.fleet.sizing import size_as_written

_MILLION = 1_000_000
_CONTEXT_KEYS = (
    "max_model_len",
    "context_length",
    "context_window",
    "max_context_length",
    "loaded_context_length",
)
_NOT_TEXT_KINDS = re.compile(r"embed|rerank|audio|image|transcri|speech|moderation|video|ocr", re.IGNORECASE)


class NotAList(ValueError):
    """What came is not a list of models."""


def read_openai(body: Any) -> tuple[Listed, ...]:
    """`/v1/models`. Raises NotAList."""
    items = body.get("data") if isinstance(body, dict) else body
    return tuple(
        _openai(item) for item in _items(items) if _name(item, "id") and item.get("active") is not False
    )


def read_litellm(body: Any) -> tuple[Listed, ...]:
    """`/model/info`: one entry for each deployment, so several for a name that is balanced. Raises NotAList."""
    items = body.get("data") if isinstance(body, dict) else None
    found: dict[str, Listed] = {}
    for item in _items(items):
        name = _name(item, "model_name")
        if name and "*" not in name:
            found.setdefault(name, _litellm(name, _mapping(item, "model_info")))
    return tuple(found.values())


def read_ollama(body: Any) -> tuple[Listed, ...]:
    """`/api/tags`. Raises NotAList."""
    items = body.get("models") if isinstance(body, dict) else None
    return tuple(_ollama(item) for item in _items(items) if _name(item, "name"))


def read_ollama_shown(listed: Listed, body: Any) -> Listed:
    """The same with what `/api/show` adds: the context size it was made for, and what it can do."""
    if not isinstance(body, dict):
        return listed
    info = _mapping(body, "model_info")
    contexts = [value for key, value in info.items() if str(key).endswith(".context_length")]
    count = info.get("general.parameter_count")
    said = body.get("capabilities")
    names = frozenset(str(one) for one in said) if isinstance(said, list) else None
    abilities: frozenset[Ability] | None = None
    if names is not None:
        abilities = frozenset(_ollama_abilities(names))
    return Listed(
        id=listed.id,
        billions=count / 1e9 if isinstance(count, int) and count > 0 else listed.billions,
        context_tokens=_tokens(contexts[0]) if contexts else None,
        abilities=abilities,
        rates=listed.rates,
        writes_text=listed.writes_text if names is None else "completion" in names,
    )


def _ollama_abilities(names: frozenset[str]) -> Iterator[Ability]:
    yield "json_schema"  # the server itself holds any model to a schema
    if "tools" in names:
        yield "tools"
    if "vision" in names:
        yield "vision"
    if "thinking" in names:
        yield "thinking"


def _ollama(item: Mapping[str, Any]) -> Listed:
    details = _mapping(item, "details")
    name = str(item["name"])
    is_at_home = not item.get("remote_host") and not name.endswith("cloud")
    return Listed(
        id=name,
        billions=size_as_written(str(details.get("parameter_size") or "")),
        rates=Rates(Decimal(0), Decimal(0)) if is_at_home else None,  # nobody sends a bill
        writes_text="bert" not in str(details.get("family") or "") and seems_to_write_text(name),
    )


def _openai(item: Mapping[str, Any]) -> Listed:
    name = str(item["id"])
    meta = _mapping(item, "meta")  # llama.cpp
    parameters = meta.get("n_params")
    context = next((tokens for key in _CONTEXT_KEYS if (tokens := _tokens(item.get(key)))), None)
    top = _mapping(item, "top_provider")  # OpenRouter
    kind = str(item.get("type") or item.get("task") or "")
    capabilities = _mapping(item, "capabilities")  # Mistral
    writes_text = seems_to_write_text(name) and not _NOT_TEXT_KINDS.search(kind)
    outputs = _mapping(item, "architecture").get("output_modalities")
    if isinstance(outputs, list):
        writes_text = "text" in outputs
    elif capabilities:
        writes_text = writes_text and capabilities.get("completion_chat") is not False
    return Listed(
        id=name,
        billions=parameters / 1e9 if isinstance(parameters, int | float) and parameters > 0 else None,
        context_tokens=context or _tokens(meta.get("n_ctx")) or _tokens(meta.get("n_ctx_train")),
        max_output_tokens=_tokens(top.get("max_completion_tokens"))
        or _tokens(item.get("max_completion_tokens")),
        abilities=_abilities(item, capabilities),
        rates=_openrouter_rates(item.get("pricing")),
        writes_text=writes_text,
    )


def _abilities(item: Mapping[str, Any], capabilities: Mapping[str, Any]) -> frozenset[Ability] | None:
    """OpenRouter's and Mistral's words; None where nothing is said."""
    inputs = _mapping(item, "architecture").get("input_modalities")
    parameters = item.get("supported_parameters")
    found: set[Ability] = set()
    if isinstance(inputs, list) and isinstance(parameters, list):
        found |= _said(inputs, {"image": "vision", "file": "documents", "audio": "audio"})
        found |= _said(
            parameters, {"tools": "tools", "structured_outputs": "json_schema", "reasoning": "thinking"}
        )
        return frozenset(found)
    if "function_calling" in capabilities:
        found |= _said(
            [key for key, value in capabilities.items() if value is True],
            {"function_calling": "tools", "vision": "vision", "reasoning": "thinking", "audio": "audio"},
        )
        return frozenset(found | {"json_schema"})
    return None


def _said(words: Iterable[Any], meaning: Mapping[str, Ability]) -> set[Ability]:
    return {meaning[word] for word in words if isinstance(word, str) and word in meaning}


def _openrouter_rates(pricing: Any) -> Rates | None:
    """Dollars per token, as text. Numbers are another server's, in another unit; -1 is a price that depends."""
    if not isinstance(pricing, dict):
        return None
    prompt, completion = _per_token(pricing.get("prompt")), _per_token(pricing.get("completion"))
    if prompt is None or completion is None:
        return None
    return Rates(
        prompt,
        completion,
        _per_token(pricing.get("input_cache_read")),
        _per_token(pricing.get("input_cache_write")),
    )


def _per_token(text: Any) -> Decimal | None:
    return _dollars(text) if isinstance(text, str) else None


def _dollars(value: Any) -> Decimal | None:
    """Per million, of dollars per token."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        rate = Decimal(str(value)) * _MILLION
    except InvalidOperation:
        return None
    return rate.normalize() if rate.is_finite() and rate >= 0 else None


def _litellm(name: str, info: Mapping[str, Any]) -> Listed:
    mode = info.get("mode")
    said: dict[str, Ability] = {
        "supports_function_calling": "tools",
        "supports_vision": "vision",
        "supports_pdf_input": "documents",
        "supports_audio_input": "audio",
        "supports_response_schema": "json_schema",
        "supports_reasoning": "thinking",
    }
    known = [key for key in said if isinstance(info.get(key), bool)]
    price, answer_price = (
        _dollars(info.get("input_cost_per_token")),
        _dollars(info.get("output_cost_per_token")),
    )
    is_priced = bool(price or answer_price)  # it says 0 for what it does not know
    return Listed(
        id=name,
        context_tokens=_tokens(info.get("max_input_tokens")),
        max_output_tokens=_tokens(info.get("max_output_tokens")),
        abilities=frozenset(said[key] for key in known if info[key]) if known else None,
        rates=Rates(price, answer_price, _dollars(info.get("cache_read_input_token_cost")))
        if is_priced and price is not None and answer_price is not None
        else None,
        writes_text=mode in {"chat", "completion", "responses"} if mode else seems_to_write_text(name),
    )


def _items(items: Any) -> list[Mapping[str, Any]]:
    if not isinstance(items, list):
        raise NotAList("no list of models")
    return [item for item in items if isinstance(item, dict)]


def _name(item: Mapping[str, Any], key: str) -> str:
    """Empty for what cannot be a name."""
    name = item.get(key)
    return name if isinstance(name, str) and re.fullmatch(r"[!-~]{1,200}", name) else ""


def _mapping(item: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = item.get(key)
    return found if isinstance(found, dict) else {}


def _tokens(value: Any) -> int | None:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value if is_number and 0 < value <= 1_000_000_000 else None
