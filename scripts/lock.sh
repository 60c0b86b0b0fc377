#!/usr/bin/env bash
# Writes scripts/lock/: the newest versions that go together, for the CPU stack (Python 3.11 to 3.13), for
# the GPU stack (CUDA, Linux, Python 3.12) and for the documentation site. Names and versions only: where they come from is the machine's affair.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/environment.sh
hardware=cpu # torch's +cpu build must be found, whatever this machine has
with_uv

compile() {
  .venv/bin/uv pip compile --quiet --upgrade --no-annotate --custom-compile-command "make lock" \
    --extra ifeval --extra judge --extra ray --extra slurm --extra report --extra serve --extra bench --extra dev pyproject.toml "$@"
}
mkdir -p scripts/lock
compile --universal --python-version 3.11 scripts/cpu/requirements.txt --override scripts/cpu/overrides.txt \
  --output-file scripts/lock/cpu.txt
.venv/bin/uv pip compile --quiet --upgrade --no-annotate --custom-compile-command "make lock" --extra docs pyproject.toml \
  --universal --python-version 3.11 --constraint scripts/lock/cpu.txt --output-file scripts/lock/docs.txt
unset UV_FIND_LINKS UV_EXTRA_INDEX_URL UV_INDEX_STRATEGY
compile --python-version 3.12 --python-platform linux --extra vllm --extra hf --extra api --extra train --extra deepspeed --extra trackers \
  --output-file scripts/lock/gpu.txt
