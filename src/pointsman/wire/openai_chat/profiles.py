"""OpenAI chat: how the API of each provider departs from OpenAI's, as data. What to do about it is decided where
requests are written.

A profile says what a provider is known to take, from its documentation and its recorded answers. A provider that
nobody here knows gets GENERIC: the plain core of the dialect, which every compatible server has been seen to take.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

ReasoningShape = Literal["effort", "object", "thinking", "budget", "enable", "template", "none"]
"""How a request says how hard to think:

- effort: `reasoning_effort`
- object: `reasoning` {effort or max_tokens, exclude}
- thinking: `thinking` {type: enabled or disabled}, and `reasoning_effort` where `efforts` names some
- budget: `thinking` {type, budget_tokens}
- enable: `enable_thinking`, `thinking_budget`
- template: `chat_template_kwargs` {enable_thinking}
- none: not at all
"""

ReasoningField = Literal["reasoning_content", "reasoning", "reasoning_details", "content", "none"]
"""Where earlier reasoning goes back to the one who made it; "content" is a list with `thinking` parts."""

Knob = Literal["temperature", "top_p", "frequency_penalty", "presence_penalty"]

EFFORTS = ("low", "medium", "high")
ALL_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


@dataclass(frozen=True, slots=True)
class Profile:
    """What is left at its default is as with OpenAI, or as every known server does it.

    `names_openai_models`: model ids are OpenAI's own, and what is known of them by their names holds.
    `system`: where system messages are taken: "many" anywhere, "leading" anywhere but those that lead made one,
    "first" only one and only at the start.
    `efforts`: those that may be named, empty where none may; `efforts_of_models` says otherwise of models whose ids
    hold a word. `forced_tool`: "none" where the model cannot be made to
    call a tool, "required" the word for any of them, "any" Mistral's. `stops_max` None: as many as one likes.
    `call_ids`: "nine" letters and digits is Mistral's rule. `files`: how PDFs are sent, as data or (`file_urls`) by their
    address. `image_urls`: pictures by theirs.
    `call_signatures`: Google's, on calls and messages. `extras`: OpenAI's own fields besides the core, which a caller
    of its other dialect may have set.
    """

    names_openai_models: bool = False
    limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    system: Literal["many", "leading", "first"] = "leading"
    reasoning: ReasoningShape = "effort"
    efforts: tuple[str, ...] = EFFORTS
    efforts_of_models: tuple[tuple[str, tuple[str, ...]], ...] = ()
    history: ReasoningField = "reasoning_content"
    tools: bool = True
    forced_tool: Literal["required", "any", "none"] = "required"
    parallel: bool = True
    strict: bool = True
    call_ids: Literal["opaque", "nine"] = "opaque"
    seed: Literal["seed", "random_seed", "none"] = "seed"
    stops_max: int | None = 4
    temperature_max: float = 2
    refused_knobs: frozenset[Knob] = frozenset()
    top_k: bool = False
    logprobs: bool = True
    json_schema: bool = True
    json_object: bool = True
    stream_options: bool = True
    images: bool = True
    image_urls: bool = True
    files: Literal["file", "document_url", "none"] = "file"
    file_urls: bool = False
    audio: bool = True
    user: bool = True
    call_signatures: bool = False
    extras: bool = False


GENERIC = Profile(names_openai_models=True)

_OPENAI = Profile(names_openai_models=True, system="many")
_TEXT_ONLY = Profile(images=False, image_urls=False, files="none", audio=False)
_PENALTIES: frozenset[Knob] = frozenset(("frequency_penalty", "presence_penalty"))
_OWN_MACHINE = Profile(system="first", top_k=True, stops_max=None, files="none", audio=False)

PROFILES: Mapping[str, Profile] = {
    "openai": replace(_OPENAI, limit="max_completion_tokens", extras=True),
    "azure": _OPENAI,
    "openrouter": Profile(
        system="many",
        reasoning="object",
        efforts=ALL_EFFORTS,
        history="reasoning_details",
        top_k=True,
        file_urls=True,
    ),
    "groq": Profile(
        limit="max_completion_tokens",
        efforts_of_models=(("qwen", ("none",)),),
        history="reasoning",
        logprobs=False,
        files="none",
        audio=False,
    ),
    "mistral": Profile(
        efforts=("none", "high"),
        history="content",
        forced_tool="any",
        call_ids="nine",
        seed="random_seed",
        stops_max=None,
        logprobs=False,
        stream_options=False,
        files="document_url",
        file_urls=True,
        audio=False,
        user=False,
    ),
    "deepseek": replace(
        _TEXT_ONLY,
        reasoning="thinking",
        efforts=("high", "max"),
        strict=False,
        stops_max=16,
        json_schema=False,
        user=False,
    ),
    "xai": Profile(
        system="many",
        efforts=(),
        efforts_of_models=(("mini", ("low", "high")),),
        history="none",
        files="none",
        audio=False,
    ),
    "together": Profile(
        history="reasoning", top_k=True, stops_max=None, logprobs=False, files="none", audio=False
    ),
    "fireworks": Profile(top_k=True, files="none", audio=False),
    "perplexity": Profile(
        system="first",
        history="none",
        tools=False,
        forced_tool="none",
        parallel=False,
        seed="none",
        stops_max=0,
        logprobs=False,
        json_object=False,
        top_k=True,
        audio=False,
        user=False,
    ),
    "cerebras": replace(
        _TEXT_ONLY,
        limit="max_completion_tokens",
        efforts_of_models=(("glm", ("none", *EFFORTS)),),
        history="reasoning",
        refused_knobs=_PENALTIES,
    ),
    "moonshot": Profile(
        reasoning="thinking",
        efforts=(),
        forced_tool="none",
        stops_max=5,
        temperature_max=1,
        seed="none",
        logprobs=False,
        json_schema=False,
        strict=False,
        image_urls=False,
        files="none",
        audio=False,
    ),
    "zai": Profile(
        reasoning="thinking",
        efforts=(),
        efforts_of_models=(("glm-5", ("high", "max")),),
        forced_tool="none",
        parallel=False,
        strict=False,
        seed="none",
        stops_max=1,
        temperature_max=1,
        refused_knobs=_PENALTIES,
        logprobs=False,
        json_schema=False,
        files="none",
        audio=False,
        user=False,
    ),
    "alibaba": Profile(
        reasoning="enable",
        efforts=(),
        strict=False,
        stops_max=None,
        top_k=True,
        json_schema=False,
        files="none",
        user=False,
    ),
    "huggingface": Profile(system="first", history="none", files="none", audio=False),
    "databricks": Profile(
        reasoning="budget",
        efforts=(),
        history="none",
        parallel=False,
        seed="none",
        stream_options=False,
        files="none",
        audio=False,
        user=False,
    ),
    "snowflake": Profile(
        limit="max_completion_tokens",
        reasoning="object",
        history="reasoning_details",
        seed="none",
        logprobs=False,
        parallel=False,
        files="none",
        audio=False,
        user=False,
    ),
    "cloudflare": Profile(
        history="none", parallel=False, logprobs=False, files="none", audio=False, user=False
    ),
    "gemini": Profile(
        efforts=("none", "minimal", "low", "medium", "high"),
        history="none",
        parallel=False,
        stops_max=5,
        seed="none",
        logprobs=False,
        image_urls=False,
        files="none",
        user=False,
        call_signatures=True,
    ),
    "deepinfra": Profile(top_k=True, files="none", audio=False),
    "nvidia": Profile(
        system="first", reasoning="template", efforts=(), top_k=True, files="none", audio=False, user=False
    ),
    "sambanova": Profile(parallel=False, seed="none", logprobs=False, files="none", audio=False, user=False),
    "vllm": replace(_OWN_MACHINE, reasoning="template", efforts=(), history="reasoning"),
    "llamacpp": replace(_OWN_MACHINE, reasoning="template", efforts=(), image_urls=False),
    "lmstudio": replace(_OWN_MACHINE, image_urls=False, logprobs=False),
    "ollama": replace(
        _OWN_MACHINE,
        efforts=("none", *EFFORTS),
        history="reasoning",
        forced_tool="none",
        parallel=False,
        strict=False,
        image_urls=False,
        top_k=False,
        logprobs=False,
        user=False,
    ),
    "litellm": Profile(
        names_openai_models=True, system="many", efforts=ALL_EFFORTS, history="reasoning_content", top_k=True
    ),
}
"""By the name that the configuration gives a provider, or that its `profile` gives."""


def profile_of(name: str) -> Profile:
    return PROFILES.get(name, GENERIC)
