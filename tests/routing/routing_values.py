"""What routing tests share: the types of their fixtures, and prompts of every shape."""

from collections.abc import Callable

from hypothesis import strategies as st

from pointsman.core.decision import Decision
from pointsman.core.model_card import ModelCard
from pointsman.core.prompt import Prompt, Turn
from pointsman.routing.keywords import Found


def said(found: Found) -> dict[str, list[str]]:
    """List name -> its words near either end, in the order they were found."""
    return {name: found.words(name)[:count] for name, count in found.said.items()}


def pasted(found: Found) -> dict[str, list[str]]:
    return {name: found.words(name)[found.said.get(name, 0) :] for name in found.pasted}


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
