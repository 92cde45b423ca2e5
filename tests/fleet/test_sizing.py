"""Sizes in the names that models really have."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.fleet.sizing import Size, size_as_written, size_in_name, tier_for_size

REAL: dict[str, tuple[float, float | None] | None] = {
    "Qwen3-30B-A3B": (30, 3),
    "qwen/qwen3-30b-a3b-instruct-2507": (30, 3),
    "Qwen/Qwen3-235B-A22B-Thinking-2507": (235, 22),
    "qwen3-coder-480b-a35b-instruct": (480, 35),
    "qwen3-next-80b-a3b-instruct": (80, 3),
    "qwen3:0.6b": (0.6, None),
    "qwen3:32b-q8_0": (32, None),
    "qwen2.5:7b-instruct-q4_K_M": (7, None),
    "qwen2.5-coder:1.5b": (1.5, None),
    "Qwen/Qwen2.5-VL-72B-Instruct-AWQ": (72, None),
    "Qwen2.5-7B-Instruct-1M": (7, None),
    "qwen/qwen-2.5-14b-instruct-gptq-int4": (14, None),
    "Qwen1.5-MoE-A2.7B": (14.3, 2.7),
    "qwq:32b": (32, None),
    "llama3.1:8b-instruct-q4_K_M": (8, None),
    "llama3.2:1b": (1, None),
    "llama3.3:70b-instruct-fp16": (70, None),
    "meta-llama/Llama-3.1-405B-Instruct-FP8": (405, None),
    "meta-llama/Meta-Llama-3-8B-Instruct": (8, None),
    "meta-llama/Llama-4-Scout-17B-16E-Instruct": (109, 17),
    "meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8": (400, 17),
    "llama-3.2-90b-vision-preview": (90, None),
    "llama-3.1-8b-instant": (8, None),
    "llama-3.3-70b-versatile": (70, None),
    "codellama:34b-instruct-q5_K_S": (34, None),
    "TinyLlama-1.1B-Chat-v1.0": (1.1, None),
    "vicuna-13b-v1.5-16k": (13, None),
    "mistralai/Mistral-7B-Instruct-v0.3": (7, None),
    "mistral:7b-instruct-v0.2-q4_0": (7, None),
    "mixtral-8x7b-32768": (46.7, 12.9),
    "mistralai/Mixtral-8x7B-Instruct-v0.1": (46.7, 12.9),
    "mixtral:8x22b": (141, 39),
    "mistral-nemo": (12.2, None),
    "Mistral-Small-24B-Instruct-2501": (23.6, None),
    "mistral-small3.2:24b": (23.6, None),
    "mistral-large-2411": (123, None),
    "codestral-2508": (22.2, None),
    "devstral-small-2507": (23.6, None),
    "ministral-8b-latest": (8, None),
    "open-mixtral-8x7b": (46.7, 12.9),
    "gpt-oss:20b": (20.9, 3.6),
    "openai/gpt-oss-120b": (116.8, 5.1),
    "gemma3:27b-it-qat": (27, None),
    "google/gemma-2-9b-it": (9, None),
    "gemma-3n-E4B-it": (7.9, 4),
    "gemma3n:e2b": (5.4, 2),
    "gemma3:270m": (0.27, None),
    "phi-3.5-mini": (3.8, None),
    "microsoft/Phi-3.5-mini-instruct": (3.8, None),
    "microsoft/Phi-3-medium-128k-instruct": (14, None),
    "phi3:14b": (14, None),
    "microsoft/phi-4": (14, None),
    "phi4-mini": (3.8, None),
    "phi4:14b-q4_K_M": (14, None),
    "Phi-3.5-MoE-instruct": (41.9, 6.6),
    "deepseek-ai/DeepSeek-V3.1": (671, 37),
    "deepseek-r1": (671, 37),
    "deepseek-r1:671b": (671, None),
    "deepseek-chat": (671, 37),
    "deepseek-r1:8b": (8, None),
    "deepseek-r1-distill-llama-70b": (70, None),
    "DeepSeek-R1-Distill-Qwen-1.5B": (1.5, None),
    "deepseek-coder-v2:16b": (16, None),
    "DeepSeek-V2-Lite-Chat": (15.7, 2.4),
    "deepseek-coder:33b-instruct": (33, None),
    "moonshotai/Kimi-K2-Instruct-0905": (1000, 32),
    "zai-org/GLM-4.5-Air-FP8": (106, 12),
    "glm-4.6": (355, 32),
    "THUDM/glm-4-9b-chat": (9, None),
    "MiniMax-M2": (230, 10),
    "inclusionAI/Ling-1T": (1000, None),
    "databricks/dbrx-instruct": (132, 36),
    "ai21/jamba-1.5-large": (398, 94),
    "command-r-plus-08-2024": (104, None),
    "command-r:35b": (35, None),
    "c4ai-aya-expanse-32b": (32, None),
    "yi:34b-chat": (34, None),
    "tiiuae/falcon-180B-chat": (180, None),
    "internlm2_5-20b-chat": (20, None),
    "nvidia/Llama-3_1-Nemotron-Ultra-253B-v1": (253, None),
    "nvidia/nemotron-nano-9b-v2": (9, None),
    "nous-hermes2-mixtral:8x7b-dpo-q3_K_L": (46.7, 12.9),
    "dolphin-2x7b": (11.6, None),
    "olmo-2-0325-32b-instruct": (32, None),
    "granite3.3:2b": (2, None),
    "ibm-granite/granite-4.0-h-tiny": None,
    "HuggingFaceTB/SmolLM2-135M-Instruct": (0.135, None),
    "smollm:1.7b": (1.7, None),
    "stablelm2:12b-chat": (12, None),
    "starcoder2:15b": (15, None),
    "ernie-4.5-21b-a3b-thinking": (21, 3),
    "llama3.1-8b.gguf": (8, None),
    "bartowski/Llama-3.2-3B-Instruct-GGUF/Llama-3.2-3B-Instruct-Q4_K_M.gguf": (3, None),
    "mlx-community/Qwen2.5-32B-Instruct-4bit": (32, None),
    "mlx-community/gemma-2-2b-it-8bit": (2, None),
    "unsloth/Llama-3.2-3B-Instruct-bnb-4bit": (3, None),
    "RedHatAI/Llama-3.3-70B-Instruct-quantized.w4a16": (70, None),
    # No size in the name, whatever numbers there are.
    "gpt-4o-mini": None,
    "gpt-4.1-2025-04-14": None,
    "o3-mini": None,
    "claude-opus-4-1-20250805": None,
    "gemini-2.5-flash-lite": None,
    "grok-4-0709": None,
    "model-q4": None,
    "model-4bit-awq": None,
    "model-v0.3": None,
    "model-2507": None,
    "model-int8-gptq": None,
    "model-fp8": None,
    "model-128k": None,
    "sonar-pro": None,
    "": None,
}


@pytest.mark.parametrize(("name", "size"), REAL.items())
def test_size_is_what_the_name_says(name: str, size: tuple[float, float | None] | None) -> None:
    found = size_in_name(name)

    assert found == (None if size is None else Size(*size))


def test_the_table_is_of_many_names() -> None:
    assert len(REAL) >= 80


suffixes = st.sampled_from(
    [
        "q4_K_M",
        "q8_0",
        "iq2_xxs",
        "4bit",
        "8bit",
        "awq",
        "gptq",
        "int4",
        "fp8",
        "bf16",
        "w4a16",
        "nvfp4",
        "mxfp4",
        "v0.3",
        "v2",
        "2507",
        "0905",
        "instruct",
        "chat",
        "it",
        "gguf",
        "latest",
        "128k",
        "32768",
        "20250805",
    ]
)


@given(
    st.sampled_from(["acme", "zeta-code", "org/big_model"]),
    st.integers(1, 900).map(lambda tenths: tenths / 10 if tenths % 10 else tenths // 10),
    st.lists(suffixes, max_size=4),
    st.sampled_from("-:"),
)
def test_what_stands_behind_a_size_changes_nothing(
    stem: str, billions: float, more: list[str], mark: str
) -> None:
    name = f"{stem}{mark}{billions:g}b" + "".join(f"-{one}" for one in more)

    assert size_in_name(name) == size_in_name(name.upper()) == Size(float(f"{billions:g}"))


@given(st.lists(suffixes, max_size=5))
def test_suffixes_alone_are_no_size(more: list[str]) -> None:
    assert size_in_name("-".join(["acme", *more])) is None


@given(st.integers(10, 900), st.integers(1, 9))
def test_total_and_active_are_told_apart(total: int, active: int) -> None:
    assert size_in_name(f"Acme-{total}B-A{active}B") == Size(total, active)


@given(st.text(max_size=60))
def test_any_name_is_taken(name: str) -> None:
    size = size_in_name(name)

    assert size is None or (size.total > 0 and (size.active is None or size.active < size.total))


@given(st.text("0123456789.xabtmk-:", max_size=300))
def test_numbers_of_any_length_are_taken(name: str) -> None:
    size_in_name(name)


@pytest.mark.parametrize(
    ("text", "billions"), [("8.0B", 8.0), ("134.52M", 0.13452), ("1T", 1000.0), ("", None), ("big", None)]
)
def test_size_that_stands_by_itself(text: str, billions: float | None) -> None:
    assert size_as_written(text) == (None if billions is None else pytest.approx(billions))


@given(st.lists(st.floats(0.1, 1000), min_size=2, max_size=20))
def test_larger_model_is_never_in_a_lower_tier(sizes: list[float]) -> None:
    tiers, boundaries = ("a", "b", "c", "d"), (10.0, 40.0, 150.0)
    places = [tiers.index(tier_for_size(size, tiers, boundaries)) for size in sorted(sizes)]

    assert places == sorted(places)


@pytest.mark.parametrize(
    ("billions", "tier"),
    [(3, "small"), (8, "medium"), (26.9, "medium"), (27, "large"), (671, "large"), (None, "medium")],
)
def test_boundaries_are_configurable(billions: float | None, tier: str) -> None:
    assert tier_for_size(billions, ("small", "medium", "large"), (8.0, 27.0)) == tier


def test_one_tier_takes_all() -> None:
    assert {tier_for_size(size, ("only",), ()) for size in (None, 1.0, 1000.0)} == {"only"}
