"""Real golds and real answers, read from the data folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lm_eval_ext.grading import extract, pipeline
from lm_eval_ext.grading.answers import compare


@dataclass(frozen=True, order=True)
class Given:
    """What a response answered; `label` is "yes" where a reader found it right."""

    problem: str
    kind: str
    answer: str
    gold: str
    label: str


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def math_golds(folder: Path) -> list[str]:
    """Of MATH and MATH-500: the last box of each solution, or the answer."""
    files = sorted((folder / "hendrycks_math").glob("*/test.jsonl"))
    found = {extract(row["solution"]) for file in files for row in rows(file)}
    found |= {row["answer"] for row in rows(folder / "math500" / "test.jsonl")}
    return sorted(gold for gold in found if gold)


def mathnet_golds(folder: Path) -> list[str]:
    found = {row["final_answer"] for row in rows(folder / "mathnet" / "eval.jsonl")}
    return sorted(found | {row["gold"] for row in rows(folder / "mathnet" / "responses.jsonl")})


def given_answers(folder: Path) -> list[Given]:
    """Each distinct answer of the recorded MathNet responses that was labelled right or wrong."""
    found = {
        Given(row["id"], row["answer_kind"] or "", answer, row["gold"], row["label"])
        for row in rows(folder / "mathnet" / "responses.jsonl")
        if row["label"] in ("yes", "no") and (answer := extract(row["response"]))
    }
    return sorted(found)


def decided(answer: str, gold: str) -> bool | None:
    """Without computer algebra: the cheap layers, then the reading."""
    verdict = pipeline.decide(answer, gold)
    return verdict.correct if verdict is not None else compare(answer, gold)[0]


def right_answers(folder: Path) -> list[Given]:
    """Answers labelled right that are found equal to their golds."""
    return [g for g in given_answers(folder) if g.label == "yes" and decided(g.answer, g.gold)]
