"""Other gateways in front of the same upstream, each installed into bench/build. They do not do equal work."""

import json
import os
import shutil
import subprocess
import sys
import venv

from contestants import BUILD, KEY, Lane, Setup
from processes import DidNotStart, free_port

LITELLM = "litellm[proxy]==1.106.2"
PORTKEY = "@portkey-ai/gateway@1.15.2"


def start_peers(setup: Setup) -> list[Lane]:
    """Those that could be installed; the others are named with the reason."""
    lanes = []
    for start in (start_litellm, start_portkey):
        try:
            lanes.append(start(setup))
        except (OSError, subprocess.CalledProcessError, DidNotStart) as failed:
            print(f"left out: {start.__name__.removeprefix('start_')}: {failed}", file=sys.stderr)
    return lanes


def start_litellm(setup: Setup) -> Lane:
    home = BUILD / "litellm"
    program = home / "bin" / "litellm"
    if not program.exists():
        print(f"installing {LITELLM} ...", flush=True)
        venv.create(home, with_pip=True, clear=True)
        subprocess.run([home / "bin" / "pip", "install", "--quiet", LITELLM], check=True)
    config = setup.folder / "litellm.yaml"
    entry = {
        "model_name": "small",
        "litellm_params": {
            "model": "openai/small-1",
            "api_base": f"http://127.0.0.1:{setup.upstream_port}/v1",
            "api_key": KEY,
        },
    }
    config.write_text(json.dumps({"model_list": [entry]}))  # JSON is YAML
    port = free_port()
    command = [str(program), "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    env = {**os.environ, "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true"}
    process = setup.start("litellm", command, port, within_s=120, env=env)
    url = f"http://127.0.0.1:{port}/v1/chat/completions"
    return Lane("LiteLLM " + LITELLM.partition("==")[2], url, setup.body_file("small"), process)


def start_portkey(setup: Setup) -> Lane:
    home = BUILD / "portkey"
    server = home / "node_modules" / "@portkey-ai" / "gateway" / "build" / "start-server.js"
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise FileNotFoundError("node and npm are needed")
    if not server.exists():
        print(f"installing {PORTKEY} ...", flush=True)
        home.mkdir(parents=True, exist_ok=True)
        quiet = ["--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run([npm, "install", "--prefix", str(home), *quiet, PORTKEY], check=True)
    port = free_port()
    process = setup.start("portkey", [node, str(server), f"--port={port}", "--headless"], port, within_s=60)
    headers = (
        "x-portkey-provider: openai",
        f"x-portkey-custom-host: http://127.0.0.1:{setup.upstream_port}/v1",
        f"Authorization: Bearer {KEY}",
    )
    url = f"http://127.0.0.1:{port}/v1/chat/completions"
    return Lane("Portkey " + PORTKEY.rpartition("@")[2], url, setup.body_file("small"), process, headers)
