"""Scores of tasks and groups as lm-eval aggregates them from samples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lm_eval_ext.analysis.lm_eval_files import REFUSED, TOTALLED, LoggedRow, is_score


def aggregated(rows: Sequence[LoggedRow], filter: str) -> dict[str, Any]:
    """The scores of a task as `results` has them: means over the samples with a value, and standard errors.

    `n_scored` is present if some samples have no score, `n_scored_<metric>` if a label has even fewer.
    """
    from lm_eval.api.metrics import mean_stderr

    scored = [row for row in rows if not row.get(REFUSED)]
    found: dict[str, Any] = {}
    for name in dict.fromkeys(name for row in scored for name in row["metrics"]):
        values = [row[name] for row in scored if is_score(row.get(name))]
        found[f"{name},{filter}"] = sum(values) / len(values) if values else "N/A"
        found[f"{name}_stderr,{filter}"] = mean_stderr(values) if len(values) > 1 else "N/A"
        if name.startswith("accuracy_label") and len(values) < len(scored):
            found[f"n_scored_{name},{filter}"] = len(values)
    if len(scored) < len(rows):
        found[f"n_scored,{filter}"] = len(scored)
    return found | _totals(rows, filter)


def _totals(rows: Sequence[LoggedRow], filter: str) -> dict[str, Any]:
    """Sums over all samples, of the metrics that some of them have."""
    spent = {name: [row[name] for row in rows if row.get(name) is not None] for name in TOTALLED}
    return {f"{name}_total,{filter}": sum(values) for name, values in spent.items() if values}


def pooled(parts: Sequence[tuple[Mapping[str, Any], int]], keys: Iterable[str]) -> dict[str, Any]:
    """The scores of a group, its tasks weighted by size, as lm-eval does it.

    Args:
        parts: a task's scores and the number of its scored samples.
        keys: "metric,filter" to aggregate; skipped where a task has none.
    """
    from lm_eval.api.metrics import aggregate_subtask_metrics, pooled_sample_stderr

    sizes = [size for _, size in parts]
    found: dict[str, Any] = {}
    for key in keys:
        stderr_key = "_stderr,".join(key.split(",", 1))
        values, stderrs = ([scores.get(name) for scores, _ in parts] for name in (key, stderr_key))
        if all(isinstance(value, int | float) for value in values):
            found[key] = aggregate_subtask_metrics(values, sizes)
            known = all(isinstance(stderr, int | float) for stderr in stderrs)
            found[stderr_key] = float(pooled_sample_stderr(stderrs, sizes)) if known else "N/A"
    return found
