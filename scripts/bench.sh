#!/usr/bin/env bash
# Measures the grader beside its peers; arguments go to benchmarks.grading. What only it needs goes into .venv:
# the extra `bench`, and for lm-eval's minerva_math the antlr runtime it asserts, apart from the newer one.
set -euo pipefail
cd "$(dirname "$0")/.."

minerva=.venv/minerva
if [ ! -d "$minerva" ]; then
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --editable ".[bench]"
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --target "$minerva" \
    'antlr4-python3-runtime==4.11.*'
fi
exec .venv/bin/python -m benchmarks.grading --minerva-packages "$minerva" "$@"
