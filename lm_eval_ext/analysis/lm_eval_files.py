"""lm-eval's files, read and written: `results_<date>.json` and the `samples_<task>_<date>.jsonl` beside it.

Names, hashes and aggregates come from lm-eval itself. Its `EvaluationTracker` cannot write the files: it logs
errors instead of raising them, may leave half a file, and replaces the recorded model.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeGuard, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from lm_eval_ext import atomic
from lm_eval_ext.harness.errors import DataError
from lm_eval_ext.harness.sources import read_rows
from lm_eval_ext.jsonl import json_line
from lm_eval_ext.redaction import redacted_results

_Model = TypeVar("_Model", bound=BaseModel)
LoggedRow = Mapping[str, Any]
"""A line of a samples file."""
REFUSED = "error"
"""Field of a logged sample: why the provider gave no response. Such a sample is in no denominator."""
CHECKPOINT = re.compile(r"(?:^|-)checkpoint-(\d+)$")
TOTALLED = ("output_tokens", "cost_usd")
"""Sample metrics whose sum over all samples, refused ones included, is in the results too."""


class RunError(DataError):
    """A run cannot be read: what was expected, where, and what to do."""


class _ResultsFile(BaseModel):
    model_config = ConfigDict(strict=True)

    results: dict[str, dict[str, Any]]
    configs: dict[str, dict[str, Any]]
    config: dict[str, Any] | None = None
    group_subtasks: dict[str, Any] | None = None
    versions: dict[str, Any] | None = None


class _LoggedSample(BaseModel):
    model_config = ConfigDict(strict=True)

    doc_id: int
    doc: dict[str, Any]
    target: Any
    resps: list[Any]
    doc_hash: str
    filter: str = "none"
    filtered_resps: list[Any] | str | None = None
    metrics: list[str] = []

    @model_validator(mode="before")
    @classmethod
    def _metrics_are_numbers(cls, row: LoggedRow) -> LoggedRow:
        names = row.get("metrics")
        for name in names if isinstance(names, list) else ():
            if isinstance(name, str) and isinstance(row.get(name), str):
                raise ValueError(f"the metric {name} is {row[name]!r}, which is no number")
        return row


def results_files(place: Path) -> list[Path]:
    """A results file itself, or those in a folder at any depth, oldest first. Raises RunError on none."""
    if place.is_file():
        return [place]
    if not place.exists():
        raise RunError(f"no such file or folder: {place}; name a results_*.json or the folder that has it")
    files = sorted(place.rglob("results_*.json"), key=lambda file: (_date_of(file), file))
    if not files:
        resumed = f"lm-eval-ext run --resume {place} ..."
        if (place / "store").is_dir():
            raise RunError(f"no results_*.json in {place}: it is not finished, and goes on with {resumed}")
        raise RunError(
            f"no results_*.json in {place}: evaluate with {resumed}, or with lm_eval --output_path and "
            "--log_samples"
        )
    return files


def read_results(file: Path) -> dict[str, Any]:
    """The content of a results file, without secrets. Raises RunError if it is not one."""
    try:
        read = json.loads(file.read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"{file} cannot be read as JSON: {error}; name a results_*.json of lm-eval") from error
    validated(_ResultsFile, read, f"{file} is no results file of lm-eval")
    if not logged_tasks(read):
        raise RunError(f"{file} has the results of no task: run lm_eval with --tasks, and let it finish")
    return redacted_results(read)


def read_one_model(place: Path) -> list[tuple[Path, dict[str, Any]]]:
    """The results files of one model's run with their contents, oldest first.

    Raises RunError: nothing there, a broken file, several models.
    """
    read = [(file, read_results(file)) for file in results_files(place)]
    models = list(dict.fromkeys(model_of(results) for _, results in read))
    if len(models) > 1:
        folders = sorted({str(file.parent) for file, _ in read})
        raise RunError(
            f"{place} has runs of {len(models)} models ({', '.join(models)}); "
            f"name one of {', '.join(folders)}"
        )
    return read


def model_of(results: Mapping[str, Any]) -> str:
    """The model of a results file; of an adapter the adapter."""
    config = results.get("config") or {}
    given = config.get("model_args")
    args = given if isinstance(given, dict) else {}
    adapter = args.get("peft") or args.get("lora_local_path")
    return str(adapter or results.get("model_name") or config.get("model") or "unknown")


def short_name(model: str) -> str:
    """The last part of a model's name or path; of a checkpoint with the part before it."""
    parts = model.rstrip("/").rpartition("://")[2].split("/")
    return "-".join(parts[-2:] if CHECKPOINT.search(parts[-1]) else parts[-1:])


def series_of(name: str) -> tuple[str, int | None]:
    """What the checkpoints of one training share of their short names, and the step; None if it is none."""
    found = CHECKPOINT.search(name)
    return (CHECKPOINT.sub("", name) or name, int(found[1])) if found else (name, None)


