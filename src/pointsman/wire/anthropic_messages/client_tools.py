"""Tools that Anthropic defines and the caller runs, as plain functions: the caller gets the call that it knows, whoever
makes it. Those that Anthropic runs itself have no place elsewhere, and neither has `computer`, for which other models
are not made."""

import re
from collections.abc import Mapping
from typing import Any

from pointsman.core.request import Tool

_PATH = {"type": "string", "description": "Absolute path to a file or directory."}
_TEXT = {"type": "string"}
_RANGE = {
    "type": "array",
    "items": {"type": "integer"},
    "description": "For view: the first and the last line to show, from 1; -1 means to the end.",
}
_LINE = {
    "type": "integer",
    "description": "For insert: the line behind which to insert; 0 is the start of the file.",
}

_BASH = {
    "type": "object",
    "properties": {
        "command": {
            "type": "string",
            "description": "The command to run. Required unless the tool is restarted.",
        },
        "restart": {"type": "boolean", "description": "True restarts the tool."},
    },
}


def _schema(commands: list[str], properties: Mapping[str, Any], required: list[str]) -> dict[str, Any]:
    command = {"type": "string", "enum": commands, "description": "What to do."}
    return {
        "type": "object",
        "properties": {"command": command, **properties},
        "required": ["command", *required],
    }


def _editor(inserted: str, *more: str) -> dict[str, Any]:
    properties = {
        "path": _PATH,
        "file_text": {**_TEXT, "description": "For create: what the file will hold."},
        "old_str": {
            **_TEXT,
            "description": "For str_replace: the text to replace, which must stand there once.",
        },
        "new_str": {**_TEXT, "description": "For str_replace: the text to put in its place."},
        "insert_line": _LINE,
        inserted: {**_TEXT, "description": "The text to put in."},
        "view_range": _RANGE,
    }
    return _schema(["view", "create", "str_replace", "insert", *more], properties, ["path"])


_MEMORY = _schema(
    ["view", "create", "str_replace", "insert", "delete", "rename"],
    {
        "path": {**_TEXT, "description": "A path below /memories, for all commands but rename."},
        "view_range": _RANGE,
        "file_text": {**_TEXT, "description": "For create: what the file will hold."},
        "old_str": {
            **_TEXT,
            "description": "For str_replace: the text to replace, which must stand there once.",
        },
        "new_str": {**_TEXT, "description": "For str_replace: the text to put in its place."},
        "insert_line": _LINE,
        "insert_text": {**_TEXT, "description": "For insert: the text to put in."},
        "old_path": {**_TEXT, "description": "For rename: where it is."},
        "new_path": {**_TEXT, "description": "For rename: where it should be."},
    },
    [],
)

_REMEMBERS = (
    "Keeps files of your own below /memories that last beyond this conversation. View it before a task, and note there what"
    " will be needed later."
)
_EDITS = "Views, creates and edits text files."
_KNOWN: tuple[tuple[re.Pattern[str], str, Mapping[str, Any]], ...] = (
    (re.compile(r"bash_\d{8}"), "Runs commands in a shell that keeps its state between calls.", _BASH),
    (re.compile(r"text_editor_(?:20241022|20250124)"), _EDITS, _editor("new_str", "undo_edit")),
    (re.compile(r"text_editor_\d{8}"), _EDITS, _editor("insert_text")),
    (
        re.compile(r"memory_\d{8}"),
        _REMEMBERS,
        _MEMORY,
    ),
)


def as_function(kind: str, name: str) -> Tool | None:
    """The tool of type `kind` under the name that its caller knows it by, None where there is no such function."""
    for pattern, description, schema in _KNOWN:
        if pattern.fullmatch(kind):
            return Tool(name, description, schema)
    return None
