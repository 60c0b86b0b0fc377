"""Figures to reproduce and to regress against, as data: `baselines/*.json`, one file per model or source.

A file::

    {"name": "qwen3-1.7b-base", "source": "rlvr-experiments", "date": "2026-01-20", "notes": "...",
     "figures": [{"model": "Qwen/Qwen3-1.7B-Base", "task": "gsm8k", "metric": "exact_match",
                  "filter": "strict-match", "value": 0.5944, "n": 1319, "protocol": {"num fewshot": 4}}]}

Settings have the names that `protocols.settings` gives them. If a run's verdicts were kept,
`samples/<name>.jsonl.gz` has one line a problem: {"task": ..., "doc_hash": ..., "correct": true}.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from lm_eval_ext.analysis.compare import common_metric
from lm_eval_ext.analysis.lm_eval_files import RunError
from lm_eval_ext.analysis.runs import Run, SampleKey
from lm_eval_ext.atomic import write_bytes, write_text
from lm_eval_ext.harness.shipped import shipped
from lm_eval_ext.jsonl import open_lines, read_objects

ROUNDING = 0.0006
"""How far a published value may be from right / n: it is given to a tenth of a percent."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Figure(_Strict):
    """One number of a table.

    A threshold must be reached; a measured value must be met within its uncertainty.
    """

    model: str  # as its source names it
    task: str
    metric: str
    filter: str | None = None  # None: any filter of the run
    value: float = Field(ge=0, le=1)
    n: int | None = Field(default=None, gt=0)
    right: int | None = Field(default=None, ge=0)
    kind: Literal["measured", "threshold"] = "measured"
    protocol: dict[str, Any] = {}  # known settings of the run that gave it
    complete: bool = False  # whether those are all of its settings; then a run may have no others
    samples: str | None = None  # file of its verdicts, relative to the baselines' folder
    notes: str = ""

    @model_validator(mode="after")
    def _adds_up(self) -> Figure:
        if self.right is not None and (self.n is None or abs(self.right / self.n - self.value) > ROUNDING):
            raise ValueError(f"{self.right} right of {self.n} is not {self.value}")
        return self


class PublishedPair(_Strict):
    """Two models on the same problems, as published: the 2x2 table and its p, as far as known."""

    a: str
    b: str
    task: str
    n: int | None = None
    right_a: int | None = None
    right_b: int | None = None
    both: int | None = None
    only_a: int | None = None
    only_b: int | None = None
    p: float | None = None
    approximate: bool = False
    notes: str = ""


class Baseline(_Strict):
    """A file of figures with their source."""

    name: str
    source: str
    date: str
    notes: str = ""
    figures: tuple[Figure, ...] = ()
    pairs: tuple[PublishedPair, ...] = ()


def folder() -> Path:
    """The folder of the baselines: packaged when installed, `baselines/` in a checkout."""
    return shipped("baselines")


def load(file: Path) -> Baseline:
    """One file. Raises RunError if it is missing or no baseline."""
    try:
        return Baseline.model_validate_json(file.read_bytes().removeprefix(b"\xef\xbb\xbf"))
    except OSError as error:
        raise RunError(f"{file} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        what = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise RunError(f"{file} is no baseline: {what}") from error


def load_all(place: Path | None = None) -> dict[str, Baseline]:
    """All baselines of a folder by name, which is the file's."""
    place = place or folder()
    if not (files := sorted(place.glob("*.json"))):
        raise RunError(f"no baselines (*.json) in {place}; --folder names their folder")
    return {file.stem: load(file) for file in files}


def verdicts(figure: Figure, place: Path | None = None) -> dict[SampleKey, bool]:
    """The verdicts kept for a figure, by `Sample.key`; empty if none were."""
    if figure.samples is None:
        return {}
    file = (place or folder()) / figure.samples
    seen: Counter[tuple[str, str]] = Counter()
    found: dict[SampleKey, bool] = {}
    try:
        with open_lines(file) as lines:
            for _, _, row in read_objects(lines, file.name):
                task, doc_hash = str(row["task"]), str(row["doc_hash"])
                found[task, doc_hash, seen[task, doc_hash]] = bool(row["correct"])
                seen[task, doc_hash] += 1
    except (OSError, ValueError, KeyError) as error:
        raise RunError(
            f"{file}: the verdicts of {figure.model} on {figure.task} cannot be read: {error!r}"
        ) from error
    return found


def record(name: str, run: Run, source: str, date: str, place: Path, overwrite: bool = False) -> list[Path]:
    """A new baseline from a run: its score on every task or group, its settings and its verdicts.

    Raises RunError: the name is taken, or scores that are no verdicts (repeats).
    """
    file, kept = place / f"{name}.json", f"samples/{name}.jsonl.gz"
    if file.exists() and not overwrite:
        raise RunError(f"{file} already exists; another --record name, or --overwrite")
    figures, rows = [], []
    for unit in run.units():
        task = run.unit(unit)
        scored = task.scored(metric := common_metric(task, task))
        if not scored or any(score not in (0, 1) for score in scored.values()):
            raise RunError(f"{unit}: {metric} is not 0 or 1 for each problem; a baseline keeps verdicts")
        right = int(sum(scored.values()))
        rows += [{"task": k[0], "doc_hash": k[1], "correct": bool(score)} for k, score in scored.items()]
        figures.append(
            Figure(
                model=run.name,
                task=unit,
                metric=metric,
                filter=task.filter,
                value=round(right / len(scored), 4),
                n=len(scored),
                right=right,
                protocol=dict(task.protocol),
                complete=True,
                samples=kept,
            )
        )
    baseline = Baseline(name=name, source=source, date=date, figures=tuple(figures))
    dumped = baseline.model_dump(mode="json", exclude_defaults=True)
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    write_bytes(place / kept, gzip.compress(lines.encode(), mtime=0))
    write_text(file, json.dumps(dumped, indent=1, ensure_ascii=False) + "\n")
    return [file, place / kept]
