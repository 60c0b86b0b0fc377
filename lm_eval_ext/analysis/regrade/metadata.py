"""What a results file records of a grading: when, from which file, with which grader and judge."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lm_eval_ext.analysis import lm_eval_files
from lm_eval_ext.analysis.adapters import FILTER
from lm_eval_ext.analysis.aggregation import pooled
from lm_eval_ext.grading import Judge
from lm_eval_ext.harness.metrics import RETIRED, SHARES, metric_list
from lm_eval_ext.versions import versions_of

GENERATES = "generate_until"
GRADING_PACKAGES = ("lm_eval_ext", "math_verify", "latex2sympy2_extended", "sympy")
"""Packages whose versions decide a verdict."""


class GradingRecord:
    """One grading under way, to be noted in the metadata of every task it covers."""

    def __init__(self, source: Path, judge: Judge | None) -> None:
        self.source, self.judge = str(source), judge
        self.at = datetime.now(UTC).isoformat(timespec="seconds")
        self._spent = _judge_record(judge).get("usage") or {}

    def note(self, metadata: dict[str, Any], extract: Mapping[str, str] | None) -> None:
        """Notes the grading where `protocols` looks: versions, judge, an extractor that was overridden."""
        judge = _judge_record(self.judge)
        usage = judge.pop("usage", None)
        judged: dict[str, Any] = {"judge": judge} if judge else {}
        if usage is not None:  # since the last task
            judged["usage"] = {name: _less(usage[name], self._spent.get(name)) for name in usage}
        self._spent = usage or {}
        versions = versions_of(GRADING_PACKAGES)
        old = metadata.get("protocol") or {}
        metadata["protocol"] = {
            **{name: value for name, value in old.items() if name not in ("judge", "usage")},
            "versions": {**(old.get("versions") or {}), **versions},
            **judged,
            **({} if extract is None else {"extract": dict(extract)}),
        }
        metadata["regraded"] = {"at": self.at, "from": self.source, "grader": versions, **judged}


def newest(read: Sequence[tuple[Path, dict[str, Any]]]) -> list[tuple[Path, dict[str, Any], list[str]]]:
    """Copies of results files with the tasks in them that no later file has again, and with no others."""
    found = []
    for i, (file, results) in enumerate(read):
        later = {task for _, newer in read[i + 1 :] for task in lm_eval_files.logged_tasks(newer)}
        tasks = lm_eval_files.logged_tasks(results)
        if current := [task for task in tasks if task not in later]:
            found.append((file, _without(results, later & set(tasks)), current))
    return found


def _without(results: Mapping[str, Any], tasks: set[str]) -> dict[str, Any]:
    new = copy.deepcopy(dict(results))
    for part in ("results", "configs", "versions", "n-shot", "higher_is_better", "n-samples", "task_hashes"):
        for task in tasks & set(new.get(part) or {}):
            del new[part][task]
    return new


def update_task(
    results: dict[str, Any], task: str, extractors: Mapping[str, str], record: GradingRecord, overridden: bool
) -> None:
    """Changes a task's configuration to how it was graded now: filters, metrics, metadata."""
    config = results["configs"][task]
    config["metadata"] = dict(config.get("metadata") or {})
    record.note(config["metadata"], extractors if overridden else None)
    filters = {entry["name"]: entry for entry in config.get("filter_list") or []}
    for name, extract in extractors.items():
        step = {"function": FILTER, "extract": extract}
        if name not in filters:
            filters[name] = {"name": name, "filter": [step]}
        elif overridden:
            filters[name]["filter"] = [step]
    config["filter_list"] = list(filters.values())
    metrics, listed = metric_list(config.get("repeats") or 1), config.get("metric_list") or []
    names = {entry.get("metric") for entry in listed}
    config["metric_list"] = [*listed, *(entry for entry in metrics if entry["metric"] not in names)]
    better = results.setdefault("higher_is_better", {}).setdefault(task, {})
    better |= {entry["metric"]: entry["higher_is_better"] for entry in metrics}


def update_group(results: dict[str, Any], group: str, tasks: Iterable[str], filters: Iterable[str]) -> None:
    """Aggregates a group's scores again from those of its tasks; the scores of other filters stay."""
    filters = tuple(filters)
    parts = [(scores := results["results"][task], _size(scores, filters)) for task in tasks]
    old = results["results"].get(group) or {"alias": group, "name": group}
    old = {key: value for key, value in old.items() if not RETIRED.match(key)}
    had = [key for key in old if key.partition(",")[2] in filters and "_stderr," not in key]
    new = [f"{name},{filter}" for filter in filters for name in SHARES]
    scores = {**old, **pooled(parts, dict.fromkeys([*had, *new]))}
    results["results"][group] = scores
    if group in (results.get("groups") or {}):
        results["groups"][group] = {**results["groups"][group], **scores}


def _judge_record(judge: Judge | None) -> dict[str, Any]:
    """What a judge records of itself: model, prompt, settings, usage; else its name."""
    if judge is None:
        return {}
    record = getattr(judge, "record", None)
    return dict(record()) if record is not None else {"model": type(judge).__name__}


def _size(scores: Mapping[str, Any], filters: Iterable[str]) -> int:
    counts = [scores[key] for f in filters if (key := f"n_scored,{f}") in scores]
    return int(counts[0] if counts else scores["sample_len"])


def _less(now: Any, before: Any) -> Any:
    return now - (before or 0) if isinstance(now, int | float) and not isinstance(now, bool) else now


def without_golds(results: Mapping[str, Any], tasks: Sequence[str]) -> list[str]:
    """The tasks that generate no text or have no golds."""
    configs = ((task, results["configs"][task]) for task in tasks)
    return [
        task
        for task, config in configs
        if config.get("output_type", GENERATES) != GENERATES or config.get("doc_to_target") == ""
    ]
