"""What a translated request has lost, changed or made up."""

import json
import re
from typing import Any

from conformance.asked import Ask
from conformance.hindrances import is_nothing

_SHOW_UNASKED = {"openai-chat", "anthropic-messages", "ollama"}
"""APIs that show what a model thinks without being told to."""

_SYNONYMS = {
    "max_tokens": ("maxtokens", "maxcompletiontokens", "maxoutputtokens", "numpredict"),
    "stop": ("stop",),
    "effort": ("effort", "reasoning", "thinking", "think"),
    "budget": ("budget", "thinking", "reasoning"),
    "adaptive": ("thinking", "reasoning", "effort", "think"),
    "shown": ("summary", "includethoughts", "reasoning", "thinking", "display"),
    "user": ("user", "metadata", "safetyidentifier"),
    "parallel": ("parallel",),
    "n": ("candidatecount",),
}


def _plain(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower())


def _is_named(path: str, dropped: tuple[str, ...]) -> bool:
    words = {_plain(word) for word in path.split(".") if _plain(word)}
    told = {_plain(word) for name in dropped for word in re.split(r"[.\[\]]", name) if _plain(word)}
    return bool((words - _PLACES) & told)


_PLACES = {
    "messages",
    "content",
    "input",
    "tools",
    "parts",
    "contents",
    "output",
    "source",
    "generationconfig",
}


def losses(source: Ask, target: Ask, dropped: tuple[str, ...], renamed: Any, dialect: str) -> list[str]:
    wrong: list[str] = []
    wrong += _lost_words(source, target)
    for mark in source.media:
        if mark not in target.media and mark.removeprefix("heic:") not in target.media:
            wrong.append(f"media {mark:.40}")
    wrong += _lost_tools(source, target, dropped, renamed, dialect)
    wrong += _lost_params(source, target, dropped, dialect)
    for path, value in source.others.items():
        is_carried = any(
            _plain(name.rpartition(".")[2]) == _plain(path.rpartition(".")[2]) for name in target.others
        )
        if not (is_nothing(path, value) or is_carried or _is_named(path, dropped)):
            wrong.append(f"{path} in silence")
    return wrong


_WRAPPING = re.compile(
    r"</?system>|Returnedbythecallof\w+:|\[(?:image|document|audio|file)\d+(?:attachedbelow)?\]|Error:"  # without its white space
)


def _lost_words(source: Ask, target: Ask) -> list[str]:
    wrong = []
    heard = {
        role: "\n".join(text for who, text in target.said if who == role)
        for role in ("system", "user", "assistant")
    }
    places = {
        "system": heard["system"] + "\n" + heard["user"],
        "user": heard["user"],
        "assistant": heard["assistant"],
    }
    for role, text in source.said:
        if role == "name":
            continue
        if _squeezed(text) not in _squeezed(places[role]):
            wrong.append(f"what the {role} says: {text[:40]!r}")
    spoken = sorted((_squeezed(text) for _, text in source.said), key=len, reverse=True)
    for role in ("assistant", "user", "system"):
        rest = _squeezed(heard[role])
        for text in spoken:
            rest = rest.replace(text, "") if text else rest
        for text in sorted((_squeezed(t) for t in source.results), key=len, reverse=True):
            rest = rest.replace(text, "") if text and role == "user" else rest
        if role != "assistant":
            rest = _WRAPPING.sub("", rest)
        if rest and (role == "assistant" or len(rest) > 80 or role == "user"):
            wrong.append(f"nothing, but invented by the {role}: {rest[:60]!r}")
    if [_plain_result(text) for text in source.results] != [_plain_result(text) for text in target.results]:
        for one, other in zip(source.results, [*target.results, *[""] * len(source.results)], strict=False):
            if _plain_result(one) not in _plain_result(other):
                wrong.append(f"a result: {one[:60]!r} became {other[:60]!r}")
    wrong += _out_of_course(source, target)
    if source.errors != target.errors and target.errors > source.errors:
        wrong.append("errors of tools: invented")
    for thought in source.thoughts:
        aloud = _squeezed(thought)
        is_said = any(aloud in _squeezed(text) for text in heard.values())
        if len(thought) > 20 and is_said and not any(aloud in _squeezed(text) for _, text in source.said):
            wrong.append(f"nothing, but a thought is said aloud: {thought[:40]!r}")
    return wrong


