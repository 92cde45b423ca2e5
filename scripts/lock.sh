#!/bin/sh
# Resolves the newest allowed versions into the two lock files. Needs uv (pip install uv) and a package index.
set -eu
cd "$(dirname "$0")/.."
export UV_CUSTOM_COMPILE_COMMAND="make lock"
for target in "requirements.lock build" "requirements-dev.lock dev"; do
  set -- $target
  uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
    pyproject.toml --group "$2" --output-file "$1"
done
