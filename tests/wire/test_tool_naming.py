"""Tool names that a target would refuse are sent under others, and come back as the caller's own."""

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.core.events import ToolCallStarted
from pointsman.core.model_card import ModelCard
from pointsman.core.request import Message, Request, Text, Tool, ToolCall, ToolChoice, ToolResult
from pointsman.wire.anthropic_messages import ANTHROPIC_MESSAGES
from pointsman.wire.dialect import ProviderDialect
from pointsman.wire.gemini import GEMINI
from pointsman.wire.openai_chat import OPENAI_CHAT
from pointsman.wire.openai_responses import OPENAI_RESPONSES
from pointsman.wire.tool_naming import OPENAI_NAMES, fitting
from pointsman.wire.undo import Undoing

CARD = ModelCard("name", "provider", "id-1")
HI = Message("user", (Text("Hi"),))
ALLOWED = {
    OPENAI_CHAT: r"[A-Za-z0-9_-]{1,64}",
    OPENAI_RESPONSES: r"[A-Za-z0-9_-]{1,64}",
    ANTHROPIC_MESSAGES: r"[A-Za-z0-9_-]{1,128}",
    GEMINI: r"[A-Za-z_][A-Za-z0-9_.:-]{0,63}",
}
targets = pytest.mark.parametrize("target", ALLOWED, ids=lambda dialect: dialect.name)


def names_in(value: Any) -> list[str]:
    """Every name of a tool in a body, in its order."""
    if isinstance(value, list):
        return [name for each in value for name in names_in(each)]
    if not isinstance(value, dict):
        return []
    own = value.get("name")
    is_tool = value.keys() & {
        "input_schema",
        "parameters",
        "input",
        "arguments",
        "args",
        "response",
        "call_id",
    }
    own_names = [own] if isinstance(own, str) and (is_tool or len(value) <= 2) else []
    return own_names + [name for each in value.values() for name in names_in(each)]


@targets
def test_no_name_leaves_that_the_target_refuses_and_each_comes_back(target: ProviderDialect) -> None:
    names = ("mcp/search files", "9lives.v2", "mcp__github__" + "x" * 120, "mcp_search_files", "größe")
    history = (
        HI,
        Message("assistant", tuple(ToolCall(f"call_{n}a", name, "{}") for n, name in enumerate(names))),
        Message("user", tuple(ToolResult(f"call_{n}a", (Text("ok"),)) for n in range(len(names)))),
    )
    tools = tuple(Tool(name) for name in names)
    request = Request("m", history, tools=tools, tool_choice=ToolChoice("tool", names[1]))
    encoded = target.encode_request(request, CARD)
    sent = names_in(json.loads(encoded.body))
    assert len(sent) >= 2 * len(names)
    assert all(re.fullmatch(ALLOWED[target], name) for name in sent)
    back = Undoing(encoded.undo)
    own = {
        name: event.name
        for place, name in enumerate(dict.fromkeys(sent))
        for event in back.feed([ToolCallStarted(place, f"c{place}", name)])
        if isinstance(event, ToolCallStarted)
    }
    assert set(own.values()) == set(names)
    assert len(own) == len(names)
    assert own["mcp_search_files"] == "mcp_search_files"


@targets
def test_names_that_fit_are_left_alone(target: ProviderDialect) -> None:
    encoded = target.encode_request(Request("m", (HI,), tools=(Tool("get_weather"), Tool("a-b"))), CARD)
    assert encoded.undo.tool_names == {}


@settings(deadline=None)
@given(st.lists(st.text(max_size=90), unique=True, max_size=6))
def test_any_names_are_told_apart_and_are_the_same_the_next_time(names: list[str]) -> None:
    request = Request("m", (HI,), tools=tuple(Tool(name) for name in names))
    renamed, own = fitting(request, OPENAI_NAMES)
    sent = [tool.name for tool in renamed.tools]
    assert len(set(sent)) == len(names)
    assert [own.get(name, name) for name in sent] == names
    assert fitting(request, OPENAI_NAMES) == (renamed, own)