def logged_tasks(results: Mapping[str, Any]) -> list[str]:
    """The tasks for which a results file has scores."""
    return [task for task in results["configs"] if task in results["results"]]


def groups_of(results: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The groups of a results file, each with its members: tasks and other groups."""
    return {
        name: tuple(members) for name, members in (results.get("group_subtasks") or {}).items() if members
    }


def is_scored(group: str, results: Mapping[str, Any]) -> bool:
    """Whether lm-eval gives a group scores of its own, and does not only list its tasks."""
    entry = results["results"].get(group)
    return entry is None or any("," in key for key in entry)


def leaves(group: str, groups: Mapping[str, Sequence[str]], tasks: Collection[str]) -> tuple[str, ...]:
    """The tasks of a group and of the groups in it."""
    found: list[str] = []
    for member in groups[group]:
        found += leaves(member, groups, tasks) if member in groups else [member] if member in tasks else []
    return tuple(dict.fromkeys(found))


def samples_file(results_file: Path, task: str) -> Path:
    """The samples of a task, beside the results file. Raises RunError if they are missing."""
    samples = results_file.with_name(f"samples_{task}_{_date_of(results_file)}.jsonl")
    if not samples.is_file():
        raise RunError(f"{samples} is missing beside {results_file.name}: run lm_eval with --log_samples")
    return samples


def read_samples(file: Path) -> list[LoggedRow]:
    """The rows of a samples file by document. Raises RunError on a broken row, with its number."""
    rows = list(read_rows(file))
    for number, row in enumerate(rows, 1):
        check_sample(row, f"{file}, row {number}")
    return sorted(rows, key=lambda row: row["doc_id"])


def check_sample(row: LoggedRow, place: str) -> None:
    """Raises RunError if a line of a samples file, at `place`, is no sample."""
    validated(_LoggedSample, row, f"{place} is no sample of lm-eval", show=True)


def rows_by_doc(rows: Iterable[LoggedRow]) -> list[list[LoggedRow]]:
    """Logged rows grouped by document: lm-eval logs a document once for every filter."""
    by_filter: dict[str, list[LoggedRow]] = {}
    for row in rows:
        by_filter.setdefault(row.get("filter", "none"), []).append(row)
    counts = {name: len(logged) for name, logged in by_filter.items()}
    if len(set(counts.values())) > 1:
        raise RunError(f"a task's filters have different numbers of samples, {counts}: run lm_eval again")
    return [list(same) for same in zip(*by_filter.values(), strict=True)]


def is_score(value: object) -> TypeGuard[float]:
    """Whether a logged metric counts; a value that is not finite is treated as missing."""
    return isinstance(value, int | float) and math.isfinite(value)


def folder_of(model: str) -> str:
    """The folder in which lm-eval keeps a model's runs."""
    from lm_eval.utils import sanitize_model_name

    return str(sanitize_model_name(model))


@dataclass(frozen=True)
class RunWriter:
    """Writes a run's files into a folder under one date, each whole or not at all.

    Write the results last: without them there is no run.
    """

    folder: Path
    date: str = field(
        default_factory=lambda: datetime.now().isoformat(timespec="microseconds").replace(":", "-")
    )

    def samples(self, task: str, rows: Iterable[LoggedRow]) -> None:
        write_rows(self.folder / f"samples_{task}_{self.date}.jsonl", rows)

    def results(self, results: Mapping[str, Any]) -> Path:
        file = self.folder / f"results_{self.date}.json"
        atomic.write_bytes(file, json_line(results, indent=2))
        return file


def write_rows(file: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """JSON lines, whole or not at all."""
    atomic.write_lines(file, map(json_line, rows))


def hashes(doc: Mapping[str, Any], prompt: str, target: str) -> dict[str, str]:
    """The three hashes that lm-eval logs with a sample."""
    from lm_eval.utils import handle_non_serializable, hash_string

    text = json.dumps(doc, indent=2, default=handle_non_serializable, ensure_ascii=False)
    texts = {"doc_hash": text, "prompt_hash": prompt, "target_hash": target}
    return {name: hash_string(text) for name, text in texts.items()}


def _date_of(results_file: Path) -> str:
    return results_file.stem.removeprefix("results_")


def validated(model: type[_Model], value: object, what: str, show: bool = False) -> _Model:
    """The value as a model. Raises RunError with the first fault; `show`: and with what was received."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        faults = error.errors()
        if missing := [str(fault["loc"][0]) for fault in faults if fault["type"] == "missing"]:
            raise RunError(f"{what}: it has no {' and no '.join(missing)}") from None
        where = ".".join(map(str, faults[0]["loc"]))
        received = f", received {str(faults[0]['input'])[:80]!r}" if show and where else ""
        said = faults[0]["msg"].removeprefix("Value error, ")
        raise RunError(f"{what}: {where + ': ' if where else ''}{said}{received}") from None