def _out_of_course(source: Ask, target: Ask) -> list[str]:
    """Everything comes in the order it came in; only what the system says and what is shown may move."""
    at = 0
    for kind, text in source.course:
        plain = _plain_result if kind == "result" else _squeezed
        while at < len(target.course) and not (
            kind == target.course[at][0] and plain(text) in plain(target.course[at][1])
        ):
            at += 1
        if at == len(target.course):
            return [f"the course: {kind} {text[:40]!r} does not come in its turn"]
    return []


def _squeezed(text: str) -> str:
    return "".join(text.split())


_ATTACHED = re.compile(r"\[(?:image|document|audio|file) \d+ attached below\]")


def _plain_result(text: str) -> str:
    """The words and numbers of a result: some APIs take a text, some an object that holds it."""
    text = _ATTACHED.sub("", text).strip()
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        value = text
    return _squeezed("".join(_leaves(value))).replace("Error:", "")


def _leaves(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [leaf for each in value.values() for leaf in _leaves(each)]
    if isinstance(value, list):
        return [leaf for each in value for leaf in _leaves(each)]
    if isinstance(value, str):
        try:
            inner = json.loads(value)
        except json.JSONDecodeError:
            return [_ATTACHED.sub("", value)]
        return [value] if isinstance(inner, str | int | float) or inner is None else _leaves(inner)
    return [json.dumps(value)]


def _lost_tools(source: Ask, target: Ask, dropped: tuple[str, ...], renamed: Any, dialect: str) -> list[str]:
    wrong = []
    own = {name: renamed.get(name, name) for name in target.tools}
    found = {own[name]: tool for name, tool in target.tools.items()}
    wanted = dict(source.tools)
    choice = source.choice
    if choice is not None and choice.startswith("subset:"):
        _, mode, names = choice.split(":")
        if set(found) <= set(names.split(",")):
            wanted = {name: tool for name, tool in wanted.items() if name in names.split(",")}
            choice = mode if mode in {target.choice, "auto"} else choice
    if choice == "none" and not found:
        wanted = {}
    if dialect == "ollama" and choice is not None and target.choice is not None:
        # What is to be called is all that it is told of.
        wanted = {name: tool for name, tool in wanted.items() if choice in {"required", f"tool:{name}"}}
        choice = target.choice if choice == "required" else choice
    for name, tool in wanted.items():
        if name not in found:
            if not (tool.get("deferred") and _is_named("defer_loading", dropped)) and not _is_named(
                f"tools.{name}", dropped
            ):
                wrong.append(f"the tool {name}")
            continue
        other = found[name]
        if (tool["description"] or "") not in (other["description"] or ""):
            wrong.append(f"the description of {name}")
        if not tool.get("custom") and _names(tool["schema"]) != _names(other["schema"]):
            wrong.append(f"of {name}: {sorted(_names(tool['schema']) ^ _names(other['schema']))[:4]}")
        if (
            tool["strict"]
            and not other["strict"]
            and dialect != "gemini"
            and not _is_named("strict", dropped)
        ):
            wrong.append(f"strict of {name}")
    wrong += [
        f"the loaded tool {name}" for name in source.loaded if name in source.tools and name not in found
    ]
    for name in found.keys() - source.tools.keys():
        wrong.append(f"nothing, but the tool {name} is invented")
    mine = target.choice
    if mine is not None and mine.startswith("tool:"):
        mine = f"tool:{own.get(mine[5:], mine[5:])}"
    if choice not in {None, "auto"} and mine != choice and not _is_named("tool_choice", dropped):
        is_fewer = choice == "none" and not found
        if not is_fewer and not (
            choice.startswith("subset") and mine == choice.replace("subset:auto", "subset:required")
        ):
            wrong.append(f"tool choice {choice} became {mine}")
    if (
        source.parallel is False
        and target.parallel is not False
        and wanted
        and not _is_named("parallel_tool_calls", dropped)
        and not _named(dropped, "parallel")
    ):
        wrong.append("parallel_tool_calls")
    calls = [(renamed.get(name, name), arguments) for name, arguments in target.calls]
    if source.calls != calls:
        wrong.append(f"calls: {source.calls!r:.60} became {calls!r:.60}")
    if (
        source.schema is not None
        and _names(source.schema) != _names(target.schema)
        and not (dialect == "ollama" and target.choice is not None)
        and not _named(dropped, "response_format")
    ):
        wrong.append(f"the schema: {sorted(_names(source.schema) ^ _names(target.schema))[:4]}")
    return wrong


def _names(schema: Any, seen: tuple[str, ...] = ()) -> set[str]:
    """What the schema calls its properties, wherever they are defined."""
    return set(_property_names(schema, schema, 0))


def _property_names(schema: Any, root: Any, depth: int) -> list[str]:
    if not isinstance(schema, dict) or depth > 12:
        return []
    found: list[str] = []
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference.startswith("#/"):
        place: Any = root
        for step in reference[2:].split("/"):
            place = place.get(step, {}) if isinstance(place, dict) else {}
        found += _property_names(place, root, depth + 1)
    for name, each in (schema.get("properties") or {}).items():
        found += [name, *_property_names(each, root, depth + 1)]
    inner = [
        schema.get("items"),
        *(schema.get("any_of") or []),
        *(schema.get("anyOf") or []),
        *(schema.get("oneOf") or []),
        *(schema.get("allOf") or []),
    ]
    for each in inner:
        found += _property_names(each, root, depth + 1)
    return found


def _named(dropped: tuple[str, ...], *words: str) -> bool:
    return any(_plain(word) in _plain(name) for word in words for name in dropped)


def _lost_params(source: Ask, target: Ask, dropped: tuple[str, ...], dialect: str) -> list[str]:
    wrong = []
    thinks = {
        name: value for name, value in source.params.items() if name in {"effort", "budget", "adaptive"}
    }
    for name, value in source.params.items():
        if name in thinks or target.params.get(name) == value or (name == "n" and value == 1):
            continue
        if name == "user" and "user" in target.params:
            continue
        if name in {"frequency_penalty", "presence_penalty"} and value == 0:
            continue
        if name in {"logprobs", "top_logprobs", "shown"} and not value:
            continue
        if name == "shown" and (dialect in _SHOW_UNASKED or target.params.get(name)):
            continue
        if _named(dropped, name, *_SYNONYMS.get(name, ())):
            continue
        wrong.append(f"{name}: {value!r:.30} became {target.params.get(name)!r:.30}")
    if thinks:
        is_off = (
            thinks.get("effort") == "none" or thinks.get("budget") == 0 or thinks.get("adaptive") is False
        )
        told = [target.params.get(name) for name in ("effort", "budget", "adaptive") if name in target.params]
        is_told = any(value not in (None, "none", 0, False) for value in told)
        if is_off and is_told and not _named(dropped, "effort", "thinking", "reasoning"):
            wrong.append(f"thinking: none became {told}")
        is_left_to_the_model = set(thinks) == {"adaptive"} or thinks.get("budget") == -1
        if (
            not is_off
            and not is_told
            and not is_left_to_the_model
            and not _named(dropped, "effort", "thinking", "reasoning", "think")
        ):
            wrong.append(f"thinking: {thinks} became {told}")
        wanted, told_budget = thinks.get("budget"), target.params.get("budget")
        if wanted and told_budget and told_budget > wanted >= 1024:
            wrong.append(f"thinking: {wanted} became {told_budget}")
    elif not source.params.get("shown") and any(
        target.params.get(name) for name in ("effort", "budget", "adaptive")
    ):
        wrong.append("nothing, but thinking is invented")
    may_come = {"max_tokens", "effort", "budget", "adaptive", "shown", "stream"}
    wrong += [
        f"nothing, but {name} is invented"
        for name in target.params.keys() - source.params.keys() - may_come
        if target.params[name] not in (None, False)
    ]
    if (
        "max_tokens" in target.params
        and "max_tokens" not in source.params
        and dialect != "anthropic-messages"
    ):
        wrong.append("nothing, but max_tokens is invented")
    return wrong
