"""Text tables for a terminal: columns that line up, numbers to the right. It computes nothing."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from pointsman.core.model_card import ABILITIES, ModelCard

UNKNOWN = "?"
"""Nobody told us: not the same as nothing."""

_MODEL_HEADINGS: tuple[str, ...] = (
    "model",
    "provider",
    "id",
    "tier",
    "$/M in",
    "$/M out",
    "context",
    "abilities",
)
_NUMBERS = frozenset({"$/M in", "$/M out", "context", "requests", "in", "out", "cost $", "saved $", "times"})


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lines of columns as wide as their widest cell, without spaces at the end."""
    lines = [tuple(headings), *(tuple(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if heading in _NUMBERS else cell.ljust(width)
            for cell, width, heading in zip(line, widths, headings, strict=True)
        ).rstrip()
        for line in lines
    )


def model_table(cards: Sequence[ModelCard]) -> str:
    """One line for each model."""
    rows = [model_row(card) for card in cards]
    headings = _MODEL_HEADINGS
    if all(card.id == card.name for card in cards):
        column = headings.index("id")
        headings, *rows = [(*row[:column], *row[column + 1 :]) for row in (headings, *rows)]
    text = table(headings, rows)
    if any(card.price is not None and card.price.above for card in cards):
        text += "\n+ dearer for long prompts"
    return text


def model_row(card: ModelCard) -> tuple[str, ...]:
    price = card.price
    more = "+" if price is not None and price.above else ""
    return (
        card.name,
        card.provider,
        "" if card.id == card.name else card.id,
        card.tier or "-",
        UNKNOWN if price is None else dollars(price.rates.usd_per_million_input) + more,
        UNKNOWN if price is None else dollars(price.rates.usd_per_million_output) + more,
        tokens(card.context_tokens),
        UNKNOWN
        if card.abilities is None
        else " ".join(ability for ability in ABILITIES if ability in card.abilities),
    )


def dollars(amount: Decimal) -> str:
    """At least cents, and never rounded."""
    text = f"{amount.normalize():f}" if amount else "0"
    whole, _, cents = text.partition(".")
    return f"{whole}.{cents.ljust(2, '0')}"


def tokens(count: int | None) -> str:
    """1050000 as 1.05M, 32000 as 32k."""
    if count is None:
        return UNKNOWN
    for size, unit in ((1_000_000, "M"), (1_000, "k")):
        if count >= size:
            return f"{count / size:.2f}".rstrip("0").rstrip(".") + unit
    return str(count)
