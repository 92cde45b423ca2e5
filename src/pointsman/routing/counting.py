"""How many tokens a request's input holds at most, as far as that can be said without its model's tokenizer. It errs
high: who trusts the number must not run over a limit."""

import math

from pointsman.core.prompt import Prompt
from pointsman.routing.tokens import input_tokens, text_tokens, weigh
from pointsman.routing.wish import encodable

_MARGIN = 1.35  # tokenizers differ by a fifth on the same prose, and newer ones cut finer

# What providers add of their own, as measured: around every request, once there is a tool, and for a schema.
_FRAME_TOKENS = 12
_TOOLS_TOKENS = 550
_FORMAT_TOKENS = 150


def tokens_at_most(prompt: Prompt) -> int:
    """Takes time in proportion to the length of the prompt."""
    whole = weigh(encodable("\n".join([prompt.system, *[turn.text for turn in prompt.turns]])))
    estimate = input_tokens(prompt, whole, text_tokens(whole)) * _MARGIN + _FRAME_TOKENS
    if prompt.tool_count:
        estimate += _TOOLS_TOKENS
    if prompt.output_format != "text":
        estimate += _FORMAT_TOKENS
    return math.ceil(estimate)
