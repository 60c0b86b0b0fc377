"""Recorded responses whose truth is known: what the graders are measured on."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
VARIABLE = "LM_EVAL_EXT_TEST_DATA"
SEED = 42
EXTERNAL = "external"
"""The folder of other people's benchmarks, a file each."""


@dataclass(frozen=True)
class Row:
    """One response with its truth.

    Attributes:
        key: where it stands in its file, for a reader to find it.
        response: all that the model wrote.
        gold: the reference answer.
        right: whether the response gives the gold answer, as the data say.
        problem: the text of the problem; None where the data have none.
    """

    key: str
    response: str
    gold: str
    right: bool
    problem: str | None = None


def data_folder(given: Path | None = None) -> Path:
    """Where the data are: `given`, else what the environment says, else `shared/data` beside the checkout."""
    return given or Path(os.environ.get(VARIABLE, ROOT.parent / "shared" / "data"))


def load(name: str, folder: Path, limit: int) -> list[Row]:
    """Rows of a data set in the order of its file; a seeded sample of `limit` of them if there are more.

    Args:
        name: one of `names(folder)`.
        folder: from `data_folder`.
        limit: most rows to return; 0 for all.
    """
    is_external = name not in SETS
    file = folder / EXTERNAL / f"{name}.jsonl" if is_external else folder / name / "responses.jsonl"
    if not file.is_file():
        raise FileNotFoundError(f"no data: looked for {file}; set {VARIABLE} (or --data) to a folder with it")
    rows = list((_external if is_external else SETS[name])(_lines(file)))
    if name == "mathnet":
        rows = _with_problems(rows, folder / name / "eval.jsonl")
    if not 0 < limit < len(rows):
        return rows
    chosen = sorted(random.Random(SEED).sample(range(len(rows)), limit))
    return [rows[i] for i in chosen]


def names(folder: Path) -> list[str]:
    """The data sets: those of `SETS`, then the files of other people's benchmarks in the folder."""
    return [*SETS, *sorted(file.stem for file in (folder / EXTERNAL).glob("*.jsonl"))]


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    return (json.loads(line) for line in file.read_text("utf-8").splitlines())


def _with_problems(rows: list[Row], file: Path) -> list[Row]:
    """MathNet's rows with their problems, which stand in a file of their own."""
    if not file.is_file():
        return rows
    problems = {line["id"]: line["problem_markdown"] for line in _lines(file)}
    return [replace(row, problem=problems.get(row.key.split("(")[-1].rstrip(")"))) for row in rows]


def _external(lines: Iterator[dict[str, Any]]) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        key = f"line {number} ({line['id']})"
        yield Row(key, line["response"], line["gold"], line["label"], line["problem"])


def _mathnet(lines: Iterator[dict[str, Any]]) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        if line["label"] != "unsure":
            right = line["label"] == "yes"
            yield Row(f"line {number} ({line['id']})", line["response"], line["gold"], right)


def _gsm8k(lines: Iterator[dict[str, Any]]) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        yield Row(
            f"line {number}", line["response"], line["gold"], line["reference_correct"], line.get("question")
        )


def _math_cot(lines: Iterator[dict[str, Any]]) -> Iterator[Row]:
    for line in lines:
        flags = zip(line["responses"], line["reference_correct"], strict=True)
        for sample, (response, right) in enumerate(flags):
            yield Row(
                f"problem {line['idx']}, sample {sample}",
                response,
                line["answer"],
                right,
                line.get("problem"),
            )


SETS: dict[str, Callable[[Iterator[dict[str, Any]]], Iterator[Row]]] = {
    "mathnet": _mathnet,
    "math_cot_100": _math_cot,
    "gsm8k": _gsm8k,
}
"""Readers by folder. MathNet was labelled by reading; the flags of the two others came with the data."""
