"""The benchmarks that the shipped weights are learned from and judged on: which models count as weak and strong, which
benchmarks are copies of one another, and how the outcomes become weights. The folder of outcomes is handed in; it holds
gzipped labelled files (`pointsman.learning.outcomes`).
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from pointsman.learning.metrics import Floats, Outcomes, equal_weights, outcomes_of
from pointsman.learning.outcomes import Labelled, mean_score, read_labelled
from pointsman.learning.production import Production
from pointsman.learning.training import Example, Prepared, chance_curve, out_of_fold, train
from pointsman.routing.learned import Learned, pack, unpack
from pointsman.routing.reading import Reading

STRONG = (
    "gpt-4-1106-preview",
    "gpt-4-0314",
    "gpt-4-turbo-2024-04-09",
    "gpt-4o-2024-05-13",
    "gpt-4o-2024-08-06",
    "chatgpt-4o-latest-24-09-07",
    "claude-3-5-sonnet-20240620",
    "claude-3-5-sonnet-20241022",
    "claude-3-opus-20240229",
    "gemini-1.5-pro-002",
    "gemini-1.5-pro-exp-0827",
    "gemini-1.5-pro-exp-0801",
    "gemini-1.5-pro",
    "llama-3.1-70b-instruct",
    "meta-llama-3.1-70b-instruct",
    "llama-3.1-405b-inst",
    "llama-3.1-405b-inst-fp8",
    "llama-3.1-405b-instruct-turbo",
    "mistral-large-2",
    "qwen2.5-72b-instruct",
    "o1-mini-2024-09-12",
    "o1-preview-2024-09-12",
    "grok-2-1212",
    "deepseek-coder-v2",
    "llama-3.1-nemotron-51b-instruct",
    "llama-3.3-nemotron-super-49b-v1",
)
WEAK = (
    "mixtral-8x7b-instruct-v0.1",
    "mistralai/mixtral-8x7b-chat",
    "mistralai/mistral-7b-chat",
    "meta-llama-3-8b-instruct",
    "meta-llama-3.1-8b-instruct",
    "llama-3.1-8b-instruct",
    "claude-3-haiku-20240307",
    "gemma-2-9b-it",
    "gemma-2-2b-it",
    "qwen2-7b-instruct",
    "phi-3-mini-4k-instruct",
    "phi-3.5-mini-instruct",
    "yi-1.5-9b-chat",
    "mathstral-7b",
    "qwen1.5-7b-chat",
    "yi-6b-chat",
    "mistral-7b-instruct-v0.2",
    "mistral-7b-instruct-v0.3",
    "gpt-3.5-turbo-0125",
    "gpt-3.5-turbo-1106",
    "WizardLM/WizardLM-13B-V1.2",
)
_FAILS_BY_FORMAT = {
    ("mistral-7b-instruct-v0.3", "ulab_mbpp"),
    ("mistral-7b-instruct-v0.3", "ulab_human_eval"),
}
"""Scores that are low only because of how the answer was written."""

_FAMILY = {
    "gsm8k": "grade school",
    "zeroeval_gsm": "grade school",
    "ulab_gsm8k": "grade school",
    "ulab_agentverse-mgsm": "grade school",
    "zeroeval_math-l5": "competition",
    "ulab_math": "competition",
    "ulab_mmlu": "mmlu",
    "routerbench_arc_challenge": "arc",
    "ulab_arc_challenge": "arc",
    "routerbench_mbpp": "functions",
    "ulab_mbpp": "functions",
    "ulab_human_eval": "functions",
    "ulab_natural_qa": "facts",
    "ulab_trivia_qa": "facts",
    "ulab_openbook_qa": "school science",
    "ulab_commonsense_qa": "common sense",
    "ulab_commongen": "common sense",
}
"""Benchmarks that share prompts or are of one kind: they leave the training together."""


class Pair(NamedTuple):
    """Two models with a wide gap, by the names each goes under, and the benchmarks both were run on."""

    name: str
    strong: tuple[str, ...]
    weak: tuple[str, ...]
    sources: tuple[str, ...]


_ZEROEVAL = ("zeroeval_gsm", "zeroeval_math-l5", "zeroeval_crux")
PAIRS = (
    Pair(
        "GPT-4 Turbo / Mixtral 8x7B",
        ("gpt-4-1106-preview",),
        ("mixtral-8x7b-instruct-v0.1", "mistralai/mixtral-8x7b-chat"),
        ("mmlu", "gsm8k", "routerbench_arc_challenge", "routerbench_mbpp", "routerbench_winograde"),
    ),
    Pair(
        "Llama 3.1 70B / 8B",
        ("llama-3.1-70b-instruct", "meta-llama-3.1-70b-instruct"),
        ("llama-3.1-8b-instruct", "meta-llama-3.1-8b-instruct"),
        ("mmlu_pro", *_ZEROEVAL),
    ),
    Pair(
        "Claude 3.5 Sonnet / 3 Haiku",
        ("claude-3-5-sonnet-20241022",),
        ("claude-3-haiku-20240307",),
        _ZEROEVAL,
    ),
    Pair("o1-mini / GPT-4o mini", ("o1-mini-2024-09-12",), ("gpt-4o-mini-2024-07-18",), _ZEROEVAL),
)


class Benchmarks:
    """All prompts with both a weak and a strong model's outcome, read once."""

    def __init__(self, folder: Path) -> None:
        rows = [row for path in sorted(folder.glob("*.jsonl.gz")) for row in read_labelled(path)]
        self.rows: list[Labelled] = []
        examples = []
        for row in rows:
            weak = [model for model in WEAK if (model, row.source) not in _FAILS_BY_FORMAT]
            low, high = mean_score(row, weak), mean_score(row, STRONG)
            if low is not None and high is not None:
                self.rows.append(row)
                examples.append(Example(row.prompt, low, high, row.source))
        self.prepared = Prepared(examples)
        self.production = Production()
        self.readings: list[Reading] = [self.production.reading(row.prompt) for row in self.rows]
        self.families = [_FAMILY.get(row.source, row.source) for row in self.rows]
        self.weight = equal_weights([row.source for row in self.rows])

    @property
    def need(self) -> Floats:
        """How often, of all pairs of a strong and a weak model, only the strong one is right."""
        return np.array([each.strong * (1 - each.weak) for each in self.prepared.examples])

    def out_of_family(self, score: Callable[[Sequence[Reading], Learned], Floats]) -> Floats:
        """The score of every prompt by weights that saw no benchmark of its family."""
        return out_of_fold(
            self.prepared,
            self.families,
            lambda learned, places: score([self.readings[place] for place in places], learned),
        )

    def pair(self, pair: Pair) -> tuple[list[int], Outcomes]:
        """The places of its prompts, and what the two models made of them."""
        places, weak, strong = [], [], []
        for place, row in enumerate(self.rows):
            low, high = mean_score(row, pair.weak), mean_score(row, pair.strong)
            if row.source in pair.sources and low is not None and high is not None:
                places.append(place)
                weak.append(low)
                strong.append(high)
        return places, outcomes_of(weak, strong, groups=[self.rows[place].source for place in places])

    def everything(self) -> Outcomes:
        """Every benchmark, the mean weak against the mean strong model."""
        examples = self.prepared.examples
        return outcomes_of(
            [each.weak for each in examples],
            [each.strong for each in examples],
            groups=[each.source for each in examples],
        )

    def weights(self, blend_out_of_family: Floats) -> bytes:
        """The shipped file: learned from everything, its chances from scores of benchmarks that were not seen."""
        about = f"{len(self.rows)} prompts of {len(set(self.families))} families of benchmarks"
        data = train(self.prepared, range(len(self.rows)), about=about)
        weights, words, known = unpack(data)
        chance = chance_curve(blend_out_of_family, self.need, self.weight)
        return pack(msgspec.structs.replace(weights, chance=chance), words, known)
