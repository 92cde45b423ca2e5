"""Whether a model was made for programming, told by its name. Nothing else is known of it here."""

import re

# Families that say so in their names, as their makers publish them: Qwen-Coder, DeepSeek-Coder, CodeLlama,
# Codestral, Devstral, StarCoder, CodeGemma, Granite-Code, GPT-Codex, grok-code, Yi-Coder ...
_CODER = re.compile(r"code|codestral|devstral", re.IGNORECASE)
_NO_CODER = re.compile(r"(?<![a-z])(?:en|de)code|barcode|qrcode|opencode(?!r)|postcode", re.IGNORECASE)


def is_coder(model_id: str) -> bool:
    """`model_id` as its provider calls it."""
    return _CODER.search(_NO_CODER.sub("", model_id)) is not None
