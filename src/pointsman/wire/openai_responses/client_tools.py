"""OpenAI responses: tools that OpenAI defines and the caller runs, as functions elsewhere, and the items in which their
calls and answers stand. Those that OpenAI runs itself have no place elsewhere, and neither has `computer`, for which other
models are not made."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

_TEXT = {"type": "string"}
_WHOLE = {"type": "integer"}


class ClientTool(NamedTuple):
    """`field` of the item `call` holds what is to be done, with the fields of `fixed` beside the arguments."""

    description: str
    schema: Mapping[str, Any]
    call: str
    field: str
    fixed: Mapping[str, Any]


CLIENT_TOOLS: Mapping[str, ClientTool] = {
    "local_shell": ClientTool(
        "Runs a command on the user's machine and gives back what it writes.",
        {
            "type": "object",
            "properties": {
                "command": {"type": "array", "items": _TEXT, "description": "The program and its arguments."},
                "working_directory": {**_TEXT, "description": "Where to run it."},
                "timeout_ms": {**_WHOLE, "description": "When to give up."},
                "env": {"type": "object", "additionalProperties": _TEXT, "description": "Variables to set."},
                "user": {**_TEXT, "description": "Who runs it."},
            },
            "required": ["command"],
        },
        "local_shell_call",
        "action",
        {"type": "exec", "env": {}},
    ),
    "shell": ClientTool(
        "Runs shell commands and gives back what each writes and how it ended.",
        {
            "type": "object",
            "properties": {
                "commands": {"type": "array", "items": _TEXT, "description": "Lines of shell to run."},
                "timeout_ms": {**_WHOLE, "description": "When to give up."},
                "max_output_length": {**_WHOLE, "description": "How many characters of output to give back."},
            },
            "required": ["commands"],
        },
        "shell_call",
        "action",
        {},
    ),
    "apply_patch": ClientTool(
        "Creates, changes or deletes one file by a diff in the V4A format: context lines begin with a space, lines to remove"
        " with -, lines to add with +, and @@ begins a section.",
        {
            "type": "object",
            "properties": {
                "type": {"type": "string", "enum": ["create_file", "update_file", "delete_file"]},
                "path": {**_TEXT, "description": "Relative to the workspace."},
                "diff": {**_TEXT, "description": "For create_file and update_file."},
            },
            "required": ["type", "path"],
        },
        "apply_patch_call",
        "operation",
        {},
    ),
}
TOOL_OF_CALL: Mapping[str, str] = {tool.call: name for name, tool in CLIENT_TOOLS.items()}

_encode = msgspec.json.Encoder().encode
_decode_object = msgspec.json.Decoder(dict[str, Any]).decode


def as_arguments(done: msgspec.Raw, tool: ClientTool) -> str:
    """The arguments of the function, of what a call in the history says is to be done. Raises DecodeError."""
    said = _decode_object(done)
    return _encode(
        {
            name: value
            for name, value in said.items()
            if value is not None and name in tool.schema["properties"]
        }
    ).decode()


def as_done(arguments: str, tool: ClientTool) -> Mapping[str, Any]:
    """What a model wants done; of arguments that are no object, nothing but what is always said."""
    try:
        return {**tool.fixed, **_decode_object(arguments)}
    except (msgspec.DecodeError, RecursionError):
        return dict(tool.fixed)
