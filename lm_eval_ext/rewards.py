"""What TRL calls: the verdict of the evaluation's grader as a reward."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from lm_eval_ext.grading import Grader, GraderConfig, Item, Verdict
from lm_eval_ext.grading.extract import extract
from lm_eval_ext.grading.pool import usable_cores

Completion = str | Sequence[dict[str, Any]]
"""What TRL passes: a text, or the messages of a conversation."""


class AccuracyReward:
    """1 for the gold answer, 0 for another one or none; graded exactly as in the evaluation.

    A reward function of TRL's `GRPOTrainer` and `RLOOTrainer` (trl.trainer.grpo_trainer, `reward_funcs`). A
    callable object rather than a function, so that it can be configured, and picklable, so that it reaches
    the processes of a launcher: the workers start in the process that first calls it.

        GRPOTrainer(model, reward_funcs=AccuracyReward(), train_dataset=rows_with_prompt_and_gold, ...)

    Args:
        undecided: the reward where nothing could decide (a timeout, a gold in prose). None, the default,
            leaves the completion out of this reward, as TRL reads None; 0.0 counts it as wrong.
        timeout_s: seconds one comparison may take.
        workers: worker processes of this rank; None: the usable cores shared among the ranks of the host.
        stops: strings at which the evaluation ends a response (its task's `until`): what a completion says
            behind the first of them is not read. TRL's own generation knows no stop strings.

    >>> AccuracyReward()(completions=["Final answer: 2/4", "Final answer: 3"], gold=["0.5", "4"])
    [1.0, 0.0]
    """

    def __init__(
        self,
        *,
        undecided: float | None = None,
        timeout_s: float = 5.0,
        workers: int | None = None,
        stops: Sequence[str] = (),
    ) -> None:
        self.undecided = undecided
        self.stops = tuple(stops)
        self.config = GraderConfig(workers=workers or cores_of_this_rank(), timeout_s=timeout_s)
        self.__name__ = "accuracy_reward"  # TRL logs rewards by this name
        self._grader: Grader | None = None

    def __call__(
        self, completions: Sequence[Completion], gold: Sequence[str], **columns: Any
    ) -> list[float | None]:
        """One reward per completion.

        Args:
            completions: texts or messages, as TRL generates them.
            gold: the dataset's column of reference answers, one per completion.
            columns: other columns; of these, `problem` gives the values of a multiple choice.

        Raises ValueError if the columns are not as long as the completions.
        """
        return [self._reward(v) for v in self.verdicts(completions, gold, columns.get("problem"))]

    def verdicts(
        self,
        completions: Sequence[Completion],
        gold: Sequence[str],
        problems: Sequence[str | None] | None = None,
    ) -> list[Verdict]:
        """The verdicts behind the rewards."""
        if len(gold) != len(completions):
            raise ValueError(f"{len(completions)} completions, and {len(gold)} rows in the column gold")
        texts = [self.text(c) for c in completions]
        asked = problems if problems is not None else [None] * len(texts)
        items = [Item(t, g, p) for t, g, p in zip(texts, gold, asked, strict=True)]
        if self._grader is None:
            self._grader = Grader(self.config)
        return self._grader.grade(items)

    def text(self, completion: Completion) -> str:
        """What is graded of a completion: its text, up to the first of the stops."""
        text = text_of(completion)
        return text[: min((place for stop in self.stops if (place := text.find(stop)) >= 0), default=None)]

    def answer(self, completion: Completion) -> str | None:
        """What a completion commits to, None if to nothing."""
        return extract(self.text(completion))

    def _reward(self, verdict: Verdict) -> float | None:
        return self.undecided if verdict.correct is None else float(verdict.correct)

    def close(self) -> None:
        """Ends the workers; the next call starts new ones."""
        if self._grader is not None:
            self._grader.close()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_grader": None}


def text_of(completion: Completion) -> str:
    """The text of a completion; of a conversation, what the assistant said last."""
    if isinstance(completion, str):
        return completion
    said = [m["content"] for m in completion if m.get("role", "assistant") == "assistant"]
    return str(said[-1] or "") if said else ""


def cores_of_this_rank() -> int:
    """The usable cores, shared among the ranks that a launcher started on this host (LOCAL_WORLD_SIZE)."""
    return max(1, usable_cores() // max(1, int(os.environ.get("LOCAL_WORLD_SIZE", "1"))))
