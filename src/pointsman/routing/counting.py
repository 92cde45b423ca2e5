"""How many tokens a request's input holds at most, as far as that can be said without its model's tokenizer. It errs
high: who trusts the number must not run over a limit."""

import math
import re
from typing import NamedTuple

from pointsman.core.prompt import Prompt
from pointsman.routing.tokens import input_tokens, text_tokens, weigh
from pointsman.routing.wish import encodable

_MARGIN = 1.35  # tokenizers differ by a fifth on the same prose, and newer ones cut finer


class _Added(NamedTuple):
    """What a provider tells the model of its own, in tokens: always, for thinking, once there is a tool, for a schema."""

    always: int
    thinking: int
    tools: int
    schema: int


# As measured on recorded requests.
_ADDED = (
    (re.compile(r"claude"), _Added(6, 40, 550, 150)),
    (re.compile(r"(?:^|/|\.)(?:gpt-(?!oss)|chatgpt|o\d|gemini|codex)"), _Added(6, 0, 30, 40)),
)
_ADDED_BY_OTHERS = _Added(6, 0, 300, 150)
"""Templates of open models differ widely; so do the servers that fill them in."""


def tokens_at_most(prompt: Prompt, model: str = "") -> int:
    """`model` is what its provider calls it. Takes time in proportion to the length of the prompt."""
    whole = weigh(encodable("\n".join([prompt.system, *[turn.text for turn in prompt.turns]])))
    estimate = input_tokens(prompt, whole, text_tokens(whole)) * _MARGIN
    added = next((added for name, added in _ADDED if name.search(model)), _ADDED_BY_OTHERS)
    estimate += added.always
    if prompt.wants_thinking:
        estimate += added.thinking
    if prompt.tool_count:
        estimate += added.tools
    if prompt.output_format != "text":
        estimate += added.schema
    return math.ceil(estimate)
