"""What TRL calls: the verdict of the evaluation's grader as a reward."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from typing import Any

from lm_eval_ext.grading import EXTRACTORS, Grader, GraderConfig, Item, Judge, Verdict
from lm_eval_ext.grading.extraction import formats
from lm_eval_ext.grading.pool import usable_cores

Completion = str | Sequence[dict[str, Any]] | None
"""What TRL passes: a text, or the messages of a conversation, whose content is a text or a list of parts."""
EXPLAINED = 3
"""Undecided golds that a warning shows."""

log = logging.getLogger(__name__)


class AccuracyReward:
    """1 for the gold answer, 0 for another one or none; graded exactly as in the evaluation.

    A reward function of TRL's `GRPOTrainer` and `RLOOTrainer` (trl.trainer.grpo_trainer, `reward_funcs`). A
    callable object rather than a function, so that it can be configured, and picklable, so that it reaches
    the processes of a launcher: the workers start in the process that first calls it.

        GRPOTrainer(model, reward_funcs=AccuracyReward(), train_dataset=rows_with_prompt_and_gold, ...)

    Args:
        extract: how the answer is found, as in the filter `grade_math` of the task that evaluates: one of
            `lm_eval_ext.grading.EXTRACTORS`.
        undecided: the reward where nothing could decide (a timeout, a gold in prose). None, the default,
            leaves the completion out of this reward, as TRL reads None; 0.0 counts it as wrong.
        timeout_s: seconds one comparison may take.
        workers: worker processes of this rank; None: the usable cores shared among the ranks of the host.
        stops: strings at which the evaluation ends a response (its task's `until`): what a completion says
            behind the first of them is not read. TRL's own generation knows no stop strings.
        judge: asked about answers that are not found equal, as in the evaluation; None: no one.
        thinking: [opening, closing] marks of thinking, besides the formats that are known.

    Raises ValueError if there is no such extractor.

    >>> AccuracyReward()(completions=["Final answer: 2/4", "Final answer: 3"], gold=["0.5", "4"])
    [1.0, 0.0]
    """

    def __init__(
        self,
        *,
        extract: str = "statement",
        undecided: float | None = None,
        timeout_s: float = 5.0,
        workers: int | None = None,
        stops: Sequence[str] = (),
        judge: Judge | None = None,
        thinking: Sequence[Sequence[str]] = (),
    ) -> None:
        if extract not in EXTRACTORS:
            raise ValueError(
                f"AccuracyReward: extract is {extract!r}; it must be one of {', '.join(sorted(EXTRACTORS))}"
            )
        self.extract = extract
        self.undecided = undecided
        self.stops = tuple(stops)
        self.config = GraderConfig(
            workers=workers or cores_of_this_rank(),
            timeout_s=timeout_s,
            judge=judge,
            thinking=formats(thinking),
        )
        self.__name__ = "accuracy_reward"  # TRL logs rewards by this name
        self._grader: Grader | None = None

    def __call__(
        self, completions: Sequence[Completion], gold: Sequence[Any] | None = None, **columns: Any
    ) -> list[float | None]:
        """One reward per completion.

        Args:
            completions: texts or messages, as TRL generates them.
            gold: the dataset's column of reference answers, one per completion, in any form that `Item.gold`
                takes; None: the column `solution`, which TRL's own rewards read.
            columns: other columns; of these, `problem` gives the values of a multiple choice.

        Raises ValueError without either column, or if it is not as long as the completions.
        """
        golds = golds_of(gold, columns)
        verdicts = self.verdicts(completions, golds, columns.get("problem"))
        self.explain(verdicts, golds, columns)
        return [self._reward(v) for v in verdicts]

    def verdicts(
        self,
        completions: Sequence[Completion],
        gold: Sequence[Any],
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
        return self._grader.grade(items, extractor=EXTRACTORS[self.extract])

    def explain(self, verdicts: Sequence[Verdict], golds: Sequence[Any], columns: dict[str, Any]) -> None:
        """Warns of undecided completions: whose golds they are, why, and what to do about it."""
        names = columns.get("id") or [None] * len(golds)
        why = {
            repr(gold)[:80] + (f" (id {name})" if name is not None else ""): verdict.reason
            for verdict, gold, name in zip(verdicts, golds, names, strict=True)
            if verdict.correct is None
        }
        if not why or self.undecided is not None:
            return
        number = sum(verdict.correct is None for verdict in verdicts)
        shown = "; ".join(f"gold {gold}: {reason}" for gold, reason in list(why.items())[:EXPLAINED])
        more = f"; and {len(why) - EXPLAINED} more" if len(why) > EXPLAINED else ""
        log.warning(
            "%s of %d completions could not be graded and get no reward: %s%s. %s",
            "all" if number == len(verdicts) else number,
            *(len(verdicts), shown, more),
            "Mend these golds or leave their rows out, raise timeout_s, or set undecided=0.0 to count them "
            "as wrong",
        )

    def text(self, completion: Completion) -> str:
        """What is graded of a completion: its text, up to the first of the stops."""
        text = text_of(completion)
        return text[: min((place for stop in self.stops if (place := text.find(stop)) >= 0), default=None)]

    def answer(self, completion: Completion) -> str | None:
        """What a completion commits to, None if to nothing."""
        return EXTRACTORS[self.extract].with_thinking(self.config.thinking)(self.text(completion))

    def _reward(self, verdict: Verdict) -> float | None:
        return self.undecided if verdict.correct is None else float(verdict.correct)

    def close(self) -> None:
        """Ends the workers; the next call starts new ones."""
        if self._grader is not None:
            self._grader.close()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_grader": None}


def text_of(completion: Completion) -> str:
    """The text of a completion; of a conversation, what the assistant said last; "" of None."""
    if completion is None or isinstance(completion, str):
        return completion or ""
    said = [m.get("content") for m in completion if m.get("role", "assistant") == "assistant"]
    content = said[-1] if said else None
    if content is None or isinstance(content, str):
        return content or ""
    parts = (part if isinstance(part, str) else part.get("text") for part in content)
    return "".join(part or "" for part in parts)


def golds_of(gold: Sequence[Any] | None, columns: dict[str, Any]) -> Sequence[Any]:
    """The column `gold`, else `solution`. Raises ValueError if there is neither."""
    found = columns.get("solution") if gold is None else gold
    if found is None:
        raise ValueError(
            "AccuracyReward: the dataset has no column gold and no column solution (it has "
            f"{', '.join(sorted(columns)) or 'none'}); name the column of reference answers gold"
        )
    return found


def cores_of_this_rank() -> int:
    """The usable cores, shared among the ranks that a launcher started on this host (LOCAL_WORLD_SIZE)."""
    return max(1, usable_cores() // max(1, int(os.environ.get("LOCAL_WORLD_SIZE", "1"))))
