#!/usr/bin/env bash
# A real evaluation in a few minutes: SmolLM2-135M-Instruct through the unmodified lm_eval and vLLM, on a
# subset of the packaged problems. MODEL=... evaluates another model, OUT=... writes elsewhere.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"

MODEL=${MODEL:-$(python scripts/fetch_smollm2.py)}
OUT=${OUT:-out}
export LM_EVAL_EXT_DATA=${LM_EVAL_EXT_DATA:-sample}

engine=""
if ! { command -v nvidia-smi >/dev/null && nvidia-smi -L >/dev/null 2>&1; }; then
  engine=",enforce_eager=True" # compilation costs a minute and pays only in long runs
  export VLLM_CPU_KVCACHE_SPACE=${VLLM_CPU_KVCACHE_SPACE:-2} OMP_NUM_THREADS=${OMP_NUM_THREADS:-$(nproc)}
fi
export VLLM_LOGGING_LEVEL=${VLLM_LOGGING_LEVEL:-ERROR} TOKENIZERS_PARALLELISM=false

evaluate() {
  (
    set -x
    lm_eval --model vllm \
      --model_args "pretrained=$MODEL,dtype=bfloat16,tensor_parallel_size=1,seed=42,max_model_len=4096$engine" \
      --include_path tasks_yaml --num_fewshot 4 --batch_size auto --seed 42 \
      --log_samples --output_path "$OUT" "$@"
  )
}

# Each task with the prompts under which this small model answers best.
evaluate --tasks mathnet,math_qwen --samples scripts/eval_samples.json --apply_chat_template \
  --gen_kwargs max_gen_toks=512
evaluate --tasks arith_words --limit 200
