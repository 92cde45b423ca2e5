import pytest

from pointsman.fleet.coders import is_coder


@pytest.mark.parametrize(
    "model_id",
    [
        "qwen2.5-coder-7b",
        "Qwen3-Coder-30B",
        "deepseek-coder-v2",
        "codellama:13b",
        "mistralai/codestral-2501",
        "devstral-small",
        "starcoder2-15b",
        "codegemma",
        "gpt-5.1-codex-max",
        "grok-code-fast-1",
        "granite-8b-code-instruct",
        "OpenCoder-8B",
    ],
)
def test_name_of_a_coder_tells_so(model_id: str) -> None:
    assert is_coder(model_id)


@pytest.mark.parametrize(
    "model_id",
    [
        "gpt-4o",
        "claude-sonnet-4-6",
        "gemma-3-27b",
        "opencode/glm-5",
        "bert-encoder",
        "whisper-decode",
        "barcode-7b",
    ],
)
def test_other_names_do_not(model_id: str) -> None:
    assert not is_coder(model_id)
