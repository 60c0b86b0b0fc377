"""Every rollout of a run, one line each in `output_dir/rollouts.jsonl`."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lm_eval_ext.atomic import write_bytes
from lm_eval_ext.rewards import text_of

from .batch import Batch, Values


class Rollouts:
    """Records rollouts::

        {"step": 3, "id": "train-0007", "task": "arith_words", "verifier": "math", "prompt_sha256": "65c7...",
         "completion": " 3 * 8 = 24. ...", "answer": "24", "correct": true, "reason": "...", "rule": "...",
         "rewards": {"task": 1.0, "format": 1.0}, "truncated": false, "tokens": 17, "grading_s": 0.0004}

    `rewards` are without their weights, null where undecided. `grading_s` is the time of the whole batch
    divided by its rollouts.

    Args:
        file: appended to, one per rank (`.rank1` and so on before the suffix); None: nothing is recorded.
        max_tokens: a completion with this many tokens and no EOS token at its end is truncated.
        eos_tokens: ids.
    """

    def __init__(
        self, file: Path | None = None, *, max_tokens: int | None = None, eos_tokens: Sequence[int] = ()
    ) -> None:
        rank = int(os.environ.get("RANK", "0"))
        self.file = file.with_suffix(f".rank{rank}{file.suffix}") if file and rank else file
        self.max_tokens = max_tokens
        self.eos_tokens = frozenset(eos_tokens)

    def record(self, batch: Batch, rewards: Values) -> None:
        """Appends the rollouts of a batch."""
        if self.file is None:
            return
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.open("a", encoding="utf-8") as file:
            for row in self._lines(batch, rewards):
                file.write(json.dumps(row, ensure_ascii=False) + "\n")

    def _lines(self, batch: Batch, rewards: Values) -> Iterator[dict[str, Any]]:
        step = getattr(batch.columns.get("trainer_state"), "global_step", None)
        given = (batch.completions, batch.rows, batch.gradings, batch.scores, rewards)
        for completion, row, grading, score, values in zip(*given, strict=True):
            tokens = row.get("completion_ids")
            yield {
                "step": step,
                "id": row.get("id"),
                "task": grading.task,
                "verifier": grading.name,
                "prompt_sha256": hashlib.sha256(str(row.get("prompts")).encode()).hexdigest(),
                "completion": text_of(completion),
                **{name: getattr(score, name) for name in ("answer", "correct", "reason", "rule")},
                "rewards": values,
                "truncated": self._truncated(tokens),
                "tokens": None if tokens is None else len(tokens),
                "grading_s": round(batch.seconds / len(batch.rows), 6),
            }

    def _truncated(self, tokens: Sequence[int] | None) -> bool | None:
        if tokens is None or self.max_tokens is None:
            return None
        return len(tokens) >= self.max_tokens and tokens[-1] not in self.eos_tokens


def discard_rollouts(folder: Path, step: int) -> None:
    """Removes the rollouts from this step on from `rollouts*.jsonl`: the resumed run makes them again."""
    for file in folder.glob("rollouts*.jsonl"):
        *whole, _half = file.read_bytes().split(b"\n")  # str.splitlines would split at U+2028 as well
        kept = [line + b"\n" for line in whole if (json.loads(line)["step"] or 0) < step]
        write_bytes(file, b"".join(kept))
