"""Whether a decision holds when the words around a wish change: typing errors, case, padding, politeness, another
language around it. It routes nothing by itself."""

from collections.abc import Callable, Mapping, Sequence
from zlib import crc32

_CHARS_PER_SWAP = 40


def _typos(text: str) -> str:
    """Two neighbouring letters swapped once every forty characters, at the same places every time."""
    chars = list(text)
    for part in range(len(chars) // _CHARS_PER_SWAP):
        at = part * _CHARS_PER_SWAP + crc32(b"%d" % part) % (_CHARS_PER_SWAP - 1)
        if chars[at].isalpha() and chars[at + 1].isalpha():
            chars[at], chars[at + 1] = chars[at + 1], chars[at]
    return "".join(chars)


CHANGES: Mapping[str, Callable[[str], str]] = {
    "typing errors": _typos,
    "upper case": str.upper,
    "lower case": str.lower,
    "padding": lambda text: f"\n\n   {text}   \n\n",
    "politeness": lambda text: f"Hello! Could you please help me with this? {text} Thank you very much!",
    "German around it": lambda text: f"Hallo, bitte hilf mir: {text} Vielen Dank!",
    "Chinese around it": lambda text: f"你好,请帮我:{text} 谢谢!",
}


def flips(prompts: Sequence[str], tier_of: Callable[[str], int]) -> dict[str, float]:
    """By change: the share of prompts that land in another tier for it."""
    before = [tier_of(prompt) for prompt in prompts]
    return {
        name: sum(tier_of(change(prompt)) != tier for prompt, tier in zip(prompts, before, strict=True))
        / len(prompts)
        for name, change in CHANGES.items()
    }
