"""Runs in lm-eval's layout, written by hand: small, exact, and without a model."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lm_eval_ext.grading import Verdict

STAMP = "2026-01-01T00-00-00.000000"


def write_run(
    folder: Path,
    correct: Sequence[bool | None],
    *,
    task: str = "mathnet",
    model: str = "some/model",
    stamp: str = STAMP,
    docs: Sequence[Mapping[str, Any]] | None = None,
    responses: Sequence[str] | None = None,
    model_args: Mapping[str, Any] | None = None,
    protocol: Mapping[str, Any] | None = None,
    chat: bool = False,
) -> Path:
    """A run of one task with these verdicts (None: undecided), one per document. Returns its results file.

    With `chat` as lm-eval records --apply_chat_template: in the prompts and at the top of the results.
    """
    rows = []
    for i, outcome in enumerate(correct):
        doc = dict(docs[i]) if docs else {"id": str(i), "problem": f"Problem {i}?", "gold": str(i)}
        verdict = Verdict(outcome, "none" if outcome is None else "exact", "1", "as written")
        scores = {"accuracy": float(outcome is True), "answered": 1.0, "undecided": float(outcome is None)}
        rows.append(
            {
                "doc_id": i,
                "doc": doc,
                "target": doc["gold"],
                "arguments": {
                    "gen_args_0": {
                        "arg_0": f"{'user: ' * chat}{doc['problem']}",
                        "arg_1": {"max_gen_toks": 64},
                    }
                },
                "resps": [[responses[i] if responses else f"Final answer: {i}"]],
                "filtered_resps": [[str(verdict)]],
                "filter": "grade_math",
                "metrics": list(scores),
                "doc_hash": hashlib.sha256(json.dumps(doc).encode()).hexdigest(),
                **scores,
            }
        )
    metadata = {"protocol": {"generation": {"max_gen_toks": 64}, **(protocol or {})}}
    accuracy = sum(row["accuracy"] for row in rows) / len(rows)
    results = {
        "results": {task: {"alias": task, "accuracy,grade_math": accuracy}},
        "configs": {task: {"task": task, "repeats": 1, "num_fewshot": 0, "metadata": metadata}},
        "versions": {task: 1.0},
        "config": {"model": "vllm", "model_args": {"pretrained": model, "seed": 42, **(model_args or {})}},
        "model_name": model,
        **({"chat_template": "user: {{ content }}", "fewshot_as_multiturn": True} if chat else {}),
    }
    folder.mkdir(parents=True, exist_ok=True)
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / f"samples_{task}_{stamp}.jsonl").write_text(lines)
    (folder / f"results_{stamp}.json").write_text(json.dumps(results))
    return folder / f"results_{stamp}.json"
