"""Samples in the shape of lm-eval's own tasks, their rows written for these tests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

STAMP = "2026-02-01T00-00-00.000000"

GSM8K = [
    # (question, worked answer, response, strict, flexible)
    ("Two pens and 3 pens?", "2 + 3 = <<2+3=5>>5 pens\n#### 5", " 2 + 3 = 5. The answer is 5.", 1.0, 1.0),
    ("Double 600?", "600 * 2 = 1200\n#### 1,200", " That is twice 600.\nThe answer is $1200", 0.0, 1.0),
    ("Half of 8?", "8 / 2 = 4\n#### 4", " Half of 8 is 4, I think.", 0.0, 1.0),
    ("Half of 6?", "6 / 2 = 3\n#### 3", " The answer is 2.", 0.0, 0.0),
]
MATH = [
    # (problem, solution, normalized answer, response, exact_match, math_verify)
    (
        "What is $1-\\frac13$ in percent of $\\frac13$?",
        "It is $\\boxed{200\\%}$.",
        "200\\%",
        " Twice.\nFinal Answer: The final answer is $200$. I hope it is correct.",
        0,
        0,
    ),
    (
        "Solve $x^2=9$ for $x>0$.",
        "So $x=\\boxed{3}$.",
        "3",
        " Final Answer: The final answer is $3$. I hope it is correct.",
        1,
        1,
    ),
    (
        "What is $7\\cdot 8$?",
        "It is $\\boxed{56}$.",
        "56",
        " Seven times eight makes 54, so $\\boxed{54}$",
        0,
        0,
    ),
]


def write_builtin(
    folder: Path, tasks: Mapping[str, Sequence[Mapping[str, Any]]], groups: Mapping[str, Any] | None = None
) -> Path:
    """A run of such tasks from their rows. Returns its results file."""
    folder.mkdir(parents=True, exist_ok=True)
    results: dict[str, Any] = {
        "results": {},
        "group_subtasks": dict(groups or {}),
        "configs": {},
        "versions": dict.fromkeys(tasks, 1.0),
        "config": {"model": "vllm", "model_args": {"pretrained": "some/model", "seed": 42}},
        "model_name": "some/model",
    }
    for task, rows in tasks.items():
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"samples_{task}_{STAMP}.jsonl").write_text(lines)
        docs = {row["doc_id"] for row in rows}
        results["results"][task] = {"alias": task, "name": task, "sample_len": len(docs)}
        values: dict[str, list[float]] = {}
        for row in rows:
            for name in row["metrics"]:
                values.setdefault(f"{name},{row['filter']}", []).append(row[name])
        results["results"][task] |= {key: sum(scores) / len(scores) for key, scores in values.items()}
        results["configs"][task] = {
            "task": task,
            "output_type": "generate_until",
            "metadata": {"version": 3.0},
        }
    (folder / f"results_{STAMP}.json").write_text(json.dumps(results))
    return folder / f"results_{STAMP}.json"


def gsm8k_rows(target: str = "{number}") -> list[dict[str, Any]]:
    """Rows of gsm8k_cot (its target is the number), or of gsm8k with target="{worked}"."""
    rows = []
    for filter, at in (("strict-match", 3), ("flexible-extract", 4)):
        for i, case in enumerate(GSM8K):
            doc = {"question": case[0], "answer": case[1]}
            wanted = target.format(number=case[1].rpartition("#### ")[2], worked=case[1])
            rows.append(_row(i, doc, wanted, case[2], filter, {"exact_match": case[at]}))
    return rows


def minerva_rows() -> list[dict[str, Any]]:
    rows = []
    for i, (problem, solution, answer, response, exact, verify) in enumerate(MATH):
        doc = {"problem": problem, "solution": solution, "answer": answer}
        rows.append(_row(i, doc, answer, response, "none", {"exact_match": exact, "math_verify": verify}))
    return rows


def hendrycks_rows(responses: Sequence[str] = (" $200\\%$", " $3$", " 54")) -> list[dict[str, Any]]:
    rows = []
    for i, (case, response) in enumerate(zip(MATH, responses, strict=True)):
        doc = {"problem": case[0], "solution": case[1], "answer": case[2]}
        rows.append(_row(i, doc, case[2], response, "none", {"exact_match": 0}))
    return rows


def _row(
    i: int, doc: Mapping[str, Any], target: str, response: str, filter: str, scores: Mapping[str, float]
) -> dict[str, Any]:
    return {
        "doc_id": i,
        "doc": doc,
        "target": target,
        "arguments": {"gen_args_0": {"arg_0": str(doc), "arg_1": {"until": ["Q:"]}}},
        "resps": [[response]],
        "filtered_resps": [response],
        "filter": filter,
        "metrics": list(scores),
        "doc_hash": hashlib.sha256(json.dumps(doc).encode()).hexdigest(),
        **scores,
    }
