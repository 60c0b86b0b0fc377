"""Runs of the recorded MathNet responses, each with the verdicts that its readers or its project gave it."""

from __future__ import annotations

import json
from pathlib import Path

from lm_eval_ext.analysis import runs
from lm_eval_ext.harness.docs.mathnet import to_doc
from tests.analysis.logged import write_run


def recorded(data: Path, folder: Path, model: str, truth: str = "label") -> runs.Run:
    """One model's run: `truth` is "label" (rows marked unsure are left out) or "reference_correct"."""
    docs = {row["id"]: to_doc(row) for row in _rows(data / "mathnet" / "eval.jsonl")}
    rows = [
        row
        for row in _rows(data / "mathnet" / "responses.jsonl")
        if row["model"] == model and not (truth == "label" and row["label"] == "unsure")
    ]
    right = [row["label"] == "yes" if truth == "label" else row["reference_correct"] for row in rows]
    responses = [row["response"] for row in rows]
    file = write_run(
        folder / model, right, model=model, docs=[docs[row["id"]] for row in rows], responses=responses
    )
    return runs.load(file, name=model)


def _rows(file: Path) -> list[dict]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]
