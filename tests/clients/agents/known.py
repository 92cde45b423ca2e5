"""The agents: where they come from, how each is told about a gateway, and how it is sent on an errand. What stands here is
what docs/clients.md tells their users."""

import json
from dataclasses import dataclass, field

URL = "http://127.0.0.1:4000"
KEY = "YOUR_KEY"


@dataclass(frozen=True)
class Agent:
    """`package` is what npm installs, `binary` its command. `environ`, `files` (by path below HOME) and a command with the
    arguments `setup` point it at a gateway, with URL and KEY in the places of what the test has; `arguments` send it on its errand and may name
    {home}, {folder} and {order}. `models` are the names that it asks for. `quiet` and `quiet_files` only keep it from
    calling home, or from asking."""

    name: str
    package: str
    binary: str
    models: tuple[str, ...]
    arguments: tuple[str, ...]
    environ: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    setup: tuple[str, ...] = ()
    quiet: dict[str, str] = field(default_factory=dict)
    quiet_files: dict[str, str] = field(default_factory=dict)


CLAUDE_CODE = Agent(
    "Claude Code",
    "@anthropic-ai/claude-code@2.1.332",
    "claude",
    models=("claude-sonnet-4-5", "claude-haiku-4-5"),
    environ={
        "ANTHROPIC_BASE_URL": URL,
        "ANTHROPIC_AUTH_TOKEN": KEY,
        "ANTHROPIC_MODEL": "claude-sonnet-4-5",
        "ANTHROPIC_DEFAULT_HAIKU_MODEL": "claude-haiku-4-5",
    },
    quiet={
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_TELEMETRY": "1",
        "DISABLE_AUTOUPDATER": "1",
    },
    arguments=("--print", "--allowed-tools", "Read", "--", "{order}"),
)

CODEX = Agent(
    "Codex",
    "@openai/codex@0.171.0",
    "codex",
    models=("gpt-5.2",),
    environ={"POINTSMAN_KEY": KEY},
    files={
        ".codex/config.toml": f"""\
model = "gpt-5.2"
model_provider = "pointsman"
[model_providers.pointsman]
name = "Pointsman"
base_url = "{URL}/v1"
env_key = "POINTSMAN_KEY"
wire_api = "responses"
""",
    },
    arguments=("exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", "{order}"),
)

GEMINI_CLI = Agent(
    "Gemini CLI",
    "@google/gemini-cli@0.61.0",
    "gemini",
    models=("gemini-2.5-pro", "gemini-2.5-flash", "gemini-2.5-flash-lite"),
    environ={"GOOGLE_GEMINI_BASE_URL": URL, "GEMINI_API_KEY": KEY},
    quiet_files={
        ".gemini/settings.json": json.dumps(
            {
                "security": {"auth": {"selectedType": "gemini-api-key"}},
                "privacy": {"usageStatisticsEnabled": False},
                "telemetry": {"enabled": False},
            }
        ),
    },
    arguments=("--model", "gemini-2.5-pro", "--skip-trust", "--approval-mode", "yolo", "--prompt", "{order}"),
)

OPENCODE = Agent(
    "opencode",
    "opencode-ai@1.18.33",
    "opencode",
    models=("my-model",),
    environ={"POINTSMAN_KEY": KEY},
    quiet={"OPENCODE_DISABLE_AUTOUPDATE": "1", "OPENCODE_DISABLE_MODELS_FETCH": "1"},
    files={
        ".config/opencode/opencode.json": """\
{
  "provider": {
    "pointsman": {
      "npm": "@ai-sdk/openai-compatible",
      "name": "Pointsman",
      "options": {"baseURL": "http://127.0.0.1:4000/v1", "apiKey": "{env:POINTSMAN_KEY}"},
      "models": {"my-model": {"name": "my-model", "reasoning": true, "tool_call": true}}
    }
  },
  "model": "pointsman/my-model"
}
""",
    },
    arguments=("run", "--auto", "{order}"),
)

OPENCLAW_CONFIG = """\
{
  "models": {
    "mode": "merge",
    "providers": {
      "pointsman": {
        "baseUrl": "http://127.0.0.1:4000/v1",
        "apiKey": "YOUR_KEY",
        "api": "openai-completions",
        "models": [
          {
            "id": "my-model",
            "name": "my-model",
            "reasoning": true,
            "input": ["text"],
            "cost": {"input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0},
            "contextWindow": 200000,
            "maxTokens": 8192
          }
        ]
      }
    }
  },
  "agents": {"defaults": {"model": {"primary": "pointsman/my-model"}}}
}
"""


def openclaw(api: str, ending: str) -> Agent:
    """OpenClaw with one of the APIs that it speaks, whose base URL ends so."""
    config = OPENCLAW_CONFIG.replace("openai-completions", api).replace(f"{URL}/v1", URL + ending)
    return Agent(
        f"OpenClaw {api}",
        "openclaw@2026.9.6",
        "openclaw",
        models=("my-model",),
        files={".openclaw/openclaw.json": config},
        arguments=("agent", "--local", "--session-id", "errand", "--message", "{order}"),
    )


CONTINUE = Agent(
    "Continue",
    "@continuedev/cli@1.5.47",
    "cn",
    models=("my-model",),
    quiet={"CONTINUE_TELEMETRY_ENABLED": "0"},
    files={
        ".continue/config.yaml": f"""\
name: Pointsman
version: 1.0.0
schema: v1
models:
  - name: Pointsman
    provider: openai
    model: my-model
    apiBase: {URL}/v1
    apiKey: {KEY}
    roles: [chat]
    capabilities: [tool_use]
""",
    },
    arguments=("--config", "{home}/.continue/config.yaml", "--auto", "--print", "{order}"),
)

CLINE = Agent(
    "Cline",
    "cline@3.0.65",
    "cline",
    models=("my-model",),
    setup=("auth", "-p", "openai-compatible", "-k", KEY, "-m", "my-model", "-b", f"{URL}/v1"),
    arguments=("--cwd", "{folder}", "--auto-approve", "true", "{order}"),
)

AGENTS: tuple[Agent, ...] = (
    CLAUDE_CODE,
    CODEX,
    GEMINI_CLI,
    OPENCODE,
    openclaw("openai-completions", "/v1"),
    openclaw("openai-responses", "/v1"),
    openclaw("anthropic-messages", ""),
    openclaw("google-generative-ai", "/v1beta"),
    CONTINUE,
    CLINE,
)
