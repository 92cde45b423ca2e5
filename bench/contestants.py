"""Who is measured: the upstream itself, nginx, Pointsman and, when asked for, other gateways. Each is set up in a
temporary folder, started on the proxies' core and answers on lanes: a URL and the body to send there."""

import json
import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from load import NUMBERED, body, messages_body
from processes import LOAD_CORE, PROXY_CORE, free_port, spawn, stop, wait_for_port

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
BUILD = HERE / "build"
KEY = "sk-bench"

NGINX = """\
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.error.log crit;
events {{ worker_connections 2048; }}
http {{
  access_log off;
  client_body_temp_path {folder}/client_body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  keepalive_requests 1000000000;
  client_body_buffer_size 64k;
  upstream provider {{
    server 127.0.0.1:{upstream_port};
    keepalive 512;
    keepalive_requests 1000000000;
  }}
  server {{
    listen 127.0.0.1:{port} backlog=1024;
    location / {{
      proxy_pass http://provider;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }}
    location /streamed/ {{
      proxy_pass http://provider;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
    }}
  }}
}}
"""

POINTSMAN = """\
server:
  port: {port}
providers:
  provider:
    dialect: openai-chat
    base_url: http://127.0.0.1:{upstream_port}/v1
    api_key: $BENCH_KEY
  slow-provider:
    dialect: openai-chat
    base_url: http://127.0.0.1:{upstream_port}/slow/v1
    api_key: $BENCH_KEY
models:
{models}
tiers: [simple, medium, complex, reasoning]
"""

MODEL = """\
  {name}:
    provider: {provider}
    id: {name}-1
    tier: {tier}
    usd_per_million_input: {price}
    usd_per_million_output: {price}
    context_tokens: 200000
    abilities: [tools]
"""


@dataclass(frozen=True, slots=True)
class Lane:
    """One thing to measure: where to send what, and whose process to read. `process` is None for the upstream."""

    name: str
    url: str
    body_file: Path
    process: subprocess.Popen[bytes] | None
    headers: tuple[str, ...] = ()


@dataclass(slots=True)
class Setup:
    """The upstream and whoever stands in front of it, all in one temporary folder; `end` stops them."""

    folder: Path
    upstream_port: int = 0
    stack: ExitStack = field(default_factory=ExitStack)

    def start(
        self, name: str, command: Sequence[str], port: int, *, core: int = PROXY_CORE, within_s: float = 20.0,
        env: Mapping[str, str] | None = None,
    ) -> subprocess.Popen[bytes]:  # fmt: skip
        log = self.folder / f"{name}.log"
        process = spawn(command, core=core, log=log, env=env)
        self.stack.callback(stop, process)
        wait_for_port(port, process, log, within_s)
        return process

    def body_file(self, model: str, *, stream: bool = False, is_same: bool = False) -> Path:
        """`is_same`: every request says the same, else each has a number of its own."""
        path = self.folder / f"{model}{'.stream' if stream else ''}{'.same' if is_same else ''}.json"
        content = body(model, stream=stream)
        path.write_bytes(content.replace(NUMBERED, b"1234567") if is_same else content)
        return path

    def messages_file(self, model: str) -> Path:
        path = self.folder / f"{model}.messages.json"
        path.write_bytes(messages_body(model))
        return path

    def end(self) -> None:
        self.stack.close()

    # the upstream ------------------------------------------------------------------------------------

    def start_upstream(self) -> None:
        BUILD.mkdir(exist_ok=True)
        binary = BUILD / "upstream"
        compiler = os.environ.get("CC", "cc")
        subprocess.run([compiler, "-O2", "-o", str(binary), str(HERE / "upstream.c")], check=True)
        self.upstream_port = free_port()
        self.start("upstream", [str(binary), str(self.upstream_port)], self.upstream_port, core=LOAD_CORE)

    def sent(self) -> dict[str, int]:
        """How many answers and chunks the upstream has sent so far."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.upstream_port}/count", timeout=5) as answer:
            counts: dict[str, int] = json.load(answer)
        return counts

    def direct(self) -> Lane:
        url = f"http://127.0.0.1:{self.upstream_port}/slow/v1/chat/completions"
        return Lane("no proxy", url, self.body_file("slow"), None)

    # nginx -------------------------------------------------------------------------------------------

    def start_nginx(self) -> dict[str, Lane]:
        port = free_port()
        config = self.folder / "nginx.conf"
        config.write_text(NGINX.format(folder=self.folder, port=port, upstream_port=self.upstream_port))
        program = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
        assert program is not None
        command = [
            program,
            "-p",
            str(self.folder),
            "-e",
            str(self.folder / "nginx.error.log"),
            "-c",
            str(config),
        ]
        process = self.start("nginx", command, port)
        at = f"http://127.0.0.1:{port}"
        return {
            "pinned": Lane("nginx", f"{at}/v1/chat/completions", self.body_file("small"), process),
            "stream": Lane(
                "nginx", f"{at}/streamed/v1/chat/completions", self.body_file("small", stream=True), process
            ),
            "slow": Lane("nginx", f"{at}/slow/v1/chat/completions", self.body_file("slow"), process),
        }

    # Pointsman ---------------------------------------------------------------------------------------

    def pointsman_command(self, state: Path, port: int) -> tuple[list[str], dict[str, str]]:
        """The command line and environment of a server that keeps everything in `state`."""
        state.mkdir(exist_ok=True)
        config = state / "pointsman.yaml"
        tiers = ("simple", "medium", "complex", "reasoning")
        models = [
            MODEL.format(name=name, provider="provider", tier=tier, price=price)
            for name, tier, price in zip(
                ("small", "middle", "large", "thinker"), tiers, (0.1, 1, 5, 15), strict=True
            )
        ]
        models.append(MODEL.format(name="slow", provider="slow-provider", tier="reasoning", price=20))
        config.write_text(
            POINTSMAN.format(port=port, upstream_port=self.upstream_port, models="".join(models).rstrip())
        )
        env = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(state),
            "XDG_STATE_HOME": str(state),
            "XDG_DATA_HOME": str(state),
            "BENCH_KEY": KEY,
        }
        program = Path(sys.executable).with_name("pointsman")
        return [str(program), "serve", "--config", str(config), "--log-level", "warning"], env

    def start_pointsman(self, name: str = "pointsman") -> dict[str, Lane]:
        port = free_port()
        command, env = self.pointsman_command(self.folder / name, port)
        process = self.start(name, command, port, env=env)
        url = f"http://127.0.0.1:{port}/v1/chat/completions"
        return {
            "pinned": Lane("Pointsman, pinned", url, self.body_file("small"), process),
            "routed": Lane("Pointsman, routed", url, self.body_file("auto"), process),
            "again": Lane("Pointsman, same wish again", url, self.body_file("auto", is_same=True), process),
            "stream": Lane("Pointsman", url, self.body_file("small", stream=True), process),
            "translated": Lane(
                "Pointsman, translated",
                f"http://127.0.0.1:{port}/v1/messages",
                self.messages_file("small"),
                process,
            ),
            "slow": Lane("Pointsman", url, self.body_file("slow"), process),
        }
