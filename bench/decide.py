"""How long a routing decision takes, by size and kind of prompt, and that it grows in proportion.

    python bench/decide.py [--rounds N]

Prints microseconds of CPU per decision as the server takes it of a wish that it has not seen (the lowest of N rounds),
how many times longer 400 KB take than 100 KB (4 is linear), what one costs whose code and data have left the
processor's caches, as they do between two requests, and what the next step of an agent costs, whose wish is known.
"""

import argparse
import functools
import importlib.resources
import time
from collections.abc import Callable
from decimal import Decimal

from pointsman.core.model_card import ModelCard
from pointsman.core.prompt import Prompt, Turn
from pointsman.core.usage import Price, Rates
from pointsman.routing.decide import Router, pin
from pointsman.routing.keywords import Keywords
from pointsman.routing.learned import Learned
from pointsman.routing.names import Names
from pointsman.routing.policy import default_policy

SIZES = (1_000, 10_000, 100_000, 400_000)
BARS_US = {1_000: 200, 400_000: 5_000}

PROSE = (
    "The harbour lay quiet in the early light while the fishermen mended their nets and spoke of the weather. "
    "An old woman sold bread from a cart, and two children ran along the wall, counting the boats as they came. "
)
TASK = (
    "Write a Python function that parses a CSV file, then explain why the time complexity is O(n log n), compare "
    "it with the naive algorithm step by step and make sure that at least three unit tests cover the edge cases. "
)
CHINESE = "请用Python编写一个函数,首先读取表格,然后计算平均值,最后证明这个算法的复杂度。为什么这个架构更好?"
RUSSIAN = (
    "Докажи, что корень из двух иррационален, сначала от противного, затем напиши программу для проверки. "
)


