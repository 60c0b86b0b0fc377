"""What a results file says about being graded again: when, from which file, with which grader and judge."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from lm_eval_ext.analysis import runs, writing
from lm_eval_ext.analysis.adapters import FILTER
from lm_eval_ext.grading import Judge
from lm_eval_ext.harness import protocol
from lm_eval_ext.harness.metrics import RETIRED, SHARES, metric_list

GRADING_PACKAGES = ("lm_eval_ext", "math_verify", "latex2sympy2_extended", "sympy")
"""Packages whose versions decide a verdict."""


@dataclass
class Record:
    """One regrading under way.

    Attributes:
        source: the file that has the old scores, or the responses.
        judge: the fourth layer, if any.
    """

    source: Path
    judge: Judge | None
    at: str = field(default_factory=lambda: datetime.now(timezone.utc).isoformat(timespec="seconds"))
    _spent: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._spent = dict(judge_record(self.judge).get("usage") or {})

    def taken(self) -> tuple[dict[str, Any], dict[str, Any] | None, dict[str, Any] | None]:
        """(what `metadata.regraded` says, the judge's settings, its usage since the last call)."""
        said = judge_record(self.judge)
        usage = said.pop("usage", None)
        since = None if usage is None else {name: _less(usage[name], self._spent.get(name)) for name in usage}
        self._spent = dict(usage or {})
        regraded = {"at": self.at, "from": str(self.source), "grader": grading_versions()}
        return regraded, said or None, since


def judge_record(judge: Judge | None) -> dict[str, Any]:
    """What a judge says about itself: model, prompt, settings, usage; of one that says nothing its name."""
    if judge is None:
        return {}
    record = getattr(judge, "record", None)
    return dict(record()) if record is not None else {"model": type(judge).__name__}


def grading_versions() -> dict[str, str]:
    """Versions of the packages that decide a verdict."""
    installed = protocol.versions()
    return {name: installed[name] for name in GRADING_PACKAGES if name in installed}


def into_metadata(metadata: dict[str, Any], record: Record, extractors: Mapping[str, str] | None) -> None:
    """Notes a regrading where `protocols` looks: its versions, its judge, extractors that were overridden."""
    regraded, judge, usage = record.taken()
    old = metadata.get("protocol") or {}
    kept = {name: value for name, value in old.items() if name not in ("judge", "usage")}
    metadata["protocol"] = kept | {"versions": {**(old.get("versions") or {}), **grading_versions()}}
    if judge is not None:
        metadata["protocol"]["judge"] = regraded["judge"] = judge
    if usage is not None:
        metadata["protocol"]["usage"] = regraded["usage"] = usage
    if extractors is not None:
        metadata["protocol"]["extract"] = dict(extractors)
    metadata["regraded"] = regraded


def only(results: Mapping[str, Any], tasks: Sequence[str]) -> dict[str, Any]:
    """A copy of a results file without the tasks that a later file has again."""
    new = copy.deepcopy(dict(results))
    gone = set(runs.logged_tasks(results)) - set(tasks)
    for part in ("results", "configs", "versions", "n-shot", "higher_is_better", "n-samples", "task_hashes"):
        for task in gone & set(new.get(part) or {}):
            del new[part][task]
    return new


def into_config(
    results: dict[str, Any], task: str, extractors: Mapping[str, str], record: Record, *, overridden: bool
) -> None:
    """The configuration of a task as one that was graded like this: filters, metrics, metadata."""
    config = results["configs"][task]
    config["metadata"] = dict(config.get("metadata") or {})
    into_metadata(config["metadata"], record, extractors if overridden else None)
    filters = {entry["name"]: entry for entry in config.get("filter_list") or []}
    for name, extract in extractors.items():
        step = {"function": FILTER, "extract": extract}
        if name not in filters:
            filters[name] = {"name": name, "filter": [step]}
        elif overridden:
            filters[name]["filter"] = [step]
    config["filter_list"] = list(filters.values())
    listed = {entry.get("metric") for entry in config.get("metric_list") or []}
    config["metric_list"] = [
        *(config.get("metric_list") or []),
        *(entry for entry in metric_list() if entry["metric"] not in listed),
    ]
    better = (results.setdefault("higher_is_better", {})).setdefault(task, {})
    better |= {entry["metric"]: entry["higher_is_better"] for entry in metric_list()}


def into_group(results: dict[str, Any], group: str, leaves: Iterable[str], filters: Iterable[str]) -> None:
    """The scores of a group anew from those of its tasks; the scores of other filters stay."""
    filters = tuple(filters)
    parts = [(scores := results["results"][leaf], _size(scores, filters)) for leaf in leaves]
    old = results["results"].get(group) or {"alias": group, "name": group}
    old = {key: value for key, value in old.items() if not RETIRED.match(key)}
    had = [key for key in old if key.partition(",")[2] in filters and "_stderr," not in key]
    new = [f"{name},{filter}" for filter in filters for name in SHARES]
    scores = {**old, **writing.pooled(parts, dict.fromkeys([*had, *new]))}
    results["results"][group] = scores
    if group in (results.get("groups") or {}):
        results["groups"][group] = {**results["groups"][group], **scores}


def _size(scores: Mapping[str, Any], filters: Iterable[str]) -> int:
    counts = [scores[key] for f in filters if (key := f"n_scored,{f}") in scores]
    return int(counts[0] if counts else scores["sample_len"])


def _less(now: Any, before: Any) -> Any:
    return now - (before or 0) if isinstance(now, int | float) and not isinstance(now, bool) else now
