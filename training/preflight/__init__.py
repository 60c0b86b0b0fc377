"""Preflight: before a run spends its hours, it is checked for everything known to have gone wrong in others.

`checks/` has the list, one small function each, over a `PreflightContext`; `report` shows what they found.
`lm-eval-ext train preflight --config C` runs them all.
"""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from dataclasses import replace
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

from tqdm import tqdm

from lm_eval_ext.harness.errors import UserError

from ..recipe import Recipe
from .check import Check, Outcome, does_not_apply
from .checks import CHECKS
from .context import Kind, PreflightContext, Unavailable
from .parts import name_of, parts
from .report import CheckResult, Report, marked

REPORT = "preflight.json"
WORST_FIRST = ("failed", "not checked", "passed", "does not apply")


def preflight(context: PreflightContext, deep: bool = False) -> Report:
    """Runs every check; with `deep` those that load the model, too.

    Raises UserError where the recipe itself makes no sense (no such task).
    """
    with ExitStack() as stack:
        checked = [stack.enter_context(part) for part in parts(context)]
        groups = [list(checks) for _, checks in groupby(CHECKS, key=attrgetter("id"))]
        shown = tqdm(groups, "preflight", unit="check", delay=5)
        results = tuple(_result(checks, checked, deep) for checks in shown)
        return Report(results, *_sample(checked[0]))


def _result(checks: list[Check], parts: list[PreflightContext], deep: bool) -> CheckResult:
    """Of several parts of a recipe the worst outcome, with the part's name."""
    outcomes = [_outcome(checks, part, deep) for part in parts]
    worst = min(range(len(parts)), key=lambda i: WORST_FIRST.index(outcomes[i].verdict))
    outcome, part = outcomes[worst], parts[worst]
    if part.whole and outcome.seen not in {other.seen for other in outcomes[:worst] + outcomes[worst + 1 :]}:
        outcome = replace(outcome, seen=f"{name_of(part)}: {outcome.seen}")
    return CheckResult.of(checks[0], outcome, part.recipe.accepted)


def _outcome(checks: list[Check], context: PreflightContext, deep: bool) -> Outcome:
    """Of the checks with one id: the first that did not pass, else the last."""
    outcome = does_not_apply("needs the model: checked with --deep")
    for check in checks:
        if deep or not check.deep:
            outcome = check(context)
            if outcome.verdict != "passed":
                break
    return outcome


def before(recipe: Recipe, training: Any, model: Any, kind: Kind, tokenizer: Any) -> None:
    """Runs preflight on the first process of a run, unless the recipe says `preflight: false`.

    The report goes to the standard error and to `output_dir/preflight.json`.

    Raises UserError where a check of severity "error" failed that the recipe does not accept.
    """
    if not recipe.preflight or int(os.environ.get("RANK", "0")):
        return
    context = PreflightContext(recipe, training, model, kind)
    context.tokenizer = tokenizer
    report = preflight(context)
    file = Path(training.output_dir) / REPORT
    report.write(file)
    report.show(sys.stderr, rest=f"{file} has every row")
    if report.stopping:
        raise UserError(
            "preflight: " + "; ".join(f"row {r.row}, {r.name}: {r.seen}" for r in report.stopping)
        )


def _sample(context: PreflightContext) -> tuple[str | None, str]:
    """A training sample, under SFT with its loss mask, and what it is."""
    try:
        if context.kind == "grpo":
            return context.prompt_texts[0], "a training prompt:"
        row = context.truncated.get(0) or next(iter(context.truncated.values()), None)
        if row is None:
            return None, "no row is left after max_length"
        sample = marked(row["input_ids"], row["labels"], context.tokenizer)
        return sample, "a training sample; the loss is on what is marked:"
    except Unavailable as error:
        return None, f"no sample: {error}"
