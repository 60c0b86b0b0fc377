"""Results and samples in lm-eval's own layout, so that everything that reads its runs reads these."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from lm_eval_ext import atomic
from lm_eval_ext.analysis.samples import REFUSED, is_score

Row = Mapping[str, Any]
TOTALLED = ("output_tokens", "cost_usd")
"""Sample metrics of which the results also have the sum, over all samples, the refused ones included."""


def stamp() -> str:
    """The date in the names of a results file and its samples files, as lm-eval writes it."""
    return datetime.now().isoformat(timespec="microseconds").replace(":", "-")


def folder_of(model: str) -> str:
    """The folder that lm-eval keeps a model's runs in."""
    from lm_eval.utils import sanitize_model_name

    return str(sanitize_model_name(model))


def write_samples(folder: Path, task: str, date: str, rows: Iterable[Row]) -> Path:
    """`samples_<task>_<date>.jsonl`, whole or not at all."""
    file = folder / f"samples_{task}_{date}.jsonl"
    write_rows(file, rows)
    return file


def write_rows(file: Path, rows: Iterable[Row]) -> None:
    """JSON lines, whole or not at all."""
    atomic.write_lines(file, (_line(row) for row in rows))


def write_results(folder: Path, date: str, results: Row) -> Path:
    """`results_<date>.json`; to be written last: without it no run is there."""
    file = folder / f"results_{date}.json"
    atomic.write_bytes(file, _line(results, indent=2))
    return file


def hashes(doc: Row, prompt: str, target: str) -> dict[str, str]:
    """The three hashes that lm-eval logs with a sample."""
    from lm_eval.utils import handle_non_serializable, hash_string

    text = json.dumps(doc, indent=2, default=handle_non_serializable, ensure_ascii=False)
    return {
        "doc_hash": hash_string(text),
        "prompt_hash": hash_string(prompt),
        "target_hash": hash_string(target),
    }


def aggregated(rows: Sequence[Row], filter: str) -> dict[str, Any]:
    """The scores of a task as `results` has them: means over the samples that have a value, and stderr.

    `n_scored` is there where some samples have no score, `n_scored_<metric>` where a metric is known of
    fewer samples still.
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
    for name in TOTALLED:
        if spent := [row[name] for row in rows if row.get(name) is not None]:
            found[f"{name}_total,{filter}"] = sum(spent)
    return found


def pooled(parts: Sequence[tuple[Row, int]], keys: Iterable[str]) -> dict[str, Any]:
    """The scores of a group, its tasks weighted by their sizes, as lm-eval does it.

    Args:
        parts: a task's scores and the number of its samples that have one.
        keys: "metric,filter" to aggregate; those that a task lacks are left out.
    """
    from lm_eval.api.metrics import aggregate_subtask_metrics, pooled_sample_stderr

    found: dict[str, Any] = {}
    for key in keys:
        name, _, filter = key.partition(",")
        error = f"{name}_stderr,{filter}"
        values = [(scores.get(key), scores.get(error), size) for scores, size in parts]
        if not all(isinstance(value, int | float) for value, _, _ in values):
            continue
        sizes = [size for _, _, size in values]
        found[key] = aggregate_subtask_metrics([value for value, _, _ in values], sizes)
        known = all(isinstance(stderr, int | float) for _, stderr, _ in values)
        found[error] = float(pooled_sample_stderr([s for _, s, _ in values], sizes)) if known else "N/A"
    return found


def _line(fields: Row, indent: int | None = None) -> bytes:
    try:
        text = json.dumps(fields, ensure_ascii=False, indent=indent).encode("utf-8")
    except UnicodeEncodeError:  # a lone surrogate, which JSON can write and UTF-8 cannot
        text = json.dumps(fields, indent=indent).encode("utf-8")
    return text + b"\n"
