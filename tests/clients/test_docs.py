"""docs/clients.md says what the tests do: its Python runs, and its settings for agents are those they are tested with."""

import contextlib
import io
import re
from pathlib import Path

import pytest

from clients.agents.known import AGENTS, OPENCLAW_CONFIG, URL, Agent
from clients.vendors import running_vendors
from clients.vendors.script import lamp
from gateways import running_gateway

PAGE = (Path(__file__).resolve().parents[2] / "docs/clients.md").read_text()
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_python_examples_are_answered(tmp_path: Path) -> None:
    assert len(EXAMPLES) == 3
    with running_vendors(lamp) as vendors:
        environ = {**vendors.environ(), "GATEWAY_KEY": "YOUR_KEY"}
        yaml = f"server: {{master_key: $GATEWAY_KEY}}\n{vendors.yaml()}"
        with running_gateway(yaml, tmp_path, environ) as gateway:
            program = "\n".join(EXAMPLES).replace(URL, gateway.url)
            with contextlib.redirect_stdout(io.StringIO()) as told:
                exec(program, {})
    assert told.getvalue() == "hello\n" * 4
    assert vendors.refused == []


@pytest.mark.parametrize("agent", AGENTS, ids=lambda agent: agent.name)
def test_settings_of_agents_are_those_of_the_tests(agent: Agent) -> None:
    for name, value in agent.environ.items():
        assert f"export {name}={value}\n" in PAGE
    for file, text in agent.files.items():
        shown = OPENCLAW_CONFIG if "openclaw" in file else text
        assert f"`~/{file}`:\n\n" in PAGE
        assert f"\n{shown}```" in PAGE
    if agent.setup:
        assert f"\n{agent.binary} {' '.join(agent.setup)}\n" in PAGE
