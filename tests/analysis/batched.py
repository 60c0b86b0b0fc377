"""The folder of a batch, written by hand: two trainings and a base model, evaluated plain and as chats."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lm_eval_ext.batch.record import BatchRecord, Best, CellRecord
from tests.analysis.logged import write_run

RIGHT = {"base": 4, "sft-checkpoint-10": 8, "sft-checkpoint-20": 12, "sft-checkpoint-30": 12, "dpo": 10}
"""Right answers of 20 on mathnet without a chat template; with one, two more."""


def cell(
    out: Path, model: str, evaluation: str, right: int, task: str = "mathnet", **given: Any
) -> CellRecord:
    """A cell with so many right answers of 20."""
    chat, folder = evaluation.endswith("chat"), f"{model}/{evaluation}"
    series, _, step = model.partition("-checkpoint-")
    verdicts = [True] * right + [False] * (20 - right)
    write_run(out / folder / "model", verdicts, task=task, model=f"/models/{model}", chat=chat)
    settings = {
        "tasks": [task],
        "apply_chat_template": chat,
        "gen_kwargs": {"max_gen_toks": 64 + chat},
        "seed": 1,
    }
    labels = {"evaluated_with": "chat" if chat else "plain", "trained_with": series}
    record = CellRecord(
        model=model,
        series=series,
        step=int(step) if step else None,
        path=f"/models/{model}",
        labels=labels,
        evaluation=evaluation,
        settings=settings,
        folder=folder,
        state="done",
    )
    return record.model_copy(update=given)


def batch(out: Path) -> Path:
    """All cells, of which one failed, and one lost its results."""
    cells = [
        made
        for model, right in RIGHT.items()
        for made in (
            cell(out, model, "mathnet-plain", right),
            cell(out, model, "mathnet-chat", right + 2),
            cell(out, model, "gsm8k-chat", right // 2, task="gsm8k_ext"),
        )
    ]
    failed = {"state": "failed", "error": "out of memory", "labels": cells[0].labels}
    cells[0] = cells[0].model_copy(update=failed)  # results of an earlier plan are still there
    next((out / cells[-1].folder).rglob("results_*")).unlink()
    best = Best(model="sft-checkpoint-20", step=20, score=0.6, tie_score=None, candidates=3)
    BatchRecord(plan="plan.yaml", on="local", cells=cells, best=best).write(out)
    return out
