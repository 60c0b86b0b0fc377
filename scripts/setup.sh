#!/usr/bin/env bash
# Prepares .venv with everything `make eval` and `make test` need: the versions in scripts/lock/, which
# `make lock` writes. NEWEST=1 takes the newest that the ranges allow instead. Does nothing where it is up to
# date. PYTHON and TORCH_INDEX: see environment.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/environment.sh

stamp=.venv/set-up-done
wanted="$hardware ${NEWEST:+newest $(date +%F) }$(cat pyproject.toml scripts/*.sh scripts/{cpu,lock}/*.txt scripts/cpu/vllm/pyproject.toml | sha256sum)"
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then exit 0; fi

versions=locked
if [ -n "${NEWEST:-}" ]; then versions=newest; fi
echo "set-up: installing the $versions versions into .venv ($hardware), a few minutes the first time"
with_uv
# Compiled: where Python may not keep byte code (PYTHONDONTWRITEBYTECODE, set in many images), every process
# that imports vLLM or TRL would else compile it anew, for 15 s.
uv() { .venv/bin/uv pip install --quiet --compile-bytecode --python .venv/bin/python "$@"; }

extras=ifeval,judge,ray,slurm,report,bench,dev
if [ "$versions" = locked ]; then
  uv --no-deps --requirement "scripts/lock/$hardware.txt"
  uv --no-deps --editable .
elif [ "$hardware" = gpu ]; then
  uv --upgrade --editable ".[vllm,hf,api,train,$extras]"
else
  uv --upgrade --requirement scripts/cpu/requirements.txt --override scripts/cpu/overrides.txt --editable ".[$extras]"
fi
if [ "$hardware" = cpu ]; then uv --no-deps scripts/cpu/vllm; fi
.venv/bin/python -m compileall -q lm_eval_ext training
if [ "$versions" = newest ]; then
  echo "set-up: other than locked:"
  .venv/bin/uv pip freeze --quiet --python .venv/bin/python | grep == |
    grep -v '^pip==' | grep -vxFf <(sed 's/ ;.*//' "scripts/lock/$hardware.txt") || true
fi
echo "$wanted" >"$stamp"
echo "set-up: done"
