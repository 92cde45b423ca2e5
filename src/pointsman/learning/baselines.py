"""What any router has to beat: chance, length, one model for everything, and fifteen weighted dimensions of keywords, as
an earlier generation of rule routers has them. None of it is used to route.

The fifteen dimensions are our own lists behind the published weights, steps and patterns of smart-llm-router 0.1.2,
substrings of the last user message as there. Its lists are longer; what it scores itself is told in
docs/routing-quality.md.
"""

import math
import re
from collections.abc import Sequence

import numpy as np

from pointsman.learning.metrics import Floats

_TOKEN_CHARS = 4


def chance(prompts: Sequence[str], seed: int = 0) -> Floats:
    return np.random.default_rng(seed).random(len(prompts))


def length(prompts: Sequence[str]) -> Floats:
    return np.array([float(len(prompt)) for prompt in prompts])


def fifteen_dimensions(prompts: Sequence[str]) -> Floats:
    return np.array([_score(prompt.lower()) for prompt in prompts])


_COUNTED: Sequence[tuple[float, tuple[tuple[int, float], ...], tuple[str, ...]]] = (
    # weight; (from so many different words, value), most first; the words
    (
        0.18,
        ((2, 1.0), (1, 0.7)),
        (
            "prove",
            "proof",
            "theorem",
            "derive",
            "step by step",
            "chain of thought",
            "formally",
            "logical",
            "mathematical",
            "induction",
            "contradiction",
            "deduce",
            "证明",
            "推导",
            "逐步",
            "証明",
            "доказ",
            "теорем",
            "beweis",
            "demostrar",
            "증명",
        ),
    ),
    (
        0.15,
        ((2, 1.0), (1, 0.5)),
        (
            "function",
            "class",
            "import",
            "def ",
            "select",
            "async",
            "await",
            "const ",
            "let ",
            "var ",
            "return",
            "```",
            "函数",
            "функци",
            "funktion",
            "함수",
        ),
    ),
    (
        0.10,
        ((4, 1.0), (2, 0.5)),
        (
            "algorithm",
            "optimize",
            "architecture",
            "distributed",
            "kubernetes",
            "microservice",
            "database",
            "infrastructure",
            "concurrency",
            "latency",
            "算法",
            "架构",
            "алгоритм",
            "datenbank",
        ),
    ),
    (
        0.05,
        ((2, 0.7), (1, 0.5)),
        (
            "story",
            "poem",
            "compose",
            "brainstorm",
            "creative",
            "imagine",
            "write a",
            "故事",
            "рассказ",
            "gedicht",
        ),
    ),
    (
        0.04,
        ((3, 0.7), (1, 0.3)),
        (
            "under",
            "at most",
            "at least",
            "within",
            "no more than",
            "o(",
            "maximum",
            "minimum",
            "limit",
            "budget",
        ),
    ),
    (
        0.04,
        ((4, 1.0), (3, 0.6), (1, 0.2)),
        (
            "read file",
            "edit",
            "modify",
            "update the",
            "execute",
            "deploy",
            "install",
            "npm",
            "pip",
            "fix",
            "debug",
            "until it works",
            "iterate",
            "verify",
            "after that",
            "step 1",
            "step 2",
        ),
    ),
    (
        0.03,
        ((2, 0.5), (1, 0.3)),
        ("build", "create", "implement", "design", "develop", "construct", "generate", "deploy", "configure"),
    ),
    (
        0.03,
        ((2, 0.7), (1, 0.4)),
        ("json", "yaml", "xml", "table", "csv", "markdown", "schema", "format as", "structured"),
    ),
    (
        0.02,
        ((2, 0.5), (1, 0.3)),
        ("above", "below", "previous", "following", "the docs", "the api", "the code", "earlier", "attached"),
    ),
    (
        0.02,
        ((2, 0.8), (1, 0.5)),
        (
            "quantum",
            "fpga",
            "vlsi",
            "risc-v",
            "genomics",
            "proteomics",
            "topological",
            "homomorphic",
            "zero-knowledge",
        ),
    ),
    (
        0.02,
        ((1, -1.0),),
        (
            "what is",
            "define",
            "translate",
            "hello",
            "yes or no",
            "capital of",
            "how old",
            "who is",
            "when was",
        ),
    ),
    (
        0.01,
        ((3, 0.5), (2, 0.3)),
        ("don't", "do not", "avoid", "never", "without", "except", "exclude", "no longer"),
    ),
)
_STEPS = re.compile(r"first.*then|step \d|\d\.\s")


def _score(text: str) -> float:
    tokens = math.ceil(len(text) / _TOKEN_CHARS)
    score = 0.08 * (-1 if tokens < 50 else 1 if tokens > 500 else 0)
    if _STEPS.search(text):
        score += 0.12 * 0.5
    if text.count("?") > 3:
        score += 0.05 * 0.5
    for weight, steps, words in _COUNTED:
        count = sum(word in text for word in words)
        score += weight * next((value for least, value in steps if count >= least), 0.0)
    return score
