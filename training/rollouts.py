"""Every rollout of a training run, one JSON line each, beside the reward that graded it."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lm_eval_ext.atomic import write_bytes
from lm_eval_ext.rewards import AccuracyReward, Completion, golds_of, text_of


class RecordedReward(AccuracyReward):
    """`AccuracyReward`, which writes what it graded to a file.

    A line::

        {"step": 3, "id": "train-0007", "prompt_sha256": "65c7...", "completion": " 3 * 8 = 24. ...",
         "answer": "24", "correct": true, "layer": "exact", "reason": "...", "truncated": false,
         "tokens": 17, "grading_s": 0.0004}

    `grading_s` is the time of the whole batch, shared by its rollouts.

    Args:
        file: appended to, one per rank (`.rank1` and so on before the suffix); None: nothing is written.
        max_tokens: a completion of so many tokens without an end is truncated.
        end_ids: the tokens that end a completion.
        settings: of `AccuracyReward`.
    """

    def __init__(
        self,
        file: Path | None = None,
        *,
        max_tokens: int | None = None,
        end_ids: Sequence[int] = (),
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        rank = int(os.environ.get("RANK", "0"))
        self.file = file.with_suffix(f".rank{rank}{file.suffix}") if file and rank else file
        self.max_tokens = max_tokens
        self.end_ids = frozenset(end_ids)
        self.seconds = 0.0

    def __call__(
        self, completions: Sequence[Completion], gold: Sequence[Any] | None = None, **columns: Any
    ) -> list[float | None]:
        """One reward per completion; see `AccuracyReward`."""
        golds, start = golds_of(gold, columns), time.perf_counter()
        verdicts = self.verdicts(completions, golds, columns.get("problem"))
        seconds = time.perf_counter() - start
        self.explain(verdicts, golds, columns)
        self.seconds += seconds
        if log := columns.get("log_metric"):
            log("reward/grading_s", seconds)
            log("reward/undecided", sum(v.correct is None for v in verdicts) / len(verdicts))
            log("reward/answered", sum(v.answer is not None for v in verdicts) / len(verdicts))
        if self.file is not None:
            ids = columns.get("completion_ids") or [None] * len(verdicts)
            state = columns.get("trainer_state")
            names = columns.get("id") or [None] * len(verdicts)
            prompts = columns.get("prompts") or [None] * len(verdicts)
            self._write(
                {
                    "step": getattr(state, "global_step", None),
                    "id": name,
                    "prompt_sha256": hashlib.sha256(str(prompt).encode()).hexdigest(),
                    "completion": text_of(completion),
                    "answer": verdict.answer,
                    "correct": verdict.correct,
                    "layer": verdict.layer,
                    "reason": verdict.reason,
                    "truncated": self._truncated(tokens),
                    "tokens": None if tokens is None else len(tokens),
                    "grading_s": round(seconds / len(verdicts), 6),
                }
                for name, prompt, completion, verdict, tokens in zip(
                    names, prompts, completions, verdicts, ids, strict=True
                )
            )
        return [self._reward(verdict) for verdict in verdicts]

    def _truncated(self, tokens: Sequence[int] | None) -> bool | None:
        if tokens is None or self.max_tokens is None:
            return None
        return len(tokens) >= self.max_tokens and tokens[-1] not in self.end_ids

    def _write(self, rows: Any) -> None:
        assert self.file is not None
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.open("a", encoding="utf-8") as file:
            file.write("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def forget(folder: Path, step: int) -> None:
    """Takes the rollouts from this step on out of `rollouts*.jsonl`: a run that goes on makes them again."""
    for file in folder.glob("rollouts*.jsonl"):
        *whole, _half = file.read_bytes().split(b"\n")  # str.splitlines would part at U+2028, too
        kept = [line + b"\n" for line in whole if (json.loads(line)["step"] or 0) < step]
        write_bytes(file, b"".join(kept))


class CommitReward:
    """1 if a completion commits to an answer, 0 if not: a format reward, for models that seldom do."""

    def __init__(self, accuracy: AccuracyReward) -> None:
        self.accuracy = accuracy
        self.__name__ = "commit_reward"

    def __call__(self, completions: Sequence[Completion], **columns: Any) -> list[float | None]:
        """One reward per completion."""
        return [float(self.accuracy.answer(completion) is not None) for completion in completions]
