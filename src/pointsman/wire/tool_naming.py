"""Tools under names that a target takes. What it would refuse is sent under another name, which the undo of the reply
takes back; it knows no dialect's own rule."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

import msgspec

from pointsman.core.request import Message, Part, Request, ToolCall

_MARK_CHARS = 8


class NameRule(NamedTuple):
    """`allowed` matches every name the API takes, `refused` each character it takes nowhere in one."""

    allowed: re.Pattern[str]
    refused: re.Pattern[str]
    chars_max: int


def name_rule(characters: str, chars_max: int, *, begins: str | None = None) -> NameRule:
    """Names of 1 to `chars_max` of `characters`, the first of them one of `begins` where that is given. Both are written
    as the inside of a character class."""
    allowed = rf"[{begins or characters}][{characters}]{{0,{chars_max - 1}}}"
    return NameRule(re.compile(allowed), re.compile(rf"[^{characters}]"), chars_max)


OPENAI_NAMES = name_rule(r"A-Za-z0-9_-", 64)


def fitting(request: Request, rule: NameRule) -> tuple[Request, Mapping[str, str]]:
    """The request with every tool under a name that `rule` allows, and the caller's own name for each that was given.

    A name becomes the same one in every request with the same tools, so that a provider's cache of them holds.
    """
    called = {
        part.name for message in request.messages for part in message.parts if isinstance(part, ToolCall)
    }
    wanted = [*(tool.name for tool in request.tools), *sorted(called)]
    if all(map(rule.allowed.fullmatch, wanted)):
        return request, {}
    sent = _allowed(wanted, rule)
    choice = request.tool_choice
    if choice is not None and choice.name in sent:
        choice = replace(choice, name=sent[choice.name])
    renamed = replace(
        request,
        tools=tuple(replace(tool, name=sent.get(tool.name, tool.name)) for tool in request.tools),
        tool_choice=choice,
        messages=tuple(_called_by(message, sent) for message in request.messages),
    )
    return renamed, {given: own for own, given in sent.items()}


def _allowed(wanted: Iterable[str], rule: NameRule) -> dict[str, str]:
    names = list(wanted)
    taken = {name for name in names if rule.allowed.fullmatch(name)}
    sent: dict[str, str] = {}
    for name in names:
        if name in taken or name in sent:
            continue
        clean = rule.refused.sub("_", name)
        if clean in taken or rule.allowed.fullmatch(clean) is None:
            mark = hashlib.sha256(name.encode()).hexdigest()[:_MARK_CHARS]
            clean = f"{f't_{clean}'[: rule.chars_max - _MARK_CHARS - 1]}_{mark}"
        taken.add(clean)
        sent[name] = clean
    return sent


def _called_by(message: Message, sent: Mapping[str, str]) -> Message:
    parts = tuple(_under(part, sent) for part in message.parts)
    return message if parts == message.parts else Message(message.role, parts)


def _under(part: Part, sent: Mapping[str, str]) -> Part:
    if isinstance(part, ToolCall) and part.name in sent:
        return msgspec.structs.replace(part, name=sent[part.name])
    return part
