"""What kind of task a request is: tools, code, reasoning, conversation, or one that an operator describes. It stands
beside the tier and may bring its own models. It says nothing of how hard a request is.

An operator's category is met by its keywords, each worth one point, and by the significant words of its
description, half a point each; it needs one point. The highest score wins, of equal ones the first. Where none is
met, a request that brings tools is of `tools`; otherwise code and reasoning are weighed against each other by the words
that their signals read; and what is neither is conversation.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pointsman.core.errors import ConfigError, Problem
from pointsman.routing.reading import Measures

BUILT_IN = ("tools", "code", "reasoning", "conversation")

_ONE_POINT = 1.0
_NOT_A_WORD = str.maketrans(dict.fromkeys(map(ord, "\t\n\r,.;:!?()[]{}\"'`/\\|<>*#=+-"), " "))
_SIGNIFICANT_CHARS = 4
_SCRIPTS_WITHOUT_SPACES = "\u0e00"
_INSIGNIFICANT = frozenset(
    [
        "about",
        "above",
        "after",
        "also",
        "another",
        "anything",
        "based",
        "before",
        "being",
        "below",
        "between",
        "both",
        "cases",
        "describe",
        "during",
        "each",
        "else",
        "every",
        "everything",
        "from",
        "general",
        "have",
        "help",
        "here",
        "into",
        "just",
        "kind",
        "like",
        "mainly",
        "make",
        "many",
        "more",
        "most",
        "much",
        "need",
        "needs",
        "only",
        "other",
        "others",
        "over",
        "question",
        "questions",
        "request",
        "requests",
        "same",
        "several",
        "should",
        "some",
        "something",
        "such",
        "task",
        "tasks",
        "than",
        "that",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "thing",
        "things",
        "this",
        "those",
        "through",
        "topic",
        "topics",
        "type",
        "user",
        "users",
        "using",
        "very",
        "want",
        "wants",
        "well",
        "what",
        "when",
        "where",
        "whether",
        "which",
        "while",
        "will",
        "with",
        "within",
        "without",
        "work",
        "would",
        "your",
    ]
)


@dataclass(frozen=True, slots=True)
class Category:
    """`models` are tried in their order before any other that can take the request, named as a caller may name them
    (`name`, `provider/id`, `provider:id`); none means the tier's own. `keywords` are matched like the shipped ones:
    whole words, any case, a star at the end lets the word go on. `description` says in plain words what belongs
    here."""

    name: str
    models: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    description: str = ""


class _Own(NamedTuple):
    category: Category
    keywords: str
    description: str


class Sorter:
    """The categories of one policy. Build it once."""

    def __init__(self, categories: Sequence[Category]) -> None:
        known = {category.name: category for category in categories}
        self._own = tuple(
            _Own(category, *_list_names(category.name))
            for category in categories
            if category.keywords or category.description
        )
        self._tools, self._code, self._reasoning, self._conversation = (
            known.get(name) or Category(name) for name in BUILT_IN
        )

    def sort(self, measures: Measures) -> tuple[Category, bool]:
        """The category of what was read, and whether that is about code, whatever its category."""
        read = measures.get
        code = read("code", 0) + read("technical", 0) / 2
        reasoning = 2 * read("reasoning", 0) + read("analysis", 0) + read("math", 0) + read("explanation", 0)
        about_code = code >= _ONE_POINT and code >= reasoning
        if self._own:
            best = max(self._own, key=lambda own: _points(own, measures))  # of equal ones the first
            if _points(best, measures) >= _ONE_POINT:
                return best.category, about_code
        if "tools" in measures:
            return self._tools, about_code
        if about_code:
            return self._code, about_code
        return (self._reasoning if reasoning >= _ONE_POINT else self._conversation), about_code


def _points(own: _Own, measures: Measures) -> float:
    return measures.get(own.keywords, 0) + measures.get(own.description, 0) / 2


def keyword_lists(categories: Sequence[Category]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What has to be sought in a prompt to sort it, by the names that `Sorter` looks under."""
    for category in categories:
        keywords, description = _list_names(category.name)
        if category.keywords:
            yield keywords, category.keywords
        if category.description:
            yield description, significant_words(category.description)


def significant_words(description: str) -> tuple[str, ...]:
    """The words that tell what a description is about, as keywords that also find their longer forms."""
    words = dict.fromkeys(description.casefold().translate(_NOT_A_WORD).split())
    return tuple(
        f"{word.removesuffix('s')}*" if word.isascii() else word
        for word in words
        if word not in _INSIGNIFICANT
        and (len(word) >= _SIGNIFICANT_CHARS or (len(word) > 1 and word[0] >= _SCRIPTS_WITHOUT_SPACES))
    )


def problems(category: Category, known_models: Collection[str]) -> list[Problem]:
    """Everything that makes `category` unusable; `known_models` are all names that a caller may use for a model."""
    found = [
        Problem(f"models[{place}]", model, "one of the models")
        for place, model in enumerate(category.models)
        if model not in known_models
    ]
    if not category.name.strip():
        found.append(Problem("name", category.name, "a name"))
    if any(not word.strip().removesuffix("*") for word in category.keywords):
        found.append(Problem("keywords", "an empty keyword", "words"))
    if not (category.models or category.keywords or category.description):
        found.append(Problem("models", None, "models, keywords or a description"))
    if category.name not in BUILT_IN and not (category.keywords or significant_words(category.description)):
        found.append(
            Problem("keywords", None, "keywords, or a description, by which a request is seen to belong here")
        )
    return found


def category_of(fields: Mapping[str, object]) -> Category:
    """From JSON: `{"name": ..., "models": [...], "keywords": [...], "description": ...}`, of which only the name
    is required. Raises ConfigError with everything that is wrong with it."""
    wrong = [
        Problem(key, "not known", "name, models, keywords and description only")
        for key in fields
        if key not in {"name", "models", "keywords", "description"}
    ]
    wrong += [
        Problem(key, str(fields[key]), "text")
        for key in ("name", "description")
        if not isinstance(fields.get(key, ""), str | None)
    ]
    for key in ("models", "keywords"):
        value = fields.get(key)
        if value is not None and not (
            isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)
        ):
            wrong.append(Problem(key, str(value), "a list of texts"))
    if not fields.get("name"):
        wrong.append(Problem("name", None, "a name"))
    if wrong:
        raise ConfigError(wrong)
    return Category(
        name=_text(fields.get("name")),
        models=_texts(fields.get("models")),
        keywords=_texts(fields.get("keywords")),
        description=_text(fields.get("description")),
    )


def json_of(category: Category) -> dict[str, object]:
    """What `category_of` reads."""
    return {
        "name": category.name,
        "models": list(category.models),
        "keywords": list(category.keywords),
        "description": category.description,
    }


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list | tuple) else ()


def _list_names(name: str) -> tuple[str, str]:
    return f"category {name}", f"description of {name}"
