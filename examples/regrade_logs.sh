#!/usr/bin/env bash
# Grades the responses of somebody's lm-eval run again, without a model, and reports on the new verdicts.
# The run must have been made with --log_samples; the logs are not changed.
#
#   bash examples/regrade_logs.sh LOGS OUT
set -euo pipefail
lm-eval-ext regrade "$1" --out "$2/runs"      # every verdict that changed, with the rule behind it
lm-eval-ext report "$2/runs" --out "$2/report"
