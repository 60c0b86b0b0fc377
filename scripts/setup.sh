#!/usr/bin/env bash
# Prepares .venv with everything `make eval` and `make test` need. Does nothing where it is up to date.
#
#   PYTHON       interpreter to build on (3.10 or later)           default: python3
#   TORCH_INDEX  index that has torch's +cpu build                 default: PyTorch's own
#                (not asked where pip is configured with find-links)
set -euo pipefail
cd "$(dirname "$0")/.."

PYTHON=${PYTHON:-python3}
TORCH_INDEX=${TORCH_INDEX:-https://download.pytorch.org/whl/cpu}

"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 10))' || {
  echo "set-up: $("$PYTHON" --version) is too old; set PYTHON to a Python of at least 3.10" >&2
  exit 1
}

hardware=cpu
if command -v nvidia-smi >/dev/null && nvidia-smi -L >/dev/null 2>&1; then hardware=gpu; fi

stamp=.venv/set-up-done
wanted="$hardware $(cat pyproject.toml scripts/setup.sh scripts/cpu/*.txt scripts/cpu/vllm/pyproject.toml | sha256sum)"
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then exit 0; fi

echo "set-up: installing into .venv ($hardware), a few minutes the first time"
[ -x .venv/bin/python ] || "$PYTHON" -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check uv
# Compiled: where Python may not keep byte code (PYTHONDONTWRITEBYTECODE, set in many images), every process
# that imports vLLM or TRL would else compile it anew, for 15 s.
uv() { .venv/bin/uv pip install --quiet --compile-bytecode --python .venv/bin/python "$@"; }

if [ "$hardware" = gpu ]; then
  uv --editable ".[vllm,hf,api,train,judge,report,dev]"
else
  links=${PIP_FIND_LINKS:-$(.venv/bin/python -m pip config get global.find-links 2>/dev/null || true)}
  if [ -n "$links" ]; then
    export UV_FIND_LINKS=$links
  else
    export UV_EXTRA_INDEX_URL=$TORCH_INDEX UV_INDEX_STRATEGY=unsafe-best-match
  fi
  uv --requirement scripts/cpu/requirements.txt --override scripts/cpu/overrides.txt --editable ".[judge,report,dev]"
  uv --no-deps scripts/cpu/vllm
fi
echo "$wanted" >"$stamp"
echo "set-up: done"
