"""The model behind the vendors when an agent is tested: it has the agent read files with the agent's own tools, two at
once and then a third, and says what stood in them."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clients.vendors.script import THOUGHT, Answer, Asked, Call, RefusedError, Say, Think

ORDER = (
    "Run the errand: read the files one.txt, two.txt and three.txt here, and tell me the code word in each."
)
CODE_WORDS = {"one.txt": "turquoise-4711", "two.txt": "vermilion-1848", "three.txt": "ochre-2718"}
DONE = "Errand done: turquoise-4711, vermilion-1848, ochre-2718."

READERS = (
    "Read", "read_file", "read", "read_files", "exec_command", "shell_command", "shell", "bash", "Bash", "exec",
    "run_commands", "execute_command",
)  # fmt: skip
"""Tools that agents read files with, best first."""

_CODE_WORD = re.compile(r"(?:turquoise|vermilion|ochre)-\d+")


class Errand:
    """`folder` is where the agent works."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, asked: Asked) -> Answer:
        place = max((at for at, turn in enumerate(asked.turns) if ORDER in turn.text), default=-1)
        reader = next((name for name in READERS if name in asked.tools), None)
        if place < 0 or reader is None:
            return [Say("An errand")]  # a title, a topic, a summary: what agents ask for beside their work
        told = [result for turn in asked.turns[place:] for result in turn.results]
        found = [word for result in told for word in _CODE_WORD.findall(result)]
        thought = (
            [Think(f"{THOUGHT}, says {asked.model} after {len(asked.turns)} turns.")] if asked.thinks else []
        )
        expected = list(CODE_WORDS.values())
        if found[: len(told)] != expected[: len(told)]:
            raise RefusedError(f"the tools said {told}")
        match len(told):
            case 0:
                return [*thought, self._call(asked, reader, "one.txt"), self._call(asked, reader, "two.txt")]
            case 2:
                return [*thought, self._call(asked, reader, "three.txt")]
            case 3:
                return [*thought, Say(DONE)]
            case number:
                raise RefusedError(f"{number} results of calls that were two and one")

    def _call(self, asked: Asked, reader: str, file: str) -> Call:
        schema = asked.tools[reader]
        properties, required = schema["properties"], schema.get("required", [])
        return Call(
            reader, {name: self._argument(name, properties[name], file) for name in required or properties}
        )

    def _argument(self, name: str, schema: Mapping[str, Any], file: str) -> Any:
        """What a tool wants, as far as its name and type tell."""
        path = str(self._folder / file)
        words = f"cat {path}"
        value: Any = {
            "cmd": words, "command": words, "commands": words, "description": "Reads a file", "files": {"path": path},
        }.get(name, path)  # fmt: skip
        if name == "requires_approval":
            return False
        if schema.get("type") != "array":
            return value
        return words.split() if name == "command" else [value]
