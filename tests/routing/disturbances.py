"""Ways in which the same wish is written differently, and how many decisions change with them:
`python tests/routing/disturbances.py` prints a table. Every choice is made by a generator with a fixed seed."""

import gzip
import json
import os
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from everyday import EVERYDAY, default_router

from pointsman.core.prompt import Prompt, Turn
from pointsman.routing.decide import Router
from pointsman.routing.policy import default_policy

Disturb = Callable[[str, random.Random], str]

_NEIGHBOURS = {
    letter: f"{row[max(at - 1, 0)]}{row[min(at + 1, len(row) - 1)]}"
    for row in ("qwertyuiop", "asdfghjkl", "zxcvbnm")
    for at, letter in enumerate(row)
}
_LETTERS_PER_TYPO = 150
"""About one word in thirty."""


def typos(text: str, chance: random.Random) -> str:
    """Letters changed about, left out, doubled or replaced by a neighbour on the keyboard: one at least."""
    letters = list(text)
    places = [at for at in range(1, len(letters) - 1) if letters[at].isalpha() and letters[at - 1].isalpha()]
    if not places:
        return text
    for at in sorted(chance.sample(places, max(len(places) // _LETTERS_PER_TYPO, 1)), reverse=True):
        kind = chance.randrange(4)
        if kind == 0:
            letters[at], letters[at - 1] = letters[at - 1], letters[at]
        elif kind == 1:
            del letters[at]
        elif kind == 2:
            letters.insert(at, letters[at])
        else:
            letters[at] = chance.choice(_NEIGHBOURS.get(letters[at].lower(), letters[at]))
    return "".join(letters)


def lower_case(text: str, _: random.Random) -> str:
    return text.lower()


def upper_case(text: str, _: random.Random) -> str:
    return text.upper()


def title_case(text: str, _: random.Random) -> str:
    return text.title()


def padding(text: str, chance: random.Random) -> str:
    """Spaces and line ends around it, and some spaces twice."""
    padded = "".join("  " if char == " " and chance.random() < 0.3 else char for char in text)
    return (
        "\n" * chance.randrange(1, 6) + " " * chance.randrange(20) + padded + " \n" * chance.randrange(1, 6)
    )


def without_last_mark(text: str, _: random.Random) -> str:
    return text.rstrip().rstrip(".?!。？！")  # noqa: RUF001 - marks of other scripts


POLITE = (
    ("Please could you ", " Thanks!"),
    ("Hi! Could you please help me with this? ", " Thank you very much in advance."),
    ("Hello, I hope you are doing well. I would like you to do the following: ", " Many thanks!"),
    ("Excuse me, would you mind? ", " I'd really appreciate it."),
)
FOREIGN = (
    ("¡Hola! Espero que estés bien. ", " Muchas gracias."),
    ("Bonjour, pourriez-vous m'aider ? ", " Merci d'avance !"),
    ("Guten Tag, ich hätte da eine Bitte: ", " Vielen Dank im Voraus."),
    ("Olá, tudo bem? ", " Obrigado desde já!"),
    ("Здравствуйте! ", " Заранее спасибо."),
    ("你好，请帮个忙：", " 谢谢！"),  # noqa: RUF001
    ("こんにちは。", " よろしくお願いします。"),
    ("안녕하세요! ", " 감사합니다."),
    ("السلام عليكم، ", " شكرا جزيلا."),
)


def polite(text: str, chance: random.Random) -> str:
    before, behind = chance.choice(POLITE)
    return f"{before}{text}{behind}"


def foreign(text: str, chance: random.Random) -> str:
    before, behind = chance.choice(FOREIGN)
    return f"{before}{text}{behind}"


DISTURBANCES: dict[str, Disturb] = {
    "typos": typos,
    "lower case": lower_case,
    "upper case": upper_case,
    "title case": title_case,
    "padding": padding,
    "last mark left out": without_last_mark,
    "polite frame": polite,
    "foreign frame": foreign,
}


def everyday_prompts() -> list[Prompt]:
    return [each.prompt for each in EVERYDAY]


def public_prompts(folder: Path, of_each: int) -> list[Prompt]:
    """Some of every file of prompts with known outcomes."""
    chosen: list[Prompt] = []
    for path in sorted(folder.glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            texts = [json.loads(line)["prompt"] for line in lines]
        chosen += [
            Prompt("", (Turn("user", text),), len(text.encode()) + 80)
            for text in random.Random(1).sample(texts, min(of_each, len(texts)))
        ]
    return chosen


def tiers(router: Router, prompts: Sequence[Prompt]) -> list[str]:
    auto = default_policy().profiles[0]
    return [router.decide(prompt, auto, "auto", explain=False).tier or "" for prompt in prompts]


def disturbed(prompt: Prompt, disturb: Disturb, chance: random.Random) -> Prompt:
    """With its last turn written in another way."""
    *turns, last = prompt.turns
    text = disturb(last.text, chance)
    size = prompt.input_bytes + len(text.encode()) - len(last.text.encode())
    return Prompt(
        prompt.system,
        (*turns, Turn(last.speaker, text)),
        size,
        tool_count=prompt.tool_count,
        output_format=prompt.output_format,
        image_count=prompt.image_count,
    )


def flips(router: Router, prompts: Sequence[Prompt], disturb: Disturb) -> float:
    """The share of prompts that get another tier."""
    chance = random.Random(7)
    before = tiers(router, prompts)
    after = tiers(router, [disturbed(prompt, disturb, chance) for prompt in prompts])
    return sum(one != other for one, other in zip(before, after, strict=True)) / len(prompts)


def report(router: Router, prompts: Sequence[Prompt]) -> Iterator[str]:
    spread = Counter(tiers(router, prompts))
    yield f"{len(prompts)} prompts: " + ", ".join(f"{tier} {count}" for tier, count in spread.most_common())
    shares = {name: flips(router, prompts, disturb) for name, disturb in DISTURBANCES.items()}
    for name, share in shares.items():
        yield f"  {name:20} {share:6.1%}"
    yield f"  {'mean':20} {sum(shares.values()) / len(shares):6.1%}"


def main() -> None:
    router = default_router()
    for line in report(router, everyday_prompts()):
        sys.stdout.write(line + "\n")
    shared = Path(os.environ.get("POINTSMAN_SHARED", "../shared")) / "routing"
    if shared.is_dir():
        for line in report(router, public_prompts(shared, 150)):
            sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