def repeated(piece: str) -> Callable[[int], str]:
    """A text of so many UTF-8 bytes."""
    length = len(piece.encode())
    return lambda size: piece * (size // length) + piece[: size % length // max(length // len(piece), 1)]


KINDS: dict[str, Callable[[int], str]] = {
    "plain prose": repeated(PROSE),
    "a task (dense in keywords)": repeated(TASK),
    "Chinese task": repeated(CHINESE),
    "Russian task": repeated(RUSSIAN),
    '"first " over and over': repeated("first "),
    "short words inside words": repeated("modhex"),
    "short marks": repeated("</"),
    "waterproof improve": repeated("waterproof improve "),
    "first then, never ending": repeated("first second then "),
    "emoji": repeated("\U0001f600\U0001f680"),
    "one word": repeated("a"),
    "only quotes": repeated('"'),
    "only backslashes": repeated("\\"),
    "only newlines": repeated("\n"),
    "only digits": repeated("1234567890"),
    "question marks": repeated("?"),
    "code fences": repeated("\n```"),
    "JSON": repeated('{"id": 17, "name": "Ada", "tags": ["a", "b"], "score": 0.25}, '),
}


def price(of_input: str, of_output: str) -> Price:
    return Price(Rates(Decimal(of_input), Decimal(of_output)), "bench")


CARDS = tuple(
    ModelCard(name, provider, f"{name}-1", tier, price(*prices), room, None, None)
    for name, provider, tier, prices, room in (
        ("tiny", "local", "simple", ("0", "0"), 32_000),
        ("mini", "openai", "simple", ("0.10", "0.40"), 128_000),
        ("flash", "google", "medium", ("0.30", "2.50"), 1_000_000),
        ("haiku", "anthropic", "medium", ("1", "5"), 200_000),
        ("sonnet", "anthropic", "complex", ("3", "15"), 1_000_000),
        ("opus", "anthropic", "complex", ("5", "25"), 200_000),
        ("deep", "openai", "reasoning", ("1.25", "10"), 400_000),
        ("pro", "google", "reasoning", ("2", "12"), 1_000_000),
    )
)


def build(wishes_kept: int = 0) -> tuple[Router, Names]:
    """`wishes_kept`: by default every decision is that of a wish never seen before."""
    policy = default_policy()
    text = importlib.resources.files("pointsman.routing").joinpath("keywords.toml").read_text("utf-8")
    learned = importlib.resources.files("pointsman.routing").joinpath("learned.bin").read_bytes()
    router = Router(CARDS, policy, Keywords.parse(text), learned=Learned(learned), wishes_kept=wishes_kept)
    return router, Names(CARDS, policy.profiles)


def lowest_us(work: Callable[[], object], rounds: int, seconds: float = 0.02) -> float:
    """CPU time of one call of `work`, the lowest of so many rounds of about `seconds` each."""
    started = time.process_time()
    work()
    times = max(int(seconds / max(time.process_time() - started, 1e-6)), 1)
    best = float("inf")
    for _ in range(rounds):
        started = time.process_time()
        for _ in range(times):
            work()
        best = min(best, (time.process_time() - started) / times)
    return best * 1e6


def cold_us(work: Callable[[], object], rounds: int, times: int = 100) -> float:
    """Time of one call of `work` after everything it touches was driven out of all but the last cache: the
    lowest of so many rounds' lower quartiles."""
    other = bytearray(4 << 20)
    best = float("inf")
    for _ in range(rounds):
        taken = []
        for _ in range(times):
            other.count(1)
            started = time.perf_counter()
            work()
            taken.append(time.perf_counter() - started)
        best = min(best, sorted(taken)[times // 4])
    return best * 1e6


def agent_of(wish: str, steps: int) -> Prompt:
    """A wish, and what an agent and its tools have said since: 4 KB a step."""
    result = KINDS["JSON"](4_000)
    turns = [Turn("user", wish)]
    for _ in range(steps):
        turns += [Turn("assistant", ""), Turn("tool", result)]
    return Prompt("", tuple(turns), steps * 4_300, tool_count=20)


def prompt_of(text: str) -> Prompt:
    return Prompt("", (Turn("user", text),), len(text.encode()) + 80)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    router, names = build()
    profile = names.resolve("auto")
    decide = functools.partial(router.decide, explain=False)
    over = []
    print(f"| us of CPU per decision | {' | '.join(f'{size // 1000} KB' for size in SIZES)} | 400/100 |")
    print(f"| --- |{' ---: |' * (len(SIZES) + 1)}")
    for kind, text_of in KINDS.items():
        times = []
        for size in SIZES:
            prompt = prompt_of(text_of(size))
            times.append(lowest_us(lambda prompt=prompt: decide(prompt, profile, "auto"), rounds))
            if times[-1] > BARS_US.get(size, float("inf")):
                over.append(f"{kind}, {size // 1000} KB: {times[-1]:,.0f} us, the bar is {BARS_US[size]:,}")
        cells = " | ".join(f"{us:,.0f}" for us in times)
        print(f"| {kind} | {cells} | {times[-1] / times[-2]:.1f} |")
    print()
    task = prompt_of(KINDS["a task (dense in keywords)"](1_000))
    print(
        f"a task of 1 KB, explained: {lowest_us(lambda: router.decide(task, profile, 'auto'), rounds):.0f} us"
    )
    knowing, _ = build(wishes_kept=1)
    for steps in (1, 25, 100):
        agent = agent_of(KINDS["a task (dense in keywords)"](1_000), steps)
        again = lowest_us(lambda agent=agent: knowing.decide(agent, profile, "auto", explain=False), rounds)
        print(f"an agent's task of 1 KB again, {4 * steps} KB of results behind it: {again:.0f} us")
    print(f"a task of 1 KB, cold: {cold_us(lambda: decide(task, profile, 'auto'), rounds):.0f} us")
    print(f"a known name: {lowest_us(lambda: names.resolve('opus'), rounds):.2f} us")
    print(f"a pin: {lowest_us(lambda: pin('opus', CARDS[5]), rounds):.2f} us")
    print(f"building it all, once: {lowest_us(build, 1) / 1000:.0f} ms")
    for line in over:
        print(f"OVER THE BAR: {line}")
    return 1 if over else 0


if __name__ == "__main__":
    raise SystemExit(main())
