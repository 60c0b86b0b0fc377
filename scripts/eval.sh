#!/usr/bin/env bash
# A real evaluation in a few minutes: SmolLM2-135M-Instruct through the unmodified lm_eval and vLLM, on a
# subset of the packaged problems. MODEL=... evaluates another model, OUT=... writes elsewhere.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"

MODEL=${MODEL:-$(python scripts/fetch_smollm2.py)}
OUT=${OUT:-out}
. scripts/engine.sh

mkdir -p "$OUT" # where lm_eval's own tables go
# Each task with the prompts under which this small model answers best.
evaluate --tasks mathnet,math_qwen --samples scripts/eval_samples.json --apply_chat_template \
  --gen_kwargs max_gen_toks=512 >"$OUT/lm_eval.txt"
evaluate --tasks arith_words --limit 200 >>"$OUT/lm_eval.txt"

newest=$(find "$OUT" -name 'results_*.json' -printf '%T@ %h\n' | sort -n | tail -1)
lm-eval-ext report "${newest#* }" --out "$OUT/report"
echo "first: . .venv/bin/activate   # lm-eval-ext and lm_eval become commands; the model is $MODEL" >&2
