"""What a provider's name brings with it: URL, dialect, where its key is found. Literal data, no code.

Only prefixes that no other provider's keys share are listed: a caller's own key is passed on by them.
"""

from pointsman.upstream.provider import KnownProvider

DEMO = "demo"
"""The name of the provider of simulated models."""
DEMO_URL = "demo:"
"""The base URL of the provider that is embedded in this program and answers without a network."""

_CHAT = "openai-chat"

KNOWN_PROVIDERS: dict[str, KnownProvider] = {
    "anthropic": KnownProvider(
        dialect="anthropic-messages",
        base_url="https://api.anthropic.com/v1",
        key_variables=("ANTHROPIC_API_KEY",),
        credential_header="x-api-key",
        caller_key_prefixes=("sk-ant-",),
        prices_as="anthropic",
    ),
    "openai": KnownProvider(
        dialect=_CHAT,
        base_url="https://api.openai.com/v1",
        key_variables=("OPENAI_API_KEY",),
        also_speaks=("openai-responses",),
        caller_key_prefixes=("sk-proj-", "sk-svcacct-"),
        prices_as="openai",
    ),
    "openrouter": KnownProvider(
        dialect=_CHAT,
        base_url="https://openrouter.ai/api/v1",
        key_variables=("OPENROUTER_API_KEY",),
        caller_key_prefixes=("sk-or-",),
        prices_as="openrouter",
    ),
    "gemini": KnownProvider(
        dialect="gemini",
        base_url="https://generativelanguage.googleapis.com/v1beta",
        key_variables=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        credential_header="x-goog-api-key",
        caller_key_prefixes=("AIza",),
        prices_as="google",
    ),
    "alibaba": KnownProvider(
        dialect=_CHAT,
        base_url="https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
        key_variables=("DASHSCOPE_API_KEY",),
    ),
    "azure": KnownProvider(
        dialect=_CHAT,
        base_url="https://RESOURCE.openai.azure.com/openai/v1",
        key_variables=("AZURE_OPENAI_API_KEY",),
        credential_header="api-key",
        prices_as="azure",
    ),
    "cerebras": KnownProvider(
        dialect=_CHAT,
        base_url="https://api.cerebras.ai/v1",
        key_variables=("CEREBRAS_API_KEY",),
        caller_key_prefixes=("csk-",),
        prices_as="cerebras",
    ),
    "cloudflare": KnownProvider(
        dialect=_CHAT,
        base_url="https://api.cloudflare.com/client/v4/accounts/ACCOUNT/ai/v1",
        key_variables=("CLOUDFLARE_API_TOKEN",),
    ),
    "databricks": KnownProvider(
        dialect=_CHAT,
        base_url="https://WORKSPACE/serving-endpoints",
        key_variables=("DATABRICKS_TOKEN",),
    ),
    "deepinfra": KnownProvider(
        dialect=_CHAT,
        base_url="https://api.deepinfra.com/v1/openai",
        key_variables=("DEEPINFRA_API_KEY", "DEEPINFRA_TOKEN"),
    ),
    "deepseek": KnownProvider(
        dialect=_CHAT,
        base_url="https://api.deepseek.com/v1",
        key_variables=("DEEPSEEK_API_KEY",),
        prices_as="deepseek",
    ),
    "fireworks": KnownProvider(
        dialect=_CHAT,
        base_url="https://api.fireworks.ai/inference/v1",
        key_variables=("FIREWORKS_API_KEY",),
        caller_key_prefixes=("fw_",),
        prices_as="fireworks",
    ),
    "groq": KnownProvider(
        dialect=_CHAT,
        base_url="https://api.groq.com/openai/v1",
        key_variables=("GROQ_API_KEY",),
        caller_key_prefixes=("gsk_",),
        prices_as="groq",
    ),
    "huggingface": KnownProvider(
        dialect=_CHAT,
        base_url="https://router.huggingface.co/v1",
        key_variables=("HF_TOKEN",),
        caller_key_prefixes=("hf_",),
    ),
    "mistral": KnownProvider(
        dialect=_CHAT,
        base_url="https://api.mistral.ai/v1",
        key_variables=("MISTRAL_API_KEY",),
        prices_as="mistral",
    ),
    "moonshot": KnownProvider(
        dialect=_CHAT,
        base_url="https://api.moonshot.ai/v1",
        key_variables=("MOONSHOT_API_KEY",),
        prices_as="moonshotai",
    ),
    "nvidia": KnownProvider(
        dialect=_CHAT,
        base_url="https://integrate.api.nvidia.com/v1",
        key_variables=("NVIDIA_API_KEY",),
        caller_key_prefixes=("nvapi-",),
    ),
    "perplexity": KnownProvider(
        dialect=_CHAT,
        base_url="https://api.perplexity.ai",
        key_variables=("PERPLEXITY_API_KEY",),
        caller_key_prefixes=("pplx-",),
        prices_as="perplexity",
    ),
    "sambanova": KnownProvider(
        dialect=_CHAT,
        base_url="https://api.sambanova.ai/v1",
        key_variables=("SAMBANOVA_API_KEY",),
    ),
    "snowflake": KnownProvider(
        dialect=_CHAT,
        base_url="https://ACCOUNT.snowflakecomputing.com/api/v2/cortex/v1",
        key_variables=("SNOWFLAKE_PAT",),
    ),
    "together": KnownProvider(
        dialect=_CHAT,
        base_url="https://api.together.xyz/v1",
        key_variables=("TOGETHER_API_KEY",),
        caller_key_prefixes=("tgp_v1_",),
        prices_as="together",
    ),
    "xai": KnownProvider(
        dialect=_CHAT,
        base_url="https://api.x.ai/v1",
        key_variables=("XAI_API_KEY",),
        caller_key_prefixes=("xai-",),
        prices_as="x-ai",
    ),
    "zai": KnownProvider(
        dialect=_CHAT,
        base_url="https://api.z.ai/api/paas/v4",
        key_variables=("ZAI_API_KEY",),
        prices_as="zai",
    ),
    # On one's own machine, at their usual ports; without a key.
    "ollama": KnownProvider(
        dialect="ollama",
        base_url="http://localhost:11434",
        key_variables=(),
        credential_header="none",
    ),
    "llamacpp": KnownProvider(
        dialect=_CHAT,
        base_url="http://localhost:8080/v1",
        key_variables=(),
    ),
    "litellm": KnownProvider(
        dialect=_CHAT,
        base_url="http://HOST:4000/v1",
        key_variables=("LITELLM_API_KEY",),
    ),
    "lmstudio": KnownProvider(
        dialect=_CHAT,
        base_url="http://localhost:1234/v1",
        key_variables=(),
    ),
    "vllm": KnownProvider(
        dialect=_CHAT,
        base_url="http://localhost:8000/v1",
        key_variables=(),
    ),
    # Inside this program: simulated models, so that everything can be tried without an account.
    DEMO: KnownProvider(
        dialect=_CHAT,
        base_url=DEMO_URL,
        key_variables=(),
        credential_header="none",
    ),
}
