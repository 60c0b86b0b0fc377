"""The rewards of a recipe: accuracy by the evaluation's grader, and those that the recipe adds.

Every rollout of a run is recorded in `output_dir/rollouts.jsonl`, one line each.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from lm_eval_ext.atomic import write_bytes
from lm_eval_ext.grading import Verdict
from lm_eval_ext.rewards import AccuracyReward, Completion, golds_of, text_of

from .data.build import prompts_of
from .recipe import Recipe


def rewards(
    recipe: Recipe, training: Any, tokenizer: Any, eos_tokens: Sequence[int]
) -> tuple[list[Any], list[float]]:
    """The reward functions and their weights; the first of them grades and records."""
    from trl.rewards import get_soft_overlong_punishment

    accuracy = RecordedReward(
        Path(training.output_dir) / "rollouts.jsonl",
        max_tokens=training.max_completion_length,
        eos_tokens=eos_tokens,
        **prompts_of(recipe, tokenizer).reward_settings,
    )
    found: list[tuple[Any, float]] = [(accuracy, 1.0)]
    if recipe.format_weight:
        found.append((FormatReward(accuracy), recipe.format_weight))
    if recipe.overlong_tokens:
        overlong = get_soft_overlong_punishment(training.max_completion_length, recipe.overlong_tokens)
        found.append((overlong, 1.0))
    return [function for function, _ in found], [weight for _, weight in found]


class FormatReward:
    """1 if a completion commits to an answer, else 0: for models that seldom do."""

    def __init__(self, accuracy: AccuracyReward) -> None:
        self.accuracy = accuracy
        self.__name__ = "format_reward"

    def __call__(self, completions: Sequence[Completion], **columns: Any) -> list[float | None]:
        """One reward per completion."""
        return [float(self.accuracy.answer(completion) is not None) for completion in completions]


class RecordedReward(AccuracyReward):
    """`AccuracyReward` that records what it grades, one line per rollout::

        {"step": 3, "id": "train-0007", "prompt_sha256": "65c7...", "completion": " 3 * 8 = 24. ...",
         "answer": "24", "correct": true, "layer": "exact", "reason": "...", "truncated": false,
         "tokens": 17, "grading_s": 0.0004}

    `grading_s` is the time of the whole batch divided by its rollouts.

    Args:
        file: appended to, one per rank (`.rank1` and so on before the suffix); None: nothing is recorded.
        max_tokens: a completion with this many tokens and no EOS token at its end is truncated.
        eos_tokens: ids.
        settings: of `AccuracyReward`.
    """

    def __init__(
        self,
        file: Path | None = None,
        *,
        max_tokens: int | None = None,
        eos_tokens: Sequence[int] = (),
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        rank = int(os.environ.get("RANK", "0"))
        self.file = file.with_suffix(f".rank{rank}{file.suffix}") if file and rank else file
        self.max_tokens = max_tokens
        self.eos_tokens = frozenset(eos_tokens)
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
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with self.file.open("a", encoding="utf-8") as file:
                for row in self._rows(completions, verdicts, columns, seconds):
                    file.write(json.dumps(row, ensure_ascii=False) + "\n")
        return [self._reward(verdict) for verdict in verdicts]

    def _rows(
        self,
        completions: Sequence[Completion],
        verdicts: Sequence[Verdict],
        columns: dict[str, Any],
        seconds: float,
    ) -> Iterable[dict[str, Any]]:
        nothing = [None] * len(verdicts)
        given = (columns.get(name) or nothing for name in ("id", "prompts", "completion_ids"))
        for completion, verdict, name, prompt, tokens in zip(completions, verdicts, *given, strict=True):
            yield {
                "step": getattr(columns.get("trainer_state"), "global_step", None),
                "id": name,
                "prompt_sha256": hashlib.sha256(str(prompt).encode()).hexdigest(),
                "completion": text_of(completion),
                **{name: getattr(verdict, name) for name in ("answer", "correct", "layer", "reason")},
                "truncated": self._truncated(tokens),
                "tokens": None if tokens is None else len(tokens),
                "grading_s": round(seconds / len(verdicts), 6),
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
