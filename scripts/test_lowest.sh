#!/usr/bin/env bash
# The unit tests with the lowest versions that pyproject.toml claims, in an environment of their own, .venv/lowest.
# What these depend on is new: warnings about it are no errors here.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/environment.sh
with_uv

.venv/bin/uv venv --quiet --clear --python .venv/bin/python .venv/lowest
.venv/bin/uv pip install --quiet --compile-bytecode --python .venv/lowest/bin/python --resolution lowest-direct \
  --editable ".[api,judge,report,dev]"
exec .venv/lowest/bin/python -m pytest -W default -m "unit and not full" -p no:cacheprovider "$@"
