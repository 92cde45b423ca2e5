"""What routing tests share: the types of their fixtures, and prompts of every shape."""

from collections.abc import Callable, Iterable

from hypothesis import strategies as st

from pointsman.core.decision import Decision
from pointsman.core.model_card import ModelCard
from pointsman.core.prompt import Prompt, Turn
from pointsman.routing.keywords import Word


def by_list(words: Iterable[Word]) -> dict[str, list[str]]:
    """List name -> its words, in the order they were found."""
    lists: dict[str, list[str]] = {}
    for word in words:
        for name in word.lists:
            lists.setdefault(name, []).append(word.told)
    return lists


Ask = Callable[..., Prompt]
MakeCard = Callable[..., ModelCard]
Route = Callable[..., Decision]

HINTS = st.sampled_from(
    [
        "prove",
        "theorem",
        "python",
        "def f():",
        "hello",
        "?",
        "at most 3",
        "first",
        "then",
        "设计",
        "データベース",
        "\n1.",
    ]
)
TEXTS = st.lists(st.one_of(HINTS, st.text(max_size=60)), max_size=30).map(" ".join)
PROMPTS = st.builds(
    Prompt,
    system=TEXTS,
    turns=st.lists(
        st.builds(Turn, speaker=st.sampled_from(["user", "assistant", "tool"]), text=TEXTS), max_size=6
    ).map(tuple),
    input_bytes=st.integers(0, 2_000_000),
    tool_count=st.integers(0, 200),
    output_format=st.sampled_from(["text", "json_object", "json_schema"]),
    image_count=st.integers(0, 40),
    document_count=st.integers(0, 40),
    audio_count=st.integers(0, 40),
)
