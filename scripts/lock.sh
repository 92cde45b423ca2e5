#!/bin/sh
# Resolves the newest allowed versions into the two lock files. Needs uv (pip install uv) and a package index.
set -eu
cd "$(dirname "$0")/.."
command -v uv >/dev/null || { echo "make lock needs uv: pip install uv" >&2; exit 1; }
export UV_CUSTOM_COMPILE_COMMAND="make lock"
resolve() {
  uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade pyproject.toml "$@"
}
resolve --group build --output-file requirements.lock
# The same versions again, and the developer's tools: both locks go into one environment.
resolve --group dev --constraint requirements.lock --output-file requirements-dev.lock
