#!/usr/bin/env bash
# Measures the grader beside its peers; arguments go to benchmarks.grading. lm-eval's minerva_math asserts an antlr
# runtime: it goes into .venv/minerva, apart from the newer one.
set -euo pipefail
cd "$(dirname "$0")/.."

minerva=.venv/minerva
if [ ! -d "$minerva" ]; then
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --target "$minerva" \
    'antlr4-python3-runtime==4.11.*'
fi
exec .venv/bin/python -m benchmarks.grading --minerva-packages "$minerva" "$@"
