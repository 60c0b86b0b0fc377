"""Figures to reproduce and to regress against, as data: `baselines/*.json`, one file per model or source.

A file::

    {"name": "qwen3-1.7b-base", "source": "rlvr-experiments", "date": "2026-01-20", "notes": "...",
     "figures": [{"model": "Qwen/Qwen3-1.7B-Base", "task": "gsm8k", "metric": "exact_match",
                  "filter": "strict-match", "value": 0.5944, "n": 1319, "protocol": {"num fewshot": 4}}]}

Settings have the names that `protocols.settings` gives them in a run. Where a run's verdicts were kept,
`samples/<name>.jsonl.gz` has one line a problem: {"task": ..., "doc_hash": ..., "correct": true}.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections import Counter
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from lm_eval_ext.analysis.compare import common_metric
from lm_eval_ext.analysis.runs import Run
from lm_eval_ext.analysis.samples import Key, RunError
from lm_eval_ext.atomic import write_bytes, write_text
from lm_eval_ext.harness.launch import shipped

ROUNDING = 0.0006
"""By how much a published value may be off right / n: it is given to a tenth of a percent."""


class Strict(BaseModel):
    """Unknown keys raise; values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Figure(Strict):
    """One number of a table.

    Attributes:
        model: as its source names it.
        task, metric, filter: what was measured; filter None: whichever a run has.
        value: between 0 and 1. right, n: of how many, where known.
        kind: a threshold is to be reached; what was measured, to be met within its uncertainty.
        protocol: settings known of the run that gave it.
        complete: whether those are all of its settings: then a run may have no others.
        samples: file of its verdicts, relative to the baselines' folder.
    """

    model: str
    task: str
    metric: str
    filter: str | None = None
    value: float = Field(ge=0, le=1)
    n: int | None = Field(default=None, gt=0)
    right: int | None = Field(default=None, ge=0)
    kind: Literal["measured", "threshold"] = "measured"
    protocol: dict[str, Any] = {}
    complete: bool = False
    samples: str | None = None
    notes: str = ""

    @model_validator(mode="after")
    def _adds_up(self) -> Figure:
        if self.right is not None and (self.n is None or abs(self.right / self.n - self.value) > ROUNDING):
            raise ValueError(f"{self.right} right of {self.n} is not {self.value}")
        return self


class Paired(Strict):
    """Two models on the same problems, as published: the 2x2 table and its p, as far as known.

    Attributes:
        n: problems that both have. only_a, only_b: the discordant counts. right_a, right_b: in all.
    """

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


class Baseline(Strict):
    """A file of figures with where they come from."""

    name: str
    source: str
    date: str
    notes: str = ""
    figures: tuple[Figure, ...] = ()
    pairs: tuple[Paired, ...] = ()


def folder() -> Path:
    """Where the baselines are: packaged when installed, `baselines/` in a checkout."""
    return shipped("baselines")


def load(file: Path) -> Baseline:
    """One file. Raises RunError: missing, or what in it is no baseline."""
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


def verdicts(figure: Figure, place: Path | None = None) -> dict[Key, bool]:
    """The verdicts kept for a figure, by `Sample.key`; none where none were kept."""
    if figure.samples is None:
        return {}
    file = (place or folder()) / figure.samples
    try:
        rows = [json.loads(line) for line in gzip.decompress(file.read_bytes()).splitlines()]
        kept = [(str(row["task"]), str(row["doc_hash"]), bool(row["correct"])) for row in rows]
    except (OSError, EOFError, ValueError, KeyError, TypeError, zlib.error) as error:
        raise RunError(
            f"{file}: the verdicts of {figure.model} on {figure.task} cannot be read: {error!r}"
        ) from error
    seen: Counter[tuple[str, str]] = Counter()
    found: dict[Key, bool] = {}
    for task, doc_hash, correct in kept:
        found[task, doc_hash, seen[task, doc_hash]] = correct
        seen[task, doc_hash] += 1
    return found


def record(name: str, run: Run, source: str, date: str, place: Path, overwrite: bool = False) -> list[Path]:
    """A new baseline from a run: its score on every task or group, its settings and its verdicts.

    Raises RunError: there is one of this name already, or scores that are no verdicts (repeats).
    """
    file, kept = place / f"{name}.json", f"samples/{name}.jsonl.gz"
    if file.exists() and not overwrite:
        raise RunError(f"{file} is there already; another --record name, or --overwrite")
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
    text = "".join(json.dumps(row) + "\n" for row in rows)
    write_bytes(place / kept, gzip.compress(text.encode(), mtime=0))
    write_text(file, as_text(baseline))
    return [file, place / kept]


def as_text(baseline: Baseline) -> str:
    """A file's contents: what is not set is left out."""
    dumped = baseline.model_dump(mode="json", exclude_defaults=True)
    return json.dumps(dumped, indent=1, ensure_ascii=False) + "\n"
