# Sourced by the scripts that evaluate: `evaluate TASK OPTIONS...` with vLLM as the machine allows, on the
# packaged problems. Wants MODEL and OUT; EAGER=1 leaves compilation out on a GPU too, DTYPE=... sets the
# number format.
export LM_EVAL_EXT_DATA=${LM_EVAL_EXT_DATA:-sample}

engine=""
if ! { command -v nvidia-smi >/dev/null && nvidia-smi -L >/dev/null 2>&1; }; then
  EAGER=1 # compilation costs a minute and pays only in long runs
  export VLLM_CPU_KVCACHE_SPACE=${VLLM_CPU_KVCACHE_SPACE:-2} OMP_NUM_THREADS=${OMP_NUM_THREADS:-$(nproc)}
  # one process in place of three, threads on every core: the same texts in half the time
  export VLLM_ENABLE_V1_MULTIPROCESSING=${VLLM_ENABLE_V1_MULTIPROCESSING:-0}
  export VLLM_CPU_OMP_THREADS_BIND=${VLLM_CPU_OMP_THREADS_BIND:-nobind}
fi
# float32 where the CPU cannot multiply bfloat16 and would take twenty times as long
DTYPE=${DTYPE:-$(python -c 'from lm_eval_ext.harness import hardware; print(hardware.small_dtype())')}
if [ -n "${EAGER:-}" ]; then engine=",enforce_eager=True"; fi
export VLLM_LOGGING_LEVEL=${VLLM_LOGGING_LEVEL:-ERROR} VLLM_LOGGING_STREAM=ext://sys.stderr TOKENIZERS_PARALLELISM=false

evaluate() {
  (
    set -x
    lm_eval --model vllm \
      --model_args "pretrained=$MODEL,dtype=$DTYPE,tensor_parallel_size=1,seed=42,max_model_len=4096$engine" \
      --include_path tasks_yaml --num_fewshot 4 --batch_size auto --seed 42 \
      --log_samples --output_path "$OUT" "$@"
  )
}
