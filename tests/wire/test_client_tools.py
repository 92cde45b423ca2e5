"""Tools of the Responses API that the caller runs: functions elsewhere, and their own items again for the caller, as
OpenAI's SDK reads them."""

import json
from typing import Any

import pytest
from openai.types.responses import (
    Response,
    ResponseApplyPatchToolCall,
    ResponseFunctionShellToolCall,
    ResponseOutputItem,
)
from openai.types.responses.response_output_item import LocalShellCall

from pointsman.app import DIALECTS
from pointsman.core.errors import BadRequest
from pointsman.core.events import Finished, ReplyEvent, ReplyStarted, ToolCallDelta, ToolCallStarted
from pointsman.core.model_card import ModelCard
from pointsman.core.request import Request, Text, ToolCall, ToolChoice, ToolResult
from pointsman.wire.dialect import ReplyContext
from pointsman.wire.envelope import Envelope, read_envelope
from pointsman.wire.openai_responses import OPENAI_RESPONSES

TOOLS = ({"type": "local_shell"}, {"type": "shell"}, {"type": "apply_patch"})
DONE: dict[str, dict[str, Any]] = {
    "local_shell": {"command": ["ls", "-l"], "timeout_ms": 5},
    "shell": {"commands": ["ls"], "max_output_length": 9},
    "apply_patch": {"type": "update_file", "path": "a.txt", "diff": "@@\n-a\n+b\n"},
}
KINDS = {
    "local_shell": LocalShellCall,
    "shell": ResponseFunctionShellToolCall,
    "apply_patch": ResponseApplyPatchToolCall,
}


def envelope(**fields: Any) -> Envelope:
    return read_envelope(json.dumps({"model": "m", "input": "Hi", "tools": TOOLS, **fields}).encode())


def decoded(**fields: Any) -> Request:
    return OPENAI_RESPONSES.decode_request(envelope(**fields))


def calls(name: str) -> list[ReplyEvent]:
    arguments = json.dumps(DONE[name])
    return [
        ReplyStarted("r", "m"),
        ToolCallStarted(0, "call_1", name),
        ToolCallDelta(0, arguments[:9]),
        ToolCallDelta(0, arguments[9:]),
        Finished("tool_calls"),
    ]


def test_they_are_functions() -> None:
    request = decoded(tool_choice={"type": "shell"})
    assert [tool.name for tool in request.tools] == ["local_shell", "shell", "apply_patch"]
    assert request.tool_choice == ToolChoice("tool", "shell")
    assert not request.must_not_drop


@pytest.mark.parametrize(
    "tools",
    [
        [{"type": "shell", "environment": {"type": "container_auto"}}],
        [{"type": "shell"}, {"type": "function", "name": "shell", "parameters": None}],
        [{"type": "computer"}],
    ],
    ids=["in a container of OpenAI's", "beside a function of that name", "computer"],
)
def test_what_cannot_be_told_apart_or_run_is_insisted_on(tools: list[Any]) -> None:
    (name,) = decoded(tools=tools).must_not_drop
    assert name in {"tools[0].shell", "tools[0].computer"}


@pytest.mark.parametrize("name", DONE)
def test_a_whole_reply_calls_them_as_the_caller_knows_them(name: str) -> None:
    reply = OPENAI_RESPONSES.encode_reply(calls(name), ReplyContext("pm_1", "m", 1, envelope=envelope()))
    (item,) = Response.model_validate_json(reply).output
    check(item, name)


@pytest.mark.parametrize("name", DONE)
def test_a_stream_ends_with_the_same_item(name: str) -> None:
    encoder = OPENAI_RESPONSES.reply_encoder(ReplyContext("pm_1", "m", 1, envelope=envelope()))
    sent = encoder.feed(calls(name)).decode()
    events = [json.loads(line[6:]) for line in sent.splitlines() if line.startswith("data: ")]
    kinds = [event["type"] for event in events]
    assert kinds[2:] == ["response.output_item.added", "response.output_item.done", "response.completed"]
    added, done, completed = events[2:]
    assert added["item"]["id"] == done["item"]["id"]
    assert completed["response"]["output"] == [done["item"]]
    check(Response.model_validate(completed["response"]).output[0], name)


def check(item: ResponseOutputItem, name: str) -> None:
    assert isinstance(item, KINDS[name])
    assert (item.type, item.call_id, item.status) == (f"{name}_call", "call_1", "completed")
    told = item.model_dump(exclude_none=True)
    assert DONE[name].items() <= told["operation" if name == "apply_patch" else "action"].items()


def test_what_they_did_is_history_for_every_model() -> None:
    wrote = [{"stdout": "a", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}]
    request = decoded(
        input=[
            {"role": "user", "content": "Hi"},
            {
                "type": "local_shell_call", "id": "lsh_1", "call_id": "c1", "status": "completed",
                "action": {"type": "exec", "env": {}, "user": None, **DONE["local_shell"]},
            },
            {"type": "shell_call", "id": "sh_1", "call_id": "c2", "action": DONE["shell"]},
            {"type": "apply_patch_call", "call_id": "c3", "status": "completed", "operation": DONE["apply_patch"]},
            {"type": "local_shell_call_output", "id": "c1", "output": "a.txt"},
            {"type": "shell_call_output", "call_id": "c2", "output": wrote},
            {"type": "apply_patch_call_output", "call_id": "c3", "status": "completed", "output": "ok"},
        ]
    )  # fmt: skip
    _, said, answered = request.messages
    assert [(part.name, json.loads(part.arguments)) for part in said.parts if isinstance(part, ToolCall)] == [
        ("local_shell", {"env": {}, **DONE["local_shell"]}),
        ("shell", DONE["shell"]),
        ("apply_patch", DONE["apply_patch"]),
    ]
    texts = [part.content[0] for part in answered.parts if isinstance(part, ToolResult)]
    assert texts[::2] == [Text("a.txt"), Text("ok")]
    assert isinstance(texts[1], Text)
    assert json.loads(texts[1].text) == wrote[0]
    for name, dialect in DIALECTS.items():
        if name != "openai-responses":
            assert (
                b"a.txt" in dialect.encode_request(request, ModelCard("m", "p", "m", profile="openai")).body
            )


@pytest.mark.parametrize("call", [{"type": "shell_call"}, {"type": "shell_call", "action": "ls"}])
def test_a_call_that_says_nothing_of_what_was_done_is_refused(call: dict[str, Any]) -> None:
    with pytest.raises(BadRequest) as refused:
        decoded(input=[{"role": "user", "content": "Hi"}, {**call, "call_id": "c"}])
    assert refused.value.param == "input[1].action"


def test_routing_reads_what_they_wrote() -> None:
    output = [{"stdout": "a", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}]
    said = [
        {"role": "user", "content": "Hi"},
        {"type": "shell_call", "call_id": "c", "action": DONE["shell"]},
        {"type": "shell_call_output", "call_id": "c", "output": output},
    ]
    prompt = OPENAI_RESPONSES.read_prompt(envelope(input=said))
    assert prompt.tool_count == 3
    assert prompt.turns[-1].speaker == "tool"
