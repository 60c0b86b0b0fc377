"""TRL reward that uses the evaluation's grader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lm_eval_ext.grading import EXTRACTORS, GraderConfig, Item, Judge, Tolerance, Verdict, shared_grader
from lm_eval_ext.grading.extraction import formats
from lm_eval_ext.rewards.completions import Completion, golds_of, text_of, up_to_stop, warn_of_undecided
from lm_eval_ext.rewards.types import Score, Verifier


class AccuracyReward:
    """1 for a correct answer, 0 for a wrong one or none; graded exactly as in the evaluation.

    A reward function for TRL's `GRPOTrainer` and `RLOOTrainer` (`reward_funcs`). It can be pickled; the
    workers start in the process that first calls it, and rewards with the same settings share them.

        GRPOTrainer(model, reward_funcs=AccuracyReward(), train_dataset=rows_with_prompt_and_gold, ...)

    Args:
        extract: name of the extractor, one of `lm_eval_ext.grading.EXTRACTORS`, as for the evaluation task's
            filter `grade_math`.
        undecided: reward for undecided answers (a timeout, a gold in prose). None makes TRL ignore the
            completion; 0.0 counts it as wrong.
        timeout_s: seconds for one comparison.
        workers: worker processes of this rank; None: its share of the host's usable cores.
        stops: the evaluation task's `until`. Text after the first of these strings is ignored, because TRL
            does not support stop strings.
        judge: asked about answers not found equal, as in the evaluation.
        thinking: additional [opening, closing] marks of thinking.
        tolerance: how far numbers may be from their golds, as in the evaluation: a share such as 0.01, or
            `{"relative": 0.01, "absolute": 0.1}`.

    Raises ValueError for an unknown extractor.

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
        tolerance: float | Mapping[str, float] | None = None,
    ) -> None:
        if extract not in EXTRACTORS:
            raise ValueError(
                f"AccuracyReward: extract is {extract!r}; it must be one of {', '.join(sorted(EXTRACTORS))}"
            )
        self.extract = extract
        self.undecided = undecided
        self.stops = tuple(stops)
        self.config = GraderConfig(
            workers=workers,
            timeout_s=timeout_s,
            judge=judge,
            thinking=formats(thinking),
            tolerance=Tolerance.of(tolerance),
        )
        self.__name__ = "accuracy_reward"  # TRL logs rewards by this name

    def __call__(
        self, completions: Sequence[Completion], gold: Sequence[Any] | None = None, **columns: Any
    ) -> list[float | None]:
        """One reward per completion.

        Args:
            completions: texts or messages from TRL.
            gold: reference answers, in any form that `Item.gold` accepts; None: the column `solution`, which
                TRL's own rewards read.
            columns: other columns; `problem` resolves the choices of a multiple-choice problem.

        Raises ValueError if both columns are missing or the lengths differ.
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
        progress: str | None = None,
    ) -> list[Verdict]:
        """The verdicts behind the rewards; `progress` labels a bar on stderr."""
        if len(gold) != len(completions):
            raise ValueError(f"{len(completions)} completions, but {len(gold)} rows in the column gold")
        texts = [self.text(c) for c in completions]
        asked = problems if problems is not None else [None] * len(texts)
        items = [Item(t, g, p) for t, g, p in zip(texts, gold, asked, strict=True)]
        return shared_grader(self.config).grade(items, extractor=EXTRACTORS[self.extract], progress=progress)

    def score(self, responses: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[Score]:
        """Scores by the rows' `gold` or `solution`, and `problem` if they have it."""
        golds = [golds_of(row.get("gold"), row) for row in rows]
        verdicts = self.verdicts(responses, golds, [row.get("problem") for row in rows])
        return [Score.of(v.correct, answer=v.answer, reason=v.reason, rule=v.rule) for v in verdicts]

    def explain(self, verdicts: Sequence[Verdict], golds: Sequence[Any], columns: dict[str, Any]) -> None:
        """Warns about undecided completions, with their golds, the reasons and the fix."""
        if self.undecided is None:
            names = columns.get("id") or [None] * len(golds)
            rows = [{"gold": gold, "id": name} for gold, name in zip(golds, names, strict=True)]
            warn_of_undecided(verdicts, rows)

    def text(self, completion: Completion) -> str:
        """The graded part of a completion: its text up to the first stop string."""
        return up_to_stop(text_of(completion), self.stops)

    def answer(self, completion: Completion) -> str | None:
        """The extracted answer, or None."""
        return EXTRACTORS[self.extract].with_thinking(self.config.thinking)(self.text(completion))

    def _reward(self, verdict: Verdict) -> float | None:
        return self.undecided if verdict.correct is None else float(verdict.correct)

    def close(self) -> None:
        """Stops the workers; the next call starts new ones."""
        shared_grader(self.config).close()


def math(**settings: Any) -> Verifier:
    """The verifier `math`; settings of `AccuracyReward`."""
    return AccuracyReward(**settings).score
