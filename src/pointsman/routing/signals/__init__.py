"""The signals: each reads one thing off a prompt and says how much it argues for a stronger model.

To add one: a function beside those of its kind, made a `Signal` with its name, what it is of and what it saw; or `Words`
where it is nothing but words of a list. Its name in SIGNALS, a weight in
`pointsman.routing.policy.DEFAULT_WEIGHTS`. They know nothing of one another and nothing of their weights.
"""

from pointsman.routing.reading import Signal, Words
from pointsman.routing.signals.code import code, technical
from pointsman.routing.signals.conversation import references, system_prompt, turns
from pointsman.routing.signals.format import output_format, structured_output
from pointsman.routing.signals.language import clauses, untold, vocabulary
from pointsman.routing.signals.media import media
from pointsman.routing.signals.reasoning import (
    analysis,
    calculation,
    formulas,
    multi_step,
    negation,
    proof,
    reasoning,
)
from pointsman.routing.signals.size import context, size
from pointsman.routing.signals.task import (
    chore,
    constraints,
    creative,
    domain,
    explanation,
    greeting,
    imperative,
    lookup,
    questions,
    simple,
)
from pointsman.routing.signals.tools import agentic, tools

SIGNALS: tuple[Signal | Words, ...] = (
    size,
    context,
    vocabulary,
    clauses,
    untold,
    turns,
    system_prompt,
    references,
    tools,
    agentic,
    structured_output,
    output_format,
    media,
    code,
    technical,
    proof,
    reasoning,
    analysis,
    explanation,
    multi_step,
    calculation,
    formulas,
    negation,
    questions,
    constraints,
    imperative,
    creative,
    domain,
    simple,
    lookup,
    chore,
    greeting,
)
